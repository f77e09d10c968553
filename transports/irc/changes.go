package irc

import (
	"strconv"
	"strings"
	"time"

	"gopkg.in/irc.v4"

	"gangway/core"
	"gangway/transports/irc/format"
	"gangway/transports/irc/wire"
)

// onJoin is somebody entering a room, or ourselves: then the room's state follows.
func (s *session) onJoin(m *irc.Message) {
	channel := m.Param(0)
	if s.mine(m.Name) {
		s.recognise(m.Prefix)
		s.onOwnJoin(channel)
		return
	}
	r := s.room(channel)
	if r == nil || r.stage == outside {
		return
	}
	one := newMember(m.Name)
	one.real = realOf(m.User, m.Host)
	if s.link.caps&capExtendedJoin != 0 {
		one.account = accountName(m.Param(1))
	}
	if s.rejoined(r, one) {
		return
	}
	one = r.named(s.key(m.Name), one)
	r.members.put(s.key(m.Name), one)
	s.changed(r, &core.MemberChanged{Change: core.Came, Member: s.shown(one)})
}

// onOwnJoin is the network letting us into a room, asked or not.
func (s *session) onOwnJoin(channel string) {
	r := s.room(channel)
	if r == nil && (len(s.rooms) >= maxRooms || !isChannel(channel) || !validChannel(channel)) {
		return
	}
	if r == nil {
		r = &room{addr: lower(channel), stage: joining, unasked: true}
		s.rooms[s.fold.Fold(channel)] = r
	}
	r.name = strings.Clone(channel)
	asked := r.stage == joining && !r.unasked
	if r.stage == outside {
		r.stage = joining
	}
	r.reset()
	r.self = newMember(s.link.nick)
	s.admitted(r, asked)
}

// accountName is a services account as messages name it; "*" and "0" are none.
func accountName(account string) name {
	if account == "*" || account == "0" {
		account = ""
	}
	return nameOf(account)
}

// changed shows what happened to a member, once the room has been shown.
func (s *session) changed(r *room, e *core.MemberChanged) {
	if !r.shown() {
		return
	}
	if p := r.parted[s.key(e.Member.Nick)]; p.back && e.Change == core.Updated && !e.Mine {
		return // settle tells it
	}
	if e.Ref = s.ref(r.addr); e.Mine {
		r.known = e.Member.Nick
	}
	s.emit(e)
}

// onPart is somebody leaving a room.
func (s *session) onPart(m *irc.Message) {
	r := s.room(m.Param(0))
	if r == nil {
		return
	}
	reason := ""
	if len(m.Params) > 1 {
		reason = format.Styled(m.Trailing())
	}
	if s.mine(m.Name) {
		s.left(r, &core.RoomLeft{Why: core.Left, Reason: reason})
		return
	}
	s.went(r, m.Name, &core.MemberChanged{Why: core.Left, Reason: reason})
}

// went shows that a member is gone.
func (s *session) went(r *room, nick string, e *core.MemberChanged) {
	key := s.key(nick)
	one, ok := r.members.get(key)
	if !ok {
		return
	}
	r.members.drop(key)
	delete(r.parted, key)
	r.unclaim(one)
	e.Change, e.Member = core.Went, s.shown(one)
	s.changed(r, e)
}

// onQuit is somebody leaving the network.
func (s *session) onQuit(m *irc.Message) {
	if s.mine(m.Name) {
		return // the end of the connection follows
	}
	reason := format.Styled(m.Trailing())
	for _, r := range s.rooms {
		if (isSplit(reason) || s.link.inKind(m, batchNetsplit)) && r.shown() {
			s.split(r, m.Name, reason)
			continue
		}
		s.went(r, m.Name, &core.MemberChanged{Why: core.Quit, Reason: reason})
	}
	s.reclaim(m.Name)
}

// onKick is somebody being removed from a room.
func (s *session) onKick(m *irc.Message) {
	r := s.room(m.Param(0))
	if r == nil {
		return
	}
	reason := ""
	if len(m.Params) > 2 {
		reason = format.Styled(m.Trailing())
	}
	if !s.mine(m.Param(1)) {
		why := core.Kicked
		if key := s.key(m.Param(1)); r.banning == key && s.mine(m.Name) {
			why, r.banning = core.Banned, name{}
		}
		s.went(r, m.Param(1), &core.MemberChanged{Why: why, By: m.Name, Reason: reason})
		return
	}
	r.wanted = len(r.asks) > 0
	s.left(r, &core.RoomLeft{Why: core.Kicked, By: m.Name, Reason: reason})
}

// onNick is somebody, or ourselves, having another nick.
func (s *session) onNick(m *irc.Message) {
	old, now := m.Name, wire.Bare(m.Trailing())
	if now == "" {
		return
	}
	// InspIRCd 3 shows a labelled NICK as said by the new nick.
	if r := s.link.labelled(m); s.mine(old) || r != nil && r.verb == "NICK" {
		old = s.link.nick
		s.link.nick = strings.Clone(now)
		for _, r := range s.rooms {
			r.self = r.renamed(s.key(old), r.self, now)
			s.changed(r, &core.MemberChanged{Change: core.Renamed, Member: s.self(r), Old: old, Mine: true})
		}
		return
	}
	from, to := s.key(old), s.key(now)
	for _, r := range s.rooms {
		one, ok := r.members.get(from)
		if !ok {
			continue
		}
		r.members.drop(from)
		delete(r.parted, from)
		one = r.renamed(from, one, now)
		r.members.put(to, one)
		s.changed(r, &core.MemberChanged{Change: core.Renamed, Member: s.shown(one), Old: old})
	}
	s.reclaim(old)
}

// everywhere changes somebody in all rooms, and shows it where it made a difference.
func (s *session) everywhere(nick string, change func(*member)) {
	mine := s.mine(nick)
	key := s.key(nick)
	for _, r := range s.rooms {
		one, ok := r.members.get(key)
		if mine {
			one, ok = r.self, r.stage == joining || r.stage == inside
		}
		if !ok {
			continue
		}
		was := one
		change(&one)
		if one == was {
			continue
		}
		if mine {
			r.self = one
			s.changed(r, &core.MemberChanged{Change: core.Updated, Member: s.self(r), Mine: true})
			continue
		}
		r.members.put(key, one)
		s.changed(r, &core.MemberChanged{Change: core.Updated, Member: s.shown(one)})
	}
}

// onHost is CHGHOST: somebody's user or host is different.
func (s *session) onHost(m *irc.Message) {
	if s.mine(m.Name) {
		s.recognise(&irc.Prefix{Name: m.Name, User: m.Param(0), Host: m.Param(1)})
	}
	real := realOf(m.Param(0), m.Param(1))
	s.everywhere(m.Name, func(one *member) { one.real = real })
}

// onHidden is 396: others see us at another host, "user@host" or "host".
func (s *session) onHidden(m *irc.Message) {
	user, host, ok := strings.Cut(m.Param(1), "@")
	if !ok {
		user, host = s.link.user, user
	}
	s.recognise(&irc.Prefix{Name: s.link.nick, User: user, Host: host})
}

// onTopic is somebody changing a topic.
func (s *session) onTopic(m *irc.Message) {
	r := s.room(m.Param(0))
	if r == nil || len(m.Params) < 2 {
		return
	}
	r.topic = core.Topic{Text: format.Styled(m.Trailing()), By: m.Name, At: sentAt(m)}
	if r.shown() {
		s.emit(&core.TopicChanged{Ref: s.ref(r.addr), Topic: r.topic})
	}
}

// onTopicIs is 332: the topic of a room that we enter.
func (s *session) onTopicIs(m *irc.Message) {
	if r := s.room(m.Param(1)); r != nil {
		r.topic.Text = format.Styled(m.Trailing())
	}
}

// onTopicBy is 333: who set it, and when.
func (s *session) onTopicBy(m *irc.Message) {
	r := s.room(m.Param(1))
	if r == nil || len(m.Params) < 4 {
		return
	}
	r.topic.By = irc.ParsePrefix(m.Param(2)).Name
	if at, err := strconv.ParseInt(m.Param(3), 10, 64); err == nil && at > 0 {
		r.topic.At = time.Unix(at, 0)
	}
}
