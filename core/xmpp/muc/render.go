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
func (r *Rooms) Render(ctx context.Context, enc *stream.Encoder, d *edge.Domain, a core.Account, e core.Event) error {
	if in, ok := e.(*core.Invited); ok {
		return r.invited(enc, d, a, in)
	}
	rm, err := r.of(d, a, e.Where())
	if err != nil {
		return err
	}
	switch e := e.(type) {
	case *core.RoomJoined:
		rm.catchUp(enc)
		rm.joined(enc, e)
	case *core.Message:
		rm.introduce(enc, string(e.Author))
		rm.message(ctx, enc, e)
	case *core.Reaction:
		rm.introduce(enc, string(e.Author))
		rm.react(ctx, enc, e)
	case *core.Retraction:
		rm.introduce(enc, string(e.Author))
		rm.takeBack(ctx, enc, e)
	case *core.Typing:
		rm.introduce(enc, string(e.Author))
		rm.typing(enc, e)
	case *core.Receipt:
		if e.Mine {
			rm.displayed(enc, d, a.User, e)
		} else {
			rm.failed(enc, e)
		}
	case *core.RoomLeft:
		if e.Why == core.Disconnected {
			rm.catchUp(enc)
		}
		rm.left(enc, e)
		r.drop(e.Ref)
	case *core.MemberChanged:
		rm.member(enc, e)
	case *core.TopicChanged:
		rm.introduce(enc, e.Topic.By)
		in, _ := rm.present()
		toAll(enc, in, func(to string) { rm.subject(enc, to, e.Topic, false) })
	case *core.SettingsChanged:
		rm.reconfigured(enc)
	}
	return nil
}

// joined writes the join sequence of XEP-0045 section 7.2.2, to who asked for it or to everybody: the others,
// oneself, the history that was asked for, the subject.
func (rm *room) joined(enc *stream.Encoder, e *core.RoomJoined) {
	to, h := []string{e.Origin.From}, history{}
	if e.Origin.From == "" {
		to, _ = rm.present()
		rm.returned(enc, e.Self)
	} else {
		var waited bool
		if h, waited = rm.enter(e.Origin, e.Self); !waited {
			return // it has left while it waited
		}
	}
	statuses := []string{"100", "110"}
	if e.Asked != "" && e.Asked != rm.rooms.resource(e.Self.Nick) {
		statuses = append(statuses, "210")
	}
	for _, to := range to {
		for _, m := range e.Members {
			rm.here(enc, to, m)
		}
		rm.here(enc, to, e.Self, statuses...)
		rm.past(enc, to, h)
		rm.subject(enc, to, e.Topic, true)
	}
}

// returned shows that we are back under another nick than we were lost under.
func (rm *room) returned(enc *stream.Encoder, self core.Member) {
	in, _ := rm.present()
	old := rm.update(self)
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

// stamp is XEP-0082's form of a moment.
const stamp = "2006-01-02T15:04:05Z"

func (rm *room) delay(enc *stream.Encoder, at time.Time) {
	enc.Empty("delay", NSDelay, "from", rm.jid, "stamp", at.UTC().Format(stamp))
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
		f.statuses, f.by = append(f.statuses, "307"), rm.actor(e.By)
	case core.Banned:
		f.statuses, f.by = append(f.statuses, "301"), rm.actor(e.By)
	case core.NotJoined: // back on the network, which does not let us in again
		f.statuses, f.reason = append(f.statuses, "333"), refusal(e.Err, true).Text
	}
	_, me := rm.present()
	me.Nick, me.Rank = orElse(me.Nick, e.Self.Nick), e.Self.Rank
	for _, to := range rm.empty() {
		rm.gone(enc, to, me, f)
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
	rm.allGone(enc, farewell{statuses: []string{"110", "332"}, reason: "The gateway is being restarted."})
}

// allGone writes to every resource that is in, or waits to be let in, that it is not.
func (rm *room) allGone(enc *stream.Encoder, f farewell) {
	in, me := rm.present()
	for _, to := range in {
		rm.gone(enc, to, me, f)
	}
	rm.mu.Lock()
	defer rm.mu.Unlock()
	for o, w := range rm.joins {
		f.asked = w.asked
		rm.gone(enc, o.From, core.Member{}, f)
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
	if e.Mine {
		rm.update(e.Member)
	}
	switch e.Change {
	case core.Came, core.Updated:
		toAll(enc, in, func(to string) { rm.here(enc, to, e.Member, self...) })
	case core.Went:
		f := rm.parting(e)
		toAll(enc, in, func(to string) { rm.gone(enc, to, e.Member, f) })
	case core.Renamed:
		old := e.Member
		old.Nick = e.Old
		f := farewell{statuses: append([]string{"303"}, self...), nick: e.Member.Nick}
		toAll(enc, in, func(to string) { rm.gone(enc, to, old, f) })
		toAll(enc, in, func(to string) { rm.here(enc, to, e.Member, self...) })
	}
}

// reconfigured says that the room's settings are other than they were (XEP-0045 section 10.2.1).
func (rm *room) reconfigured(enc *stream.Encoder) {
	in, _ := rm.present()
	for _, to := range in {
		enc.Start("message", "", "from", rm.jid, "to", to, "type", "groupchat")
		enc.Start("x", NSUser)
		enc.Empty("status", "", "code", "104")
		enc.End()
		enc.End()
	}
}

func (rm *room) parting(e *core.MemberChanged) farewell {
	f := farewell{reason: e.Reason}
	switch e.Why {
	case core.Kicked:
		f.statuses, f.by = []string{"307"}, rm.actor(e.By)
	case core.Banned:
		f.statuses, f.by = []string{"301"}, rm.actor(e.By)
	}
	return f
}

// actor is who did something to a member, by their name in the room: the network itself if it was nobody there.
func (rm *room) actor(by string) string {
	if by == "" {
		return rm.domain.Name
	}
	return rm.rooms.resource(by)
}

func orElse(s, other string) string {
	if s != "" {
		return s
	}
	return other
}
