package email

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/emersion/go-sasl"

	"gangway/core"
	"gangway/transports/email/client"
	"gangway/transports/email/discover"
	"gangway/transports/email/mailbox"
	"gangway/transports/email/oauth"
)

// What is known of a mailbox beside its secret; the keys of core.Account.Options.
const (
	optionIMAP      = "imap" // a URL: see serverURL
	optionSMTP      = "smtp"
	optionSavesSent = "saves_sent" // "true": its server puts what is submitted into the sent folder
)

// secret is what logs in to a mailbox: a password, or a token that a provider gave us. It is an Account's Secret.
type secret struct {
	Password string `json:"password,omitempty"`
	Provider string `json:"oauth,omitempty"`
	Refresh  string `json:"refresh,omitempty"`
}

func (s secret) seal() (core.Secret, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, core.Wrap(core.Internal, "email: secret", err)
	}
	return b, nil
}

func openSecret(sealed core.Secret) (s secret, err error) {
	if err := json.Unmarshal(sealed, &s); err != nil {
		return secret{}, core.Wrap(core.Internal, "email: secret", errors.New("it is no mailbox's"))
	}
	return s, nil
}

// schemes are how a server is written, by its security.
func schemes(protocol string) [3]string {
	return [3]string{discover.TLS: protocol + "s", discover.StartTLS: protocol, discover.Plain: protocol + "+plain"}
}

// serverURL writes a server as an account keeps it.
func serverURL(protocol string, s discover.Server) string {
	u := url.URL{Scheme: schemes(protocol)[s.Security], User: url.User(s.User), Host: net.JoinHostPort(s.Host, strconv.Itoa(s.Port))}
	return u.String()
}

// parseServer reads what serverURL wrote.
func parseServer(protocol, text string) (s discover.Server, err error) {
	u, err := url.Parse(text)
	if err != nil {
		return s, errors.New("the server is no URL")
	}
	for i, scheme := range schemes(protocol) {
		if u.Scheme != scheme {
			continue
		}
		port, err := strconv.Atoi(u.Port())
		return discover.Server{Host: u.Hostname(), Port: port, Security: discover.Security(i), User: u.User.Username()}, err
	}
	return s, fmt.Errorf("the server's scheme is %q", u.Scheme)
}

// tokens get access tokens for one mailbox. Each is used as long as it is good; what replaces the refresh token is kept.
// It is safe for concurrent use.
type tokens struct {
	provider *oauth.Provider
	refresh  func(context.Context) (string, error) // the refresh token that is good now
	renew    func(ctx context.Context, refresh string) error
	now      func() time.Time

	mu     sync.Mutex
	access string
	until  time.Time
}

const (
	tokenMargin = time.Minute      // before its end a token is not used any more
	tokenLife   = 10 * time.Minute // of a token that does not say
)

// get returns an access token that is good now. oauth.ErrRevoked if there is none to be had.
func (t *tokens) get(ctx context.Context) (string, error) {
	t.mu.Lock() // over the request: of two refreshes at once the second may be refused
	defer t.mu.Unlock()
	if t.access != "" && t.now().Before(t.until) {
		return t.access, nil
	}
	old, err := t.refresh(ctx)
	if err != nil {
		return "", err
	}
	got, err := t.provider.Refresh(ctx, old)
	if err != nil {
		return "", err
	}
	if got.Refresh != "" && got.Refresh != old {
		if err := t.renew(context.WithoutCancel(ctx), got.Refresh); err != nil { // the old one may be void
			return "", err
		}
	}
	t.use(got)
	return t.access, nil
}

func (t *tokens) use(got oauth.Token) {
	t.access, t.until = got.Access, got.Expires.Add(-tokenMargin)
	if got.Expires.IsZero() {
		t.until = t.now().Add(tokenLife)
	}
}

// spoil has the next get ask for a new token: this one was refused.
func (t *tokens) spoil() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.access = ""
}

// credentials log in to the servers of one mailbox.
type credentials struct {
	password string
	tokens   *tokens // nil: the password
}

func (c credentials) forIMAP(s discover.Server) mailbox.Login {
	if c.tokens == nil {
		return mailbox.Login{User: s.User, Password: c.password}
	}
	return mailbox.Login{User: s.User, Token: c.tokens.get}
}

func (c credentials) forSMTP(s discover.Server) client.Login {
	if c.tokens == nil {
		return client.Password(s.User, c.password)
	}
	return func(ctx context.Context) (sasl.Client, error) {
		token, err := c.tokens.get(ctx)
		if err != nil {
			return nil, err
		}
		return &oauth.Bearer{User: s.User, Token: token, Host: s.Host, Port: s.Port}, nil
	}
}

// imapServer and smtpMode are a server in the words of those who connect to it.
func imapServer(s discover.Server) mailbox.Server {
	security := [...]mailbox.Security{discover.TLS: mailbox.TLS, discover.StartTLS: mailbox.StartTLS, discover.Plain: mailbox.Plain}
	return mailbox.Server{Host: s.Host, Port: s.Port, Security: security[s.Security]}
}

func smtpMode(s discover.Server) client.Mode {
	return [...]client.Mode{discover.TLS: client.Implicit, discover.StartTLS: client.Require, discover.Plain: client.Never}[s.Security]
}

// boxCarrier submits through a mailbox's own server.
func (t *transport) boxCarrier(s discover.Server, c credentials) *relay {
	const conns = 2 // of one user: providers count
	r := newRelay(submission{
		host: s.Host, port: strconv.Itoa(s.Port), mode: smtpMode(s), login: c.forSMTP(s), dial: t.boxes.guard.Dial,
	}, t.wire, conns)
	r.config.TLS = t.boxes.secure(s.Host)
	return r
}
