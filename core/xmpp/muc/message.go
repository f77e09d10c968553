package muc

import (
	"context"
	"strings"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/addr"
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

// text is what a message to one member says; empty for chat states, markers and the like.
func text(st *stream.Stanza) (string, error) {
	if err := chat.RefuseEncrypted(st); err != nil {
		return "", err
	}
	for el := range st.Children() {
		switch {
		case el.Is(nsReactions, "reactions"):
			return "", core.E(core.Unsupported, "muc: react", "Private messages in rooms cannot be reacted to here.")
		case el.Is(nsRetract, "retract"):
			return "", core.E(core.Unsupported, "muc: retract", "Private messages in rooms cannot be taken back here.")
		}
	}
	return words(st), nil
}

// words are a message's body, or the address of the file that it is about. They outlive the stanza.
func words(st *stream.Stanza) string {
	if body := st.Body(); body != "" {
		return strings.Clone(body)
	}
	return strings.Clone(st.Child(nsOOB, "x").ChildText("", "url"))
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
		return h.topic(ctx, c, strings.Clone(subject.Text()))
	}
	if err := chat.RefuseEncrypted(c.st); err != nil {
		return err
	}
	e, err := h.event(ctx, c)
	if err != nil || e == nil {
		return err
	}
	waits := pending{ids: idsOf(c)}
	if m, ok := e.(*core.Message); ok {
		waits.said = m.ID
	}
	c.room.await(c.origin, waits)
	if err := h.rooms.gw.Submit(ctx, c.account, e); err != nil {
		c.room.answered(c.origin)
		return refused(err)
	}
	return nil
}

// idsOf are the names that the reflection of a message keeps. A stanza-id that pretends to be of a room here is none of
// them (XEP-0359 section 5), and nobody needs more than a few.
func idsOf(c *call) ids {
	kept := ids{origin: strings.Clone(c.st.Child(NSStanzaID, "origin-id").Attr("id"))}
	for el := range c.st.Children() {
		by, id := el.Attr("by"), el.Attr("id")
		if el.Is(NSStanzaID, "stanza-id") && by != "" && id != "" && len(by)+len(id) <= maxOtherID && len(kept.others) < maxOtherIDs {
			if jid, err := addr.Parse(by); err == nil && jid.Domain() != c.room.domain.Name {
				kept.others = append(kept.others, stanzaID{strings.Clone(by), strings.Clone(id)})
			}
		}
	}
	return kept
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

// event is what a message to everybody asks of the network; nil for what is no more than a notification, which is
// passed on at once where the network can carry it.
func (h *Handler) event(ctx context.Context, c *call) (core.Event, error) {
	if re := c.st.Child(nsReactions, "reactions"); re != nil {
		return h.reaction(ctx, c, re)
	}
	if re := c.st.Child(nsRetract, "retract"); re != nil {
		return h.retraction(ctx, c, re.Attr("id"))
	}
	body := words(c.st)
	if body == "" {
		h.notify(ctx, c)
		return nil, nil
	}
	m := &core.Message{
		Ref: c.ref, IDs: core.IDs{ID: core.NewID()}, Origin: c.origin, Room: true, At: time.Now(), Text: body,
	}
	if url := strings.Clone(c.st.Child(nsOOB, "x").ChildText("", "url")); url != "" && url == body {
		m.Attachments = []core.Attachment{{URL: url}}
	}
	return m, h.referring(ctx, c, m)
}

// referring adds to a message what it answers and what it corrects.
func (h *Handler) referring(ctx context.Context, c *call, m *core.Message) error {
	if re := c.st.Child(nsReply, "reply"); re != nil {
		// An answer to what nobody knows any more keeps its quotation: it is all that says what is answered.
		if to, ok := c.room.found(ctx, re.Attr("id")); ok {
			m.ReplyTo = to.IDs
			m.Text = addressed(chat.StripFallback(c.st, m.Text, nsReply), to, h.domain.Network.Driver.Threads)
		}
	}
	if re := c.st.Child(nsCorrect, "replace"); re != nil {
		if h.domain.Network.Caps.Editor == nil {
			return h.cannot("changed after they were sent")
		}
		old, ok := c.room.found(ctx, re.Attr("id"))
		if id, waits := c.room.unsaid(c.origin.From, re.Attr("id")); !ok && waits {
			old, ok = &core.Message{IDs: core.IDs{ID: id}, Mine: true}, true
		}
		switch {
		case !ok:
			return unknown()
		case !old.Mine:
			return core.E(core.Denied, "muc: correct", "Only who sent a message can change it.")
		}
		m.Replaces = old.IDs
	}
	if strings.TrimSpace(m.Text) == "" {
		return core.E(core.Invalid, "muc: message", "The message has no text.")
	}
	return nil
}

// addressed is a text that answers somebody: on a network whose messages cannot say so, it begins with their nick.
func addressed(text string, to *core.Message, threads bool) string {
	nick := string(to.Author)
	if threads || to.Mine || nick == "" || strings.HasPrefix(text, nick) {
		return text
	}
	return nick + ": " + text
}

const maxEmoji = 16

// reaction is the set of emoji that a client puts on a message, which it names by its stanza-id.
func (h *Handler) reaction(ctx context.Context, c *call, re *stream.Element) (core.Event, error) {
	if h.domain.Network.Caps.Reactor == nil {
		return nil, h.cannot("reacted to")
	}
	m, ok := c.room.found(ctx, re.Attr("id"))
	if !ok {
		return nil, unknown()
	}
	e := &core.Reaction{Ref: c.ref, IDs: m.IDs, Origin: c.origin, Room: true, At: time.Now()}
	for el := range re.Children() {
		if !el.Is(nsReactions, "reaction") {
			continue
		}
		one := strings.TrimSpace(el.Text())
		if one == "" || len(one) > 64 || len(e.Emoji) == maxEmoji {
			return nil, core.E(core.Invalid, "muc: react", "These reactions are not understood here.")
		}
		e.Emoji = append(e.Emoji, strings.Clone(one))
	}
	return e, nil
}

// retraction takes back a message of the user's own, which the client names by its stanza-id.
func (h *Handler) retraction(ctx context.Context, c *call, id string) (core.Event, error) {
	if h.domain.Network.Caps.Retractor == nil {
		return nil, h.cannot("taken back")
	}
	m, ok := c.room.found(ctx, id)
	switch {
	case !ok:
		return nil, unknown()
	case !m.Mine:
		return nil, core.E(core.Denied, "muc: retract", "Only who sent a message, or a moderator, can take it back.")
	}
	return &core.Retraction{Ref: c.ref, IDs: m.IDs, Origin: c.origin, Room: true, At: time.Now()}, nil
}

// notify passes on that the user is writing. Nobody waits to hear that such a thing failed.
func (h *Handler) notify(ctx context.Context, c *call) {
	if h.domain.Network.Caps.TypingSender == nil {
		return
	}
	for el := range c.st.Children() {
		if el.Space() != nsStates {
			continue
		}
		err := h.rooms.gw.Submit(ctx, c.account, &core.Typing{Ref: c.ref, On: el.Local() == "composing"})
		if err != nil {
			h.rooms.log.Debug("notification not carried", "account", c.account.ID, "err", err)
		}
		return
	}
}

func (h *Handler) cannot(what string) error {
	return core.E(core.Unsupported, "muc: ability",
		"Messages cannot be "+what+" on this network ("+h.domain.Network.Driver.Title+").")
}

func unknown() error {
	return core.E(core.NotFound, "muc: message", "The message that this is about is not known here any more.")
}

// Moderate handles requests to take back what somebody else said (XEP-0425 section 4).
func (h *Handler) Moderate(ctx context.Context, w xmpp.Sender, st *stream.Stanza) error {
	c, err := h.occupied(ctx, w, st)
	if err != nil {
		return err
	}
	el := st.Child(nsModerate, "moderate")
	if el.Child(nsRetract, "retract") == nil {
		return xmpp.NewError("modify", "bad-request", "Messages can be taken back, and nothing else.")
	}
	if h.domain.Network.Caps.Retractor == nil {
		return h.cannot("taken back by moderators")
	}
	m, ok := c.room.found(ctx, el.Attr("id"))
	if !ok {
		return unknown()
	}
	err = h.rooms.gw.Submit(ctx, c.account, &core.Retraction{
		Ref: c.ref, IDs: m.IDs, Origin: c.origin, Room: true, At: time.Now(), Moderated: true,
		Reason: cut(el.ChildText("", "reason"), maxReason),
	})
	if err != nil {
		return refused(err)
	}
	return xmpp.Result(w, st, nil)
}
