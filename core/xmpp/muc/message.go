package muc

import (
	"context"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/chat"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

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

// text is what a message says; empty for chat states, markers and the like, which no room here could carry.
func text(st *stream.Stanza) (string, error) {
	if err := chat.RefuseEncrypted(st); err != nil {
		return "", err
	}
	for el := range st.Children() {
		switch {
		case el.Is("urn:xmpp:reactions:0", "reactions"):
			return "", core.E(core.Unsupported, "muc: react", "Messages in rooms cannot be reacted to here.")
		case el.Is("urn:xmpp:message-retract:1", "retract"):
			return "", core.E(core.Unsupported, "muc: retract", "Messages in rooms cannot be taken back here.")
		}
	}
	if body := st.Body(); body != "" {
		return body, nil
	}
	return st.Child("jabber:x:oob", "x").ChildText("", "url"), nil
}

// say handles a message to everybody in a room.
func (h *Handler) say(ctx context.Context, c *call) error {
	if !c.room.has(c.st.From) {
		return notIn()
	}
	if c.to.Resource() != "" {
		return xmpp.NewError("modify", "bad-request", "A message to everybody goes to the room's own address.")
	}
	if subject := c.st.Child("", "subject"); subject != nil && c.st.Body() == "" {
		return h.topic(ctx, c, subject.Text())
	}
	body, err := text(c.st)
	if err != nil || body == "" {
		return err
	}
	c.room.await(c.origin, pending{originID: c.st.Child(NSStanzaID, "origin-id").Attr("id")})
	err = h.rooms.gw.Submit(ctx, c.account, &core.Message{
		Ref: c.ref, IDs: core.IDs{ID: core.NewID()}, Origin: c.origin, Room: true, At: time.Now(), Text: body,
	})
	if err != nil {
		c.room.answered(c.origin)
		return refused(err)
	}
	return nil
}

// topic asks for another topic.
func (h *Handler) topic(ctx context.Context, c *call, text string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := h.with(ctx, c.account, func(caps core.Caps) error {
		if caps.Moderation == nil {
			return core.E(core.Unsupported, "muc: subject", "This network has no topics.")
		}
		return caps.Moderation.SetTopic(ctx, c.target.Address, text, c.origin)
	})
	return refused(err)
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
	body, err := text(c.st)
	if err != nil || body == "" {
		return err
	}
	var peer core.Address
	err = h.with(ctx, c.account, func(caps core.Caps) error {
		peer = caps.Rooms.Occupant(c.target.Address, nick)
		return nil
	})
	if err != nil {
		return err
	}
	return h.rooms.gw.Submit(ctx, c.account, &core.Message{
		Ref: core.Ref{Account: c.account.ID, Peer: peer}, IDs: core.IDs{ID: core.NewID()},
		Origin: c.origin, At: time.Now(), Text: body,
		Receipt: c.st.Child("urn:xmpp:receipts", "request") != nil,
	})
}
