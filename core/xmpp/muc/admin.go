package muc

import (
	"context"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/stream"
	"gangway/mapping"
)

// maxItems is how many changes one muc#admin request may ask for.
const maxItems = 10

// occupied reads a request to a room that the sender must be in.
func (h *Handler) occupied(ctx context.Context, w xmpp.Sender, st *stream.Stanza) (*call, error) {
	t, ok := h.room(st)
	if !ok {
		return nil, xmpp.NewError("cancel", "service-unavailable", "That address is no room.")
	}
	c, err := h.call(ctx, w, st, t)
	if err != nil {
		return nil, err
	}
	if !c.room.has(st.From) {
		return nil, xmpp.NewError("auth", "forbidden", "You are not in this room.")
	}
	return c, nil
}

// Admin handles muc#admin requests (XEP-0045 sections 8 and 9): kicks, ranks and bans, and the lists of who has them.
func (h *Handler) Admin(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
	c, err := h.occupied(ctx, w, st)
	if err != nil {
		return err
	}
	items, err := itemsOf(st)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if st.Type == "get" {
		return h.list(ctx, c, items[0])
	}
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
	role, affiliation, reason := item.Attr("role"), item.Attr("affiliation"), item.ChildText("", "reason")
	nick, mask, err := h.whom(ctx, c, item)
	if err != nil {
		return err
	}
	return h.with(ctx, c.account, func(caps core.Caps) error {
		switch {
		case affiliation == "outcast":
			if caps.Banner == nil {
				return core.E(core.Unsupported, "muc: admin", "Nobody can be banned from this network's rooms from here.")
			}
			return caps.Banner.Ban(ctx, c.target.Address, orElse(nick, mask), reason)
		case nick == "" && affiliation == "none" && caps.Banner != nil:
			return caps.Banner.Unban(ctx, c.target.Address, mask)
		case nick == "":
			return core.E(core.NotFound, "muc: admin", "That person is not in the room.")
		case caps.Moderation == nil:
			return core.E(core.Unsupported, "muc: admin", "This network's rooms cannot be moderated from here.")
		case role == "none":
			return caps.Moderation.Kick(ctx, c.target.Address, nick, reason)
		}
		rank, ok := rankOf(affiliation, role)
		if !ok {
			return core.E(core.Unsupported, "muc: admin", "That role cannot be given here.")
		}
		return caps.Moderation.SetRank(ctx, c.target.Address, nick, rank)
	})
}

// whom says whom an item is about: by their nick in the room, or by the JID that their presence or a list showed. Who
// is not in the room is a mask of the network's.
func (h *Handler) whom(ctx context.Context, c *call, item *stream.Element) (nick, mask string, err error) {
	if nick = item.Attr("nick"); nick != "" {
		return h.nickOf(ctx, c, nick), "", nil
	}
	j, err := addr.Parse(item.Attr("jid"))
	if err != nil {
		return "", "", core.E(core.Invalid, "muc: admin", "Say whom by their nick in the room, or by their address there.")
	}
	if !h.domain.Owns(j) || j.Local() == "" {
		return "", "", core.E(core.NotFound, "muc: admin", "Only people of this network can be dealt with here, by their address "+
			"at "+h.domain.Name+".")
	}
	t, err := h.domain.Target(j.Local())
	if err == nil && !t.Room && t.Realm == c.target.Realm {
		state, err := h.snapshot(ctx, c)
		if err != nil {
			return "", "", err
		}
		for _, m := range append(state.Members, state.Self) {
			if m.Address == t.Address {
				return m.Nick, "", nil
			}
		}
		return "", string(t.Address), nil
	}
	return "", h.maskOf(c.target.Realm, j), nil
}

// list answers with who has an affiliation or a role in the room. What nobody has is an empty list.
func (h *Handler) list(ctx context.Context, c *call, item *stream.Element) error {
	affiliation, role := item.Attr("affiliation"), item.Attr("role")
	if affiliation == "outcast" {
		return h.outcasts(ctx, c)
	}
	state, err := h.snapshot(ctx, c)
	if err != nil {
		return refused(err)
	}
	return xmpp.Result(c.w, c.st, func(enc *stream.Encoder) {
		enc.Start("query", NSAdmin)
		for _, m := range append(state.Members, state.Self) {
			st := standingOf(m.Rank)
			if affiliation != "" && st.affiliation == affiliation || affiliation == "" && st.role == role {
				jid := ""
				if m.Address != "" {
					jid, _ = h.domain.JID(c.target.Realm, m.Address, false) // without one it has a nick
				}
				enc.Empty("item", "", "affiliation", st.affiliation, "role", st.role, "nick", h.rooms.resource(m.Nick), "jid", jid)
			}
		}
		enc.End()
	})
}

// outcasts answers with the list of bans.
func (h *Handler) outcasts(ctx context.Context, c *call) error {
	var bans []core.Ban
	err := h.with(ctx, c.account, func(caps core.Caps) (err error) {
		if caps.Banner != nil {
			bans, err = caps.Banner.Bans(ctx, c.target.Address)
		}
		return err
	})
	if err != nil {
		return refused(err)
	}
	return xmpp.Result(c.w, c.st, func(enc *stream.Encoder) {
		enc.Start("query", NSAdmin)
		for _, b := range bans {
			jid, err := h.maskJID(c.target.Realm, b.Mask)
			if err != nil {
				continue // no address can hold it
			}
			enc.Start("item", "", "affiliation", "outcast", "jid", jid)
			if b.Reason != "" {
				enc.Leaf("reason", "", b.Reason)
			}
			enc.End()
		}
		enc.End()
	})
}

// maskJID writes a mask of the network's as a JID: an outcast has nothing else to be known by.
func (h *Handler) maskJID(realm, mask string) (string, error) {
	if realm != "" {
		mask += "%" + realm
	}
	return mapping.JID(mask, h.domain.Name)
}

// maskOf is the inverse of maskJID.
func (h *Handler) maskOf(realm string, j addr.JID) string {
	text := mapping.AddressText(j.Local())
	if n := len(text) - len(realm) - 1; realm != "" && n >= 0 && text[n] == '%' && text[n+1:] == realm {
		return text[:n]
	}
	return text
}

// snapshot is the room as the account's session sees it.
func (h *Handler) snapshot(ctx context.Context, c *call) (state *core.RoomJoined, err error) {
	err = h.with(ctx, c.account, func(caps core.Caps) error {
		state, err = caps.Rooms.Snapshot(c.target.Address)
		return err
	})
	return state, err
}
