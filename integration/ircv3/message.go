package ircv3

import (
	"strings"
	"time"

	"gangway/integration/ircclient"
)

// said is something in the history: a message, or an event for draft/event-playback.
type said struct {
	id       string
	at       time.Time
	from, to string // folded nicks, or the channel
	lines    []line // of a multiline message several
	opening  line   // of a multiline message: its BATCH without reference
	event    bool
}

func (m *said) between(one, other string) bool {
	if isChannel(other) {
		return m.to == other
	}
	return m.from == one && m.to == other || m.from == other && m.to == one
}

// event keeps what happened in a channel.
func (s *Server) event(l line, ch *channel) {
	id, at := s.newID(), s.now()
	l = l.with("msgid", id).with("time", stamp(at))
	s.history = append(s.history, &said{id: id, at: at, to: fold(ch.name), lines: []line{l}, event: true})
}

// clientTags are those that are handed on as they are (message-tags, "client-only tags").
func clientTags(tags map[string]string) map[string]string {
	out := map[string]string{}
	for key, v := range tags {
		if strings.HasPrefix(key, "+") {
			out[key] = v
		}
	}
	return out
}

func (c *conn) onText(l ircclient.Line) {
	if ref := l.Tags["batch"]; ref != "" {
		c.inBatch(ref, l)
		return
	}
	command := strings.ToUpper(l.Command)
	if command == "TAGMSG" && !c.caps["message-tags"] {
		c.numeric("421", "TAGMSG", "Unknown command")
		return
	}
	if !c.reachable(l.Param(0)) {
		return
	}
	text := l.Param(1)
	if strings.ToValidUTF8(text, "") != text {
		c.fail(command, "INVALID_UTF8", "Message rejected, your IRC software MUST use UTF-8 encoding on this network")
		return
	}
	params := []string{l.Param(0)}
	if command != "TAGMSG" {
		params = append(params, text)
	}
	c.server.say(c.user, []line{{tags: clientTags(l.Tags), command: command, params: params}}, nil)
}

// reachable says whether somebody may speak to a target, and tells them if not.
func (c *conn) reachable(target string) bool {
	s := c.server
	if isChannel(target) {
		if ch := s.channels[fold(target)]; ch != nil {
			if _, in := ch.members[c.user]; in {
				return true
			}
		}
		c.numeric("404", target, "Cannot send to channel")
		return false
	}
	if s.users[fold(target)] == nil {
		c.numeric("401", target, "No such nick/channel")
		return false
	}
	return true
}

// say gives a message its id and time, keeps it, and sends it to whom it concerns; it returns the id.
func (s *Server) say(u *user, lines []line, opening *line) string {
	id, at := s.newID(), s.now()
	target := lines[0].params[0]
	m := &said{id: id, at: at, from: fold(u.nick), to: fold(target)}
	tag := func(l line) line {
		l = l.with("time", stamp(at))
		if u.account != "" {
			l = l.with("account", u.account)
		}
		l.source = u.source()
		return l
	}
	for i, l := range lines {
		if l = tag(l); i == 0 {
			l = l.with("msgid", id)
		}
		m.lines = append(m.lines, l)
	}
	if opening != nil {
		m.opening = tag(*opening).with("msgid", id)
	}
	s.history = append(s.history, m)
	s.spread(u, target, m)
	return id
}

// spread sends a message to its target, and to its author with echo-message.
func (s *Server) spread(u *user, target string, m *said) {
	if u.conn != nil && u.conn.caps["echo-message"] {
		s.show(u.conn, m)
	}
	if !isChannel(target) {
		if to := s.users[fold(target)]; to != nil && to.conn != nil && to != u {
			s.show(to.conn, m)
		}
		return
	}
	for to := range s.channel(target).members {
		if to.conn != nil && to != u {
			s.show(to.conn, m)
		}
	}
}

// show sends a message as it comes live.
func (s *Server) show(c *conn, m *said) {
	if len(m.lines) == 1 {
		if m.lines[0].command != "TAGMSG" || c.caps["message-tags"] {
			c.send(m.lines[0])
		}
		return
	}
	s.showLines(c, m, "")
}

// showLines sends a multiline message: as a batch, inside another if outer is one, or without to those who do not have it.
func (s *Server) showLines(c *conn, m *said, outer string) {
	if !c.caps["draft/multiline"] || !c.caps["batch"] {
		for _, l := range m.lines {
			if outer != "" {
				l = l.with("batch", outer)
			}
			if l.params[1] != "" {
				c.send(l)
			}
		}
		return
	}
	ref := s.newBatch()
	open := m.opening
	open.command, open.params = "BATCH", []string{"+" + ref, "draft/multiline", m.lines[0].params[0]}
	end := line{command: "BATCH", params: []string{"-" + ref}}
	if outer != "" {
		open = open.with("batch", outer)
		end = end.with("batch", outer)
	}
	c.send(open)
	for _, l := range m.lines {
		inner := line{source: l.source, command: l.command, params: l.params}.with("batch", ref)
		if _, concat := l.tags["draft/multiline-concat"]; concat {
			inner = inner.with("draft/multiline-concat", "")
		}
		c.send(inner)
	}
	c.send(end)
}
