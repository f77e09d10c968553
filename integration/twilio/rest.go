package twilio

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Op names one operation of the REST API.
type Op string

// The operations. Any stands for all of them where faults are scripted.
const (
	Any         Op = ""
	CreateOp    Op = "create message"
	ListOp      Op = "list messages"
	FetchOp     Op = "fetch message"
	UpdateOp    Op = "update message"
	DeleteOp    Op = "delete message"
	MediaListOp Op = "list media"
	MediaOp     Op = "fetch media" // the resource
	ContentOp   Op = "media content"
	MediaDelOp  Op = "delete media"
)

const (
	typeJSON = "application/json"
	maxBody  = 256 << 10 // bytes of a request
)

// answer is a response, and what happens around it.
type answer struct {
	status      int
	contentType string
	header      http.Header
	body        []byte

	early func(context.Context) // done before the answer is written
	after func(context.Context) // started once it is written, or lost
}

// call is one authenticated request.
type call struct {
	op   Op
	form url.Values // of the body
	*http.Request
}

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	handle := func(pattern string, op Op, do func(*call) answer) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, op, do) })
	}
	account := "/" + apiVersion + "/Accounts/{account}"
	for _, name := range []string{"/Messages", "/Messages.json"} {
		handle("POST "+account+name, CreateOp, s.create)
		handle("GET "+account+name, ListOp, s.list)
	}
	message := account + "/Messages/{sid}"
	handle("GET "+message, FetchOp, s.fetch)
	handle("POST "+message, UpdateOp, s.update)
	handle("DELETE "+message, DeleteOp, s.remove)
	for _, name := range []string{"/Media", "/Media.json"} {
		handle("GET "+message+name, MediaListOp, s.listMedia)
	}
	mux.HandleFunc("GET "+message+"/Media/{media}", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.PathValue("media"), ".json") {
			s.answer(w, r, MediaOp, s.fetchMedia)
			return
		}
		s.answer(w, r, ContentOp, s.content)
	})
	handle("DELETE "+message+"/Media/{media}", MediaDelOp, s.removeMedia)
	mux.HandleFunc("GET /cdn/{account}/{key}", s.serveContent)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.answer(w, r, "", func(c *call) answer { return refusal(20404, c.URL.Path).answer() })
	})
	return mux
}

// ServeHTTP serves the REST API, so that a test may mount it behind a server of its own. Callbacks wait for Run.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			http.Error(w, "request too large", http.StatusRequestEntityTooLarge)
		}
		return // otherwise the client has gone
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if s.cfg.Record == nil {
		s.mux.ServeHTTP(w, r)
		return
	}
	rec := &recorder{ResponseWriter: w}
	s.mux.ServeHTTP(rec, r)
	s.cfg.Record(rec.exchange(r, body))
}

// answer carries one request through authentication, the faults and the operation.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, op Op, do func(*call) answer) {
	c := &call{op: op, Request: r, form: url.Values{}}
	if r.Method == http.MethodPost {
		if err := r.ParseForm(); err != nil {
			s.write(w, c, refusal(20001, err.Error()).answer())
			return
		}
		c.form = r.PostForm
	}
	if refused := s.authenticate(r); refused != nil {
		s.write(w, c, refused.answer())
		return
	}
	f := s.nextFault(c)
	if f != nil && !f.accepts() {
		s.note(c, 0, f.Kind)
		s.spoil(w, c, f, answer{})
		return
	}
	a := do(c)
	if a.early != nil {
		s.before(r.Context(), a.early)
	}
	if f != nil {
		s.note(c, a.status, f.Kind)
		if a.after != nil {
			s.spawn(a.after) // the answer may never end
		}
		s.spoil(w, c, f, a)
		return
	}
	if a.after != nil {
		// Under way before the client can know of the message, so that WaitIdle waits for it.
		defer s.reserve(a.after)()
	}
	s.write(w, c, a)
}

// before runs a job of the server and returns when it, or the client's patience, has ended.
func (s *Server) before(ctx context.Context, job func(context.Context)) {
	done := make(chan struct{})
	s.spawn(func(ctx context.Context) {
		defer close(done)
		job(ctx)
	})
	select {
	case <-done:
	case <-ctx.Done():
	}
}

func (s *Server) write(w http.ResponseWriter, c *call, a answer) {
	s.note(c, a.status, "")
	a.send(w)
}

func (a *answer) send(w http.ResponseWriter) {
	h := w.Header()
	for name, values := range a.header {
		h[name] = values
	}
	if a.contentType != "" {
		h.Set("Content-Type", a.contentType)
	}
	h.Set("Twilio-Request-Id", newSID("RQ"))
	if a.status != http.StatusNoContent {
		h.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	if len(a.body) > 0 {
		_, _ = w.Write(a.body) // the client may have gone
	}
	_ = http.NewResponseController(w).Flush()
}

// authenticate takes the account's SID and token, or an API key and its secret.
func (s *Server) authenticate(r *http.Request) *apiError {
	user, pass, ok := r.BasicAuth()
	want, known := s.cfg.APIKeys[user]
	if user == s.cfg.AccountSID {
		want, known = s.cfg.AuthToken, true
	}
	if !ok || !known || subtle.ConstantTimeCompare([]byte(pass), []byte(want)) != 1 {
		e := refusal(20003)
		e.Detail = "Your AccountSid or AuthToken was incorrect."
		return e
	}
	if account := r.PathValue("account"); account != "" && account != s.cfg.AccountSID {
		return refusal(20404, r.URL.Path)
	}
	return nil
}

func jsonAnswer(status int, v any) answer {
	return answer{status: status, contentType: typeJSON, body: mustJSON(v)}
}

func (c *call) notFound() answer { return refusal(20404, c.URL.Path).answer() }

// sid is the message's SID in the path, without the .json.
func (c *call) sid() string { return strings.TrimSuffix(c.PathValue("sid"), ".json") }

func (c *call) mediaSID() string { return strings.TrimSuffix(c.PathValue("media"), ".json") }
