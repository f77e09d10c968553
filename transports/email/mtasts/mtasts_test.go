package mtasts

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/transporttest"
)

func TestRecordID(t *testing.T) {
	for _, tt := range []struct {
		records []string
		want    string
	}{
		{[]string{"v=STSv1; id=20160831085700Z;"}, "20160831085700Z"},
		{[]string{"v=STSv1;id=1"}, "1"},
		{[]string{"v=STSv1 ; \tid=1 ; x.y-z=whatever it is"}, "1"},
		{[]string{"v=spf1 -all", "v=STSv1; id=1"}, "1"},
		{[]string{"v=STSv1; id=1", "v=STSv1; id=2"}, ""},
		{[]string{"v=STSv1; id=1; id=2"}, ""},
		{[]string{"v=STSv1; id="}, ""},
		{[]string{"v=STSv1; id=a-b"}, ""},
		{[]string{"v=STSv1; id=" + strings.Repeat("1", 33)}, ""},
		{[]string{"v=STSv1;"}, ""},
		{[]string{"v=STSv1"}, ""},
		{[]string{"v=STSv1; id"}, ""},
		{[]string{"v=STSv2; id=1"}, ""},
		{[]string{" v=STSv1; id=1"}, ""},
		{[]string{"id=1; v=STSv1"}, ""},
		{nil, ""},
	} {
		if got := recordID(tt.records); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.records, got, tt.want)
		}
	}
}

const good = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmx: backupmx.example.com\r\nmax_age: 604800\r\n"

func TestParse(t *testing.T) {
	p, err := Parse(good)
	if err != nil || p.Mode != Enforce || p.MaxAge != 7*24*time.Hour || !slices.Equal(p.MX, []string{"mail.example.com", "*.example.net", "backupmx.example.com"}) {
		t.Errorf("%+v, %v", p, err)
	}
	for name, tt := range map[string]struct {
		text string
		want string // in the error; empty: none
	}{
		"lines of LF":     {strings.ReplaceAll(good, "\r", ""), ""},
		"blank lines":     {"\n" + good + "\n\n", ""},
		"no space":        {"version:STSv1\nmode:testing\nmx:a.example\nmax_age:0", ""},
		"extension":       {good + "x_y-z: whatever, it is\n", ""},
		"first counts":    {good + "mode: none\nversion: STSv2\nmax_age: x\n", ""},
		"none without mx": {"version: STSv1\nmode: none\nmax_age: 1", ""},
		"very long":       {"version: STSv1\nmode: none\nmax_age: 9999999999", ""},
		"upper case mx":   {"version: STSv1\nmode: enforce\nmx: A.Example\nmax_age: 1", ""},
		"empty":           {"", "no version"},
		"another version": {strings.Replace(good, "STSv1", "STSv2", 1), "version"},
		"no mode":         {"version: STSv1\nmx: a.example\nmax_age: 1", "no mode"},
		"another mode":    {strings.Replace(good, "enforce", "Enforce", 1), "mode"},
		"no mx":           {"version: STSv1\nmode: enforce\nmax_age: 1", "no mx"},
		"no max_age":      {"version: STSv1\nmode: enforce\nmx: a.example", "no max_age"},
		"bad max_age":     {strings.Replace(good, "604800", "-1", 1), "max_age"},
		"empty max_age":   {strings.Replace(good, "604800", "", 1), "max_age"},
		"huge max_age":    {strings.Replace(good, "604800", "99999999999", 1), "max_age"},
		"star inside":     {strings.Replace(good, "mail.", "mail.*.", 1), "mx"},
		"star alone":      {strings.Replace(good, "mail.example.com", "*", 1), "mx"},
		"two stars":       {strings.Replace(good, "*.", "*.*.", 1), "mx"},
		"html":            {"<html>\n</html>", "line 1"},
		"no field":        {good + "and so on\n", "line 7"},
		"many mx":         {good + strings.Repeat("mx: a.example\n", maxMX), "mx"},
	} {
		p, err := Parse(tt.text)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) || p.MaxAge > maxAge {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

func TestAllows(t *testing.T) {
	p, err := Parse(good)
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]bool{
		"mail.example.com": true, "Mail.Example.Com.": true, "a.example.net": true, "a.b.example.net": false, "example.net": false,
		".example.net": false, "xexample.net": false, "mail.example.com.evil.example": false, "*.example.net": true, "": false,
	} {
		if p.Allows(host) != want {
			t.Errorf("%q: %v", host, !want)
		}
	}
}

// published plays a domain's web server.
func published(t *testing.T, h http.HandlerFunc) (Fetcher, *http.Transport) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = nil
	s.StartTLS()
	t.Cleanup(s.Close)
	pool := s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs //nolint:forcetypeassert // it is
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
		},
	}
	return byHTTPS(transport), transport
}

func TestFetch(t *testing.T) {
	for name, tt := range map[string]struct {
		domain string
		h      http.HandlerFunc
		want   string // in the error; empty: none
	}{
		"good": {"example.com", func(w http.ResponseWriter, r *http.Request) {
			if r.Host != "mta-sts.example.com" || r.URL.Path != "/.well-known/mta-sts.txt" {
				w.WriteHeader(http.StatusNotFound)
			}
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = fmt.Fprint(w, good)
		}, ""},
		"redirect": {"example.com", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://example.com/policy.txt", http.StatusFound)
		}, "status 302"},
		"not there": {"example.com", http.NotFound, "status 404"},
		"html": {"example.com", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = fmt.Fprint(w, good)
		}, "content of type"},
		"endless": {"example.com", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			for range 100 {
				_, _ = fmt.Fprint(w, strings.Repeat("mx: a.example\n", 1000))
			}
		}, "more text"},
		"a certificate of another": {"example.org", func(http.ResponseWriter, *http.Request) {}, "certificate"},
	} {
		fetch, transport := published(t, tt.h)
		transport.TLSClientConfig.ServerName = "" // the name that is dialled
		text, err := fetch(t.Context(), tt.domain)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && text != good {
			t.Errorf("%s: %q", name, text)
		}
		transport.CloseIdleConnections()
	}
}

// site is a domain as the cache sees it.
type site struct {
	records []string
	dns     error
	text    string
	web     error
	fetched int
}

func (s *site) LookupTXT(_ context.Context, name string) ([]string, error) {
	if name != "_mta-sts.example.com." {
		return nil, errors.New("asked for " + name)
	}
	return s.records, s.dns
}

func (s *site) fetch(context.Context, string) (string, error) {
	s.fetched++
	return s.text, s.web
}

func TestCache(t *testing.T) {
	host := transporttest.NewHost(t)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := &site{}
	c := &Cache{Resolver: s, Fetch: s.fetch, Notes: host.Notes(), Logger: host.Logger(), Now: func() time.Time { return now }}
	week := good
	for _, step := range []struct {
		name    string
		change  func()
		want    Mode // empty: no policy
		fetched int
	}{
		{"nothing", func() {}, "", 0},
		{"a record, and no policy", func() { s.records, s.web = []string{"v=STSv1; id=1"}, errors.New("404") }, "", 1},
		{"not tried again at once", func() {}, "", 0},
		{"tried again", func() { now = now.Add(patience) }, "", 1},
		{"published", func() { now, s.web, s.text = now.Add(patience), nil, week }, Enforce, 1},
		{"kept", func() { now = now.Add(23 * time.Hour) }, Enforce, 0},
		{"a new process keeps it", func() { c = &Cache{Resolver: s, Fetch: s.fetch, Notes: c.Notes, Logger: c.Logger, Now: c.Now} }, Enforce, 0},
		{"looked for daily", func() { now = now.Add(time.Hour) }, Enforce, 1},
		{"another id", func() { s.records, s.text = []string{"v=STSv1; id=2"}, strings.Replace(week, "enforce", "testing", 1) }, Testing, 1},
		{"a bad one leaves the old", func() { s.records, s.text = []string{"v=STSv1; id=3"}, "<html>" }, Testing, 1},
		{"a good one", func() { now, s.text = now.Add(patience), week }, Enforce, 1},
		{"the record hidden", func() { s.records = nil }, Enforce, 0},
		{"DNS down", func() { s.dns = errors.New("timeout") }, Enforce, 0},
		{"DNS down, a day later", func() { now = now.Add(fresh) }, Enforce, 1},
		{"all down", func() { s.web, now = errors.New("away"), now.Add(6*24*time.Hour) }, Enforce, 1},
		{"all down, for longer than it is good", func() { now = now.Add(24 * time.Hour) }, "", 0},
		{"back", func() { s.dns, s.web, s.records = nil, nil, []string{"v=STSv1; id=3"} }, Enforce, 1},
		{"no more", func() { s.records, s.text = []string{"v=STSv1; id=4"}, "version: STSv1\nmode: none\nmax_age: 86400" }, "", 1},
		{"no more, kept", func() {}, "", 0},
		{"for no time at all", func() { s.records, s.text = []string{"v=STSv1; id=5"}, strings.Replace(week, "604800", "0", 1) }, "", 1},
	} {
		step.change()
		s.fetched = 0
		p, ok, err := c.Policy(t.Context(), "example.com")
		if err != nil || ok != (step.want != "") || p.Mode != step.want && ok || s.fetched != step.fetched {
			t.Errorf("%s: %+v, %v, %v, fetched %d times", step.name, p, ok, err, s.fetched)
		}
	}
}

// Without the disk it is not known whether there is a policy to be heeded.
func TestNotesFail(t *testing.T) {
	host := transporttest.NewHost(t)
	s := &site{}
	c := &Cache{Resolver: s, Fetch: s.fetch, Notes: broken{}, Logger: host.Logger(), Now: time.Now}
	if _, _, err := c.Policy(t.Context(), "example.com"); core.KindOf(err) != core.Unavailable {
		t.Errorf("%v", err)
	}
}

type broken struct{ core.Notes }

func (broken) Get(context.Context, string) ([]byte, error) { return nil, errors.New("disk") }

func TestFailuresAreBounded(t *testing.T) {
	c := new(Cache)
	for i := range 3 * maxFailed {
		c.tryAgain(fmt.Sprint(i), time.Now())
	}
	if len(c.failed) > maxFailed {
		t.Errorf("%d", len(c.failed))
	}
}

func FuzzRecord(f *testing.F) {
	f.Add("v=STSv1; id=20160831085700Z;")
	f.Add("v=STSv1;id=1;id=2")
	f.Fuzz(func(t *testing.T, record string) {
		if id := recordID([]string{record}); len(id) > 32 || id != "" && !strings.HasPrefix(record, "v=STSv1") {
			t.Errorf("%q: %q", record, id)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(good, "a.example.net")
	f.Add("version: STSv1\nmode: none\nmax_age: 1", "")
	f.Fuzz(func(t *testing.T, text, host string) {
		p, err := Parse(text)
		if err != nil {
			return
		}
		if p.MaxAge < 0 || p.MaxAge > maxAge || p.Mode != None && len(p.MX) == 0 || len(p.MX) > maxMX {
			t.Errorf("%+v", p)
		}
		if p.Allows(host) && !slices.ContainsFunc(p.MX, func(mx string) bool {
			return strings.HasSuffix(strings.ToLower(strings.TrimSuffix(host, ".")), strings.TrimPrefix(mx, "*."))
		}) {
			t.Errorf("%q is allowed by %q", host, p.MX)
		}
	})
}
