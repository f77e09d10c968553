package twilio

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"
)

const (
	ours    = "+15550100001"
	ours2   = "+15550100002"
	peer    = "+15550199001"
	service = "MG00000000000000000000000000000001"
)

// start runs a server for the length of the test and checks that it ends well.
func start(t *testing.T, cfg Config) *Server {
	t.Helper()
	if cfg.Numbers == nil {
		cfg.Numbers = []Number{{E164: ours}, {E164: ours2}}
	}
	s := New(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	if s.URL() == "" {
		t.Fatal("server did not start")
	}
	return s
}

// patience bounds a wait that a bug would make endless.
func patience(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// rewrite sends what is meant for api.twilio.com to the server, each request on a connection of its own.
type rewrite struct {
	base *url.URL
	next http.RoundTripper
}

func (rt rewrite) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = rt.base.Scheme, rt.base.Host
	return rt.next.RoundTrip(r)
}

// sdk is twilio-go's client of the account.
func sdk(t *testing.T, s *Server) *api.ApiService {
	t.Helper()
	base, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	c := &client.Client{
		Credentials: client.NewCredentials(s.AccountSID(), s.AuthToken()),
		HTTPClient: &http.Client{
			Transport:     rewrite{base, transport},
			Timeout:       20 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	c.SetAccountSid(s.AccountSID())
	return api.NewApiServiceWithClient(c)
}

// response is the head of an answer; its body has been read.
type response struct {
	StatusCode int
	Header     http.Header
}

// request calls the REST API without any library.
func request(t *testing.T, s *Server, method, path string, form url.Values) (response, []byte) {
	t.Helper()
	resp, body, err := send(t, s, method, path, form)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp, body
}

func send(t *testing.T, s *Server, method, path string, form url.Values) (response, []byte, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(patience(t), method, s.URL()+s.accountPath()+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(s.AccountSID(), s.AuthToken())
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	c := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := c.Do(req)
	if err != nil {
		return response{}, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return response{resp.StatusCode, resp.Header}, body, err
}

// text is the form of a plain message.
func text(body string, more ...string) url.Values {
	form := url.Values{"From": {ours}, "To": {peer}, "Body": {body}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

// create sends a message and returns its SID.
func create(t *testing.T, s *Server, form url.Values) string {
	t.Helper()
	resp, body := request(t, s, http.MethodPost, "/Messages.json", form)
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("create: %d %s", resp.StatusCode, body)
	}
	all := s.Messages()
	for i := len(all) - 1; i >= 0; i-- {
		if strings.Contains(string(body), all[i].SID) {
			return all[i].SID
		}
	}
	t.Fatalf("create: no message of the server in %s", body)
	return ""
}

// hook is a webhook that keeps what it is sent and checks each signature with Twilio's own library.
type hook struct {
	*httptest.Server
	mu     sync.Mutex
	forms  []url.Values
	tokens []string
	forged int
	answer http.HandlerFunc // nil: an empty TwiML response
}

func newHook(t *testing.T, answer http.HandlerFunc) *hook {
	h := &hook{answer: answer}
	h.Server = httptest.NewServer(h)
	t.Cleanup(h.Close)
	return h
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	validator := client.NewRequestValidator(DefaultAuthToken)
	h.mu.Lock()
	if !validator.ValidateBody(h.URL+r.URL.RequestURI(), body, r.Header.Get(SignatureHeader)) {
		h.forged++
	}
	h.forms = append(h.forms, form)
	h.tokens = append(h.tokens, r.Header.Get("I-Twilio-Idempotency-Token"))
	h.mu.Unlock()
	if h.answer != nil {
		h.answer(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><Response></Response>`)
}

// got returns one parameter of every request so far.
func (h *hook) got(name string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var values []string
	for _, f := range h.forms {
		values = append(values, f.Get(name))
	}
	return values
}

func (h *hook) badSignatures() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.forged
}
