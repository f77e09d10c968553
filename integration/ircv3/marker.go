package ircv3

import (
	"slices"
	"strings"
	"time"

	"gangway/integration/ircclient"
)

// onMarkread gets and sets a read marker, which only ever grows (draft/read-marker).
func (c *conn) onMarkread(l ircclient.Line) {
	target, at := l.Param(0), l.Param(1)
	if target == "" {
		c.fail("MARKREAD", "NEED_MORE_PARAMS", "Missing parameters")
		return
	}
	if at == "" {
		c.markread(target)
		return
	}
	value, ok := strings.CutPrefix(at, "timestamp=")
	if _, err := time.Parse(time.RFC3339Nano, value); !ok || err != nil {
		c.fail("MARKREAD", "INVALID_PARAMS", at, "Invalid parameters")
		return
	}
	key := c.user.markerKey(target)
	if at <= c.server.markers[key] {
		c.markread(target)
		return
	}
	c.server.markers[key] = at
	for other := range c.server.conns {
		if other.in && other.user.markerKey(target) == key && other.caps["draft/read-marker"] {
			other.markread(target)
		}
	}
}

// markerKey is whose marker it is: an account's clients share them.
func (u *user) markerKey(target string) string {
	if u.account != "" {
		return "account " + fold(u.account) + " " + fold(target)
	}
	return "nick " + fold(u.nick) + " " + fold(target)
}

func (c *conn) markread(target string) {
	at := c.server.markers[c.user.markerKey(target)]
	if at == "" {
		at = "*"
	}
	c.send(line{command: "MARKREAD", params: []string{target, at}})
}

// onRedact takes a message back (draft/message-redaction): one's own, or as an operator of the channel.
func (c *conn) onRedact(l ircclient.Line) {
	s, target, id := c.server, l.Param(0), l.Param(1)
	switch {
	case !c.caps["draft/message-redaction"]:
		c.numeric("421", "REDACT", "Unknown command")
		return
	case id == "":
		c.fail("REDACT", "NEED_MORE_PARAMS", "Missing parameters")
		return
	}
	all, ok := c.visible(target)
	i := slices.IndexFunc(all, func(m *said) bool { return m.id == id })
	switch {
	case !ok:
		c.fail("REDACT", "INVALID_TARGET", target, "You cannot delete messages from "+target)
	case i < 0:
		c.fail("REDACT", "UNKNOWN_MSGID", target, id, "This message does not exist or is too old")
	case all[i].from != fold(c.user.nick) && (!isChannel(target) || !strings.Contains(s.channel(target).members[c.user], "o")):
		c.fail("REDACT", "REDACT_FORBIDDEN", target, id, "You are not authorised to delete this message")
	default:
		s.redact(c.user, target, all[i], l.Param(2))
	}
}

// redact takes a message out of the history and tells those who can know.
func (s *Server) redact(u *user, target string, m *said, reason string) {
	s.history = slices.DeleteFunc(s.history, func(other *said) bool { return other == m })
	l := line{source: u.source(), command: "REDACT", params: []string{target, m.id}}
	if reason != "" {
		l.params = append(l.params, reason)
	}
	l = l.with("msgid", s.newID()).with("time", stamp(s.now()))
	able := func(c *conn) bool { return c.caps["draft/message-redaction"] }
	if isChannel(target) {
		s.channel(target).tell(l, nil, func(c *conn) bool { return able(c) && (c.user != u || c.caps["echo-message"]) })
		return
	}
	for _, who := range []*user{u, s.users[fold(target)]} {
		if who != nil && who.conn != nil && able(who.conn) {
			who.conn.send(l)
		}
	}
}
