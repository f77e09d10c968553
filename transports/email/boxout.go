package email

import (
	"context"
	"errors"

	"gangway/core"
	"gangway/transports/email/oauth"
)

var _ carrier = (*box)(nil)

// send submits a mail at the mailbox's own server, under its own address, to which bounces come, too: few such servers
// take another. The copy for the sent folder is no reason to send the mail again.
func (b *box) send(ctx context.Context, e envelope, mail []byte) error {
	notice := e.from == ""
	e.from, _ = b.own.envelope()
	if err := b.carrier.send(ctx, e, mail); err != nil {
		return b.refusal(err)
	}
	if notice {
		return nil // nobody keeps those
	}
	if err := b.mail.AppendSent(context.WithoutCancel(ctx), mail); err != nil {
		b.t.host.Logger().Info("no copy in the sent folder", "account", b.account.ID, "message", e.id, "err", err)
	}
	return nil
}

// refusal says what is wrong where it is the login, which is the user's own matter.
func (b *box) refusal(err error) error {
	const op = "email: send"
	switch {
	case errors.Is(err, oauth.ErrRevoked):
		return &core.Error{Kind: core.Denied, Op: op, Err: err, Text: "The access to " + b.own.String() + ` was taken back at the provider. Send "register" and link it again.`}
	case isRefusedLogin(err):
		if b.tokens != nil {
			b.tokens.spoil()
		}
		return &core.Error{Kind: core.Denied, Op: op, Err: err, Text: "The mail server of " + b.own.String() + ` refuses the login. Send "register" to change its password.`}
	}
	return err
}
