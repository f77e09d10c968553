package muc

import (
	"context"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/stream"
)

// room is what a stanza is addressed to, if it is a room.
func (h *Handler) room(st *stream.Stanza) (core.Target, bool) {
	to, err := addr.Parse(st.To)
	if err != nil || to.Local() == "" {
		return core.Target{}, false
	}
	t, err := h.domain.Target(to.Local())
	return t, err == nil && t.Room
}

// Ping handles the self-ping of XEP-0410; next gets pings to others.
func (h *Handler) Ping(next xmpp.Handler) xmpp.Handler {
	return xmpp.HandlerFunc(func(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
		t, ok := h.room(st)
		if to, err := addr.Parse(st.To); !ok || err != nil || to.Resource() == "" {
			return next.Serve(ctx, w, st)
		}
		c, err := h.call(ctx, w, st, t)
		if err != nil {
			return err
		}
		if !c.room.has(st.From) {
			return xmpp.NewError("cancel", "not-acceptable", "You are not in this room.")
		}
		if !c.room.is(c.to.Resource()) && h.domain.Network.Caps.Querier != nil {
			return next.Serve(ctx, w, st)
		}
		if !c.room.is(c.to.Resource()) {
			return xmpp.NewError("cancel", "service-unavailable", "Others cannot be pinged here.")
		}
		return xmpp.Result(w, st, nil)
	})
}
