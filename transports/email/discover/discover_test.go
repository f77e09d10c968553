package discover

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/foxcpp/go-mockdns"
)

// web answers for every host over HTTPS, and is reached instead of all of them.
func web(t *testing.T, serve http.HandlerFunc) *http.Client {
	t.Helper()
	s := httptest.NewTLSServer(serve)
	t.Cleanup(s.Close)
	client := NewGuard().Client()
	transport, _ := client.Transport.(*http.Transport)
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the test's own server
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
	}
	return client
}

const file = `<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1"><emailProvider id="x.example"><domain>x.example</domain>
<incomingServer type="pop3"><hostname>pop.x.example</hostname><port>995</port><socketType>SSL</socketType></incomingServer>
<incomingServer type="imap"><hostname>open.x.example</hostname><port>143</port><socketType>plain</socketType></incomingServer>
<incomingServer type="imap"><hostname>imap.%EMAILDOMAIN%</hostname><port>143</port><socketType>STARTTLS</socketType>
<username>%EMAILLOCALPART%</username></incomingServer>
<incomingServer type="imap"><hostname>imap.x.example</hostname><port>993</port><socketType>SSL</socketType>
<username>%EMAILADDRESS%</username><authentication>password-cleartext</authentication></incomingServer>
<outgoingServer type="smtp"><hostname>smtp.x.example.</hostname><port>465</port><socketType>SSL</socketType></outgoingServer>
</emailProvider></clientConfig>`

func show(all []Server) string {
	var texts []string
	for _, s := range all {
		texts = append(texts, s.User+"/"+[...]string{"tls", "starttls", "plain"}[s.Security]+":"+s.Host+":"+strconv.Itoa(s.Port))
	}
	return strings.Join(texts, " ")
}

func TestFind(t *testing.T) {
	files := map[string]string{}
	var asked []string
	lock := make(chan struct{}, 1)
	client := web(t, func(w http.ResponseWriter, r *http.Request) {
		lock <- struct{}{}
		defer func() { <-lock }()
		asked = append(asked, r.Host+r.URL.RequestURI())
		if text := files[r.Host]; text != "" {
			_, _ = io.WriteString(w, text)
			return
		}
		http.NotFound(w, r)
	})
	zones := map[string]mockdns.Zone{
		"google.example.":               {MX: []net.MX{{Host: "alt1.aspmx.l.google.com.", Pref: 5}, {Host: "spam.filter.example.", Pref: 50}}},
		"_imaps._tcp.srv.example.":      {SRV: []net.SRV{{Target: "b.srv.example.", Port: 994, Priority: 2}, {Target: "a.srv.example.", Port: 993, Priority: 1}}},
		"_imap._tcp.srv.example.":       {SRV: []net.SRV{{Target: "."}}},
		"_submission._tcp.srv.example.": {SRV: []net.SRV{{Target: "a.srv.example.", Port: 587}}},
		"hosted.example.":               {MX: []net.MX{{Host: "mx1.hoster.example.", Pref: 5}}},
		"imap.bare.example.":            {A: []string{"192.0.2.1"}},
		"mail.bare.example.":            {A: []string{"192.0.2.1"}},
	}
	for _, tt := range []struct {
		name, address string
		file, at      string
		imap, smtp    string
		provider      string
	}{
		{name: "of the table", address: "u@gmail.com", imap: "u@gmail.com/tls:imap.gmail.com:993", smtp: "u@gmail.com/tls:smtp.gmail.com:465", provider: "Gmail"},
		{name: "of the table, any country", address: "u@yahoo.co.uk", imap: "u@yahoo.co.uk/tls:imap.mail.yahoo.com:993", smtp: "u@yahoo.co.uk/tls:smtp.mail.yahoo.com:465", provider: "Yahoo"},
		{name: "not of the table", address: "u@yahoo.evil.example"},
		{name: "closed", address: "u@proton.me", provider: "Proton Mail"},
		{name: "the MX is of the table", address: "u@google.example", imap: "u@google.example/tls:imap.gmail.com:993", smtp: "u@google.example/tls:smtp.gmail.com:465", provider: "Gmail"},
		{
			name: "its own file", address: "u+t@x.example", file: file, at: "autoconfig.x.example",
			imap: "u+t@x.example/tls:imap.x.example:993 u+t/starttls:imap.x.example:143", smtp: "u+t@x.example/tls:smtp.x.example:465",
		},
		{name: "its well-known file", address: "u@x.example", file: file, at: "x.example", imap: "u@x.example/tls:imap.x.example:993 u/starttls:imap.x.example:143", smtp: "u@x.example/tls:smtp.x.example:465"},
		{name: "the file of who has its MX", address: "u@hosted.example", file: file, at: "autoconfig.hoster.example", imap: "u@hosted.example/tls:imap.x.example:993 u/starttls:imap.hosted.example:143", smtp: "u@hosted.example/tls:smtp.x.example:465"},
		{name: "a database", address: "u@y.example", file: file, at: "db.example", imap: "u@y.example/tls:imap.x.example:993 u/starttls:imap.y.example:143", smtp: "u@y.example/tls:smtp.x.example:465"},
		{name: "a broken file", address: "u@x.example", file: "<clientConfig><", at: "x.example"},
		{name: "records", address: "u@srv.example", imap: "u@srv.example/tls:a.srv.example:993 u@srv.example/tls:b.srv.example:994", smtp: "u@srv.example/starttls:a.srv.example:587"},
		{
			name: "usual names", address: "u@bare.example",
			imap: "u@bare.example/tls:imap.bare.example:993 u@bare.example/tls:mail.bare.example:993 u@bare.example/starttls:imap.bare.example:143 u@bare.example/starttls:mail.bare.example:143",
			smtp: "u@bare.example/tls:mail.bare.example:465 u@bare.example/starttls:mail.bare.example:587",
		},
		{name: "nothing", address: "u@nothing.example"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			clear(files)
			files[tt.at] = tt.file
			f := &Finder{Resolver: &mockdns.Resolver{Zones: zones}, Client: client, Database: "https://db.example/v1.1/"}
			local, domain, _ := strings.Cut(tt.address, "@")
			got := f.Find(t.Context(), local, domain)
			if show(got.IMAP) != tt.imap || show(got.SMTP) != tt.smtp {
				t.Errorf("IMAP %s\nSMTP %s", show(got.IMAP), show(got.SMTP))
			}
			if name := ""; got.Provider != nil && got.Provider.Name != tt.provider || got.Provider == nil && tt.provider != name {
				t.Errorf("provider %+v", got.Provider)
			}
		})
	}
	if want := "autoconfig.x.example/mail/config-v1.1.xml?emailaddress=u%2Bt%40x.example"; !slices.Contains(asked, want) {
		t.Errorf("not asked for %s", want)
	}
	if want := "db.example/v1.1/y.example"; !slices.Contains(asked, want) {
		t.Errorf("not asked for %s", want)
	}
}

// A file is not believed at any length, and not wherever one is sent for it.
func TestFilesAreBounded(t *testing.T) {
	for name, serve := range map[string]http.HandlerFunc{
		"long": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, file+strings.Repeat(" ", maxFile))
		},
		"sent to an open line": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://x.example/config.xml", http.StatusFound)
		},
		"sent round and round": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
		},
	} {
		f := &Finder{Resolver: &mockdns.Resolver{}, Client: web(t, serve)}
		if got := f.Find(t.Context(), "u", "x.example"); len(got.IMAP) > 0 {
			t.Errorf("%s: %s", name, show(got.IMAP))
		}
	}
}

// What is not of the Internet is not connected to, unless the configuration names it.
func TestGuard(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	addr := l.Addr().String()
	if _, err := NewGuard().Dial(t.Context(), "tcp", addr); !errors.Is(err, ErrForbidden) {
		t.Errorf("this machine: %v", err)
	}
	for _, bad := range []string{"10.0.0.1:993", "169.254.169.254:143", "192.168.1.1:587", "198.51.100.1:25", "8.8.8.8:22"} {
		if _, err := NewGuard().Dial(t.Context(), "tcp", bad); !errors.Is(err, ErrForbidden) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	for _, trusted := range []string{"127.0.0.1", addr} {
		c, err := NewGuard(trusted).Dial(t.Context(), "tcp", addr)
		if err != nil {
			t.Errorf("trusted %s: %v", trusted, err)
			continue
		}
		c.Close()
	}
	if _, err := NewGuard("127.0.0.1:1").Dial(t.Context(), "tcp", addr); !errors.Is(err, ErrForbidden) {
		t.Errorf("another port is trusted: %v", err)
	}
	if _, err := NewGuard().Client().Get("https://" + addr + "/x"); !errors.Is(err, ErrForbidden) { //nolint:bodyclose // there is none
		t.Errorf("a file on this machine: %v", err)
	}
}

// TestTable: each entry can be found by its own names, and is complete.
func TestTable(t *testing.T) {
	seen := map[string]string{}
	for _, p := range providers() {
		for _, d := range append(slices.Clone(p.domains), p.mx...) {
			if other, ok := seen[d]; ok && other != p.Name {
				t.Errorf("%s is %s's and %s's", d, other, p.Name)
			}
			seen[d] = p.Name
		}
		if p.Closed == "" && (p.imap.Host == "" || p.smtp.Host == "" || p.imap.Port == 0 || p.smtp.Port == 0) {
			t.Errorf("%s has no servers", p.Name)
		}
		if p.TokenOnly && p.OAuth == "" {
			t.Errorf("%s takes tokens of nobody", p.Name)
		}
	}
	if p := byExchanger("x-example.mail.protection.outlook.com"); p == nil || p.Name != "Microsoft 365" {
		t.Error(p)
	}
	if p := byExchanger("outlook-com.olc.protection.outlook.com"); p == nil || p.Name != "Outlook.com" {
		t.Error(p)
	}
	if p := byExchanger("notgoogle.com"); p != nil {
		t.Error(p)
	}
}

func FuzzParseAutoconfig(f *testing.F) {
	f.Add([]byte(file))
	f.Add([]byte(`<!DOCTYPE a [<!ENTITY x "y">]><clientConfig>&x;</clientConfig>`))
	f.Add([]byte(`<clientConfig><emailProvider><incomingServer type="imap"><hostname>127.0.0.1</hostname><port>99999</port><socketType>SSL</socketType></incomingServer></emailProvider></clientConfig>`))
	f.Add([]byte(`<clientConfig><emailProvider><incomingServer type="imap"><hostname>x.example/..</hostname><port>993</port><socketType>SSL</socketType><username>a&#10;b</username></incomingServer></emailProvider></clientConfig>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		found, err := ParseAutoconfig(b, "u", "x.example")
		if err != nil && len(found.IMAP)+len(found.SMTP) > 0 {
			t.Error("servers of a file that cannot be read")
		}
		for _, s := range append(found.IMAP, found.SMTP...) {
			if host, ok := hostOf(s.Host); !ok || host != s.Host || s.Port <= 0 || s.Port > 65535 || s.Security == Plain ||
				s.User == "" || strings.ContainsAny(s.User, "\r\n\x00 ") {
				t.Errorf("%+v", s)
			}
		}
		if len(found.IMAP) > maxServers || len(found.SMTP) > maxServers {
			t.Error("too many")
		}
	})
}
