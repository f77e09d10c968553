package irc

import (
	"strings"

	"gopkg.in/irc.v4"

	"gangway/core"
	"gangway/transports/irc/wire"
)

// registration is how far a connection has come with introducing itself. It is gone when the network says 001.
type registration struct {
	tries     int      // nicks that were refused
	erroneous int      // of which so many for their form
	named     int      // of the user's alternates tried
	asked     int      // CAP REQ without answer
	offered   []string // of CAP LS so far
	listed    bool     // all of it has come
}

// register begins: CAP first, so that the network waits with the registration until CAP END.
func (s *session) register() {
	if s.wish == "" {
		s.wish = s.defaultNick()
	}
	l := s.link
	l.reg = &registration{}
	l.nick = s.wish
	if s.net.webirc != "" { // before anything else (IRCv3 webirc)
		s.urgent(wire.WebIRC(s.net.webirc, "gangway", l.told.host, l.told.address, ""))
	}
	s.urgent(wire.CapLS())
	if password := firstOf(s.secrets.Server, s.net.password); password != "" {
		s.urgent(wire.Pass(password))
	}
	s.urgent(wire.Nick(s.wish))
	s.urgent(wire.User(s.username(), s.realname()))
}

// onWelcome is 001: the network has taken us, under the nick that it names.
func (s *session) onWelcome(m *irc.Message) {
	l := s.link
	if l.reg != nil && s.secrets.can() && !l.loggedIn && l.loginErr == nil && s.stopUnlogged(false) {
		s.refuseUnlogged(core.Unavailable, s.net.name+" does not offer to log in at the moment.", nil)
		return
	}
	if l.reg != nil && s.secrets.can() && !l.loggedIn && l.loginErr == nil {
		s.notice("", s.net.name+" does not offer to log in with what you have (SASL). You are connected without.")
	}
	l.reg = nil
	l.server = strings.Clone(m.Name)
	if nick := m.Param(0); nick != "" && nick != "*" {
		l.nick = strings.Clone(nick)
	}
	if i := strings.LastIndexByte(m.Trailing(), ' '); i >= 0 { // "Welcome to the ... nick!user@host"
		s.recognise(irc.ParsePrefix(m.Trailing()[i+1:]))
	}
}

// onReady is the end of the MOTD: all of RPL_ISUPPORT has come, and rooms can be entered.
func (s *session) onReady() {
	l := s.link
	if l.ready || l.reg != nil || !l.quit.IsZero() {
		return
	}
	if s.looks() {
		return
	}
	l.ready = true
	s.down = nil
	if s.private.IsZero() && !s.wanted() {
		s.private = l.heard
	}
	s.emit(&core.Status{Ref: s.ref(""), Link: core.Connected, Text: "Connected to " + s.net.name + " as " + l.nick + "."})
	s.first()
	s.beAway()
	s.watchAll()
	s.missedPrivately()
	if s.unbound() {
		s.enqueue(&command{Command: wire.BouncerListNetworks()})
	}
	s.enterAll()
	s.pump()
}

// first writes what the user wants written when connected.
func (s *session) first() {
	for _, line := range s.secrets.Commands {
		c, err := ownCommand(line)
		if err != nil {
			s.notice("", "A command that you wanted to be written when connected is none.")
			continue
		}
		s.enqueue(&command{Command: c})
	}
}

// ownCommand is a line of the user's own. What would confuse the gateway about its connection is left out.
func ownCommand(line string) (wire.Command, error) {
	c, err := wire.Raw(strings.TrimPrefix(line, "/"))
	if err != nil {
		return c, core.Wrap(core.Invalid, "irc: command", err)
	}
	switch c.Verb() {
	case "CAP", "AUTHENTICATE", "BATCH", "USER", "PASS", "NICK", "WEBIRC", "QUIT", "STARTTLS", "PROTOCTL", "PING", "PONG", "SERVICE":
		return c, core.E(core.Denied, "irc: command", "The gateway itself writes "+c.Verb()+".")
	}
	return c, nil
}

// onSupport is 005.
func (s *session) onSupport(m *irc.Message) {
	l := s.link
	if len(m.Params) > 2 {
		l.support.Add(m.Params[1 : len(m.Params)-1])
	}
	s.boundTo(l.support.Bound)
	l.lines.Limit(l.support.LineLen)
	if l.support.Casemap != s.fold {
		s.refold(l.support.Casemap)
	}
}
