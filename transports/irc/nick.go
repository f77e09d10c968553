package irc

import (
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
	keepEvery    = 2 * time.Minute // how often it is asked whether the nick that the user wants is free, without MONITOR
)

// defaultNick is the nick of an account that has chosen none: its own, the network's, or its user's name.
func (s *session) defaultNick() string {
	own := firstOf(s.account.Options[optionNick], string(s.account.Own), s.net.nick, s.account.Name)
	if own == "" {
		own, _, _ = strings.Cut(string(s.account.User), "@")
	}
	return nickFrom(own)
}

func (s *session) username() string {
	return asciiNick(firstOf(s.account.Options[optionUsername], s.net.username, s.wish), maxUsername)
}

func (s *session) realname() string {
	return firstOf(format.OneLine(firstOf(s.account.Options[optionRealname], s.account.Name, s.net.realname, s.wish)), s.wish)
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

// want makes the nick of the first join the one that the user wants, also on a connection that was begun without, or
// that all rooms were left on.
func (s *session) want(nick string) {
	if s.named && s.wanted() {
		return
	}
	began := s.wish != ""
	s.named, s.wish = true, nickFrom(nick)
	if !began || s.link == nil || s.mine(s.wish) || !s.link.quit.IsZero() {
		return
	}
	if s.link.reg != nil {
		s.link.nick = s.wish
	}
	s.urgent(wire.Nick(s.wish))
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
	erroneous := m.Command == irc.ERR_ERRONEUSNICKNAME
	if erroneous {
		reg.erroneous++
	}
	l.nick = s.alternate(reg, erroneous)
	s.urgent(wire.Nick(l.nick))
}

// alternate is the nick to try next: those that the user named, then the wish with more and more underscores. One that
// the network finds ill-formed is made simpler.
func (s *session) alternate(reg *registration, erroneous bool) string {
	if named := strings.Fields(s.account.Options[optionAlternates]); reg.named < len(named) {
		reg.named++
		return nickFrom(named[reg.named-1])
	}
	switch tries := reg.tries - reg.named; {
	case erroneous && reg.erroneous == 1:
		return asciiNick(s.wish, 16)
	case erroneous || tries > 3:
		return asciiNick(s.wish, 5) + strconv.Itoa(100+rand.IntN(900))
	default:
		return s.wish + strings.Repeat("_", max(tries, 1))
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

// reclaim takes back the nick that the user wants, when whoever had it is gone.
func (s *session) reclaim(freed string) {
	if s.wish != "" && s.fold.Fold(freed) == s.fold.Fold(s.wish) && !s.mine(s.wish) && s.open() {
		s.urgent(wire.Nick(s.wish))
	}
}

// keepNick asks, from time to time, whether the nick that the user wants is free, and returns when it will ask again;
// zero: it need not, since we have it or the network will say (MONITOR).
func (s *session) keepNick(l *link, now time.Time) time.Time {
	if s.mine(s.wish) || s.wish == "" {
		return time.Time{}
	}
	if l.kept.IsZero() {
		l.kept = now
		if l.support.Monitor >= 0 {
			s.watch(s.wish)
		}
	}
	if l.support.Monitor >= 0 {
		return time.Time{}
	}
	if next := l.kept.Add(keepEvery); now.Before(next) {
		return next
	}
	l.kept = now
	s.urgent(wire.IsOn(s.wish))
	return now.Add(keepEvery)
}

// onIsOn is 303: who of those that were asked for is there. Only our wish is asked for.
func (s *session) onIsOn(m *irc.Message) {
	for nick := range strings.FieldsSeq(m.Trailing()) {
		if s.fold.Fold(nick) == s.fold.Fold(s.wish) {
			return
		}
	}
	s.reclaim(s.wish)
}
