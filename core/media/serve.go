package media

import (
	"context"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

const (
	maxDownloads = 64               // at once
	downloadTime = 30 * time.Minute // for one, however slow the line is
)

// Handler serves our own files at /TOKEN/NAME. It is mounted where Config.URL leads.
func (m *Media) Handler() http.Handler { return http.HandlerFunc(m.download) }

func (m *Media) download(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD are answered here", http.StatusMethodNotAllowed)
		return
	}
	select {
	case m.serve <- struct{}{}:
		defer func() { <-m.serve }()
	default:
		w.Header().Set("Retry-After", "10")
		http.Error(w, "too many downloads at once", http.StatusServiceUnavailable)
		return
	}
	token, name, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if !ok || token == "" || name == "" {
		http.NotFound(w, r)
		return
	}
	found, body := m.open(r.Context(), w, token, name)
	if body == nil {
		return
	}
	defer body.Close()
	protect(w.Header(), found)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(downloadTime)) // without it the server's own holds
	http.ServeContent(w, r, "", time.Time{}, body)
}

type seekCloser interface {
	io.ReadSeeker
	io.Closer
}

// open finds what a URL stands for; where that is nothing, it has answered.
func (m *Media) open(ctx context.Context, w http.ResponseWriter, token, name string) (row, seekCloser) {
	r, err := m.find(ctx, selectToken, token)
	switch {
	case err != nil:
		m.log.Warn("file not served", "err", err)
		http.Error(w, "please try again later", http.StatusServiceUnavailable)
		return r, nil
	case r.id == "" || r.Name != name:
		http.Error(w, "there is no such file, or not any more", http.StatusNotFound)
		return r, nil
	}
	f, err := m.root.Open(r.digest)
	if err != nil {
		m.log.Warn("file not served", "err", err)
		http.Error(w, "there is no such file, or not any more", http.StatusNotFound)
		return r, nil
	}
	return r, f
}

// protect sets the headers that keep a browser from making more of a file than it is. Anyone who knows the URL may
// read it, from any page: that is what an upload service promises, too (XEP-0363 section 8).
func protect(h http.Header, r row) {
	disposition := "attachment"
	if inline(r.Type) {
		disposition = "inline"
	}
	h.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": r.Name}))
	kind := r.Type
	if kind == "text/plain" {
		kind = "text/plain; charset=utf-8"
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Robots-Tag", "noindex")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Cache-Control", "private, max-age=86400, immutable")
	h.Set("ETag", `"`+r.digest[:32]+`"`)
}
