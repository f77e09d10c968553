package media

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gangway/core"
)

// web serves a house's files as the hooks listener does.
func (h *house) web(t testing.TB) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/media/", http.StripPrefix("/media", h.Handler()))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	h.cfg.URL = s.URL + "/media"
	return s
}

// answer is a response whose body has been read.
type answer struct {
	StatusCode    int
	Status        string
	Header        http.Header
	ContentLength int64
}

func do(t *testing.T, method, url string, header ...string) (answer, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Status, res.Header, res.ContentLength}, string(b)
}

func TestServe(t *testing.T) {
	h := open(t, nil)
	h.web(t)
	f := h.mustPut(t, alice, core.Attachment{Name: "grüße aus 東京?.png"}, png)
	res, got := do(t, http.MethodGet, f.URL)
	if res.StatusCode != http.StatusOK || got != string(png) {
		t.Fatalf("%s: %s %q", f.URL, res.Status, got)
	}
	for name, want := range map[string]string{
		"Content-Type":            "image/png",
		"X-Content-Type-Options":  "nosniff",
		"Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
		"Content-Disposition":     "inline; filename*=utf-8''gr%C3%BC%C3%9Fe%20aus%20%E6%9D%B1%E4%BA%AC_.png",
		"Referrer-Policy":         "no-referrer",
		"Accept-Ranges":           "bytes",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if res, got := do(t, http.MethodHead, f.URL); res.StatusCode != http.StatusOK || got != "" || res.ContentLength != int64(len(png)) {
		t.Errorf("HEAD: %s, %d bytes, %q", res.Status, res.ContentLength, got)
	}
	if res, got := do(t, http.MethodGet, f.URL, "Range", "bytes=1-3"); res.StatusCode != http.StatusPartialContent || got != "PNG" {
		t.Errorf("range: %s %q", res.Status, got)
	}
	if res, got := do(t, http.MethodGet, f.URL, "If-None-Match", res.Header.Get("ETag")); res.StatusCode != http.StatusNotModified || got != "" {
		t.Errorf("unchanged: %s %q", res.Status, got)
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"} {
		if res, _ := do(t, method, f.URL); res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %s", method, res.Status)
		}
	}
}

// What a browser could run is saved, never shown.
func TestServeRunsNothing(t *testing.T) {
	h := open(t, nil)
	h.web(t)
	for name, c := range map[string]struct{ content, disposition, kind string }{
		"page.html":  {"<html><script>alert(1)</script>", "attachment", "text/html"},
		"pic.svg":    {"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "attachment", "image/svg+xml"},
		"x.xml":      {"<?xml version='1.0'?><x/>", "attachment", anyType},
		"x.pdf":      {"%PDF-1.7", "attachment", "application/pdf"},
		"fake.png":   {"<html><script>alert(1)</script>", "attachment", anyType},
		"notes.text": {"plain words", "inline", "text/plain; charset=utf-8"},
	} {
		f := h.mustPut(t, alice, core.Attachment{Name: name}, []byte(c.content))
		res, _ := do(t, http.MethodGet, f.URL)
		if got := res.Header.Get("Content-Disposition"); !strings.HasPrefix(got, c.disposition+";") || res.Header.Get("Content-Type") != c.kind {
			t.Errorf("%s: %s, %s", name, got, res.Header.Get("Content-Type"))
		}
	}
}

func TestServeNothingElse(t *testing.T) {
	h := open(t, nil)
	s := h.web(t)
	f := h.mustPut(t, alice, core.Attachment{Name: "a.png"}, png)
	token, _ := h.ownToken(f.URL)
	digest := h.files(t)[0]
	for _, path := range []string{
		"/media/", "/media/" + token, "/media/" + token + "/", "/media/" + token + "/other.png", "/media/" + token + "/a.png/x",
		"/media//a.png", "/media/" + digest, "/media/" + digest + "/a.png", "/media/x/a.png", "/media/%2e%2e/gangway.db",
		"/media/" + token + "/..%2f..%2fgangway.db", "/media/" + strings.ToLower(token) + "/a.png", "/media/%00/a.png",
	} {
		if res, got := do(t, http.MethodGet, s.URL+path); res.StatusCode != http.StatusNotFound || strings.Contains(got, token) {
			t.Errorf("%s: %s %q", path, res.Status, got)
		}
	}
	h.pass(DefaultKeep)
	if res, _ := do(t, http.MethodGet, f.URL); res.StatusCode != http.StatusNotFound {
		t.Errorf("expired: %s", res.Status)
	}
}

func TestServeBounded(t *testing.T) {
	h := open(t, nil)
	h.web(t)
	f := h.mustPut(t, alice, core.Attachment{Name: "a.png"}, png)
	for range maxDownloads {
		h.serve <- struct{}{}
	}
	if res, _ := do(t, http.MethodGet, f.URL); res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Errorf("%s", res.Status)
	}
	<-h.serve
	if res, _ := do(t, http.MethodGet, f.URL); res.StatusCode != http.StatusOK {
		t.Errorf("%s", res.Status)
	}
}
