package unsubscribe

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"code.dny.dev/ssrf"
)

func TestRead(t *testing.T) {
	const click = "List-Unsubscribe=One-Click"
	for _, tt := range []struct {
		name, field, post string
		want              Ways
	}{
		{"nothing", "", "", Ways{}},
		{"one click", "<https://x.example/u?a=b>", click, Ways{Page: "https://x.example/u?a=b", OneClick: true}},
		{"a page", "<https://x.example/u>", "", Ways{Page: "https://x.example/u"}},
		{"both", "<mailto:l-leave@x.example?subject=leave>,\t<https://x.example/u>", " list-unsubscribe=one-click ",
			Ways{Page: "https://x.example/u", OneClick: true, Mail: "mailto:l-leave@x.example?subject=leave"}},
		{"the first of each", "<https://a.example/>, <https://b.example/>", "", Ways{Page: "https://a.example/"}},
		{"folded", "<https://x.example/\r\n  u>", "", Ways{Page: "https://x.example/u"}},
		{"in the clear", "<http://x.example/u>", click, Ways{}},
		{"one click without a page", "<mailto:a@b>", click, Ways{Mail: "mailto:a@b"}},
		{"with a password", "<https://a:b@x.example/>", click, Ways{}},
		{"no address", "<mailto:nobody>", "", Ways{}},
		{"without brackets", "https://x.example/u", "", Ways{}},
		{"a file", "<file:///etc/passwd>", click, Ways{}},
		{"many", strings.Repeat("<x:y>,", 20) + "<https://x.example/>", "", Ways{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Read(tt.field, tt.post); got != tt.want {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestLetter(t *testing.T) {
	for _, tt := range []struct {
		uri  string
		want Letter
	}{
		{"mailto:l@x.example", Letter{"l@x.example", "unsubscribe", "unsubscribe"}},
		{"mailto:l%2Bme@x.example?subject=Leave%20me%0d%0aBcc:%20eve@x.example&body=a%0Ab&bcc=eve@x.example",
			Letter{"l+me@x.example", "Leave me Bcc: eve@x.example", "a\nb"}},
		{"mailto:l@x.example?subject=a+b", Letter{"l@x.example", "a+b", "unsubscribe"}},
		{"mailto:a@b,c@d", Letter{}},
		{"https://x.example", Letter{}},
		{"", Letter{}},
	} {
		if got, ok := (Ways{Mail: tt.uri}).Letter(); got != tt.want || ok != (tt.want != Letter{}) {
			t.Errorf("%q: %+v, %v", tt.uri, got, ok)
		}
	}
}

// webserver answers as it is told, and returns the ways to it, and how it is dialled.
func webserver(t *testing.T, answer http.HandlerFunc) (Ways, Dial) {
	srv := httptest.NewTLSServer(answer)
	t.Cleanup(srv.Close)
	return Ways{Page: srv.URL + "/u", OneClick: true}, func(ctx context.Context, network, addr string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
}

// TestPost: certificates are verified, so that a test server's is refused before anything is said.
func TestPost(t *testing.T) {
	said := false
	w, dial := webserver(t, func(http.ResponseWriter, *http.Request) { said = true })
	err := w.Post(t.Context(), dial)
	if err == nil || said || strings.Contains(err.Error(), w.Page) {
		t.Errorf("%v, %v", err, said)
	}
	if err := (Ways{Page: w.Page}).Post(t.Context(), dial); err == nil {
		t.Error("posted without an offer")
	}
}

// TestPostSays: what is sent, and how answers are understood.
func TestPostSays(t *testing.T) {
	for _, tt := range []struct {
		status int
		ok     bool
	}{{200, true}, {202, true}, {302, false}, {404, false}, {500, false}} {
		var body string
		var header http.Header
		srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			body, header = r.Method+" "+string(b), r.Header
			rw.Header().Set("Location", "/elsewhere")
			rw.WriteHeader(tt.status)
		}))
		w := Ways{Page: srv.URL, OneClick: true}
		err := w.Post(t.Context(), new(net.Dialer).DialContext)
		srv.Close()
		if (err == nil) != tt.ok || !tt.ok && !errors.Is(err, ErrRefused) {
			t.Errorf("%d: %v", tt.status, err)
		}
		if body != "POST List-Unsubscribe=One-Click" || header.Get("Content-Type") != "application/x-www-form-urlencoded" || header.Get("Cookie") != "" {
			t.Errorf("%d: %q, %v", tt.status, body, header)
		}
	}
}

// TestPostStaysOutside: a list cannot have us talk to servers that are not the Internet's.
func TestPostStaysOutside(t *testing.T) {
	asked := false
	w, _ := webserver(t, func(http.ResponseWriter, *http.Request) { asked = true })
	d := net.Dialer{Control: ssrf.New(ssrf.WithAnyPort()).Safe}
	if err := w.Post(t.Context(), d.DialContext); !errors.Is(err, ssrf.ErrProhibitedIP) || asked {
		t.Errorf("%v, %v", err, asked)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("<mailto:l@x.example?subject=a%0ab>, <https://x.example/>", "List-Unsubscribe=One-Click")
	f.Fuzz(func(t *testing.T, field, post string) {
		w := Read(field, post)
		if w.Page != "" && !strings.HasPrefix(strings.ToLower(w.Page), "https://") {
			t.Errorf("page %q", w.Page)
		}
		if l, ok := w.Letter(); ok && (strings.ContainsAny(l.To+l.Subject, "\r\n") || !strings.Contains(l.To, "@")) {
			t.Errorf("letter %+v of %q", l, w.Mail)
		}
	})
}
