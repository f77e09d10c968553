package irc

import (
	"strings"

	"gopkg.in/irc.v4"

	"gangway/core"
	"gangway/transports/irc/wire"
)

// onNames is 353: some of a room's members.
func (s *session) onNames(m *irc.Message) {
	r := s.room(m.Param(2))
	if r == nil || r.stage == outside {
		return
	}
	for entry := range strings.FieldsSeq(wire.Bare(m.Trailing())) {
		rank, who := s.link.support.Signs(entry)
		p := irc.ParsePrefix(who)
		if p.Name == "" {
			continue
		}
		one := newMember(p.Name)
		one.ranks, one.real = rank, realOf(p.User, p.Host)
		if s.mine(p.Name) {
			s.recognise(p)
			r.self = one
			continue
		}
		r.put(s.key(p.Name), one)
	}
}

// onNamesEnd is 366: all members are known. Where their hosts are not, WHO tells.
func (s *session) onNamesEnd(m *irc.Message) {
	r := s.room(m.Param(1))
	if r == nil || r.stage != joining || r.who {
		return
	}
	if s.link.caps&capUserhost != 0 || len(r.members) > maxWho || !s.open() {
		s.entered(r)
		return
	}
	r.who = true
	s.enqueue(&command{Command: wire.Who(r.name), ask: &request{
		verb: "WHO", targets: [2]string{s.fold.Fold(r.name)}, done: func(*core.Error) { s.entered(r) },
	}})
}

// onWho is 352: "channel user host server nick flags :hops realname".
func (s *session) onWho(m *irc.Message) {
	r := s.room(m.Param(1))
	if r == nil || r.stage != joining || len(m.Params) < 7 {
		return
	}
	nick, real, away := m.Param(5), realOf(m.Param(2), m.Param(3)), strings.HasPrefix(m.Param(6), "G")
	staff := strings.Contains(m.Param(6), "*")
	if s.mine(nick) {
		s.recognise(&irc.Prefix{Name: nick, User: m.Param(2), Host: m.Param(3)})
		r.self.real, r.self.away, r.self.staff = real, away, staff
		return
	}
	key := s.key(nick)
	if one, ok := r.members[key]; ok {
		one.real, one.away, one.staff = real, away, staff
		r.members[key] = one
	}
}

// onWhoEnd is 315.
func (s *session) onWhoEnd(m *irc.Message) {
	if r := s.room(m.Param(1)); r != nil {
		s.entered(r)
	}
}

// onRoomRefused answers those who wait to enter or leave the room that an error numeric names.
func (s *session) onRoomRefused(m *irc.Message) bool {
	r := s.room(m.Param(1))
	switch {
	case r == nil:
		return false
	case r.stage == joining:
		if w := s.link.find(s.fold, m.Command, []string{m.Param(1)}); w != nil && w.verb == "WHO" {
			return false
		}
		s.refused(r, refusal("irc: join", m))
		return true
	case r.stage == leaving && (m.Command == irc.ERR_NOTONCHANNEL || m.Command == irc.ERR_NOSUCHCHANNEL):
		s.left(r, &core.RoomLeft{Why: core.Left})
		return true
	case r.stage == leaving:
		return true // it did not let us in, and now we need not go
	}
	return false
}

// onForward is 470: the network sends us to another channel than we asked for, where nobody waits for us.
func (s *session) onForward(m *irc.Message) {
	r := s.room(m.Param(1))
	if r == nil || r.stage != joining {
		return
	}
	e := refusal("irc: join", m)
	e.Text = s.net.name + " sends people who want to enter " + r.name + " to " + m.Param(2) + ". You may enter that one."
	s.refused(r, e)
	if to := m.Param(2); s.room(to) == nil && validChannel(to) {
		s.rooms[s.fold.Fold(to)] = &room{addr: lower(to), name: to, stage: leaving, unasked: true}
		s.enqueue(&command{Command: wire.Part(to, "")})
	}
}
