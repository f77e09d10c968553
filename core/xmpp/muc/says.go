package muc

import (
	"context"
	"strconv"
	"time"

	"gangway/core"
	"gangway/core/xmpp/stream"
)

// stale is how old a message must be to be marked with its time (XEP-0203).
const stale = time.Minute

// spoken is what a message is shown with besides itself.
type spoken struct {
	ids      ids       // of one's own
	at       time.Time // when it was said, if that is to be told
	replaces string    // the id of the message that this one corrects
	replyTo  string    // the occupant who is answered
}

// message shows what was said to every resource that is in, and keeps it. One's own comes back under the id that it
// was sent with (XEP-0045 section 7.4): that is the room's acknowledgement. A file is a message of its own: clients
// show one only where the body is its address and nothing else.
func (rm *room) message(ctx context.Context, enc *stream.Encoder, m *core.Message) {
	in, me := rm.present()
	s := spoken{}
	if m.Past || !m.At.IsZero() && time.Since(m.At) > stale {
		s.at = m.At
	}
	whole := *m
	if m.Mine && !m.Past {
		s.ids = rm.answered(m.Origin).ids
		whole.Author, whole.Person = core.Address(orElse(me.Nick, string(m.Author))), orElse(me.Person, m.Person)
	}
	rm.refer(ctx, &whole, &s)
	for _, part := range partsOf(&whole) {
		if !m.Past {
			rm.keep(ctx, part.ID, part.At, part)
		}
		toAll(enc, in, func(to string) { rm.write(enc, to, part, s) })
		s.ids = ids{}
	}
}

// toAll writes a stanza to everybody: it is encoded once.
func toAll(enc *stream.Encoder, in []string, one func(to string)) {
	for i, to := range in {
		if i == 0 {
			one(to)
		} else {
			enc.Again(to)
		}
	}
}

// partsOf are the messages that one is shown as.
func partsOf(m *core.Message) []*core.Message {
	if len(m.Attachments) == 0 {
		return []*core.Message{m}
	}
	var all []*core.Message
	text := *m
	text.Attachments = nil
	if m.Text != "" && (len(m.Attachments) != 1 || m.Text != m.Attachments[0].URL) {
		all = append(all, &text)
	}
	for i, f := range m.Attachments {
		if f.URL == "" {
			continue
		}
		part := text
		part.Text, part.Attachments = f.URL, []core.Attachment{f}
		if len(all) > 0 {
			part.ID, part.Origin = core.MessageID(core.Digest("file", string(m.ID), strconv.Itoa(i))), core.Origin{}
			part.Remote, part.ReplyTo, part.Replaces = "", core.IDs{}, core.IDs{}
		}
		all = append(all, &part)
	}
	if len(all) == 0 {
		return []*core.Message{&text}
	}
	return all
}

// refer finds the messages that one answers or corrects, and names them as the room does.
func (rm *room) refer(ctx context.Context, m *core.Message, s *spoken) {
	if m.ReplyTo.Known() {
		m.ReplyTo = rm.named(ctx, m.ReplyTo)
		if e, ok := rm.found(ctx, string(m.ReplyTo.ID)); ok {
			s.replyTo = rm.occupant(string(e.Author))
		}
	}
	if m.Replaces.Known() {
		m.Replaces = rm.named(ctx, m.Replaces)
		if e, ok := rm.found(ctx, string(m.Replaces.ID)); ok {
			s.replaces = shownID(e)
		}
	}
}

// named adds our name of a message to the network's: the user's own have one that their client's message was given.
func (rm *room) named(ctx context.Context, ids core.IDs) core.IDs {
	if m, ok := rm.found(ctx, string(ids.Remote)); ok {
		ids.ID = m.ID
	}
	if ids.ID == "" {
		ids.ID = core.IDFor(rm.ref.Account, ids.Remote)
	}
	return ids
}

// found returns a message of this room by any of its names.
func (rm *room) found(ctx context.Context, name string) (*core.Message, bool) {
	if rm.rooms.cfg.Archive == nil || name == "" {
		return nil, false
	}
	e, err := rm.rooms.cfg.Archive.Find(ctx, rm.ref, name)
	if err != nil {
		return nil, false
	}
	m, ok := e.Event.(*core.Message)
	return m, ok && e.Retracted == ""
}

// keep puts an event into the archive. A history with a hole is better than a room that stands still.
func (rm *room) keep(ctx context.Context, id core.MessageID, at time.Time, e core.Event) {
	if rm.rooms.cfg.Archive == nil || id == "" || rm.choice(ctx, core.ChoiceRecord) == "false" {
		return
	}
	if at.IsZero() {
		at = time.Now()
	}
	err := rm.rooms.cfg.Archive.Append(ctx, core.Archived{ID: id, At: at, Event: e})
	if err != nil && core.KindOf(err) != core.OverLimit { // that the archive cannot keep up it says itself, once for many
		rm.rooms.log.Warn("not kept for the history", "account", rm.ref.Account, "id", id, "err", err)
	}
}

// shownID is the id that a message is shown under: that of its sender's client, if that is one of ours.
func shownID(m *core.Message) string {
	if m.Mine && m.Origin.ID != "" {
		return m.Origin.ID
	}
	return string(m.ID)
}

// open begins a groupchat message of a member, or of the room itself, and names it.
func (rm *room) open(enc *stream.Encoder, to, nick, id string) {
	from := rm.jid
	if nick != "" {
		from = rm.occupant(nick)
	}
	enc.Start("message", "", "from", from, "to", to, "type", "groupchat", "id", id)
}

// frame writes what names a message: its stanza-id, its author, and when it was said if that is to be told.
func (rm *room) frame(enc *stream.Encoder, id core.MessageID, person, nick string, at time.Time) {
	enc.Empty("stanza-id", NSStanzaID, "by", rm.jid, "id", string(id))
	if nick != "" {
		rm.writeOccupantID(enc, person, nick)
	}
	if !at.IsZero() {
		rm.delay(enc, at)
	}
}

// write writes a message as one resource, or an archive's reader, sees it.
func (rm *room) write(enc *stream.Encoder, to string, m *core.Message, s spoken) {
	nick, body := string(m.Author), m.Text
	if m.Notice && nick != "" {
		body = "[notice] " + body
	}
	rm.open(enc, to, nick, shownID(m))
	enc.Leaf("body", "", body)
	for _, f := range m.Attachments {
		enc.Start("x", nsOOB)
		enc.Leaf("url", "", f.URL)
		enc.End()
	}
	if m.ReplyTo.ID != "" {
		enc.Empty("reply", nsReply, "to", s.replyTo, "id", string(m.ReplyTo.ID))
	}
	if s.replaces != "" {
		enc.Empty("replace", nsCorrect, "id", s.replaces)
	}
	if m.Thread != "" {
		enc.Leaf("thread", "", string(m.Thread))
	}
	if s.ids.origin != "" {
		enc.Empty("origin-id", NSStanzaID, "id", s.ids.origin)
	}
	for _, other := range s.ids.others {
		enc.Empty("stanza-id", NSStanzaID, "by", other.by, "id", other.id)
	}
	rm.frame(enc, m.ID, m.Person, nick, s.at)
	enc.End()
}

// react shows a member's reactions to everybody, and keeps them.
func (rm *room) react(ctx context.Context, enc *stream.Encoder, re *core.Reaction) {
	one := *re
	in := rm.attribute(ctx, &one.IDs, &one.Author, &one.Person, re.Mine && !re.Past)
	id := one.Name()
	at := rm.told(ctx, id, &one, one.At, re.Past)
	toAll(enc, in, func(to string) { rm.reaction(enc, to, id, &one, at) })
}

// attribute gives what is said about a message the name that the room has for it and, if it is the user's own now, their
// present names. It returns who is to see it.
func (rm *room) attribute(ctx context.Context, about *core.IDs, author *core.Address, person *string, own bool) (in []string) {
	in, me := rm.present()
	if *about = rm.named(ctx, *about); own {
		*author, *person = core.Address(orElse(me.Nick, string(*author))), orElse(me.Person, *person)
	}
	return in
}

// told keeps what is said about a message, unless it is of the past, and returns the time to show it with.
func (rm *room) told(ctx context.Context, id core.MessageID, e core.Event, at time.Time, past bool) time.Time {
	if past {
		return at
	}
	rm.keep(ctx, id, at, e)
	return time.Time{}
}

// reaction writes the whole set of emoji that a member has on a message, by its stanza-id (XEP-0444 section 4.3).
func (rm *room) reaction(enc *stream.Encoder, to string, id core.MessageID, re *core.Reaction, at time.Time) {
	rm.open(enc, to, string(re.Author), orElse(re.Origin.ID, string(id)))
	enc.Start("reactions", nsReactions, "id", string(re.ID))
	for _, e := range re.Emoji {
		enc.Leaf("reaction", "", e)
	}
	enc.End()
	enc.Empty("store", nsHints)
	rm.frame(enc, id, re.Person, string(re.Author), at)
	enc.End()
}

// takeBack shows that a message was taken back, and empties it in the archive.
func (rm *room) takeBack(ctx context.Context, enc *stream.Encoder, re *core.Retraction) {
	one := *re
	in := rm.attribute(ctx, &one.IDs, &one.Author, &one.Person, re.Mine && !re.Past)
	id := one.Name()
	at := rm.told(ctx, id, &one, one.At, re.Past)
	toAll(enc, in, func(to string) { rm.retraction(enc, to, id, &one, at) })
}

// retraction writes that a message is taken back: by who said it (XEP-0424), or by a moderator, which the room itself
// says (XEP-0425). The fallback names no id.
func (rm *room) retraction(enc *stream.Encoder, to string, id core.MessageID, re *core.Retraction, at time.Time) {
	nick := string(re.Author)
	if re.Moderated {
		nick = ""
	}
	rm.open(enc, to, nick, orElse(re.Origin.ID, string(id)))
	enc.Start("retract", nsRetract, "id", string(re.ID))
	if re.Moderated {
		enc.Start("moderated", nsModerate)
		if re.Author != "" {
			enc.Attr("by", rm.occupant(string(re.Author)))
			rm.writeOccupantID(enc, re.Person, string(re.Author))
		}
		enc.End()
		if re.Reason != "" {
			enc.Leaf("reason", "", re.Reason)
		}
	}
	enc.End()
	enc.Empty("fallback", nsFallback, "for", nsRetract)
	enc.Leaf("body", "", "A message was taken back. Your client cannot show that.")
	enc.Empty("store", nsHints)
	rm.frame(enc, id, re.Person, nick, at)
	enc.End()
}

// typing shows that a member writes, or does not any more.
func (rm *room) typing(enc *stream.Encoder, t *core.Typing) {
	if t.Author == "" {
		return
	}
	state := "paused"
	if t.On {
		state = "composing"
	}
	in, _ := rm.present()
	toAll(enc, in, func(to string) {
		rm.open(enc, to, string(t.Author), "")
		enc.Empty(state, nsStates)
		enc.Empty("no-store", nsHints)
		enc.End()
	})
}
