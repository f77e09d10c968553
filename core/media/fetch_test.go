package media

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"code.dny.dev/ssrf"
	"golang.org/x/net/dns/dnsmessage"

	"gangway/core"
)

// site is a server that the fetcher is let to.
type site struct {
	*httptest.Server
	f *fetcher
}

func startSite(t testing.TB, handler http.HandlerFunc) *site {
	s := &site{Server: httptest.NewServer(handler)}
	t.Cleanup(s.Close)
	s.f = newFetcher([]string{strings.ToUpper(s.Listener.Addr().String())})
	t.Cleanup(s.f.close)
	return s
}

func (s *site) get(ctx context.Context, file core.Attachment, limit int64) (core.Attachment, []byte, error) {
	if strings.HasPrefix(file.URL, "/") {
		file.URL = s.URL + file.URL
	}
	b, err := s.f.get(ctx, file, limit)
	if err != nil {
		return core.Attachment{}, nil, err
	}
	content, err := io.ReadAll(b.Body)
	return b.Attachment, content, errors.Join(err, b.Body.Close())
}

func TestGet(t *testing.T) {
	var seen http.Header
	s := startSite(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(png)
	})
	f, got, err := s.get(t.Context(), core.Attachment{URL: "/a/kitty%20cat.jpg"}, 100)
	want := core.Attachment{URL: s.URL + "/a/kitty%20cat.jpg", Name: "kitty cat.jpg.png", Type: "image/png", Size: int64(len(png))}
	if err != nil || f != want || !bytes.Equal(got, png) {
		t.Errorf("%+v %q, %v", f, got, err)
	}
	for _, name := range []string{"Cookie", "Authorization", "Referer"} {
		if seen.Get(name) != "" {
			t.Errorf("sent %s", name)
		}
	}
	if e := seen.Get("Accept-Encoding"); e != "identity" {
		t.Errorf("Accept-Encoding %q", e)
	}
	if _, _, err := s.get(t.Context(), core.Attachment{URL: "/x"}, int64(len(png))); err != nil {
		t.Errorf("exactly the limit: %v", err)
	}
}

func TestGetRefusesAddresses(t *testing.T) {
	h := open(t, nil)
	for _, c := range []struct {
		url  string
		want core.Kind
	}{
		{"aesgcm://upload.example.org/x.jpg#00ff", core.Unsupported},
		{"ftp://example.org/x", core.Unsupported},
		{"file:///etc/passwd", core.Unsupported},
		{"javascript:alert(1)", core.Unsupported},
		{"cid:x@y", core.Unsupported},
		{"", core.Unsupported},
		{"https://", core.Invalid},
		{"https:example.org", core.Invalid},
		{"https://user:pw@example.org/", core.Invalid},
		{"https://ex ample.org/\x00", core.Invalid},
		{"https://example.org/" + strings.Repeat("x", maxURL), core.Invalid},
		// Addresses that only we reach, however they are written.
		{"http://127.0.0.1/x", core.Denied},
		{"http://127.0.0.1:8090/metrics", core.Denied},
		{"http://localhost/x", core.Denied},
		{"http://[::1]/x", core.Denied},
		{"http://[::ffff:127.0.0.1]/x", core.Denied},
		{"http://[::ffff:7f00:1]/x", core.Denied},
		{"http://[::ffff:169.254.169.254]/x", core.Denied},
		{"http://0.0.0.0/x", core.Denied},
		{"http://10.1.2.3/x", core.Denied},
		{"http://172.16.0.1/x", core.Denied},
		{"http://192.168.1.1/x", core.Denied},
		{"http://100.64.0.1/x", core.Denied},
		{"http://100.127.255.254/x", core.Denied},
		{"http://169.254.169.254/latest/meta-data/", core.Denied},
		{"http://[fe80::1]/x", core.Denied},
		{"http://[fd00:ec2::254]/x", core.Denied},
		{"http://[64:ff9b::7f00:1]/x", core.Denied},
		{"http://[2002:7f00:1::]/x", core.Denied},
		{"http://224.0.0.1/x", core.Denied},
		{"http://255.255.255.255/x", core.Denied},
		{"http://192.0.2.1:22/x", core.Denied},
	} {
		_, err := h.Get(t.Context(), core.Attachment{URL: c.url}, 0)
		if err == nil || core.KindOf(err) != c.want {
			t.Errorf("%.60q: %v, want %v", c.url, err, c.want)
			continue
		}
		if text := core.AsError(err).Sentence(); text == "" || strings.Contains(text, "127.") {
			t.Errorf("%.60q: says %q", c.url, text)
		}
	}
}

// The ports of upload services are open, those of other things are not.
func TestGuardPorts(t *testing.T) {
	g := newGuard()
	for port, want := range map[uint16]bool{80: true, 443: true, 5281: true, 5443: true, 22: false, 25: false, 6379: false, 5222: false} {
		err := g.SafeAddrPort(netip.AddrPortFrom(netip.MustParseAddr("93.184.216.34"), port))
		if (err == nil) != want {
			t.Errorf("port %d: %v", port, err)
		}
	}
}

func TestRedirects(t *testing.T) {
	var referers []string
	s := startSite(t, func(w http.ResponseWriter, r *http.Request) {
		if ref := r.Header.Get("Referer"); ref != "" {
			referers = append(referers, ref)
		}
		to := r.URL.Query().Get("to")
		var n int
		if _, err := fmt.Sscan(to, &n); err == nil && n > 0 {
			to = fmt.Sprintf("/?to=%d", n-1)
		}
		if to == "0" {
			fmt.Fprint(w, "here")
			return
		}
		http.Redirect(w, r, to, http.StatusFound)
	})
	if _, got, err := s.get(t.Context(), core.Attachment{URL: "/?to=3"}, 100); err != nil || string(got) != "here" {
		t.Errorf("three redirects: %q, %v", got, err)
	}
	if len(referers) > 0 {
		t.Errorf("told where it comes from: %v", referers)
	}
	for _, to := range []string{
		"4", "http://127.0.0.1/x", "http://127.0.0.1:1/x", "http://169.254.169.254/latest/", "http://[::1]/x",
		"http://[::ffff:127.0.0.1]/x", "http://100.64.0.1/x", "http://localhost/", "file:///etc/passwd", "aesgcm://x.example/y",
		"ftp://example.org/", "http://u:p@" + s.Listener.Addr().String() + "/",
	} {
		if _, got, err := s.get(t.Context(), core.Attachment{URL: "/?to=" + to}, 100); err == nil || core.KindOf(err) != core.Denied {
			t.Errorf("to %s: %q, %v", to, got, err)
		}
	}
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, s.URL+"/?to=0", http.StatusFound)
	}))
	defer secure.Close()
	s.f.trusted[secure.Listener.Addr().String()] = true
	s.f.client.Transport.(*http.Transport).TLSClientConfig = secure.Client().Transport.(*http.Transport).TLSClientConfig
	if _, _, err := s.get(t.Context(), core.Attachment{URL: secure.URL}, 100); core.KindOf(err) != core.Denied {
		t.Errorf("from https to http: %v", err)
	}
}

// rebinding is a DNS server that names a public address to whoever asks first, and ours from then on.
type rebinding struct {
	asked atomic.Int32
	ours  atomic.Int32 // answers with our own address
}

func (r *rebinding) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	go r.serve(server)
	return client, nil
}

// serve answers over the length-prefixed form of DNS, which net.Resolver speaks over what is not a packet connection.
func (r *rebinding) serve(c net.Conn) {
	defer c.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		b := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(c, b); err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(b) != nil {
			return
		}
		m.Response = true
		if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
			a := [4]byte{127, 0, 0, 2} // plays the public address; nobody answers there
			if r.asked.Add(1) > 1 {
				a = [4]byte{127, 0, 0, 1}
				r.ours.Add(1)
			}
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 0},
				Body:   &dnsmessage.AResource{A: a},
			}}
		}
		m.Additionals = nil
		out, err := m.Pack()
		if err != nil {
			return
		}
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(out))), out...)); err != nil {
			return
		}
	}
}

func TestRebinding(t *testing.T) {
	touched := atomic.Int32{}
	s := startSite(t, func(http.ResponseWriter, *http.Request) { touched.Add(1) })
	dns := &rebinding{}
	f := newFetcher(nil) // nobody is trusted
	f.guard = ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(netip.MustParsePrefix("127.0.0.2/32")))
	f.resolver = &net.Resolver{PreferGo: true, Dial: dns.dial}
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	url := "http://rebind.example.org.:" + port + "/"
	if _, err := f.get(t.Context(), core.Attachment{URL: url}, 100); err == nil {
		t.Error("fetched from nobody")
	}
	for range 3 {
		if _, err := f.get(t.Context(), core.Attachment{URL: url}, 100); core.KindOf(err) != core.Denied {
			t.Errorf("%v", err)
		}
	}
	if dns.ours.Load() == 0 || touched.Load() != 0 {
		t.Errorf("named %d times, reached %d times", dns.ours.Load(), touched.Load())
	}
}

func TestAnswers(t *testing.T) {
	s := startSite(t, func(w http.ResponseWriter, r *http.Request) {
		var code int
		if _, err := fmt.Sscan(r.URL.Query().Get("code"), &code); err == nil {
			w.WriteHeader(code)
			return
		}
		switch r.URL.Path {
		case "/page", "/page.html":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<html>log in")
		case "/cookie":
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
			http.Redirect(w, r, "/cookies", http.StatusFound)
		case "/cookies":
			fmt.Fprint(w, "cookies: "+r.Header.Get("Cookie"))
		case "/named":
			w.Header().Set("Content-Disposition", `attachment; filename="../\u202e report.pdf"`)
			fmt.Fprint(w, "%PDF-1.7")
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(make([]byte, 10<<20))
			_ = z.Close()
		case "/file.gz":
			w.Header().Set("Content-Type", "application/gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(make([]byte, 10<<20))
			_ = z.Close()
		case "/empty":
		}
	})
	for code, want := range map[int]core.Kind{
		404: core.NotFound, 410: core.NotFound, 401: core.NotFound, 403: core.NotFound, 429: core.Unavailable,
		500: core.Unavailable, 503: core.Unavailable, 204: core.Invalid, 206: core.Invalid, 304: core.Invalid,
	} {
		if _, _, err := s.get(t.Context(), core.Attachment{URL: fmt.Sprintf("/?code=%d", code)}, 100); err == nil || core.KindOf(err) != want {
			t.Errorf("%d: %v, want %v", code, err, want)
		}
	}
	for _, c := range []struct {
		f    core.Attachment
		want string // the content, or the kind of the error
	}{
		{core.Attachment{URL: "/page"}, "invalid"},
		{core.Attachment{URL: "/page", Name: "cat.jpg", Type: "image/jpeg"}, "invalid"},
		{core.Attachment{URL: "/page.html"}, "<html>log in"},
		{core.Attachment{URL: "/page", Type: "text/html"}, "<html>log in"},
		{core.Attachment{URL: "/cookie"}, "cookies: "},
		{core.Attachment{URL: "/gzip"}, "invalid"},
		{core.Attachment{URL: "/empty"}, ""},
	} {
		_, got, err := s.get(t.Context(), c.f, 1<<20)
		text := string(got)
		if err != nil {
			text = core.KindOf(err).String()
		}
		if text != c.want {
			t.Errorf("%+v: %q, %v", c.f, text, err)
		}
	}
	if f, got, err := s.get(t.Context(), core.Attachment{URL: "/file.gz"}, 1<<20); err != nil || len(got) > 100<<10 || f.Type != "application/gzip" {
		t.Errorf("a packed file: %+v, %d bytes, %v", f, len(got), err)
	}
	if f, _, err := s.get(t.Context(), core.Attachment{URL: "/named"}, 100); err != nil || f.Name != `u202e report.pdf` {
		t.Errorf("%+v, %v", f, err)
	}
}

func FuzzURL(f *testing.F) {
	for _, s := range []string{
		"http://127.0.0.1/", "http://[::ffff:127.0.0.1]:80/x?y#z", "https://a@b/", "http://0x7f.1/", "http://127.1/", "HTTP://LOCALHOST/",
		"http://2130706433/", "http://[::1%25lo]/", "https://\u2460.example/", "//x", "http:\\\\x",
	} {
		f.Add(s)
	}
	fetch := newFetcher(nil)
	fetch.resolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no DNS here")
	}}
	var reached atomic.Int32
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	defer l.Close()
	// The guard lets one port through: our own. Whatever name leads there, the address must not.
	port := netip.MustParseAddrPort(l.Addr().String()).Port()
	fetch.guard = ssrf.New(ssrf.WithPorts(port))
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			reached.Add(1)
			c.Close()
		}
	}()
	f.Fuzz(func(t *testing.T, url string) {
		b, err := fetch.get(t.Context(), core.Attachment{URL: strings.ReplaceAll(url, "PORT", fmt.Sprint(port))}, 10)
		if err == nil {
			b.Body.Close()
			t.Errorf("%q was fetched", url)
		}
		if reached.Load() > 0 {
			t.Errorf("%q reached us", url)
		}
	})
}
