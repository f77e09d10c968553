package oauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-sasl"
)

// authority is a strict authorization server (RFC 8628, RFC 6749). It is reached without a network, so that a test can
// have its own time.
type authority struct {
	t        *testing.T
	answers  []string // errors to the next polls, then the token
	interval int
	refresh  string // the token that is good now
	rotate   bool
	asked    []time.Time
	n        int
	broken   http.HandlerFunc // instead, if set
}

func (a *authority) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if a.broken != nil {
		a.broken(w, r)
	} else {
		a.serve(w, r)
	}
	return w.Result(), nil
}

func (a *authority) serve(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.Method != http.MethodPost || r.Form.Get("client_id") != "me" {
		a.refuse(w, "invalid_client")
		return
	}
	if r.URL.Path == "/device" {
		a.send(w, 200, map[string]any{
			"device_code": "dev", "user_code": "ABCD-EFGH", "verification_uri": "https://as.example/device", "expires_in": 600, "interval": a.interval,
		})
		return
	}
	if r.Form.Get("client_secret") != "s3cret" {
		a.refuse(w, "invalid_client")
		return
	}
	switch r.Form.Get("grant_type") {
	case "urn:ietf:params:oauth:grant-type:device_code":
		a.poll(w, r)
	case "refresh_token":
		if r.Form.Get("refresh_token") != a.refresh {
			a.refuse(w, "invalid_grant")
			return
		}
		a.token(w)
	default:
		a.refuse(w, "unsupported_grant_type")
	}
}

func (a *authority) poll(w http.ResponseWriter, r *http.Request) {
	if r.Form.Get("device_code") != "dev" || r.Form.Get("code") != "" {
		a.refuse(w, "invalid_grant")
		return
	}
	now := time.Now()
	if n := len(a.asked); n > 0 && now.Sub(a.asked[n-1]) < time.Duration(a.interval)*time.Second {
		a.t.Errorf("asked again after %v of %d s", now.Sub(a.asked[n-1]), a.interval)
	}
	a.asked = append(a.asked, now)
	if len(a.answers) == 0 {
		a.token(w)
		return
	}
	answer := a.answers[0]
	a.answers = a.answers[1:]
	if answer == "slow_down" {
		a.interval += 5
	}
	a.refuse(w, answer)
}

func (a *authority) token(w http.ResponseWriter) {
	a.n++
	answer := map[string]any{"access_token": fmt.Sprint("access", a.n), "token_type": "Bearer", "expires_in": 3600}
	if a.rotate || a.refresh == "" {
		a.refresh = fmt.Sprint("refresh", a.n)
		answer["refresh_token"] = a.refresh
	}
	a.send(w, 200, answer)
}

func (a *authority) refuse(w http.ResponseWriter, what string) {
	a.send(w, 400, map[string]any{"error": what, "error_description": "s3cret detail"})
}

func (a *authority) send(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		a.t.Error(err)
	}
}

func (a *authority) provider() *Provider {
	return &Provider{
		Name: "as", Title: "AS", ClientID: "me", ClientSecret: "s3cret", DeviceURL: "https://as.example/device", TokenURL: "https://as.example/token",
		Scopes: []string{"mail"}, Client: &http.Client{Transport: a},
	}
}

func TestDeviceGrant(t *testing.T) {
	for name, tt := range map[string]struct {
		answers  []string
		patience time.Duration
		want     error
		asked    int
	}{
		"at once":             {nil, 20 * time.Second, nil, 1},
		"pending, then":       {[]string{"authorization_pending", "authorization_pending"}, 20 * time.Second, nil, 3},
		"not in time":         {[]string{"authorization_pending", "authorization_pending", "x"}, 12 * time.Second, ErrPending, 2},
		"slow down":           {[]string{"slow_down", "slow_down"}, time.Minute, nil, 3},
		"slow down, too late": {[]string{"slow_down", "slow_down"}, 29 * time.Second, ErrPending, 2},
		"refused":             {[]string{"access_denied"}, time.Minute, ErrRefused, 1},
		"expired":             {[]string{"authorization_pending", "expired_token"}, time.Minute, ErrExpired, 2},
		"expired by our time": {slices.Repeat([]string{"authorization_pending"}, 200), time.Hour, ErrExpired, 120},
		"no patience":         {nil, time.Second, ErrPending, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &authority{t: t, answers: tt.answers, interval: 5}
				p := a.provider()
				g, err := p.Begin(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if g.Code != "ABCD-EFGH" || g.URL != "https://as.example/device" {
					t.Errorf("%+v", g)
				}
				token, err := p.Ask(t.Context(), g, tt.patience)
				if !errors.Is(err, tt.want) || err == nil && (token.Access != "access1" || token.Refresh != "refresh1" || token.Expires.IsZero()) {
					t.Errorf("%+v, %v, want %v", token, err, tt.want)
				}
				if len(a.asked) != tt.asked {
					t.Errorf("asked %d times, want %d", len(a.asked), tt.asked)
				}
			})
		})
	}
}

// Somebody who is impatient is not asked for more often than the provider wants.
func TestAskedAgainAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &authority{t: t, answers: []string{"authorization_pending", "slow_down", "authorization_pending"}, interval: 5}
		p := a.provider()
		g, err := p.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range 50 {
			_, err = p.Ask(t.Context(), g, 2*time.Second)
			if !errors.Is(err, ErrPending) {
				break
			}
			time.Sleep(time.Second)
		}
		if err != nil || len(a.asked) != 4 {
			t.Errorf("%v after %d", err, len(a.asked))
		}
	})
}

func TestRefresh(t *testing.T) {
	a := &authority{t: t, refresh: "old", rotate: true}
	p := a.provider()
	one, err := p.Refresh(t.Context(), "old")
	if err != nil || one.Access != "access1" || one.Refresh != "refresh1" {
		t.Fatalf("%+v, %v", one, err)
	}
	if _, err := p.Refresh(t.Context(), "old"); !errors.Is(err, ErrRevoked) {
		t.Errorf("a token that was replaced: %v", err)
	}
	a.rotate = false
	two, err := p.Refresh(t.Context(), one.Refresh)
	if err != nil || two.Refresh != one.Refresh || two.Access != "access2" {
		t.Errorf("one that stays: %+v, %v", two, err)
	}
	p.ClientSecret = "wrong"
	if _, err := p.Refresh(t.Context(), one.Refresh); err == nil || errors.Is(err, ErrRevoked) || strings.Contains(err.Error(), "detail") {
		t.Errorf("our own secret is wrong: %v", err)
	}
}

// What an authorization server says is not believed at any length, and none of it goes into a log.
func TestBrokenAuthority(t *testing.T) {
	for name, broken := range map[string]http.HandlerFunc{
		"no answer": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"a page":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>secret</html>")) },
		"redirected": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.example/", http.StatusTemporaryRedirect)
		},
		"without end": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"x":"` + strings.Repeat("secret", 1<<20)))
		},
		"nowhere to go": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"device_code":"a","user_code":"b","verification_uri":"javascript:secret"}`))
		},
		"no code": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"verification_uri":"https://x.example/"}`))
		},
	} {
		a := &authority{t: t, broken: broken}
		p := a.provider()
		p.Client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		if g, err := p.Begin(t.Context()); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: begin: %+v, %v", name, g, err)
		}
		if token, err := p.Refresh(t.Context(), "r"); err == nil || errors.Is(err, ErrRevoked) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: refresh: %+v, %v", name, token, err)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, name := range []string{"google", "microsoft"} {
		p, ok := Preset(name)
		if !ok || p.Check() == nil {
			t.Errorf("%s: complete without a client_id", name)
		}
		p.ClientID = "me"
		if err := p.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, ok := Preset("other"); ok {
		t.Error("other is known")
	}
	p := &Provider{ClientID: "me", DeviceURL: "http://as.example/device", TokenURL: "https://as.example/token"}
	if p.Check() == nil {
		t.Error("secrets over an open line")
	}
}

func TestBearer(t *testing.T) {
	b := &Bearer{User: "u=,@x", Token: "tok", Host: "smtp.x", Port: 465}
	mech, first, err := b.Start()
	if err != nil || mech != sasl.OAuthBearer || string(first) != "n,a=u=3D=2C@x,\x01host=smtp.x\x01port=465\x01auth=Bearer tok\x01\x01" {
		t.Errorf("%s %q %v", mech, first, err)
	}
	if next, _ := b.Next([]byte("{}")); string(next) != "\x01" {
		t.Errorf("%q", next)
	}
	b.Choose(func(m string) bool { return m == "XOAUTH2" })
	mech, first, _ = b.Start()
	if mech != "XOAUTH2" || string(first) != "user=u=,@x\x01auth=Bearer tok\x01\x01" {
		t.Errorf("%s %q", mech, first)
	}
	if text := fmt.Sprintf("%v %+v %s", b, b, b); strings.Contains(text, "tok") {
		t.Error(text)
	}
}
