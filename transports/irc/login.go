package irc

import (
	"slices"
	"strings"
	"time"

	"gopkg.in/irc.v4"

	"gangway/core"
	"gangway/transports/irc/sasl"
	"gangway/transports/irc/wire"
)

// loginWithin is how long a network's services may take for each word of a login.
const loginWithin = 20 * time.Second

// authentication is a login under way (IRCv3 sasl).
type authentication struct {
	rest     []string // mechanisms not tried yet
	exchange *sasl.Exchange
	due      time.Time // when the network has taken too long for its next word
}

// login is what the account logs in with.
func (s *session) login() sasl.Login {
	return s.secrets.login(firstOf(s.account.Options[optionLogin], s.wish))
}

// mechanisms are those that both sides have, the best first. A certificate is of no use without TLS.
func (s *session) mechanisms() []string {
	login := s.login()
	login.Certificate = login.Certificate && (s.net.tls != nil || s.link.secure != "")
	return login.Mechanisms(s.link.offers["sasl"])
}

// authenticate begins to log in: while registering, or again when the network has logins again.
func (s *session) authenticate() {
	l := s.link
	if l.loggedIn || l.auth != nil || !s.secrets.can() {
		return
	}
	l.auth = &authentication{rest: s.mechanisms()}
	s.tryNext(nil)
}

// tryNext begins with the next mechanism. After the last one the login has failed, for the reason of that.
func (s *session) tryNext(why *irc.Message) {
	a := s.link.auth
	if len(a.rest) == 0 {
		s.unlogged(why)
		return
	}
	mechanism := a.rest[0]
	a.rest = a.rest[1:]
	exchange, err := s.login().Start(mechanism)
	if err != nil { // a password that SASLprep forbids
		s.t.log.Debug("sasl not begun", "account", s.account.ID, "mechanism", mechanism, "err", err)
		s.tryNext(why)
		return
	}
	a.exchange, a.due = exchange, time.Now().Add(loginWithin)
	s.urgent(wire.Authenticate(mechanism))
}

// onAuthenticate answers a challenge. One that cannot be answered ends the exchange, and the network says so.
func (s *session) onAuthenticate(m *irc.Message) {
	a := s.link.auth
	if a == nil || a.exchange == nil {
		return
	}
	answer, err := a.exchange.Answer(m.Param(0))
	if err != nil {
		s.t.log.Debug("sasl not answered", "account", s.account.ID, "err", err)
		a.exchange, a.due = nil, time.Now().Add(loginWithin)
		s.urgent(wire.Authenticate("*"))
		return
	}
	a.due = time.Now().Add(loginWithin)
	for _, piece := range answer {
		s.urgent(wire.Authenticate(piece))
	}
}

// onSASL is what comes of an exchange, and what else the network says about being logged in.
func (s *session) onSASL(m *irc.Message) {
	l := s.link
	switch m.Command {
	case irc.RPL_LOGGEDIN:
		l.loggedIn, l.loginName = true, strings.Clone(m.Param(2))
		return
	case irc.RPL_LOGGEDOUT:
		l.loggedIn, l.loginName = false, ""
		return
	case irc.RPL_SASLMECHS:
		if l.auth != nil {
			names := strings.Split(strings.ToUpper(m.Param(1)), ",")
			l.auth.rest = slices.DeleteFunc(l.auth.rest, func(m string) bool { return !slices.Contains(names, m) })
		}
		return
	}
	if l.auth == nil {
		return
	}
	switch m.Command {
	case irc.RPL_SASLSUCCESS, irc.ERR_SASLALREADY:
		l.auth, l.loggedIn, l.loginErr = nil, true, nil
		if l.reg != nil {
			s.capEnd()
		}
	default:
		s.tryNext(m)
	}
}

// unanswered gives up a login that nobody answers: the services have gone. Once they are back it is begun anew. An
// InspIRCd whose services go tells nobody who is still registering.
func (s *session) unanswered() {
	l := s.link
	if l.auth == nil {
		return
	}
	l.auth = nil
	text := s.net.name + " does not let anybody log in at the moment."
	switch {
	case l.reg == nil:
	case s.stopUnlogged(false):
		s.refuseUnlogged(core.Unavailable, text, nil)
	default:
		l.loginErr = core.E(core.Unavailable, "irc: log in", text)
		s.notice("", text+" You are connected without.")
		s.capEnd()
	}
}

// loginDue gives up a login that has had its time, and returns when the present one will have; zero: there is none.
func (s *session) loginDue(now time.Time) time.Time {
	a := s.link.auth
	switch {
	case a == nil:
		return time.Time{}
	case now.Before(a.due):
		return a.due
	}
	s.urgent(wire.Authenticate("*"))
	s.unanswered()
	return time.Time{}
}

// stopUnlogged says whether the user wants no connection without a login. refused: the network refused it, and did not
// only have none to offer.
func (s *session) stopUnlogged(refused bool) bool {
	switch s.account.Options[optionUnlogged] {
	case unloggedStop:
		return true
	case unloggedContinue:
		return false
	}
	return refused
}

// unlogged is the end of a login that failed. Without it the connection is not what the user asked for, and ends too,
// unless they said otherwise.
func (s *session) unlogged(why *irc.Message) {
	l := s.link
	l.auth = nil
	words := ""
	if why != nil {
		words = " " + refusal("", why).Text
	}
	text := s.net.name + " does not accept your account's name and password." + words
	switch {
	case l.reg == nil:
		s.notice("", text+" You are not logged in.")
	case s.stopUnlogged(true):
		s.refuseUnlogged(core.Denied, text+" Register here again to change them.", why)
	default:
		l.loginErr = core.E(core.Denied, "irc: log in", text)
		s.notice("", text+" You are connected without.")
		s.capEnd()
	}
}

// refuseUnlogged ends the connection for want of a login.
func (s *session) refuseUnlogged(kind core.Kind, text string, why *irc.Message) {
	e := core.E(kind, "irc: log in", text)
	if why != nil {
		e.Code = why.Command
	}
	s.link.refusal = e
	s.urgent(wire.Quit(""))
}
