package twilio

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twilio/twilio-go/client"
)

// wire is a network of in-memory connections to one HTTP server, for tests in synctest's time.
type wire struct {
	conns   chan net.Conn
	closed  chan struct{}
	refused int           // how many dials are refused before one is taken
	dial    time.Duration // how long a dial takes
}

func newWire() *wire { return &wire{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (w *wire) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if !pause(ctx, w.dial) {
		return nil, ctx.Err()
	}
	if w.refused > 0 {
		w.refused--
		return nil, errors.New("connection refused")
	}
	ours, theirs := net.Pipe()
	select {
	case w.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (w *wire) Accept() (net.Conn, error) {
	select {
	case c := <-w.conns:
		return c, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

func (w *wire) Close() error   { close(w.closed); return nil }
func (w *wire) Addr() net.Addr { return &net.TCPAddr{} }

// serveWire answers on w until the returned function is called.
func serveWire(w *wire, h http.HandlerFunc) (stop func()) {
	srv := &http.Server{Handler: h}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = srv.Serve(w)
	}()
	return func() {
		_ = srv.Close()
		<-ended
	}
}

func TestDeliveryRules(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // so that net/http sees the client go
		<-r.Context().Done()
	}
	answer := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
	}
	tests := []struct {
		name     string
		fragment string
		handler  http.HandlerFunc
		refused  int
		dial     time.Duration
		tries    int
		took     time.Duration
		status   int // of the last try
	}{
		{"answered", "", answer(204), 0, 0, 1, 0, 204},
		{"5xx is not tried again", "", answer(503), 0, 0, 1, 0, 503},
		{"refused once", "", answer(200), 1, 0, 2, 0, 200},
		{"refused twice", "", answer(200), 2, 0, 2, 0, 0},
		{"connect timeout, twice", "", answer(200), 0, time.Minute, 2, 10 * time.Second, 0},
		{"read timeout is not tried again", "", hang, 0, 0, 1, 15 * time.Second, 0},
		{"shorter connect timeout", "#ct=1000&rc=3", answer(200), 0, time.Minute, 4, 4 * time.Second, 0},
		{"total caps the tries", "#rc=5&tt=12000", answer(200), 0, time.Minute, 3, 12 * time.Second, 0},
		{"read timeout tried again", "#rt=1000&rc=2&rp=rt", hang, 0, 0, 3, 3 * time.Second, 0},
		{"5xx tried again", "#rc=5&rp=5xx", answer(500), 0, 0, 6, 0, 500},
		{"4xx tried again", "#rc=2&rp=4xx,5xx", answer(404), 0, 0, 3, 0, 404},
		{"all", "#rc=2&rp=all", answer(429), 0, 0, 3, 0, 429},
		{"no retries", "#rc=0", answer(200), 1, 0, 1, 0, 0},
		{"out of range", "#rc=9&ct=1&rt=99999999", answer(200), 1, 0, 2, 0, 200},
		{"nonsense", "#a&b=c&rc=x", answer(200), 1, 0, 2, 0, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire()
				w.refused, w.dial = tt.refused, tt.dial
				stop := serveWire(w, tt.handler)
				defer stop()
				s := New(Config{Dial: w.Dial})
				begun := time.Now()
				tries := s.post(t.Context(), webhook{kind: StatusHook, url: "http://gw.example/hook" + tt.fragment, form: url.Values{"A": {"b"}}, token: "t"})
				if took := time.Since(begun); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				time.Sleep(time.Minute) // net/http lets a dial run on after its request has ended
				if len(tries) != tt.tries {
					t.Fatalf("%d tries, want %d", len(tries), tt.tries)
				}
				last := tries[len(tries)-1]
				if last.Status != tt.status || (last.Err == nil) != (tt.status != 0) {
					t.Errorf("last try: %d, %v", last.Status, last.Err)
				}
				if last.Try != tt.tries || last.Token != "t" || last.URL != "http://gw.example/hook" {
					t.Errorf("last try: %+v", last)
				}
				if got := len(s.Attempts()); got != tt.tries {
					t.Errorf("%d attempts recorded", got)
				}
			})
		})
	}
}

// A connection that breaks after the request was sent is a read failure: by default not tried again.
func TestResetAfterRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		stop := serveWire(w, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		defer stop()
		s := New(Config{Dial: w.Dial})
		tries := s.post(t.Context(), webhook{url: "http://gw.example/hook#rc=1"})
		if len(tries) != 1 || tries[0].Err == nil {
			t.Errorf("tries %+v", tries)
		}
	})
}

func TestWebhookSignature(t *testing.T) {
	const configured = "https://user:pa%20ss@gw.example:8443/t/x y/hook?a=%C3%BC&b=ü#rc=0"
	for _, signFragment := range []bool{false, true} {
		s := New(Config{SignFragment: signFragment, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, io.EOF }})
		form := url.Values{"Body": {"hi ü"}}
		tries := s.post(t.Context(), webhook{url: configured, form: form})
		want := "https://user:pa%20ss@gw.example:8443/t/x y/hook?a=%C3%BC&b=ü"
		if signFragment {
			want = configured
		}
		if tries[0].Signature != Sign(DefaultAuthToken, want, form) {
			t.Errorf("SignFragment %v: not the signature of %s", signFragment, want)
		}
	}
}

func TestWebhookRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		var got *http.Request
		stop := serveWire(w, func(_ http.ResponseWriter, r *http.Request) {
			_ = r.ParseForm()
			got = r
		})
		defer stop()
		s := New(Config{Dial: w.Dial})
		s.post(t.Context(), webhook{url: "http://u:p@gw.example/hook?q=1", form: url.Values{"Body": {"a+b & c"}}, token: "tok"})
		if got == nil || got.Method != http.MethodPost || got.Host != "gw.example" || got.URL.RequestURI() != "/hook?q=1" {
			t.Fatalf("request %+v", got)
		}
		if u, p, _ := got.BasicAuth(); u != "u" || p != "p" {
			t.Errorf("basic auth %s %s", u, p)
		}
		if got.PostForm.Get("Body") != "a+b & c" || got.Header.Get("I-Twilio-Idempotency-Token") != "tok" ||
			got.Header.Get("Content-Type") != "application/x-www-form-urlencoded; charset=UTF-8" {
			t.Errorf("request %+v", got)
		}
		theirs := client.NewRequestValidator(DefaultAuthToken)
		if !theirs.Validate("http://u:p@gw.example/hook?q=1", map[string]string{"Body": "a+b & c"}, got.Header.Get(SignatureHeader)) {
			t.Error("twilio-go refuses the signature")
		}
	})
}

// A scheduled message is sent when it is due, in Twilio's own time.
func TestScheduledMessageIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{Numbers: []Number{{E164: ours}}, Services: []Service{{SID: service, Numbers: []string{ours}}}})
		s.mu.Lock()
		r := s.accept(Message{To: peer, Body: "x", Service: service, Form: url.Values{"SendAt": {"x"}}}, s.scriptFor(&Message{Service: service}))
		r.sendAt = time.Now().Add(time.Hour)
		s.mu.Unlock()
		go s.play(t.Context(), r)
		time.Sleep(time.Hour - time.Second)
		synctest.Wait()
		if m, _ := s.Message(r.SID); m.Status != Scheduled || m.Segments != 0 {
			t.Errorf("before its time: %+v", m)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if m, _ := s.Message(r.SID); m.Status != Delivered || m.From != ours || m.Segments != 1 {
			t.Errorf("when due: %+v", m)
		}
	})
}

func FuzzParseOverrides(f *testing.F) {
	for _, seed := range []string{"https://a/b", "https://a/b#rc=5&rp=all", "#", "x#ct=100&rt=15000&tt=0&rc=-1", "a#b#c=1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		_, o := parseOverrides(raw)
		if o.retries < 0 || o.retries > 5 || o.connect < 100*time.Millisecond || o.connect > 10*time.Second ||
			o.read < 100*time.Millisecond || o.read > 15*time.Second || o.total < 100*time.Millisecond || o.total > 15*time.Second {
			t.Errorf("%q: %+v", raw, o)
		}
	})
}
