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
		r.members.put(s.key(p.Name), one)
	}
}

// whoxToken marks our own WHOX among replies.
const whoxToken = "152"

// asksWho says whether a room that is entered is asked for more than its members' names: for their hosts, where NAMES
// did not tell, and with WHOX for their accounts and who is away, where changes of these will be told.
func (s *session) asksWho(r *room) bool {
	l := s.link
	if len(r.members) > maxWho || !s.open() {
		return false
	}
	return l.caps&capUserhost == 0 || l.support.Whox && l.caps&(capAccountNotify|capAwayNotify) != 0
}

// onNamesEnd is 366: all members are known. What is not known about them, WHO tells.
func (s *session) onNamesEnd(m *irc.Message) {
	r := s.room(m.Param(1))
	if r == nil || r.stage != joining || r.who {
		return
	}
	if !s.asksWho(r) {
		s.entered(r)
		return
	}
	r.who = true
	who := wire.Who(r.name)
	if s.link.support.Whox {
		who = wire.Whox(r.name, "tcuhnfa", whoxToken)
	}
	s.enqueue(&command{Command: who, ask: &request{
		verb: "WHO", targets: [2]string{s.fold.Fold(r.name)}, done: func(*core.Error) { s.entered(r) },
	}})
}

// onWho is 352: "channel user host server nick flags :hops realname".
func (s *session) onWho(m *irc.Message) {
	r := s.room(m.Param(1))
	if r == nil || r.stage != joining || len(m.Params) < 7 {
		return
	}
	s.described(r, m.Param(5), m.Param(2), m.Param(3), m.Param(6), name{})
}

// onWhox is 354, with the fields that we ask for: "token channel user host nick flags account".
func (s *session) onWhox(m *irc.Message) {
	r := s.room(m.Param(2))
	if r == nil || r.stage != joining || len(m.Params) < 8 || m.Param(1) != whoxToken {
		return
	}
	s.described(r, m.Param(5), m.Param(3), m.Param(4), m.Param(6), accountName(m.Param(7)))
}

// described is what WHO tells about a member.
func (s *session) described(r *room, nick, user, host, flags string, account name) {
	set := func(one *member) {
		one.real, one.away, one.staff = realOf(user, host), strings.HasPrefix(flags, "G"), strings.Contains(flags, "*")
		if account != (name{}) {
			one.account = account
		}
	}
	if s.mine(nick) {
		s.recognise(&irc.Prefix{Name: nick, User: user, Host: host})
		set(&r.self)
		return
	}
	key := s.key(nick)
	if one, ok := r.members.get(key); ok {
		set(&one)
		r.members.put(key, one)
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
