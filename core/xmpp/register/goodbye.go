package register

import (
	"context"
	"errors"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
)

const (
	perWrite    = 50                     // contacts that are taken leave of at once
	whileFull   = 100 * time.Millisecond // between attempts while the host server does not read
	fullForLong = 50                     // attempts
)

// goodbye returns what takes a user's contacts on the network, and then the
// gateway, from their contact list (XEP-0100 section 4.3). It is called while
// they are still known, and runs when they are not.
func (c commands) goodbye(ctx context.Context, user core.UserID) (Later, error) {
	contacts, err := c.jids(ctx, user)
	if err != nil {
		return nil, err
	}
	domain := c.Domain.Name
	return func(ctx context.Context, w xmpp.Sender) error {
		for len(contacts) > 0 {
			some := contacts[:min(perWrite, len(contacts))]
			contacts = contacts[len(some):]
			err := patiently(ctx, w, func(enc *stream.Encoder) {
				for _, jid := range some {
					takeLeave(enc, jid, user)
				}
			})
			if err != nil {
				return err
			}
		}
		return patiently(ctx, w, func(enc *stream.Encoder) {
			takeLeave(enc, domain, user)
		})
	}, nil
}

// through has l written over the domain's own link, whoever runs it.
func (c commands) through(l Later) Later {
	if c.Domain.Link == nil {
		return l
	}
	return func(ctx context.Context, _ xmpp.Sender) error { return l(ctx, c.Domain.Link) }
}

// takeLeave says that somebody is not there any more, while the server still passes that on, and ends both
// subscriptions.
func takeLeave(enc *stream.Encoder, from string, user core.UserID) {
	enc.Empty("presence", "", "type", "unavailable", "from", from, "to", string(user))
	enc.Empty("presence", "", "type", "unsubscribe", "from", from, "to", string(user))
	enc.Empty("presence", "", "type", "unsubscribed", "from", from, "to", string(user))
}

// jids are the user's correspondents on the network, rooms left out.
func (c commands) jids(ctx context.Context, user core.UserID) ([]string, error) {
	people, err := c.people(ctx, user)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, p := range people {
		if t, err := c.Domain.Network.Transport.Parse(p.text); err != nil || t.Room {
			continue
		}
		if jid, err := c.Domain.JID(p.account.Realm, p.Address, false); err == nil {
			all = append(all, jid)
		}
	}
	return all, nil
}

// patiently writes, and waits a while for a host server that does not read.
func patiently(ctx context.Context, w xmpp.Sender, fn func(*stream.Encoder)) error {
	for range fullForLong {
		if err := w.Write(fn); !errors.Is(err, xmpp.ErrFull) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(whileFull):
		}
	}
	return xmpp.ErrFull
}
