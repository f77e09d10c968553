package oauth

import (
	"fmt"
	"strings"

	"github.com/emersion/go-sasl"
)

const xoauth2 = "XOAUTH2"

// Bearer logs in with an access token: by OAUTHBEARER (RFC 7628), or by XOAUTH2 where only that is offered, which
// Google and Microsoft had before there was a standard.
type Bearer struct {
	User, Token string
	Host        string
	Port        int

	old bool
}

var _ sasl.Client = (*Bearer)(nil)

// Choose looks at what the server offers.
func (b *Bearer) Choose(offered func(mechanism string) bool) {
	b.old = !offered(sasl.OAuthBearer) && offered(xoauth2)
}

// Start shows the token.
func (b *Bearer) Start() (mechanism string, first []byte, err error) {
	if b.old {
		return xoauth2, fmt.Appendf(nil, "user=%s\x01auth=Bearer %s\x01\x01", b.User, b.Token), nil
	}
	user := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(b.User)
	return sasl.OAuthBearer, fmt.Appendf(nil, "n,a=%s,\x01host=%s\x01port=%d\x01auth=Bearer %s\x01\x01", user, b.Host, b.Port, b.Token), nil
}

// Next answers the server's reasons for a refusal, which come as a challenge: the refusal itself follows.
func (b *Bearer) Next([]byte) ([]byte, error) {
	if b.old {
		return []byte{}, nil
	}
	return []byte{1}, nil
}

// Format keeps the token out of every text.
func (b *Bearer) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[bearer]")) }
