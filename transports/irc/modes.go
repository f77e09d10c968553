package irc

import (
	"context"
	"strings"

	"gopkg.in/irc.v4"

	"gangway/core"
	"gangway/transports/irc/isupport"
	"gangway/transports/irc/wire"
)

const modeCommand = "/mode"

// modeChange is what is left of a message to a room that is "/mode ...", as biboumi's users write it.
func modeChange(m *core.Message) (change []string, ok bool) {
	words := strings.Fields(m.Text)
	if !isChannel(string(m.Peer)) || len(words) == 0 || !strings.EqualFold(words[0], modeCommand) || strings.ContainsAny(m.Text, "\r\n") {
		return nil, false
	}
	return words[1:], true
}

// setModes changes modes of a room or its members. The room shows that it was done; the words are shown to nobody.
func (s *session) setModes(ctx context.Context, m *core.Message, change []string) error {
	if len(change) == 0 || !strings.ContainsAny(change[0][:1], "+-") {
		return core.E(core.Invalid, "irc: mode", "Modes are changed like this: /mode +v nick")
	}
	return s.request(ctx, m.Peer, m.Origin, func(r *room) *command {
		return s.operation(r, "", wire.Mode(r.name, change...))
	}, func() {})
}

// onMode is a change of a room's modes or of its members' ranks. It is told in the room, as in any IRC client, and
// shown on the members.
func (s *session) onMode(m *irc.Message) {
	r := s.room(m.Param(0))
	if r == nil || len(m.Params) < 2 {
		return
	}
	touched := map[name]isupport.Ranks{}
	changes := s.link.support.Changes(m.Param(1), m.Params[2:])
	for _, c := range changes {
		bit := s.link.support.Bit(c.Mode)
		if bit == 0 || c.Param == "" {
			continue
		}
		nick := wire.Bare(c.Param)
		if _, ok := touched[s.key(nick)]; !ok {
			touched[s.key(nick)] = s.ranksOf(r, nick)
		}
		s.setRank(r, nick, bit, c.On)
	}
	if !r.shown() {
		s.reconfigured(r, changes)
		return
	}
	s.emit(&core.Message{
		Ref: s.ref(r.addr), IDs: remote(m), Room: true, At: sentAt(m), Notice: true,
		Text: "Mode " + r.name + " [" + wire.Bare(strings.Join(m.Params[1:], " ")) + "] by " + m.Name,
	})
	s.showRanks(r, m.Name, touched)
	s.reconfigured(r, changes)
}

// ranksOf is what a member has now.
func (s *session) ranksOf(r *room, nick string) isupport.Ranks {
	if s.mine(nick) {
		return r.self.ranks
	}
	one, _ := r.members.get(s.key(nick))
	return one.ranks
}

func (s *session) setRank(r *room, nick string, bit isupport.Ranks, on bool) {
	set := func(one *member) {
		if one.ranks &^= bit; on {
			one.ranks |= bit
		}
	}
	if s.mine(nick) {
		set(&r.self)
		return
	}
	key := s.key(nick)
	if one, ok := r.members.get(key); ok {
		set(&one)
		r.members.put(key, one)
	}
}

// showRanks shows the members whose ranks are other than they were.
func (s *session) showRanks(r *room, by string, was map[name]isupport.Ranks) {
	me := s.key(s.link.nick)
	for key, before := range was {
		if key == me && r.self.ranks != before {
			s.changed(r, &core.MemberChanged{Change: core.Updated, Member: s.self(r), By: by, Mine: true})
			continue
		}
		if one, ok := r.members.get(key); ok && one.ranks != before {
			s.changed(r, &core.MemberChanged{Change: core.Updated, Member: s.shown(one), By: by})
		}
	}
}
