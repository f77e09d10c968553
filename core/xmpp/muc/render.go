package muc

import (
	"context"
	"strings"
	"time"

	"gangway/core"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

// Render writes what an event of a room looks like to the account's resources that are in it.
func (r *Rooms) Render(_ context.Context, enc *stream.Encoder, d *edge.Domain, a core.Account, e core.Event) error {
	rm := r.find(e.Where())
	if rm == nil {
		return late(enc, d, a, e)
	}
	switch e := e.(type) {
	case *core.RoomJoined:
		rm.joined(enc, e)
	case *core.Message:
		rm.message(enc, e)
	case *core.Receipt:
		rm.failed(enc, e)
	case *core.RoomLeft:
		rm.left(enc, e)
		r.drop(e.Ref)
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

// late writes an event of a room that nobody is in: only who has sent something is told what became of it.
func late(enc *stream.Encoder, d *edge.Domain, a core.Account, e core.Event) error {
	r, ok := e.(*core.Receipt)
	if !ok {
		return nil
	}
	jid, err := d.JID(a.Realm, r.Peer, true)
	if err != nil {
		return err
	}
	newRoom(d, a.Realm, jid).failed(enc, r)
	return nil
}

// joined writes the join sequence of XEP-0045 section 7.2.2, to who asked for it or to everybody: the others,
// oneself, the subject.
func (rm *room) joined(enc *stream.Encoder, e *core.RoomJoined) {
	to := []string{e.Origin.From}
	if e.Origin.From == "" {
		to, _ = rm.present()
		rm.returned(enc, e.Self)
	} else if !rm.enter(e.Origin, e.Self.Nick) {
		return // it has left while it waited
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

// returned shows that we are back under another nick than we were lost under.
func (rm *room) returned(enc *stream.Encoder, self core.Member) {
	in, _ := rm.present()
	old := rm.rename(self.Nick)
	if old == "" || old == self.Nick {
		return
	}
	was := self
	was.Nick = old
	for _, to := range in {
		rm.gone(enc, to, was, farewell{statuses: []string{"303", "110"}, nick: self.Nick})
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

// stale is how old a message must be to be marked with its time (XEP-0203).
const stale = time.Minute

// message writes what was said to every resource that is in. One's own comes back under the id that it was sent
// with (XEP-0045 section 7.4): that is the room's acknowledgement.
func (rm *room) message(enc *stream.Encoder, m *core.Message) {
	in, self := rm.present()
	var asked pending
	if m.Mine {
		mine := *m
		mine.Author = core.Address(self)
		m, asked = &mine, rm.answered(m.Origin)
	}
	for _, to := range in {
		rm.write(enc, to, m, asked.originID)
	}
}

// write writes a message as one resource, or an archive's reader, sees it.
func (rm *room) write(enc *stream.Encoder, to string, m *core.Message, originID string) {
	from, id, body := rm.jid, string(m.ID), m.Text
	if m.Author != "" || m.Mine {
		from = rm.occupant(string(m.Author))
	}
	if m.Mine && m.Origin.ID != "" {
		id = m.Origin.ID
	}
	if m.Notice && m.Author != "" {
		body = "[notice] " + body
	}
	enc.Start("message", "", "from", from, "to", to, "type", "groupchat", "id", id)
	enc.Leaf("body", "", body)
	if originID != "" {
		enc.Empty("origin-id", NSStanzaID, "id", originID)
	}
	enc.Empty("stanza-id", NSStanzaID, "by", rm.jid, "id", string(m.ID))
	if m.Author != "" || m.Mine {
		enc.Empty("occupant-id", NSOccupant, "id", rm.occupantID(string(m.Author)))
	}
	if !m.At.IsZero() && time.Since(m.At) > stale {
		rm.delay(enc, m.At)
	}
	enc.End()
}

// left writes that the account is not in the room: to whom it answers, or to everybody.
func (rm *room) left(enc *stream.Encoder, e *core.RoomLeft) {
	switch {
	case e.Why == core.Disconnected:
		rm.notice(enc, disconnected(e))
		return
	case e.Why == core.NotJoined && e.Origin.From != "":
		rm.notJoined(enc, e)
		return
	}
	f := farewell{statuses: []string{"110"}, reason: e.Reason}
	switch e.Why {
	case core.Kicked:
		f.statuses, f.by = append(f.statuses, "307"), orElse(e.By, rm.domain.Name)
	case core.Banned:
		f.statuses, f.by = append(f.statuses, "301"), orElse(e.By, rm.domain.Name)
	case core.NotJoined: // back on the network, which does not let us in again
		f.statuses, f.reason = append(f.statuses, "333"), refusal(e.Err, true).Text
	}
	_, self := rm.present()
	for _, to := range rm.empty() {
		rm.gone(enc, to, core.Member{Nick: orElse(self, e.Self.Nick), Rank: e.Self.Rank}, f)
	}
}

func disconnected(e *core.RoomLeft) string {
	text := "The connection to the network was lost"
	reason := e.Reason
	if reason == "" && e.Err != nil {
		reason = strings.TrimSuffix(e.Err.Text, ".")
	}
	if reason != "" {
		text += " (" + reason + ")"
	}
	return text + ". The gateway is reconnecting; nothing said here meanwhile is seen."
}

// closed writes that the gateway is being stopped, to who is in and who waits to be let in.
func (rm *room) closed(enc *stream.Encoder) {
	in, self := rm.present()
	f := farewell{statuses: []string{"110", "332"}, reason: "The gateway is being restarted."}
	for _, to := range in {
		rm.gone(enc, to, core.Member{Nick: self}, f)
	}
	rm.mu.Lock()
	defer rm.mu.Unlock()
	for o, nick := range rm.joins {
		rm.gone(enc, o.From, core.Member{Nick: nick}, f)
	}
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
