package ircv3

import (
	"strconv"
	"strings"

	"gangway/integration/ircclient"
)

// onCap is capability-negotiation: LS in one version or the other, LIST, REQ all or nothing, END.
func (c *conn) onCap(l ircclient.Line) {
	switch strings.ToUpper(l.Param(0)) {
	case "LS":
		if version, err := strconv.Atoi(l.Param(1)); err == nil && version >= 302 {
			c.v302 = true
			c.caps["cap-notify"] = true // is implied
		}
		c.cap = c.cap || !c.in
		c.list("LS", c.server.caps())
	case "LIST":
		var on []string
		for _, offer := range c.server.caps() {
			if name, _, _ := strings.Cut(offer, "="); c.caps[name] {
				on = append(on, name)
			}
		}
		c.list("LIST", on)
	case "REQ":
		c.cap = c.cap || !c.in
		c.onReq(l.Last())
	case "END":
		c.cap = false
		c.welcome()
	}
}

// list sends capabilities, to clients of version 302 with values and in several lines.
func (c *conn) list(sub string, caps []string) {
	if !c.v302 {
		for i := range caps {
			caps[i], _, _ = strings.Cut(caps[i], "=")
		}
		c.numericCap(sub, strings.Join(caps, " "))
		return
	}
	for len(caps) > 16 {
		c.numericCap(sub, "*", strings.Join(caps[:16], " "))
		caps = caps[16:]
	}
	c.numericCap(sub, strings.Join(caps, " "))
}

func (c *conn) numericCap(params ...string) {
	nick := c.user.nick
	if nick == "" {
		nick = "*"
	}
	c.send(line{command: "CAP", params: append([]string{nick}, params...)})
}

func (c *conn) onReq(list string) {
	for name := range strings.FieldsSeq(list) {
		if name = strings.TrimPrefix(name, "-"); !c.server.offers(name) || name == "sts" {
			c.numericCap("NAK", list)
			return
		}
	}
	for name := range strings.FieldsSeq(list) {
		off, isOff := strings.CutPrefix(name, "-")
		c.caps[off] = !isOff
	}
	c.numericCap("ACK", list)
}

// Withdraw takes a capability from all (CAP DEL), and Offer brings it back (CAP NEW).
func (s *Server) Withdraw(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conf.Without = append(s.conf.Without, name)
	for c := range s.conns {
		c.caps[name] = false
		c.announce("DEL", name)
	}
}

// Offer offers a capability that was withdrawn.
func (s *Server) Offer(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.conf.Without[:0]
	for _, w := range s.conf.Without {
		if w != name {
			kept = append(kept, w)
		}
	}
	s.conf.Without = kept
	for c := range s.conns {
		c.announce("NEW", name)
	}
}

func (c *conn) announce(sub, name string) {
	if c.caps["cap-notify"] {
		c.numericCap(sub, name)
	}
}

func (c *conn) onNick(nick string) {
	s := c.server
	if nick == "" || strings.ContainsAny(nick, "#:,@!* ") {
		c.numeric("432", nick, "Erroneous nickname")
		return
	}
	if other := s.users[fold(nick)]; other != nil && other != c.user {
		c.numeric("433", nick, "Nickname is already in use")
		return
	}
	if !c.in {
		c.user.nick = nick
		c.welcome()
		return
	}
	s.rename(c.user, nick)
}

func (c *conn) welcome() {
	if c.in || c.cap || c.user.nick == "" || c.user.name == "" {
		return
	}
	s := c.server
	if s.users[fold(c.user.nick)] != nil {
		c.numeric("433", c.user.nick, "Nickname is already in use")
		c.user.nick = ""
		return
	}
	c.in = true
	s.users[fold(c.user.nick)] = c.user
	c.numeric("001", "Welcome "+c.user.source())
	refs := "msgid,timestamp"
	if s.conf.Nameless {
		refs = "timestamp"
	}
	c.numeric("005", "CASEMAPPING=ascii", "CHANTYPES=#", "PREFIX=(ov)@+", "CHANMODES=b,k,l,imnst", "NICKLEN=30",
		"MONITOR=100", "WHOX", "UTF8ONLY", "CHATHISTORY="+strconv.Itoa(s.conf.Page), "MSGREFTYPES="+refs,
		"NETWORK=Test", "are supported by this server")
	if len(s.conf.Networks) > 0 {
		c.numeric("005", "BOUNCER_NETID="+c.bound, "are supported by this server")
	}
	c.numeric("422", "MOTD File is missing")
	s.tellWatchers(c.user, "730")
	if c.bound != "" {
		for _, name := range s.conf.Rooms {
			s.join(c.user, name)
		}
	}
}
