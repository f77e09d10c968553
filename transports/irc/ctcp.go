package irc

import (
	"time"

	"gopkg.in/irc.v4"

	"gangway/transports/irc/format"
	"gangway/transports/irc/wire"
)

const maxCTCP = 200 // bytes of a PING that are sent back

// onCTCP answers what others' programs ask ours: at most a few times, then once every ten seconds. Answers
// (notices) are for whoever asked, which nobody here did. DCC would lead past the gateway: it is told, not carried.
func (s *session) onCTCP(m *irc.Message) {
	if m.Command != "PRIVMSG" || m.User == "" || s.mine(m.Name) {
		return
	}
	kind, rest, _ := format.CTCP(m.Trailing())
	var answer string
	switch kind {
	case "VERSION":
		answer = format.OneLine(s.t.cfg.Version)
	case "PING":
		answer = wire.Bare(rest[:wire.RuneStart(rest, maxCTCP)])
	case "TIME":
		answer = time.Now().UTC().Format(time.RFC1123)
	case "CLIENTINFO":
		answer = "ACTION CLIENTINFO PING TIME VERSION"
	case "DCC":
	default:
		return
	}
	now := time.Now()
	if s.link.replies.wait(now) > 0 || !s.open() || len(s.queue) >= s.t.cfg.Queue {
		return
	}
	s.link.replies.spend(now)
	if kind == "DCC" {
		s.notice(lower(m.Name), m.Name+" wanted to send you something directly (DCC), which the gateway cannot pass on.")
		return
	}
	s.enqueue(&command{Command: wire.Notice(m.Name, "\x01"+kind+" "+answer+"\x01")})
}
