package muc

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

// Presence handles presence to rooms.
func (h *Handler) Presence() edge.Handler {
	return handlerFunc(func(ctx context.Context, w xmpp.Sender, st *stream.Stanza, t core.Target) error {
		c, err := h.call(ctx, w, st, t)
		switch {
		case err != nil && st.Type == "":
			return deny(w, st, err)
		case err != nil:
			return err
		}
		switch st.Type {
		case "":
			if err := h.enter(ctx, c); err != nil {
				return deny(w, st, err)
			}
		case "unavailable":
			return h.depart(ctx, c)
		case "error":
			return h.bounced(ctx, c)
		}
		return nil // rooms have no subscribers
	})
}

// deny answers presence with an error that says that a room is where it is from: XEP-0045 section 7.2 has the <x/> in
// all of them. What is our own fault is returned, to be logged.
func deny(w xmpp.Sender, st *stream.Stanza, err error) error {
	e := refusalOf(err, true)
	if e.Condition == "internal-server-error" {
		return err
	}
	return w.Write(func(enc *stream.Encoder) {
		enc.Start("presence", "", "type", "error", "id", st.ID, "from", st.To, "to", st.From)
		enc.Empty("x", NSMuc)
		e.Encode(enc)
		enc.End()
	})
}

// enter handles available presence: a join, another nick, or only a status.
func (h *Handler) enter(ctx context.Context, c *call) error {
	resource, x := strings.Clone(c.to.Resource()), c.st.Child(NSMuc, "x")
	switch {
	case resource == "":
		return xmpp.NewError("modify", "jid-malformed", "Say under which nick you want to join: room/nick.")
	case x != nil:
		return h.join(ctx, c, resource, x)
	case !c.room.has(c.st.From):
		return notIn()
	case c.room.is(resource):
		h.status(ctx, c)
		return nil
	}
	return h.rename(ctx, c, resource)
}

// rename asks for another nick.
func (h *Handler) rename(ctx context.Context, c *call, resource string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c.room.await(c.origin, pending{asked: resource})
	err := h.with(ctx, c.account, func(caps core.Caps) error {
		return caps.Rooms.Rename(ctx, c.target.Address, c.room.wanted(resource), c.origin)
	})
	if err != nil {
		c.room.answered(c.origin)
	}
	return err
}

// join asks to be let in.
func (h *Handler) join(ctx context.Context, c *call, resource string, x *stream.Element) error {
	past := historyOf(x, h.usualHistory(ctx, c), time.Now())
	rm, err := h.rooms.expect(h.domain, c.account, c.target.Address, c.origin, waiting{resource, past})
	if err != nil {
		return err
	}
	password := strings.Clone(x.ChildText("", "password"))
	err = h.with(ctx, c.account, func(caps core.Caps) error {
		return caps.Rooms.Join(ctx, c.target.Address, core.Join{Nick: c.room.wanted(resource), Password: password, Origin: c.origin})
	})
	if err != nil {
		rm.unexpected(c.origin)
		h.rooms.drop(c.ref)
		return err
	}
	h.joinsAs(ctx, c)
	return nil
}

// depart handles unavailable presence, also of a resource that still waits to be let in, and says so to it at once.
func (h *Handler) depart(ctx context.Context, c *call) error {
	if c.room == nil {
		return nil
	}
	known, left, was := c.room.leave(c.st.From)
	if !was {
		return nil
	}
	reason := c.st.ChildText("", "status")
	err := c.w.Write(func(enc *stream.Encoder) {
		c.room.gone(enc, c.st.From, core.Member{}, farewell{statuses: []string{"110"}, reason: reason, asked: known})
	})
	if left > 0 {
		h.gone(ctx, c.account)
		return err
	}
	err = errors.Join(err, h.abandon(ctx, c, reason))
	h.gone(ctx, c.account)
	return err
}

// ghostly are the errors that say that a resource is not there any more. "jid-malformed" is not among them: an address
// that has joined is well formed, so that it is about the nick of whoever spoke, who must not be able to drive others out.
var ghostly = []string{
	"gone", "item-not-found", "recipient-unavailable", "redirect", "remote-server-not-found", "remote-server-timeout",
	"service-unavailable", "internal-server-error",
}

// bounced takes a resource out of a room that its server could not deliver to.
func (h *Handler) bounced(ctx context.Context, c *call) error {
	if c.room == nil || !slices.Contains(ghostly, xmpp.ParseError(c.st).Condition) {
		return nil
	}
	_, left, was := c.room.leave(c.st.From)
	if !was {
		return nil
	}
	defer h.gone(ctx, c.account)
	if left > 0 {
		return nil
	}
	return h.abandon(ctx, c, "")
}

// abandon leaves a room that nobody of the account is in any more.
func (h *Handler) abandon(ctx context.Context, c *call, reason string) error {
	h.rooms.drop(c.ref)
	if stays, err := h.rooms.remain(ctx, h.domain, c.account, c.target, c.room); err != nil || stays {
		return err
	}
	err := h.with(ctx, c.account, func(caps core.Caps) error {
		return caps.Rooms.Leave(ctx, c.target.Address, strings.Clone(reason))
	})
	if err != nil && core.KindOf(err) == core.NotFound {
		return nil // it was not in any more
	}
	return err
}
