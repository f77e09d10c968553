package mailbox

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-sasl"
)

// login logs in, in the best way that the server offers and the account has.
func (b *Box) login(ctx context.Context, c *conn) error {
	if c.client.State() == imap.ConnStateAuthenticated { // PREAUTH, over TLS or on this machine
		return nil
	}
	l := b.config.Login
	if l.Token == nil {
		return c.password(l.User, l.Password)
	}
	token, err := l.Token(ctx)
	if err != nil {
		return fmt.Errorf("imap: access token: %w", err)
	}
	var mech sasl.Client
	switch {
	case c.caps.Has(imap.AuthCap(sasl.OAuthBearer)):
		mech = newBearer(l.User, b.config.Server, token)
	case c.caps.Has(imap.AuthCap(xoauth2)):
		mech = newXOAuth2(l.User, token)
	default:
		return fmt.Errorf("imap: log in: %w: it takes no access tokens", ErrInsecure)
	}
	return c.authenticate(mech, token)
}

func (c *conn) password(user, password string) error {
	switch {
	case c.caps.Has(imap.AuthCap(sasl.Plain)):
		return c.authenticate(sasl.NewPlainClient("", user, password), password)
	case c.caps.Has(imap.CapLoginDisabled):
		return fmt.Errorf("imap: log in: %w", ErrInsecure)
	default:
		err := c.do(loginBounds, func() error { return c.client.Login(user, password).Wait() })
		return loginError(err, password)
	}
}

func (c *conn) authenticate(mech sasl.Client, secret string) error {
	_, initial, err := mech.Start()
	if err != nil {
		return fmt.Errorf("imap: log in: %w", err)
	}
	err = c.do(loginBounds, func() error { return c.client.Authenticate(mech) })
	var said *imap.Error
	if t, ok := mech.(*bearer); ok && t.refused && errors.As(err, &said) { // whatever it makes of our answer to that
		said.Type = imap.StatusResponseTypeNo
	}
	return loginError(err, secret, base64.StdEncoding.EncodeToString(initial))
}

// loginError tells a login that is refused for good from one that may do later (RFC 5530). Servers may quote what they
// were sent: the secrets are taken out.
func loginError(err error, secrets ...string) error {
	var said *imap.Error
	if err == nil {
		return nil
	}
	if !errors.As(err, &said) {
		return fmt.Errorf("imap: log in: %w", err)
	}
	text := said.Text
	for _, s := range secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s, "***")
		}
	}
	text = brief(text)
	if said.Type == imap.StatusResponseTypeNo && !isPassing(said.Code, text) {
		return &LoginError{Code: brief(string(said.Code)), Text: text}
	}
	return fmt.Errorf("imap: log in: %s [%s] %s", said.Type, brief(string(said.Code)), text)
}

// isPassingAnswer says whether a command may do later.
func isPassingAnswer(err error) bool {
	var said *imap.Error
	return errors.As(err, &said) && said.Code != "" && isPassing(said.Code, "")
}

// isPassing says whether a login may do later with the same password. Old servers have no codes, only words.
func isPassing(code imap.ResponseCode, text string) bool {
	switch imap.ResponseCode(strings.ToUpper(string(code))) {
	case imap.ResponseCodeUnavailable, imap.ResponseCodeInUse, imap.ResponseCodeLimit, imap.ResponseCodeServerBug,
		"THROTTLED", "OVERQUOTA":
		return true
	case "", "ALERT":
	default:
		return false
	}
	text = strings.ToLower(text)
	for _, word := range []string{"temporar", "try again", "later", "too many", "unavailable", "internal error", "timeout", "timed out"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

const xoauth2 = "XOAUTH2"

// bearer is a mechanism that shows an access token. To the server's reasons for a refusal, which come as a challenge,
// it says what has to be said for the refusal itself to follow.
type bearer struct {
	name    string
	first   []byte
	refused bool
}

// newBearer is OAUTHBEARER (RFC 7628).
func newBearer(user string, s Server, token string) sasl.Client {
	user = strings.NewReplacer("=", "=3D", ",", "=2C").Replace(user)
	first := fmt.Sprintf("n,a=%s,\x01host=%s\x01auth=Bearer %s\x01\x01", user, s.Host, token)
	return &bearer{name: sasl.OAuthBearer, first: []byte(first)}
}

// newXOAuth2 is what Google and Microsoft had before there was a standard.
func newXOAuth2(user, token string) sasl.Client {
	return &bearer{name: xoauth2, first: fmt.Appendf(nil, "user=%s\x01auth=Bearer %s\x01\x01", user, token)}
}

// Start shows the token.
func (b *bearer) Start() (mech string, initial []byte, err error) { return b.name, b.first, nil }

// Next answers the reasons for a refusal.
func (b *bearer) Next([]byte) ([]byte, error) {
	b.refused = true
	return []byte{1}, nil
}
