package email

import (
	"errors"
	"fmt"

	"github.com/emersion/go-smtp"

	"gangway/core"
	"gangway/transports/email/client"
	"gangway/transports/email/mx"
)

// siteError is an error of the server through which the whole site sends: what it thinks of our password is no matter
// of a user's.
type siteError struct{ err error }

func (e *siteError) Error() string { return e.err.Error() }
func (e *siteError) Unwrap() error { return e.err }

// sendFailure turns what went wrong on the way to the next server into what the user reads.
func sendFailure(peer string, err error) *core.Error {
	const op = "email: send"
	if a, err := parseAddress(peer); err == nil {
		peer = a.String() // for people
	}
	where := client.StageOf(err)
	var answer *smtp.SMTPError
	var own *core.Error
	var e *core.Error
	switch spoken := errors.As(err, &answer); {
	case errors.As(err, &own): // such as of who makes the tokens to log in with
		e = core.Wrap(own.Kind, op, own)
	case spoken && (where >= client.Auth || answer.Code == 0): // without a code the status is our own
		e = statusOf(answer).failure(op, peer, answer.Message, where)
	default:
		e = core.E(core.Unavailable, op, "The mail server does not take mail at the moment.")
	}
	var wait *mx.Wait
	if errors.As(err, &wait) {
		e.After = wait.For
	}
	var large *client.TooLargeError
	if errors.As(err, &large) {
		e.Text += fmt.Sprintf(" It takes up to %s.", inBytes(large.Limit))
	}
	var site *siteError
	if where == client.Auth && errors.As(err, &site) && own == nil {
		e.Kind, e.Alert = core.Internal, true
		e.Text = "The gateway may not send mail at the moment. Its administrator has been told; the message is tried again."
	}
	e.By, e.Err = client.MTAOf(err), err
	return e
}

func statusOf(answer *smtp.SMTPError) status {
	st := status{code: answer.Code}
	if ec := answer.EnhancedCode; ec[0] > 0 {
		st.enhanced = enhanced(ec)
	}
	return st
}

func inBytes(n int) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d kB", n/1000)
	}
	return fmt.Sprintf("%d MB", n/1_000_000)
}
