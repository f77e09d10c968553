package ircv3

import (
	"maps"
	"slices"
	"strings"

	"gangway/integration/ircclient"
)

// channel is one, with the modes of its members: "o", "v", "ov" or none.
type channel struct {
	name, topic string
	members     map[*user]string
	bans        []string
}

func (s *Server) channel(name string) *channel {
	ch := s.channels[fold(name)]
	if ch == nil {
		ch = &channel{name: name, members: map[*user]string{}}
		s.channels[fold(name)] = ch
	}
	return ch
}

// tell sends a line to the members who are connected, but for one, and of whom want says yes.
func (ch *channel) tell(l line, but *user, want func(*conn) bool) {
	for u := range ch.members {
		if u != but && u.conn != nil && (want == nil || want(u.conn)) {
			u.conn.send(l)
		}
	}
}

// neighbours are the connections that share a channel with somebody, that person's own too.
func (s *Server) neighbours(u *user) []*conn {
	all := map[*conn]bool{}
	if u.conn != nil {
		all[u.conn] = true
	}
	for _, ch := range s.channels {
		if _, in := ch.members[u]; !in {
			continue
		}
		for other := range ch.members {
			if other.conn != nil {
				all[other.conn] = true
			}
		}
	}
	return slices.Collect(maps.Keys(all))
}

func (s *Server) join(u *user, name string) {
	if !isChannel(name) || strings.ContainsAny(name, " ,\a") {
		if u.conn != nil {
			u.conn.numeric("403", name, "No such channel")
		}
		return
	}
	ch := s.channel(name)
	if _, in := ch.members[u]; in {
		return
	}
	mode := ""
	if len(ch.members) == 0 {
		mode = "o"
	}
	ch.members[u] = mode
	plain := line{source: u.source(), command: "JOIN", params: []string{ch.name}}
	account := u.account
	if account == "" {
		account = "*"
	}
	extended := line{source: u.source(), command: "JOIN", params: []string{ch.name, account, u.realname}}
	s.event(plain, ch)
	ch.tell(plain, nil, func(c *conn) bool { return !c.caps["extended-join"] })
	ch.tell(extended, nil, func(c *conn) bool { return c.caps["extended-join"] })
	if u.away != "" {
		ch.tell(line{source: u.source(), command: "AWAY", params: []string{u.away}}, u, func(c *conn) bool { return c.caps["away-notify"] })
	}
	c := u.conn
	if c == nil {
		return
	}
	if ch.topic != "" {
		c.numeric("332", ch.name, ch.topic)
	}
	if c.caps["draft/read-marker"] {
		c.markread(ch.name)
	}
	if !c.caps["no-implicit-names"] {
		c.names(ch.name)
	}
}

// names is RPL_NAMREPLY, with all prefixes and with hosts where they are asked for.
func (c *conn) names(name string) {
	ch := c.server.channel(name)
	var all []string
	for u, mode := range ch.members {
		prefix := strings.NewReplacer("o", "@", "v", "+").Replace(mode)
		if !c.caps["multi-prefix"] && len(prefix) > 1 {
			prefix = prefix[:1]
		}
		if c.caps["userhost-in-names"] {
			all = append(all, prefix+u.source())
		} else {
			all = append(all, prefix+u.nick)
		}
	}
	slices.Sort(all)
	for some := range slices.Chunk(all, 8) {
		c.numeric("353", "=", ch.name, strings.Join(some, " "))
	}
	c.numeric("366", ch.name, "End of /NAMES list")
}

// onWho is WHO, or WHOX with its fields in their fixed order.
func (c *conn) onWho(l ircclient.Line) {
	mask, s := l.Param(0), c.server
	var found []*user
	if isChannel(mask) {
		found = slices.Collect(maps.Keys(s.channel(mask).members))
	} else if u := s.users[fold(mask)]; u != nil {
		found = []*user{u}
	}
	_, fields, whox := strings.Cut(l.Param(1), "%")
	for _, u := range found {
		flags := map[bool]string{true: "G", false: "H"}[u.away != ""] + strings.NewReplacer("o", "@", "v", "+").Replace(s.channel(mask).members[u])
		if !whox {
			c.numeric("352", mask, u.name, u.host, s.conf.Name, u.nick, flags, "0 "+u.realname)
			continue
		}
		c.numeric("354", u.whox(fields, mask, s.conf.Name, flags)...)
	}
	c.numeric("315", mask, "End of /WHO list")
}

func (u *user) whox(fields, mask, server, flags string) []string {
	want, token, _ := strings.Cut(fields, ",")
	account := u.account
	if account == "" {
		account = "0"
	}
	values := map[rune]string{'t': token, 'c': mask, 'u': u.name, 'i': "127.0.0.1", 'h': u.host, 's': server, 'n': u.nick,
		'f': flags, 'd': "0", 'l': "0", 'a': account, 'o': "n/a", 'r': u.realname}
	var out []string
	for _, f := range "tcuihsnfdlaor" {
		if strings.ContainsRune(want, f) {
			out = append(out, values[f])
		}
	}
	return out
}

func (c *conn) onPart(l ircclient.Line) {
	if !c.server.part(c.user, l.Param(0), l.Param(1)) {
		c.numeric("442", l.Param(0), "You're not on that channel")
	}
}

func (s *Server) part(u *user, name, reason string) bool {
	ch := s.channel(name)
	if _, in := ch.members[u]; !in {
		return false
	}
	l := line{source: u.source(), command: "PART", params: []string{ch.name}}
	if reason != "" {
		l.params = append(l.params, reason)
	}
	s.event(l, ch)
	ch.tell(l, nil, nil)
	delete(ch.members, u)
	return true
}

// quit takes somebody off the network.
func (s *Server) quit(u *user, reason string) {
	if s.users[fold(u.nick)] != u {
		return
	}
	l := line{source: u.source(), command: "QUIT", params: []string{reason}}
	for _, c := range s.neighbours(u) {
		if c != u.conn {
			c.send(l)
		}
	}
	delete(s.users, fold(u.nick))
	for _, ch := range s.channels {
		if _, in := ch.members[u]; in {
			s.event(l, ch)
			delete(ch.members, u)
		}
	}
	s.tellWatchers(u, "731")
}

func (s *Server) rename(u *user, nick string) {
	l := line{source: u.source(), command: "NICK", params: []string{nick}}
	for _, c := range s.neighbours(u) {
		c.send(l)
	}
	delete(s.users, fold(u.nick))
	if fold(nick) != fold(u.nick) {
		s.tellWatchers(u, "731")
	}
	u.nick = nick
	s.users[fold(nick)] = u
	s.tellWatchers(u, "730")
}

func (c *conn) onTopic(l ircclient.Line) {
	ch := c.server.channel(l.Param(0))
	if len(l.Params) < 2 {
		if ch.topic == "" {
			c.numeric("331", ch.name, "No topic is set")
		} else {
			c.numeric("332", ch.name, ch.topic)
		}
		return
	}
	ch.topic = l.Param(1)
	t := line{source: c.user.source(), command: "TOPIC", params: []string{ch.name, ch.topic}}
	c.server.event(t, ch)
	ch.tell(t, nil, nil)
}

// onMode knows +o, +v and +b of channels, by operators.
func (c *conn) onMode(l ircclient.Line) {
	s, target := c.server, l.Param(0)
	if !isChannel(target) {
		return
	}
	ch := s.channel(target)
	mode, arg := l.Param(1), l.Param(2)
	switch {
	case mode == "":
		c.numeric("324", ch.name, "+nt")
	case strings.Trim(mode, "+") == "b" && arg == "":
		for _, mask := range ch.bans {
			c.numeric("367", ch.name, mask)
		}
		c.numeric("368", ch.name, "End of channel ban list")
	case !strings.Contains(ch.members[c.user], "o"):
		c.numeric("482", ch.name, "You're not channel operator")
	case len(mode) == 2 && (mode[1] == 'o' || mode[1] == 'v'):
		u := s.users[fold(arg)]
		if _, in := ch.members[u]; u == nil || !in {
			c.numeric("441", arg, ch.name, "They aren't on that channel")
			return
		}
		ch.members[u] = strings.ReplaceAll(ch.members[u], mode[1:], "")
		if mode[0] == '+' {
			ch.members[u] = strings.Join(slices.Sorted(strings.SplitSeq(ch.members[u]+mode[1:], "")), "")
		}
		ch.tell(line{source: c.user.source(), command: "MODE", params: []string{ch.name, mode, u.nick}}, nil, nil)
	case mode == "+b":
		ch.bans = append(ch.bans, arg)
		ch.tell(line{source: c.user.source(), command: "MODE", params: []string{ch.name, mode, arg}}, nil, nil)
	case mode == "-b":
		ch.bans = slices.DeleteFunc(ch.bans, func(m string) bool { return m == arg })
		ch.tell(line{source: c.user.source(), command: "MODE", params: []string{ch.name, mode, arg}}, nil, nil)
	default:
		c.numeric("472", mode, "is unknown mode char to me")
	}
}

func (c *conn) onKick(l ircclient.Line) {
	ch, u := c.server.channel(l.Param(0)), c.server.users[fold(l.Param(1))]
	switch {
	case !strings.Contains(ch.members[c.user], "o"):
		c.numeric("482", ch.name, "You're not channel operator")
	case u == nil:
		c.numeric("441", l.Param(1), ch.name, "They aren't on that channel")
	default:
		k := line{source: c.user.source(), command: "KICK", params: []string{ch.name, u.nick, l.Param(2)}}
		ch.tell(k, nil, nil)
		delete(ch.members, u)
	}
}

// onInvite tells the one invited, and the members who have invite-notify.
func (c *conn) onInvite(l ircclient.Line) {
	s := c.server
	u, ch := s.users[fold(l.Param(0))], s.channel(l.Param(1))
	if u == nil {
		c.numeric("401", l.Param(0), "No such nick")
		return
	}
	c.numeric("341", u.nick, ch.name)
	i := line{source: c.user.source(), command: "INVITE", params: []string{u.nick, ch.name}}
	if u.conn != nil {
		u.conn.send(i)
	}
	ch.tell(i, c.user, func(c *conn) bool { return c.caps["invite-notify"] })
}
