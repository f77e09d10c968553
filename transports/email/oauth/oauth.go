package oauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// What became of a wish, for errors.Is. Any other error may pass.
var (
	// ErrPending: the person has not allowed it yet.
	ErrPending = errors.New("oauth: not allowed yet")
	// ErrExpired: the code is not good any more.
	ErrExpired = errors.New("oauth: the code has expired")
	// ErrRefused: the person does not want it, or the provider does not let them.
	ErrRefused = errors.New("oauth: refused")
	// ErrRevoked: the refresh token is not good any more: a person has to allow it again.
	ErrRevoked = errors.New("oauth: access was taken back")
)

// Provider is an authorization server.
type Provider struct {
	Name         string // in the configuration: "google"
	Title        string // what people read: "Google"
	ClientID     string
	ClientSecret string // empty: a public client
	DeviceURL    string
	TokenURL     string
	Scopes       []string
	Domains      []string // of addresses that it gives out tokens for, beside those known to be its

	Client *http.Client // nil: one with bounds of its own
}

// Preset returns what is known of the authorization server of that name; false if nothing is.
func Preset(name string) (Provider, bool) {
	switch name {
	case "google":
		return Provider{
			Name: name, Title: "Google",
			DeviceURL: "https://oauth2.googleapis.com/device/code", TokenURL: "https://oauth2.googleapis.com/token",
			Scopes: []string{"https://mail.google.com/"},
		}, true
	case "microsoft":
		return Provider{
			Name: name, Title: "Microsoft",
			DeviceURL: "https://login.microsoftonline.com/common/oauth2/v2.0/devicecode",
			TokenURL:  "https://login.microsoftonline.com/common/oauth2/v2.0/token",
			Scopes: []string{
				"https://outlook.office.com/IMAP.AccessAsUser.All", "https://outlook.office.com/SMTP.Send", "offline_access",
			},
		}, true
	}
	return Provider{}, false
}

// Check says what a provider lacks; nil if it can be asked.
func (p *Provider) Check() error {
	if p.ClientID == "" {
		return errors.New("client_id is not set")
	}
	for key, s := range map[string]string{"device_url": p.DeviceURL, "token_url": p.TokenURL} {
		u, err := url.Parse(s)
		local := err == nil && u.Scheme == "http" && (u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost")
		if err != nil || u.Host == "" || u.Scheme != "https" && !local {
			return fmt.Errorf("%s must be an https URL", key)
		}
	}
	return nil
}

// Grant is a person's allowance on its way.
type Grant struct {
	URL      string // the page to open
	Complete string // the same with the code in it; may be empty
	Code     string // to type there
	Expires  time.Time

	device   string
	interval time.Duration
	next     time.Time // not to be asked before
}

// Token is what a person has allowed.
type Token struct {
	Access  string
	Expires time.Time // of Access; zero: not known
	Refresh string    // replaces the one before
}

const (
	usualInterval = 5 * time.Second // RFC 8628 section 3.2
	slower        = 5 * time.Second // section 3.5
	mostInterval  = time.Minute
	askTime       = 30 * time.Second
	maxAnswer     = 256 << 10 // bytes
	usualLife     = 10 * time.Minute
	maxCode       = 64
)

// Begin asks for a code.
func (p *Provider) Begin(ctx context.Context) (*Grant, error) {
	ctx, cancel := p.bounded(ctx)
	defer cancel()
	d, err := p.config().DeviceAuth(ctx)
	if err != nil {
		return nil, p.failure("begin", err)
	}
	g := &Grant{
		URL: d.VerificationURI, Complete: d.VerificationURIComplete, Code: d.UserCode, Expires: d.Expiry,
		device: d.DeviceCode, interval: time.Duration(d.Interval) * time.Second,
	}
	if !isPage(g.URL) || g.Complete != "" && !isPage(g.Complete) || g.Code == "" || len(g.Code) > maxCode || g.device == "" {
		return nil, errors.New("oauth: begin: the provider's answer makes no sense")
	}
	if g.interval <= 0 {
		g.interval = usualInterval
	}
	g.interval = min(g.interval, mostInterval)
	if g.Expires.IsZero() {
		g.Expires = time.Now().Add(usualLife)
	}
	g.next = time.Now().Add(g.interval)
	return g, nil
}

// isPage says whether a person can be sent there.
func isPage(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") && len(s) < 2000 &&
		!strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// Ask asks whether the person has allowed it, now and then until patience is over, and never more often than the
// provider wants. ErrPending if they have not by then; ErrExpired and ErrRefused end the grant.
func (p *Provider) Ask(ctx context.Context, g *Grant, patience time.Duration) (Token, error) {
	until := time.Now().Add(patience)
	for {
		switch {
		case !time.Now().Before(g.Expires):
			return Token{}, ErrExpired
		case g.next.After(until):
			return Token{}, ErrPending
		}
		if err := sleepUntil(ctx, g.next); err != nil {
			return Token{}, err
		}
		t, err := p.ask(ctx, g)
		g.next = time.Now().Add(g.interval)
		if !errors.Is(err, ErrPending) {
			return t, err
		}
	}
}

func (p *Provider) ask(ctx context.Context, g *Grant) (Token, error) {
	ctx, cancel := p.bounded(ctx)
	defer cancel()
	t, err := p.config().Exchange(ctx, "",
		oauth2.SetAuthURLParam("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
		oauth2.SetAuthURLParam("device_code", g.device), oauth2.SetAuthURLParam("client_id", p.ClientID))
	if err == nil {
		if t.RefreshToken == "" {
			return Token{}, errors.New("oauth: ask: the provider gives no refresh token")
		}
		return tokenOf(t), nil
	}
	switch code(err) {
	case "authorization_pending":
		return Token{}, ErrPending
	case "slow_down":
		g.interval = min(g.interval+slower, mostInterval)
		return Token{}, ErrPending
	case "expired_token":
		return Token{}, ErrExpired
	case "access_denied", "authorization_declined":
		return Token{}, ErrRefused
	case "":
		g.interval = min(2*g.interval, mostInterval) // section 3.5: back off where there is no answer
	}
	return Token{}, p.failure("ask", err)
}

// Refresh gets a new access token. The refresh token in it replaces the one before, which may be void from now on.
func (p *Provider) Refresh(ctx context.Context, refresh string) (Token, error) {
	ctx, cancel := p.bounded(ctx)
	defer cancel()
	t, err := p.config().TokenSource(ctx, &oauth2.Token{RefreshToken: refresh}).Token()
	if err == nil {
		return tokenOf(t), nil
	}
	switch code(err) {
	case "invalid_grant", "interaction_required", "consent_required":
		return Token{}, ErrRevoked
	}
	return Token{}, p.failure("refresh", err)
}

func tokenOf(t *oauth2.Token) Token {
	return Token{Access: t.AccessToken, Expires: t.Expiry, Refresh: t.RefreshToken}
}

func (p *Provider) config() *oauth2.Config {
	style := oauth2.AuthStyleInParams
	return &oauth2.Config{
		ClientID: p.ClientID, ClientSecret: p.ClientSecret, Scopes: p.Scopes,
		Endpoint: oauth2.Endpoint{DeviceAuthURL: p.DeviceURL, TokenURL: p.TokenURL, AuthStyle: style},
	}
}

// bounded is ctx for one request, with the client that makes it.
func (p *Provider) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	client := p.Client
	if client == nil {
		client = &http.Client{Timeout: askTime, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // what is secret goes where the configuration says
		}}
	}
	bounded := *client
	bounded.Transport = short{client.Transport}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &bounded)
	return context.WithTimeout(ctx, askTime)
}

// short cuts answers off.
type short struct{ http.RoundTripper }

// RoundTrip makes the request.
func (s short) RoundTrip(r *http.Request) (*http.Response, error) {
	via := s.RoundTripper
	if via == nil {
		via = http.DefaultTransport
	}
	res, err := via.RoundTrip(r)
	if err == nil {
		res.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(res.Body, maxAnswer), res.Body}
	}
	return res, err
}

// code is the error that the provider names (RFC 6749 section 5.2); empty if it named none.
func code(err error) string {
	var e *oauth2.RetrieveError
	if errors.As(err, &e) {
		return e.ErrorCode
	}
	return ""
}

// failure is an error for the log. Whatever else an answer has in it, and the request's address, stay out of it.
func (p *Provider) failure(op string, err error) error {
	var said *oauth2.RetrieveError
	var u *url.Error
	switch {
	case errors.As(err, &said):
		status := 0
		if said.Response != nil {
			status = said.Response.StatusCode
		}
		return fmt.Errorf("oauth: %s: %s says %d %.60q", op, p.Name, status, said.ErrorCode)
	case errors.As(err, &u):
		err = u.Err
	}
	return fmt.Errorf("oauth: %s: %s: %w", op, p.Name, err)
}

func sleepUntil(ctx context.Context, t time.Time) error {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
