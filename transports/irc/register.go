package irc

import (
	"encoding/base64"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gopkg.in/irc.v4"

	"gangway/core"
	"gangway/transports/irc/format"
	"gangway/transports/irc/isupport"
	"gangway/transports/irc/wire"
)

const (
	maxNickTries = 8
	maxOffered   = 200 // capabilities of one network
	saslChunk    = 400 // IRCv3 sasl: the most base64 in one AUTHENTICATE
)

// registration is how far a connection has come with introducing itself. It is gone when the network says 001.
type registration struct {
	nick    string // being tried
	tries   int
	offered []string // names and values of CAP LS so far
	asked   int      // CAP REQ without answer
	sasl    bool     // AUTHENTICATE is under way
	said    bool     // the password has been given
}

// register begins: CAP first, so that the network waits with the registration until CAP END.
func (s *session) register() {
	if s.wish == "" {
		s.wish = s.defaultNick()
	}
	l := s.link
	l.reg = &registration{nick: s.wish}
	l.nick = s.wish
	s.urgent(wire.CapLS())
	if s.net.password != "" {
		s.urgent(wire.Pass(s.net.password))
	}
	s.urgent(wire.Nick(s.wish))
	s.urgent(wire.User(s.username(), s.realname()))
}

// defaultNick is the nick of an account that has chosen none: its own, the network's, or its user's name.
func (s *session) defaultNick() string {
	own := firstOf(s.account.Options["nick"], string(s.account.Own), s.net.nick, s.account.Name)
	if own == "" {
		own, _, _ = strings.Cut(string(s.account.User), "@")
	}
	return nickFrom(own)
}

func (s *session) username() string {
	return asciiNick(firstOf(s.account.Options["username"], s.net.username, s.wish), 10)
}

func (s *session) realname() string {
	return firstOf(format.OneLine(firstOf(s.account.Options["realname"], s.account.Name, s.net.realname, s.wish)), s.wish)
}

// nickFrom makes a nick of what somebody calls themselves. Letters of any script stay: some networks take them.
func nickFrom(name string) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(name, "_") {
		if r < utf8.RuneSelf && !nickByte(byte(r)) {
			r = '_'
		}
		if b.Len()+utf8.RuneLen(r) > isupport.MaxNick/2 {
			break
		}
		b.WriteRune(r)
	}
	nick := b.String()
	if nick == "" {
		return "guest"
	}
	if '0' <= nick[0] && nick[0] <= '9' || nick[0] == '-' {
		nick = "_" + nick
	}
	return nick
}

// asciiNick makes a nick that every network takes: RFC 2812 section 2.3.1.
func asciiNick(name string, most int) string {
	b := []byte(nickFrom(name))
	kept := b[:0]
	for _, c := range b {
		if c < utf8.RuneSelf {
			kept = append(kept, c)
		}
	}
	kept = kept[:min(len(kept), most)]
	if strings.Trim(string(kept), "_-") == "" {
		return "guest"
	}
	return string(kept)
}

// nickByte is a "letter / digit / special / -" of RFC 2812 section 2.3.1.
func nickByte(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= '}' || c == '-'
}

// onCap carries on with the negotiation of capabilities (IRCv3 capability-negotiation, version 302).
func (s *session) onCap(m *irc.Message) {
	list := m.Trailing()
	switch strings.ToUpper(m.Param(1)) {
	case "LS":
		s.offered(list, len(m.Params) > 3 && m.Param(2) == "*")
	case "ACK":
		for name := range strings.FieldsSeq(list) {
			if off, ok := strings.CutPrefix(name, "-"); ok {
				s.link.caps &^= capNamed(off)
			} else {
				s.link.caps |= capNamed(name)
			}
		}
		s.negotiated()
	case "NAK":
		s.negotiated()
	case "NEW":
		s.ask(strings.Fields(list), false)
	case "DEL":
		for name := range strings.FieldsSeq(list) {
			s.link.caps &^= capNamed(name)
		}
	}
}

// offered takes a line of CAP LS, and after the last one asks for what is used here.
func (s *session) offered(list string, more bool) {
	reg := s.link.reg
	if reg == nil {
		return
	}
	if names := strings.Fields(list); len(reg.offered)+len(names) <= maxOffered {
		reg.offered = append(reg.offered, names...)
	}
	if more {
		return
	}
	reg.asked = s.ask(reg.offered, len(s.account.Secret) > 0)
	if reg.asked == 0 {
		s.urgent(wire.CapEnd())
	}
}

// ask asks for those offered capabilities that are used here, and returns in how many lines.
func (s *session) ask(offered []string, sasl bool) int {
	var line []string
	var size, lines int
	send := func() {
		if len(line) > 0 {
			s.urgent(wire.CapReq(line...))
			lines++
		}
		line, size = nil, 0
	}
	for _, entry := range offered {
		name, value, _ := strings.Cut(entry, "=")
		bit := capNamed(name)
		if bit == 0 || bit == capSASL && (!sasl || !offersPlain(value)) {
			continue
		}
		if size += len(name) + 1; size > 400 {
			send()
			size = len(name) + 1
		}
		line = append(line, name)
	}
	send()
	return lines
}

// offersPlain says whether the value of the sasl capability has PLAIN, or does not say.
func offersPlain(mechanisms string) bool {
	if mechanisms == "" {
		return true
	}
	for m := range strings.SplitSeq(mechanisms, ",") {
		if m == "PLAIN" {
			return true
		}
	}
	return false
}

// negotiated goes on when all requests have been answered: to SASL or to the end.
func (s *session) negotiated() {
	l := s.link
	if l.reg == nil || l.reg.asked == 0 {
		return
	}
	if l.reg.asked--; l.reg.asked > 0 {
		return
	}
	switch {
	case l.caps&capSASL != 0 && len(s.account.Secret) > 0:
		l.reg.sasl = true
		s.urgent(wire.Authenticate("PLAIN"))
	default:
		s.urgent(wire.CapEnd())
	}
}

// onAuthenticate answers the network's "+" with the account's name and password (RFC 4616), in chunks.
func (s *session) onAuthenticate(m *irc.Message) {
	reg := s.link.reg
	if reg == nil || !reg.sasl || reg.said || m.Param(0) != "+" {
		return
	}
	reg.said = true
	login := firstOf(s.account.Options["login"], s.wish)
	text := base64.StdEncoding.EncodeToString([]byte("\x00" + login + "\x00" + string(s.account.Secret)))
	for len(text) >= saslChunk {
		s.urgent(wire.Authenticate(text[:saslChunk]))
		text = text[saslChunk:]
	}
	s.urgent(wire.Authenticate(firstOf(text, "+")))
}

// onSASL ends the authentication. Without it the connection is not what the user asked for: it ends too.
func (s *session) onSASL(m *irc.Message) {
	l := s.link
	if l.reg == nil || !l.reg.sasl {
		return
	}
	l.reg.sasl = false
	if m.Command == irc.RPL_SASLSUCCESS {
		s.urgent(wire.CapEnd())
		return
	}
	e := refusal("irc: log in", m)
	e.Kind = core.Denied
	e.Text = s.net.name + " does not accept your account's name and password. Register here again to change them. " + e.Text
	l.refusal = e
	s.urgent(wire.Quit(""))
}

// onNickRefused tries another nick while registering.
func (s *session) onNickRefused(m *irc.Message) {
	l := s.link
	reg := l.reg
	if reg.tries++; reg.tries > maxNickTries {
		l.refusal = &core.Error{Kind: core.Unavailable, Op: "irc: register", Code: m.Command, After: time.Minute,
			Text: s.net.name + " took none of the nicks that were tried. " + refusal("", m).Text}
		s.urgent(wire.Quit(""))
		return
	}
	reg.nick = alternate(s.wish, reg.tries, m.Command == irc.ERR_ERRONEUSNICKNAME)
	l.nick = reg.nick
	s.urgent(wire.Nick(reg.nick))
}

// alternate is the nick to try after so many refusals. One that the network finds ill-formed is made simpler.
func alternate(wish string, tries int, erroneous bool) string {
	switch {
	case erroneous && tries == 1:
		return asciiNick(wish, 16)
	case erroneous || tries > 3:
		return asciiNick(wish, 5) + strconv.Itoa(100+rand.IntN(900))
	}
	return wish + strings.Repeat("_", tries)
}

// onWelcome is 001: the network has taken us, under the nick that it names.
func (s *session) onWelcome(m *irc.Message) {
	l := s.link
	if l.reg != nil && len(s.account.Secret) > 0 && l.caps&capSASL == 0 {
		s.notice("", s.net.name+" does not offer to log in with a password (SASL PLAIN). You are connected without.")
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
	l.ready = true
	s.down = nil
	if s.private.IsZero() && !s.wanted() {
		s.private = time.Now()
	}
	s.emit(&core.Status{Ref: s.ref(""), Link: core.Connected, Text: "Connected to " + s.net.name + " as " + l.nick + "."})
	s.enterAll()
	s.pump()
}

// onSupport is 005.
func (s *session) onSupport(m *irc.Message) {
	l := s.link
	if len(m.Params) > 2 {
		l.support.Add(m.Params[1 : len(m.Params)-1])
	}
	l.lines.Limit(l.support.LineLen)
	if l.support.Casemap != s.fold {
		s.refold(l.support.Casemap)
	}
}

// nick is the account's present one.
func (s *session) nick() string {
	if s.link != nil {
		return s.link.nick
	}
	return firstOf(s.wish, s.defaultNick())
}

// mine says whether a nick is the account's own.
func (s *session) mine(nick string) bool {
	return s.link != nil && s.fold.Fold(nick) == s.fold.Fold(s.link.nick)
}

// recognise learns from a prefix that is our own how others see it, which counts against a line's length.
func (s *session) recognise(p *irc.Prefix) {
	if p != nil && p.User != "" && p.Host != "" && s.mine(p.Name) {
		s.link.user, s.link.host = strings.Clone(p.User), strings.Clone(p.Host)
	}
}
