package email

import (
	"errors"

	"github.com/emersion/go-smtp"

	"gangway/core"
	"gangway/transports/email/client"
)

// sendFailure turns what went wrong on the way to the next server into what the user reads.
func sendFailure(peer string, err error) *core.Error {
	const op = "email: send"
	where := client.StageOf(err)
	var answer *smtp.SMTPError
	if !errors.As(err, &answer) || where < client.Mail {
		e := core.Wrap(core.Unavailable, op, err)
		e.Text = "The mail server does not take mail at the moment."
		if where == client.Auth {
			e.Kind = core.Internal // the operator's matter
		}
		return e
	}
	st := status{code: answer.Code}
	if ec := answer.EnhancedCode; ec[0] > 0 {
		st.enhanced = enhanced(ec)
	}
	e := st.failure(op, peer, answer.Message, where)
	e.Err = err
	return e
}
