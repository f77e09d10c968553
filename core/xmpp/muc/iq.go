package muc

import (
	"context"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/stream"
)

// maxItems is how many changes one muc#admin request may ask for.
const maxItems = 10

// room is what a stanza is addressed to, if it is a room.
func (h *Handler) room(st *stream.Stanza) (core.Target, bool) {
	to, err := addr.Parse(st.To)
	if err != nil || to.Local() == "" {
		return core.Target{}, false
	}
	t, err := h.domain.Target(to.Local())
	return t, err == nil && t.Room
}

// Ping handles the self-ping of XEP-0410; next gets pings that are not to an occupant.
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
		if !c.room.is(c.to.Resource()) {
			return xmpp.NewError("cancel", "service-unavailable", "Others cannot be pinged here.")
		}
		return xmpp.Result(w, st, nil)
	})
}

// Admin handles muc#admin requests (XEP-0045 sections 8 and 9): kicks and ranks, and the lists that clients ask for
// at every join, which are empty here: the network does not keep them.
func (h *Handler) Admin(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
	t, ok := h.room(st)
	if !ok {
		return xmpp.NewError("cancel", "service-unavailable", "That address is no room.")
	}
	c, err := h.call(ctx, w, st, t)
	if err != nil {
		return err
	}
	if !c.room.has(st.From) {
		return xmpp.NewError("auth", "forbidden", "You are not in this room.")
	}
	if st.Type == "get" {
		return xmpp.Result(w, st, func(enc *stream.Encoder) { enc.Empty("query", NSAdmin) })
	}
	items, err := itemsOf(st)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, item := range items {
		if err := h.change(ctx, c, item); err != nil {
			return refused(err)
		}
	}
	return xmpp.Result(w, st, nil)
}

// itemsOf are the changes that a muc#admin request asks for. Too many are refused before any is made.
func itemsOf(st *stream.Stanza) ([]*stream.Element, error) {
	var items []*stream.Element
	for el := range st.Child(NSAdmin, "query").Children() {
		if el.Is(NSAdmin, "item") {
			items = append(items, el)
		}
	}
	switch {
	case len(items) == 0:
		return nil, xmpp.NewError("modify", "bad-request", "Say what is to be changed.")
	case len(items) > maxItems:
		return nil, xmpp.NewError("modify", "policy-violation", "That is too many changes at once.")
	}
	return items, nil
}

// change carries out one item of a muc#admin request.
func (h *Handler) change(ctx context.Context, c *call, item *stream.Element) error {
	nick, role, affiliation := item.Attr("nick"), item.Attr("role"), item.Attr("affiliation")
	if nick == "" {
		return core.E(core.Invalid, "muc: admin", "Say whom by their nick in the room.")
	}
	return h.with(ctx, c.account, func(caps core.Caps) error {
		if caps.Moderation == nil {
			return core.E(core.Unsupported, "muc: admin", "This network's rooms cannot be moderated from here.")
		}
		if role == "none" {
			return caps.Moderation.Kick(ctx, c.target.Address, nick, item.ChildText("", "reason"))
		}
		rank, ok := rankOf(affiliation, role)
		if !ok {
			return core.E(core.Unsupported, "muc: admin", "That role cannot be given here.")
		}
		return caps.Moderation.SetRank(ctx, c.target.Address, nick, rank)
	})
}

// Owner answers muc#owner requests: a room's configuration is the network's.
func (h *Handler) Owner(context.Context, xmpp.Sender, *stream.Stanza) error {
	return xmpp.NewError("auth", "forbidden", "The room's settings cannot be changed from here.")
}
