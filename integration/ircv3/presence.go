package ircv3

import (
	"strings"

	"gangway/integration/ircclient"
)

// setAway says that somebody is away, or is back, to those with away-notify, and with extended-monitor to watchers.
func (s *Server) setAway(u *user, reason string) {
	u.away = reason
	l := line{source: u.source(), command: "AWAY"}
	if reason != "" {
		l.params = []string{reason}
	}
	s.notify(u, l, "away-notify", false)
}

// notify tells the neighbours who have a capability, and the watchers who have extended-monitor too.
func (s *Server) notify(u *user, l line, capability string, self bool) {
	told := map[*conn]bool{}
	for _, c := range s.neighbours(u) {
		told[c] = true
		if c.caps[capability] && (self || c != u.conn) {
			c.send(l)
		}
	}
	for c := range s.conns {
		if !told[c] && c.watch[fold(u.nick)] && c.caps["extended-monitor"] && c.caps[capability] {
			c.send(l)
		}
	}
}

// setAccount logs somebody in, or out with an empty account (account-notify).
func (s *Server) setAccount(u *user, account string) {
	u.account = account
	if s.users[fold(u.nick)] != u {
		return // not registered yet
	}
	if account == "" {
		account = "*"
	}
	s.notify(u, line{source: u.source(), command: "ACCOUNT", params: []string{account}}, "account-notify", true)
}

func (c *conn) onSetname(realname string) {
	if !c.caps["setname"] || realname == "" || len(realname) > 128 {
		c.fail("SETNAME", "INVALID_REALNAME", "Realname is not valid")
		return
	}
	c.user.realname = realname
	c.server.notify(c.user, line{source: c.user.source(), command: "SETNAME", params: []string{realname}}, "setname", true)
}

// onMonitor is MONITOR: + - C L S.
func (c *conn) onMonitor(l ircclient.Line) {
	switch strings.ToUpper(l.Param(0)) {
	case "+":
		var on, off []string
		for nick := range strings.SplitSeq(l.Param(1), ",") {
			c.watch[fold(nick)] = true
			if u := c.server.users[fold(nick)]; u != nil {
				on = append(on, u.source())
			} else {
				off = append(off, nick)
			}
		}
		c.watched("730", on)
		c.watched("731", off)
	case "-":
		for nick := range strings.SplitSeq(l.Param(1), ",") {
			delete(c.watch, fold(nick))
		}
	case "C":
		clear(c.watch)
	case "L", "S":
		for nick := range c.watch {
			c.watched("732", []string{nick})
		}
		c.numeric("733", "End of MONITOR list")
	}
}

func (c *conn) watched(code string, who []string) {
	if len(who) > 0 {
		c.numeric(code, strings.Join(who, ","))
	}
}

func (s *Server) tellWatchers(u *user, code string) {
	who := u.nick
	if code == "730" {
		who = u.source()
	}
	for c := range s.conns {
		if c.watch[fold(u.nick)] {
			c.watched(code, []string{who})
		}
	}
}

// onBouncer is soju's BOUNCER LISTNETWORKS, in a batch.
func (c *conn) onBouncer(l ircclient.Line) {
	if !c.caps["soju.im/bouncer-networks"] || strings.ToUpper(l.Param(0)) != "LISTNETWORKS" {
		c.fail("BOUNCER", "UNKNOWN_COMMAND", l.Param(0), "Unknown subcommand")
		return
	}
	ref := c.server.newBatch()
	c.send(line{command: "BATCH", params: []string{"+" + ref, "soju.im/bouncer-networks"}})
	for _, n := range c.server.conf.Networks {
		id, attributes, _ := strings.Cut(n, " ")
		c.send(line{command: "BOUNCER", params: []string{"NETWORK", id, attributes}}.with("batch", ref))
	}
	c.send(line{command: "BATCH", params: []string{"-" + ref}})
}
