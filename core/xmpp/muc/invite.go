package muc

import (
	"context"
	"slices"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

const (
	maxInvites = 10
	maxReason  = 1024 // bytes of what an invitation says
)

// invite handles a mediated invitation (XEP-0045 section 7.8.2) of an occupant: people of the network are asked over
// the network, XMPP users by the room.
func (h *Handler) invite(ctx context.Context, c *call, x *stream.Element) error {
	if !c.room.has(c.st.From) {
		return xmpp.NewError("auth", "forbidden", "Only who is in the room can invite others.")
	}
	var invites []*stream.Element
	for el := range x.Children() {
		if el.Is(NSUser, "invite") {
			invites = append(invites, el)
		}
	}
	if len(invites) > maxInvites {
		return xmpp.NewError("modify", "policy-violation", "Those are too many invitations at once.")
	}
	for _, el := range invites {
		to, err := addr.Parse(el.Attr("to"))
		if err != nil || to.Local() == "" {
			return xmpp.NewError("modify", "jid-malformed", "Say whom to invite by their address.")
		}
		reason := cut(el.ChildText("", "reason"), maxReason)
		if h.domain.Owns(to) {
			err = h.inviteContact(ctx, c.account, c.target, to)
		} else {
			err = h.inviteUser(c, to, reason, x.ChildText("", "password"))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// inviteUser passes an invitation on to a user of XMPP, who joins with an account of their own.
func (h *Handler) inviteUser(c *call, to addr.JID, reason, password string) error {
	from, err := addr.Parse(c.st.From)
	if err != nil {
		return xmpp.NewError("modify", "jid-malformed", "")
	}
	return c.w.Write(func(enc *stream.Encoder) {
		invitation{room: c.room.jid, to: to.Bare(), by: from.Bare(), reason: reason, password: password}.write(enc)
	})
}

// inviteContact asks a correspondent of the network into a room.
func (h *Handler) inviteContact(ctx context.Context, a core.Account, room core.Target, to addr.JID) error {
	who, err := h.domain.Target(to.Local())
	if err != nil || who.Room || who.Address == "" || who.Realm != room.Realm {
		return xmpp.NewError("cancel", "item-not-found", "Only people of the same network can be invited to this room.")
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return refused(h.with(ctx, a, func(caps core.Caps) error {
		if caps.Inviter == nil {
			return core.E(core.Unsupported, "muc: invite", "This network has no invitations.")
		}
		return caps.Inviter.Invite(ctx, room.Address, who.Address)
	}))
}

// Direct handles direct invitations (XEP-0249) to correspondents of the network; next gets all others.
func (h *Handler) Direct(next xmpp.Handler) xmpp.Handler {
	return xmpp.HandlerFunc(func(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
		to, err := addr.Parse(st.To)
		if err != nil || st.Type == "error" || st.Type == "groupchat" || to.Local() == "" {
			return next.Serve(ctx, w, st)
		}
		who, err := h.domain.Target(to.Local())
		if err != nil || who.Room || who.Address == "" {
			return next.Serve(ctx, w, st)
		}
		user, _, err := h.domain.User(st.From)
		if err != nil {
			return err
		}
		jid, err := addr.Parse(st.Child(nsConference, "x").Attr("jid"))
		if err != nil || !h.domain.Owns(jid) {
			return core.E(core.Unsupported, "muc: invite", "People of this network can only be invited to rooms of this network.")
		}
		room, err := h.domain.Target(jid.Local())
		if err != nil || !room.Room {
			return xmpp.NewError("modify", "jid-malformed", "The address in the invitation is not that of a room.")
		}
		a, err := h.rooms.gw.Account(ctx, user, h.domain.Network.Driver.Name, room.Realm)
		if err != nil {
			return err
		}
		return h.inviteContact(ctx, a, room, to)
	})
}

// invited shows an invitation that comes from the network: mediated by the room, and direct for clients that know no
// other, with words for those that know neither.
func (r *Rooms) invited(enc *stream.Encoder, d *edge.Domain, a core.Account, e *core.Invited) error {
	jid, err := d.JID(a.Realm, e.Peer, true)
	if err != nil {
		return err
	}
	by := jid
	if e.By != "" {
		if by, err = d.JID(a.Realm, e.By, false); err != nil {
			by = jid
		}
	}
	name := string(e.Peer)
	body := "You are invited to " + name + "."
	if e.Nick != "" {
		body = e.Nick + " invites you to " + name + "."
	}
	invitation{room: jid, to: string(a.User), by: by, reason: cut(e.Reason, maxReason), body: body}.write(enc)
	return nil
}

// invitation is what somebody is invited with.
type invitation struct{ room, to, by, reason, password, body string }

func (i invitation) write(enc *stream.Encoder) {
	enc.Start("message", "", "from", i.room, "to", i.to, "id", string(core.NewID()))
	if i.body != "" {
		enc.Leaf("body", "", i.body)
	}
	enc.Start("x", NSUser)
	enc.Start("invite", "", "from", i.by)
	if i.reason != "" {
		enc.Leaf("reason", "", i.reason)
	}
	enc.End()
	if i.password != "" {
		enc.Leaf("password", "", i.password)
	}
	enc.End()
	enc.Empty("x", nsConference, "jid", i.room, "reason", i.reason, "password", i.password)
	enc.End()
}

// cut is the beginning of a text, of at most so many bytes.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	runes := []rune(text[:most])
	return string(slices.Clip(runes[:len(runes)-1]))
}
