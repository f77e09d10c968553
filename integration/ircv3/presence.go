package ircv3

import (
	"maps"
	"slices"
	"strconv"
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

// onSetname is SETNAME (setname). Without the capability it is done in silence.
func (c *conn) onSetname(realname string) {
	if realname == "" || len(realname) > 128 {
		if c.caps["setname"] {
			c.fail("SETNAME", "INVALID_REALNAME", "Realname is not valid")
		}
		return
	}
	c.server.setRealname(c.user, realname)
}

func (s *Server) setRealname(u *user, realname string) {
	u.realname = realname
	s.notify(u, line{source: u.source(), command: "SETNAME", params: []string{realname}}, "setname", true)
}

// maxWatch is MONITOR of ISUPPORT.
const maxWatch = 100

// onMonitor is MONITOR: + - C L S.
func (c *conn) onMonitor(l ircclient.Line) {
	switch strings.ToUpper(l.Param(0)) {
	case "+":
		var on, off []string
		nicks := strings.Split(l.Param(1), ",")
		for i, nick := range nicks {
			if len(c.watch) >= maxWatch && !c.watch[fold(nick)] {
				c.numeric("734", strconv.Itoa(maxWatch), strings.Join(nicks[i:], ","), "Monitor list is full.")
				break
			}
			c.watch[fold(nick)] = true
			c.sort(nick, &on, &off)
		}
		c.watched("730", on)
		c.watched("731", off)
	case "-":
		for nick := range strings.SplitSeq(l.Param(1), ",") {
			delete(c.watch, fold(nick))
		}
	case "C":
		clear(c.watch)
	case "L":
		c.watched("732", slices.Sorted(maps.Keys(c.watch)))
		c.numeric("733", "End of MONITOR list")
	case "S":
		var on, off []string
		for _, nick := range slices.Sorted(maps.Keys(c.watch)) {
			c.sort(nick, &on, &off)
		}
		c.watched("730", on)
		c.watched("731", off)
	}
}

// sort puts a nick with those that are there or those that are not.
func (c *conn) sort(nick string, on, off *[]string) {
	if u := c.server.users[fold(nick)]; u != nil {
		*on = append(*on, u.source())
	} else {
		*off = append(*off, nick)
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

// onBouncer is soju's BOUNCER (soju.im/bouncer-networks): LISTNETWORKS, in a batch, and BIND.
func (c *conn) onBouncer(l ircclient.Line) {
	sub, id := strings.ToUpper(l.Param(0)), l.Param(1)
	switch {
	case !c.caps["soju.im/bouncer-networks"]:
		c.numeric("421", "BOUNCER", "Unknown command")
	case sub == "LISTNETWORKS":
		c.listNetworks()
	case sub != "BIND":
		c.fail("BOUNCER", "UNKNOWN_COMMAND", l.Param(0), "Unknown subcommand")
	case c.in:
		c.fail("BOUNCER", "REGISTRATION_IS_COMPLETED", "BIND", "Cannot bind to a network after registration")
	case len(c.server.conf.Accounts) > 0 && c.user.account == "":
		c.fail("BOUNCER", "ACCOUNT_REQUIRED", "BIND", "Authentication required")
	case !slices.ContainsFunc(c.server.conf.Networks, func(n string) bool { return strings.HasPrefix(n, id+" ") }):
		c.fail("BOUNCER", "INVALID_NETID", "BIND", id, "Network not found")
	default:
		c.bound = id
	}
}

func (c *conn) listNetworks() {
	ref := c.server.newBatch()
	c.sendBatch("+"+ref, "soju.im/bouncer-networks")
	for _, n := range c.server.conf.Networks {
		id, attributes, _ := strings.Cut(n, " ")
		c.send(line{command: "BOUNCER", params: []string{"NETWORK", id, attributes}}.with("batch", ref))
	}
	c.sendBatch("-" + ref)
}
