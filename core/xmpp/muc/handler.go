package muc

import (
	"context"
	"errors"
	"slices"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/chat"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

// patience is how long the network's answer to a moderator is waited for.
const patience = 10 * time.Second

// Handler takes what clients say to the rooms of one domain.
type Handler struct {
	rooms  *Rooms
	domain *edge.Domain
}

// On returns the handler for a domain.
func (r *Rooms) On(d *edge.Domain) *Handler { return &Handler{rooms: r, domain: d} }

// call is a stanza to a room, with who sent it and what it is about.
type call struct {
	st      *stream.Stanza
	w       xmpp.Sender
	to      addr.JID
	user    core.UserID
	target  core.Target
	account core.Account
	ref     core.Ref
	room    *room // nil if nobody of the account is in
}

// call reads a stanza to a room. The room's JID is how it was written: rooms under another spelling are sent to it.
func (h *Handler) call(ctx context.Context, w xmpp.Sender, st *stream.Stanza, t core.Target) (*call, error) {
	c := &call{st: st, w: w, target: t}
	var err error
	if c.user, _, err = h.domain.User(st.From); err != nil {
		return nil, err
	}
	if c.to, err = addr.Parse(st.To); err != nil {
		return nil, xmpp.NewError("modify", "jid-malformed", "")
	}
	if err := h.domain.Canonical(c.to, t); err != nil {
		return nil, err
	}
	c.account, err = h.rooms.gw.Account(ctx, c.user, h.domain.Network.Driver.Name, t.Realm)
	if err != nil {
		return nil, err
	}
	c.ref = core.Ref{Account: c.account.ID, Peer: t.Address}
	c.room = h.rooms.find(c.ref)
	return c, nil
}

// with calls fn with the room abilities of the account's session.
func (h *Handler) with(ctx context.Context, a core.Account, fn func(core.Caps) error) error {
	return h.rooms.gw.With(ctx, a, func(s core.Session) error {
		caps := core.CapsOf(s)
		if caps.Rooms == nil {
			return core.E(core.Unsupported, "muc", "This network has no rooms.")
		}
		return fn(caps)
	})
}

// handlerFunc is a function as an edge.Handler.
type handlerFunc func(ctx context.Context, w xmpp.Sender, st *stream.Stanza, t core.Target) error

func (f handlerFunc) ServeTarget(ctx context.Context, w xmpp.Sender, st *stream.Stanza, t core.Target) error {
	return f(ctx, w, st, t)
}

// Messages handles messages to rooms and their members.
func (h *Handler) Messages() edge.Handler {
	return handlerFunc(func(ctx context.Context, w xmpp.Sender, st *stream.Stanza, t core.Target) error {
		c, err := h.call(ctx, w, st, t)
		if err != nil {
			return err
		}
		switch st.Type {
		case "error":
			return h.bounced(ctx, c)
		case "groupchat":
			return h.say(ctx, c)
		}
		return h.whisper(ctx, c)
	})
}

// say handles a message to everybody in a room.
func (h *Handler) say(ctx context.Context, c *call) error {
	if !c.room.has(c.st.From) {
		return notIn()
	}
	if c.to.Resource() != "" {
		return xmpp.NewError("modify", "bad-request", "A message to everybody goes to the room's own address.")
	}
	subject, body := c.st.Child("", "subject"), c.st.ChildText("", "body")
	origin := core.Origin{ID: c.st.ID, From: c.st.From}
	if subject != nil && body == "" {
		return h.with(ctx, c.account, func(caps core.Caps) error {
			if caps.Moderation == nil {
				return core.E(core.Unsupported, "muc: subject", "This network has no topics.")
			}
			return caps.Moderation.SetTopic(ctx, c.target.Address, subject.Text(), origin)
		})
	}
	if body == "" {
		return nil // chat states and the like: nothing that a room here could carry
	}
	if err := chat.RefuseEncrypted(c.st); err != nil {
		return err
	}
	c.room.await(c.st.ID, pending{originID: c.st.Child(NSStanzaID, "origin-id").Attr("id")})
	err := h.rooms.gw.Submit(ctx, c.account, &core.Message{
		Ref: c.ref, IDs: core.IDs{ID: core.NewID()}, Origin: origin, Room: true, At: time.Now(), Text: body,
	})
	if err != nil {
		c.room.answered(c.st.ID)
	}
	return err
}

// whisper handles a message to one member (XEP-0045 section 7.5). It goes to where the member is reached in private,
// and answers come from there.
func (h *Handler) whisper(ctx context.Context, c *call) error {
	nick := c.to.Resource()
	if nick == "" {
		if c.st.Child(NSUser, "x").Child("", "invite") != nil {
			return core.E(core.Unsupported, "muc: invite", "Invitations cannot be sent here yet.")
		}
		return xmpp.NewError("modify", "bad-request", "A message to a room must be of the type \"groupchat\".")
	}
	if !c.room.has(c.st.From) {
		return notIn()
	}
	body := c.st.ChildText("", "body")
	if body == "" {
		return nil
	}
	if err := chat.RefuseEncrypted(c.st); err != nil {
		return err
	}
	var peer core.Address
	err := h.with(ctx, c.account, func(caps core.Caps) error {
		peer = caps.Rooms.Occupant(c.target.Address, nick)
		return nil
	})
	if err != nil {
		return err
	}
	return h.rooms.gw.Submit(ctx, c.account, &core.Message{
		Ref: core.Ref{Account: c.account.ID, Peer: peer}, IDs: core.IDs{ID: core.NewID()},
		Origin: core.Origin{ID: c.st.ID, From: c.st.From}, At: time.Now(), Text: body,
		Receipt: c.st.Child("urn:xmpp:receipts", "request") != nil,
	})
}

// ghostly are the errors that say that a resource is not there any more.
var ghostly = []string{
	"gone", "item-not-found", "recipient-unavailable", "redirect", "remote-server-not-found", "remote-server-timeout",
	"service-unavailable", "jid-malformed", "internal-server-error",
}

// bounced takes a resource out of a room that its server could not deliver to.
func (h *Handler) bounced(ctx context.Context, c *call) error {
	if slices.Contains(ghostly, xmpp.ParseError(c.st).Condition) {
		return h.leave(ctx, c, "")
	}
	return nil
}

// leave takes a resource out of a room; with the last one the account leaves.
func (h *Handler) leave(ctx context.Context, c *call, reason string) error {
	if c.room == nil {
		return nil
	}
	left, was := c.room.leave(c.st.From)
	if !was || left > 0 {
		return nil
	}
	err := h.with(ctx, c.account, func(caps core.Caps) error { return caps.Rooms.Leave(ctx, c.target.Address, reason) })
	h.rooms.drop(c.ref)
	var e *core.Error
	if errors.As(err, &e) && e.Kind == core.NotFound {
		return nil // it was not in any more
	}
	return err
}
