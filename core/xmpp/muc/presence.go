package muc

import (
	"context"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

// Presence handles presence to rooms.
func (h *Handler) Presence() edge.Handler {
	return handlerFunc(func(ctx context.Context, w xmpp.Sender, st *stream.Stanza, t core.Target) error {
		c, err := h.call(ctx, w, st, t)
		if err != nil {
			return err
		}
		switch st.Type {
		case "":
			return h.enter(ctx, c)
		case "unavailable":
			return h.depart(ctx, c)
		case "error":
			return h.bounced(ctx, c)
		}
		return nil // rooms have no subscribers
	})
}

// enter handles available presence: a join, another nick, or only a status.
func (h *Handler) enter(ctx context.Context, c *call) error {
	nick, x := c.to.Resource(), c.st.Child(NSMuc, "x")
	switch {
	case nick == "":
		return xmpp.NewError("modify", "jid-malformed", "Say under which nick you want to join: room/nick.")
	case x != nil:
		return h.join(ctx, c, nick, x.ChildText("", "password"))
	case !c.room.has(c.st.From):
		return notIn()
	}
	if _, self := c.room.present(); self == nick {
		return nil // a new status; the network's own is a matter of the account, not of one room
	}
	c.room.await(c.st.ID, pending{nick: nick})
	return h.with(ctx, c.account, func(caps core.Caps) error {
		return caps.Rooms.Rename(ctx, c.target.Address, nick, core.Origin{ID: c.st.ID, From: c.st.From})
	})
}

func (h *Handler) join(ctx context.Context, c *call, nick, password string) error {
	rm, err := h.rooms.get(h.domain, c.account, c.target.Address)
	if err != nil {
		return err
	}
	if in, _ := rm.present(); len(in) >= maxResources && !rm.has(c.st.From) {
		return core.E(core.OverLimit, "muc: join", "You are in this room with too many clients.")
	}
	rm.await(c.st.ID, pending{nick: nick})
	err = h.with(ctx, c.account, func(caps core.Caps) error {
		return caps.Rooms.Join(ctx, c.target.Address, core.Join{
			Nick: nick, Password: password, Origin: core.Origin{ID: c.st.ID, From: c.st.From},
		})
	})
	if err != nil {
		h.rooms.drop(c.ref)
	}
	return err
}

// depart handles unavailable presence, and says so to the resource that leaves, at once.
func (h *Handler) depart(ctx context.Context, c *call) error {
	if !c.room.has(c.st.From) {
		return nil
	}
	_, self := c.room.present()
	err := c.w.Write(func(enc *stream.Encoder) {
		c.room.gone(enc, c.st.From, core.Member{Nick: self}, farewell{statuses: []string{"110"}, reason: c.st.ChildText("", "status")})
	})
	if left := h.leave(ctx, c, c.st.ChildText("", "status")); left != nil {
		return left
	}
	return err
}
