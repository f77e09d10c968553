package chat

import (
	"context"

	"gangway/core"
)

// refusal is why a message without text is not taken; nil for what clients send
// so, and nobody waits to hear of.
func (s *said) refusal() error {
	switch {
	case s.called:
		return core.E(core.Unsupported, "chat: call", "Calls cannot be made through this gateway.")
	case s.invitation:
		return core.E(core.Unsupported, "chat: invite", "Invitations to group chats cannot be passed on to this network.")
	case s.typing, s.paused, s.active, s.known, s.Type == "headline":
		return nil
	}
	return core.E(core.Invalid, "chat: message", "The message has no text.")
}

// notify passes on a message without text, where the network can carry it.
// Nobody waits to hear that such a thing failed, and so nobody is told.
func (h handler) notify(ctx context.Context, s *said, user core.UserID, t core.Target) error {
	if err := s.refusal(); err != nil {
		return err
	}
	caps := h.domain.Network.Caps
	about, ours := ourName(s.displayed)
	mark := ours && caps.ReadMarker != nil
	state := (caps.TypingSender != nil || h.domain.Network.MayHold()) && (s.typing || s.paused || s.active)
	if !mark && !state {
		return nil
	}
	a, err := h.gateway.Speaker(ctx, user, h.domain.Network.Driver.Name, t, s.names()...)
	if err != nil {
		h.log.Debug("notification not carried", "id", s.ID, "err", err)
		return nil
	}
	ref := core.Ref{Account: a.ID, Peer: h.book.exact(ctx, a.ID, t.Address)}
	if mark {
		h.pass(ctx, a, s, &core.Receipt{Ref: ref, IDs: core.IDs{ID: about}, State: core.Read})
	}
	if state {
		h.pass(ctx, a, s, &core.Typing{Ref: ref, On: s.typing})
	}
	return nil
}

func (h handler) pass(ctx context.Context, a core.Account, s *said, e core.Event) {
	if err := h.gateway.Submit(ctx, a, e); err != nil {
		h.log.Debug("notification not carried", "id", s.ID, "account", a.ID, "err", err)
	}
}
