package email

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/emersion/go-smtp"

	"gangway/core"
	"gangway/transports/email/client"
	"gangway/transports/email/discover"
	"gangway/transports/email/mailbox"
	"gangway/transports/email/oauth"
)

// What became of trying to log in, for the user to be told.
var (
	errRefused = errors.New("the server refuses the login")
	errNowhere = errors.New("there is no server that answers")
)

const (
	tryTime  = 20 * time.Second // for one server
	triesEnd = 75 * time.Second // for all of them
)

// tryIMAP finds the first server that lets us in. errRefused if one does not, errNowhere if none answers.
func (t *transport) tryIMAP(ctx context.Context, servers []discover.Server, local string, c credentials) (discover.Server, error) {
	return tryAll(ctx, servers, local, func(ctx context.Context, s discover.Server) error {
		ctx, in := context.WithCancel(ctx)
		defer in()
		entered := false
		err := mailbox.New(mailbox.Config{
			Server: imapServer(s), Login: c.forIMAP(s), Dial: t.boxes.guard.Dial, TLS: t.boxes.secure(s.Host),
			Cursor: nowhere{}, Deliver: func(context.Context, mailbox.Mail) error { return nil }, NoSent: true,
			Ready: func(context.Context) {
				entered = true
				in()
			},
		}).Run(ctx)
		if entered {
			return nil
		}
		if errors.Is(err, mailbox.ErrLogin) {
			return errRefused
		}
		return err
	})
}

// trySMTP is tryIMAP for the submission of mail. Nothing is sent.
func (t *transport) trySMTP(ctx context.Context, servers []discover.Server, local string, c credentials) (discover.Server, error) {
	return tryAll(ctx, servers, local, func(ctx context.Context, s discover.Server) error {
		conn, err := t.boxCarrier(s, c).dial(ctx)
		if isPassingLogin(err) { // as Postfix has it when its Dovecot was started anew
			conn, err = t.boxCarrier(s, c).dial(ctx)
		}
		if err == nil {
			conn.Quit()
			return nil
		}
		if isRefusedLogin(err) {
			return errRefused
		}
		return err
	})
}

// isRefusedLogin says whether an SMTP server has refused a login for good.
func isRefusedLogin(err error) bool {
	var said *smtp.SMTPError
	return client.StageOf(err) == client.Auth && errors.As(err, &said) && said.Code/100 == 5
}

// isPassingLogin says whether an SMTP server could not find out whether a login is good.
func isPassingLogin(err error) bool {
	var said *smtp.SMTPError
	return client.StageOf(err) == client.Auth && errors.As(err, &said) && said.Code/100 == 4
}

// tryAll tries servers in their order. Where it is a guess whom to log in as, the part before the @ is tried, too (RFC
// 6186 section 4).
func tryAll(ctx context.Context, servers []discover.Server, local string, try func(context.Context, discover.Server) error) (discover.Server, error) {
	ctx, cancel := context.WithTimeout(ctx, triesEnd)
	defer cancel()
	last := errNowhere
	for _, s := range servers {
		for _, user := range []string{s.User, local} {
			if user == local && (s.Sure || s.User == local) {
				continue
			}
			s.User = user
			within, end := context.WithTimeout(ctx, tryTime)
			err := try(within, s)
			end()
			switch {
			case err == nil:
				return s, nil
			case errors.Is(err, oauth.ErrRevoked):
				return s, err
			case errors.Is(err, errRefused):
				last = errRefused
				continue
			case errors.Is(err, discover.ErrForbidden) && errors.Is(last, errNowhere):
				last = err
			}
			break // it does not answer: another name is of no use
		}
		if errors.Is(last, errRefused) { // the next server would count one more wrong password
			break
		}
	}
	return discover.Server{}, last
}

// nowhere keeps no cursor.
type nowhere struct{}

// Load finds nothing.
func (nowhere) Load(context.Context, string) ([]byte, error) { return nil, nil }

// Save forgets.
func (nowhere) Save(context.Context, string, []byte) error { return nil }

// serversAt are the ways to a server that a user names: host, host:port, or a name of which the port tells the rest.
// Without TLS only what the configuration names is connected to, and only on this machine.
func (t *transport) serversAt(text, user string, usual [2]int) ([]discover.Server, error) {
	s, plain, err := discover.ParseServer(strings.TrimSpace(text), usual)
	if err != nil {
		return nil, core.E(core.Invalid, "email: server", "A server is written as a name, such as imap.example.com, or as a name with a port, such as imap.example.com:993.")
	}
	var all []discover.Server
	for _, one := range s {
		one.User = user
		all = append(all, one)
	}
	if plain.Host != "" && isLoopback(plain.Host) && t.boxes.guard.Trusts(plain.Host, plain.Port) {
		plain.User = user
		all = append(all, plain)
	}
	return all, nil
}
