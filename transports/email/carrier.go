package email

import (
	"context"

	"gangway/transports/email/client"
)

// carrier takes mails of ours to where they go: through the site's relay, through a user's own server, or straight to
// the servers of the recipients' domains. It is safe for concurrent use.
type carrier interface {
	// send hands one mail over. nil: another server has it, and answers for it from now on. sendFailure makes of an
	// error what the user reads.
	send(ctx context.Context, e envelope, mail []byte) error
}

// envelope is what the next server is told about a mail.
type envelope struct {
	id      string // for its reports
	from    string // empty: a report
	to      string
	utf8    bool // the address needs SMTPUTF8
	success bool // a report of success is wanted
}

func (e envelope) wire() client.Envelope {
	return client.Envelope{ID: e.id, From: e.from, To: e.to, UTF8: e.utf8, Success: e.success}
}

// configureCarrier makes the carrier of the mail domain: the relay, or, without one, the way straight to the recipients'
// servers.
func (t *transport) configureCarrier() error {
	if err := t.configureDirect(); err != nil {
		return err
	}
	if t.settings.Relay == "" {
		t.carrier = t.newDirect()
		return nil
	}
	r, err := relayOf(t.settings, t.settings.Hello)
	if err != nil {
		return err
	}
	r.out = &t.out
	t.carrier = r
	return nil
}
