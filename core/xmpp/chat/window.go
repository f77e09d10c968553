package chat

import (
	"context"
	"strings"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
)

// Window lets go what is held of what a user wrote: see core.Gateway.
type Window interface {
	SendNow(ctx context.Context, a core.Account, peer core.Address) (lines int, err error)
}

// sendWord is what a user writes to have everything sent that is held.
const sendWord = "/send"

// sends reports whether that is all that a stanza says. Where nothing is held
// it is a message like any other.
func (h handler) sends(s *said) bool {
	return h.window != nil && h.domain.Network.MayHold() && strings.TrimSpace(s.text) == sendWord &&
		len(s.content) == 0 && s.addresses == nil && s.replace == nil && s.reactions == nil && !s.retract
}

// sendNow lets go what is held for a correspondent. What becomes of that is
// answered for itself; the word has come where it was meant for.
func (h handler) sendNow(ctx context.Context, w xmpp.Sender, user core.UserID, a core.Account, s *said) error {
	lines, err := h.window.SendNow(ctx, a, s.ref.Peer)
	if err != nil {
		return err
	}
	from, err := h.domain.Contact(a.Realm, s.ref.Peer)
	if err != nil {
		return err
	}
	p := page{enc: nil, domain: h.domain, account: a, from: from, to: string(user)}
	return w.Write(func(enc *stream.Encoder) {
		p.enc = enc
		if s.asks() && s.origin != "" {
			p.start(core.Digest("delivered", string(a.ID), s.origin), s.from.String())
			enc.Empty("received", nsReceipts, "id", s.origin)
			enc.End()
		}
		if lines == 0 {
			p.start(string(core.NewID()), p.to)
			p.in(english)
			enc.Leaf("body", "", "Nothing waits to be sent: everything that you wrote is on its way.")
			enc.Empty("no-store", nsHints)
			enc.End()
		}
	})
}

// afterSent submits what the network cannot do with a message that was sent. It
// may be held still; if it is not, a correction goes as a new message where the
// user wants that.
func (h handler) afterSent(ctx context.Context, user core.UserID, a core.Account, e core.Event) error {
	err := h.gateway.Submit(ctx, a, e)
	if err == nil || core.KindOf(err) != core.Unsupported || !h.domain.Network.MayHold() {
		return err
	}
	caps := h.domain.Network.Caps
	switch e := e.(type) {
	case *core.Message:
		if !e.Replaces.Known() || caps.Editor != nil {
			return err
		}
		anew := *e
		anew.Replaces = core.IDs{}
		if err := h.instead(ctx, user, &anew); err != nil {
			return err
		}
		return h.gateway.Submit(ctx, a, &anew)
	case *core.Retraction:
		if caps.Retractor == nil {
			return h.cannot("taken back after they were sent")
		}
	}
	return err
}
