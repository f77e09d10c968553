package muc

import (
	"context"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

// Render writes what an event of a room looks like to the account's resources that are in it.
func (r *Rooms) Render(_ context.Context, enc *stream.Encoder, d *edge.Domain, a core.Account, e core.Event) error {
	if e, ok := e.(*core.RoomJoined); ok {
		rm, err := r.get(d, a, e.Peer)
		if err != nil {
			return err
		}
		rm.joined(enc, e)
		return nil
	}
	rm := r.find(e.Where())
	if rm == nil {
		return nil // nobody is there to see it
	}
	switch e := e.(type) {
	case *core.Message:
		rm.message(enc, e)
	case *core.Receipt:
		rm.refused(enc, e)
	case *core.RoomLeft:
		rm.left(enc, e)
		if e.Why != core.Disconnected {
			r.drop(e.Ref)
		}
	case *core.MemberChanged:
		rm.changed(enc, e)
	case *core.TopicChanged:
		in, _ := rm.present()
		for _, to := range in {
			rm.subject(enc, to, e.Topic, false)
		}
	}
	return nil
}

// joined writes the join sequence of XEP-0045 section 7.2.2: the others, oneself, the subject.
func (rm *room) joined(enc *stream.Encoder, e *core.RoomJoined) {
	rm.enter(e.Origin.From, e.Self.Nick)
	to := []string{e.Origin.From}
	if e.Origin.From == "" {
		to, _ = rm.present()
	}
	statuses := []string{"100", "110"}
	if e.Asked != "" && e.Asked != e.Self.Nick {
		statuses = append(statuses, "210")
	}
	for _, to := range to {
		for _, m := range e.Members {
			rm.here(enc, to, m)
		}
		rm.here(enc, to, e.Self, statuses...)
		rm.subject(enc, to, e.Topic, true)
	}
}

// subject writes a room's topic, also an empty one: it ends the join (XEP-0045 section 7.2.15).
func (rm *room) subject(enc *stream.Encoder, to string, t core.Topic, past bool) {
	from := rm.jid
	if t.By != "" {
		from = rm.occupant(t.By)
	}
	enc.Start("message", "", "from", from, "to", to, "type", "groupchat")
	enc.Leaf("subject", "", t.Text)
	if past && !t.At.IsZero() {
		rm.delay(enc, t.At)
	}
	enc.End()
}

func (rm *room) delay(enc *stream.Encoder, at time.Time) {
	enc.Empty("delay", NSDelay, "from", rm.jid, "stamp", at.UTC().Format("2006-01-02T15:04:05Z"))
}

// late is how old a message must be to be marked with its time (XEP-0203).
const late = time.Minute

// message writes what was said to every resource that is in. One's own comes back under the id that it was sent
// with (XEP-0045 section 7.4): that is the room's acknowledgement.
func (rm *room) message(enc *stream.Encoder, m *core.Message) {
	in, self := rm.present()
	from, id := rm.jid, string(m.ID)
	if m.Author != "" {
		from = rm.occupant(string(m.Author))
	}
	var asked pending
	if m.Mine {
		from = rm.occupant(self)
		if m.Origin.ID != "" {
			id = m.Origin.ID
			asked = rm.answered(m.Origin.ID)
		}
	}
	body := m.Text
	if m.Notice && m.Author != "" {
		body = "[notice] " + body
	}
	for _, to := range in {
		enc.Start("message", "", "from", from, "to", to, "type", "groupchat", "id", id)
		enc.Leaf("body", "", body)
		if asked.originID != "" {
			enc.Empty("origin-id", NSStanzaID, "id", asked.originID)
		}
		enc.Empty("stanza-id", NSStanzaID, "by", rm.jid, "id", string(m.ID))
		if m.Author != "" || m.Mine {
			nick := string(m.Author)
			if m.Mine {
				nick = self
			}
			enc.Empty("occupant-id", NSOccupant, "id", rm.occupantID(nick))
		}
		if !m.At.IsZero() && time.Since(m.At) > late {
			rm.delay(enc, m.At)
		}
		enc.End()
	}
}

// refused tells the resource that asked for something why the network did not do it.
func (rm *room) refused(enc *stream.Encoder, r *core.Receipt) {
	if r.State != core.Failed || r.Origin.From == "" {
		return
	}
	asked := rm.answered(r.Origin.ID)
	kind, from := "message", rm.jid
	if asked.nick != "" {
		kind, from = "presence", rm.occupant(asked.nick)
	}
	enc.Start(kind, "", "from", from, "to", r.Origin.From, "type", "error", "id", r.Origin.ID)
	if asked.nick != "" {
		enc.Empty("x", NSMuc)
	}
	refusal(r.Err, asked.nick != "").Encode(enc)
	enc.End()
}

// left writes that the account is not in the room.
func (rm *room) left(enc *stream.Encoder, e *core.RoomLeft) {
	_, self := rm.present()
	self = orElse(self, e.Self.Nick)
	switch e.Why {
	case core.NotJoined:
		rm.notJoined(enc, e)
	case core.Disconnected:
		rm.notice(enc, disconnected(e))
	default:
		f := farewell{statuses: []string{"110"}, reason: e.Reason}
		switch e.Why {
		case core.Kicked:
			f.statuses, f.by = append(f.statuses, "307"), orElse(e.By, rm.domain.Name)
		case core.Banned:
			f.statuses, f.by = append(f.statuses, "301"), orElse(e.By, rm.domain.Name)
		}
		for _, to := range rm.empty() {
			rm.gone(enc, to, core.Member{Nick: self, Rank: e.Self.Rank}, f)
		}
	}
}

// notJoined answers a join with an error (XEP-0045 section 7.2), from the occupant that was to be.
func (rm *room) notJoined(enc *stream.Encoder, e *core.RoomLeft) {
	to := []string{e.Origin.From}
	if e.Origin.From == "" {
		to = rm.empty() // a rejoin that the network refuses
	}
	asked := rm.answered(e.Origin.ID)
	nick := orElse(asked.nick, e.Self.Nick)
	for _, to := range to {
		enc.Start("presence", "", "from", rm.occupant(nick), "to", to, "type", "error", "id", e.Origin.ID)
		enc.Empty("x", NSMuc)
		refusal(e.Err, true).Encode(enc)
		enc.End()
	}
}

// refusal is the stanza error for what a room would not do. The IRC numerics name the conditions of XEP-0045 more
// exactly than a Kind can.
func refusal(e *core.Error, entering bool) *xmpp.Error {
	if e == nil {
		e = core.E(core.Unavailable, "muc: refused", "")
	}
	typ, condition := "", ""
	switch e.Code {
	case "475": // wrong key
		typ, condition = "auth", "not-authorized"
	case "473", "477": // invited or registered only
		typ, condition = "auth", "registration-required"
	case "474": // banned
		typ, condition = "auth", "forbidden"
	case "471": // full
		typ, condition = "wait", "service-unavailable"
	case "433", "436", "437": // nick in use
		typ, condition = "cancel", "conflict"
	case "482", "404": // not an operator; not allowed to speak
		typ, condition = "auth", "forbidden"
	case "405": // too many channels
		typ, condition = "wait", "resource-constraint"
	}
	if condition == "" || !entering && condition == "conflict" {
		return xmpp.ErrorOf(e)
	}
	return xmpp.NewError(typ, condition, e.Sentence())
}

func disconnected(e *core.RoomLeft) string {
	text := "The connection to the network was lost"
	if e.Reason != "" {
		text += " (" + e.Reason + ")"
	}
	return text + ". The gateway is reconnecting; nothing said here meanwhile is seen."
}

// notice says something to everybody in as the room itself.
func (rm *room) notice(enc *stream.Encoder, text string) {
	in, _ := rm.present()
	for _, to := range in {
		enc.Start("message", "", "from", rm.jid, "to", to, "type", "groupchat")
		enc.Leaf("body", "", text)
		enc.End()
	}
}

// changed writes that a member came, went or is different.
func (rm *room) changed(enc *stream.Encoder, e *core.MemberChanged) {
	in, _ := rm.present()
	self := []string{}
	if e.Mine {
		self = []string{"110"}
	}
	if e.Change == core.Renamed && e.Mine {
		rm.rename(e.Member.Nick)
	}
	for _, to := range in {
		switch e.Change {
		case core.Came, core.Updated:
			rm.here(enc, to, e.Member, self...)
		case core.Went:
			rm.gone(enc, to, e.Member, rm.parting(e))
		case core.Renamed:
			old := e.Member
			old.Nick = e.Old
			rm.gone(enc, to, old, farewell{statuses: append([]string{"303"}, self...), nick: e.Member.Nick})
			rm.here(enc, to, e.Member, self...)
		}
	}
}

func (rm *room) parting(e *core.MemberChanged) farewell {
	f := farewell{reason: e.Reason}
	switch e.Why {
	case core.Kicked:
		f.statuses, f.by = []string{"307"}, orElse(e.By, rm.domain.Name)
	case core.Banned:
		f.statuses, f.by = []string{"301"}, orElse(e.By, rm.domain.Name)
	}
	return f
}

func orElse(s, other string) string {
	if s != "" {
		return s
	}
	return other
}
