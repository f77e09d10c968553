package chat

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

// maxRecipients bounds the addresses of one message.
const maxRecipients = 20

// recipient is one of several whom a message is for.
type recipient struct {
	jid    string // bare
	target core.Target
	copied bool // for their information only (cc)
	hidden bool // the others are not told (bcc)
	done   bool // somebody else brings it to them
}

// Multicast returns the handler of messages to the domain of the gateway itself:
// those that name several correspondents in <addresses/> (XEP-0033) go to each
// of them, everything else to next.
func (c *Chat) Multicast(d *edge.Domain, next xmpp.Handler) xmpp.Handler {
	h := handler{c, d}
	return xmpp.HandlerFunc(func(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
		if st.Type == "error" || st.Child(nsAddress, "addresses") == nil {
			return next.Serve(ctx, w, st)
		}
		return h.serve(ctx, w, st, core.Target{}, true)
	})
}

// recipients returns whom a message is for: to itself, unless that is the
// gateway, and whom its <addresses/> name besides. Each is there once.
func (h handler) recipients(s *said, to addr.JID, t core.Target, gateway bool) ([]recipient, error) {
	var all []recipient
	if !gateway {
		all = append(all, recipient{jid: to.Bare(), target: t})
	}
	for el := range s.addresses.Children() {
		typ := el.Attr("type")
		if !el.Is(nsAddress, "address") || typ != "to" && typ != "cc" && typ != "bcc" {
			continue
		}
		r, err := h.recipient(el)
		if err != nil {
			return nil, err
		}
		r.copied, r.hidden, r.done = typ == "cc", typ == "bcc", r.done || el.Attr("delivered") == "true"
		all = merge(all, r)
		if len(all) > maxRecipients {
			return nil, core.E(core.TooLarge, "chat: addresses",
				"A message goes to at most "+strconv.Itoa(maxRecipients)+" addresses at once.")
		}
	}
	return all, nil
}

func merge(all []recipient, r recipient) []recipient {
	for i, have := range all {
		if have.target == r.target && r.target != (core.Target{}) || have.jid == r.jid {
			all[i].done = have.done && r.done
			return all
		}
	}
	return append(all, r)
}

// recipient reads one address. Somebody elsewhere cannot be reached from here,
// but may have been by whoever marked them as delivered.
func (h handler) recipient(el *stream.Element) (recipient, error) {
	text := el.Attr("jid")
	j, err := addr.Parse(text)
	foreign := err != nil || !h.domain.Owns(j) || j.Local() == ""
	if foreign && el.Attr("delivered") == "true" {
		return recipient{jid: text, done: true}, nil
	}
	if foreign {
		return recipient{}, core.E(core.Invalid, "chat: addresses",
			fmt.Sprintf("This gateway can only send to addresses at %s, and %q is none.", h.domain.Name, bounded(text, 100)))
	}
	t, err := h.domain.Target(j.Local())
	if err != nil {
		return recipient{}, err
	}
	if t.Room {
		return recipient{}, core.E(core.Unsupported, "chat: addresses", "A message to several people cannot go to a room.")
	}
	return recipient{jid: strings.Clone(j.Bare()), target: t}, nil
}

// each submits a message to all of its recipients. Whom it cannot be sent to
// answers for themselves: the others have it.
func (h handler) each(ctx context.Context, w xmpp.Sender, s *said, user core.UserID, all []recipient) error {
	for i, r := range all {
		if r.done {
			continue
		}
		if err := h.one(ctx, s, user, all, i); err != nil {
			if len(all) == 1 {
				return err
			}
			if err := refuseFor(w, s.Stanza, r.jid, err); err != nil {
				h.log.Warn("error not sent", "id", s.ID, "err", err)
			}
		}
	}
	return nil
}

// one submits a message to all[i].
func (h handler) one(ctx context.Context, s *said, user core.UserID, all []recipient, i int) error {
	a, err := h.account(ctx, user, all[i].target, s)
	if err != nil {
		return err
	}
	copied := *s
	copied.ref = core.Ref{Account: a.ID, Peer: h.book.exact(ctx, a.ID, all[i].target.Address)}
	copied.also, copied.copied, copied.hidden = nil, nil, all[i].hidden
	for j, other := range all {
		if j != i && (other.hidden || other.target.Address == "" || other.target.Realm != all[i].target.Realm) {
			continue
		}
		address := h.book.exact(ctx, a.ID, other.target.Address)
		if j != i {
			copied.also = append(copied.also, address)
		}
		if other.copied {
			copied.copied = append(copied.copied, address)
		}
	}
	return h.submit(ctx, user, a, &copied)
}

// refuseFor answers a message as one of several whom it was for.
func refuseFor(w xmpp.Sender, st *stream.Stanza, from string, err error) error {
	return w.Write(func(enc *stream.Encoder) {
		enc.Start("message", "", "type", "error", "id", st.ID, "from", from, "to", st.From)
		xmpp.ErrorOf(err).Encode(enc)
		enc.End()
	})
}
