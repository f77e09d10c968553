package irc

import (
	"strings"

	"gopkg.in/irc.v4"

	"gangway/core"
)

// modeChange is one letter of a MODE.
type modeChange struct {
	on    bool
	mode  byte
	param string
}

// changesOf takes a MODE apart: which letters have parameters is for the network to say (PREFIX, CHANMODES).
func (s *isupport) changesOf(modes string, params []string) []modeChange {
	var all []modeChange
	on := true
	for _, mode := range []byte(modes) {
		if mode == '+' || mode == '-' {
			on = mode == '+'
			continue
		}
		c := modeChange{on: on, mode: mode}
		if s.takesParam(mode, on) && len(params) > 0 {
			c.param, params = params[0], params[1:]
		}
		all = append(all, c)
	}
	return all
}

func (s *isupport) takesParam(mode byte, on bool) bool {
	has := func(modes string) bool { return strings.IndexByte(modes, mode) >= 0 }
	return has(s.modes) || has(s.chanModes[0]) || has(s.chanModes[1]) || on && has(s.chanModes[2])
}

// onMode is a change of a room's modes or of its members' ranks. It is told in the room, as in any IRC client, and
// shown on the members.
func (s *session) onMode(m *irc.Message) {
	r := s.room(m.Param(0))
	if r == nil || len(m.Params) < 2 {
		return
	}
	touched := map[name]ranks{}
	changes := s.link.support.changesOf(m.Param(1), m.Params[2:])
	for _, c := range changes {
		bit := s.link.support.bit(c.mode)
		if bit == 0 || c.param == "" {
			continue
		}
		nick := bare(c.param)
		if _, ok := touched[s.key(nick)]; !ok {
			touched[s.key(nick)] = s.ranksOf(r, nick)
		}
		s.setRank(r, nick, bit, c.on)
	}
	if !r.shown() {
		s.reconfigured(r, changes)
		return
	}
	s.emit(&core.Message{
		Ref: s.ref(r.addr), IDs: remote(m), Room: true, At: sentAt(m), Notice: true,
		Text: "Mode " + r.name + " [" + bare(strings.Join(m.Params[1:], " ")) + "] by " + m.Name,
	})
	s.showRanks(r, m.Name, touched)
	s.reconfigured(r, changes)
}

// ranksOf is what a member has now.
func (s *session) ranksOf(r *room, nick string) ranks {
	if s.mine(nick) {
		return r.self.ranks
	}
	return r.members[s.key(nick)].ranks
}

func (s *session) setRank(r *room, nick string, bit ranks, on bool) {
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
	if one, ok := r.members[key]; ok {
		set(&one)
		r.members[key] = one
	}
}

// showRanks shows the members whose ranks are other than they were.
func (s *session) showRanks(r *room, by string, was map[name]ranks) {
	me := s.key(s.link.nick)
	for key, before := range was {
		if key == me && r.self.ranks != before {
			s.changed(r, &core.MemberChanged{Change: core.Updated, Member: s.self(r), By: by, Mine: true})
			continue
		}
		if one, ok := r.members[key]; ok && one.ranks != before {
			s.changed(r, &core.MemberChanged{Change: core.Updated, Member: s.shown(one), By: by})
		}
	}
}
