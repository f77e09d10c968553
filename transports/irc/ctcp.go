package irc

import (
	"context"
	"strings"
	"time"

	"gopkg.in/irc.v4"

	"gangway/core"
	"gangway/transports/irc/format"
	"gangway/transports/irc/wire"
)

const (
	maxCTCP     = 200 // bytes of a PING that are sent back
	clientTells = 5 * time.Second
	maxSoftware = 80 // bytes of a client's name, version and system each
)

// onCTCP answers what others' programs ask ours: at most a few times, then once every ten seconds. Answers (notices)
// are for whoever asked. DCC would lead past the gateway: it is told, not carried.
func (s *session) onCTCP(m *irc.Message) {
	if s.mine(m.Name) {
		s.done(m) // our own question, as the network shows it to us
		return
	}
	if m.User == "" {
		return
	}
	kind, rest, _ := format.CTCP(m.Trailing())
	if m.Command == "NOTICE" {
		s.onReply(m, kind, rest)
		return
	}
	tells := firstOf(s.chosen.of(versionChoice, s.peerOf(m.Name)), versionClient)
	var answer string
	switch kind {
	case "VERSION":
		if tells == versionNothing {
			return
		}
		answer = format.OneLine(s.t.cfg.Version)
	case "PING":
		answer = wire.Bare(rest[:wire.RuneStart(rest, maxCTCP)])
	case "TIME":
		answer = time.Now().UTC().Format(time.RFC1123)
	case "CLIENTINFO":
		answer = "ACTION CLIENTINFO PING TIME"
		if tells != versionNothing {
			answer += " VERSION"
		}
	case "DCC":
	default:
		return
	}
	now := time.Now()
	if s.link.replies.wait(now) > 0 || !s.open() || len(s.queue) >= s.t.cfg.Queue {
		return
	}
	s.link.replies.spend(now)
	switch {
	case kind == "DCC":
		s.notice(lower(m.Name), m.Name+" wanted to send you something directly (DCC), which the gateway cannot pass on.")
	case kind == "VERSION" && tells == versionClient && s.inquiry == nil:
		s.inquire(strings.Clone(m.Name), answer)
	default:
		s.reply(m.Name, kind, answer)
	}
}

func (s *session) reply(to, kind, answer string) {
	s.enqueue(&command{Command: wire.Notice(to, "\x01"+kind+" "+answer+"\x01")})
}

// inquire asks a client of the user what it is, and tells who asked; ours is what is told if none says so in time. One
// client is asked at a time.
func (s *session) inquire(nick, ours string) {
	l := s.link
	ended := make(chan struct{})
	s.inquiry = ended
	s.chore(func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, clientTells)
		s.mu.Lock()
		defer s.mu.Unlock()
		if l.hangUp = cancel; l.closed {
			cancel()
		}
		go func() {
			defer close(ended)
			defer cancel()
			software, err := s.t.host.Software(ctx, s.account.ID, lower(nick))
			s.mu.Lock()
			defer s.mu.Unlock()
			s.inquiry = nil
			if s.link != l || !s.open() || len(s.queue) >= s.t.cfg.Queue {
				return
			}
			if err != nil || software.Name == "" {
				s.reply(nick, "VERSION", ours)
				return
			}
			s.reply(nick, "VERSION", introduction(software, ours))
		}()
		return nil
	})
}

// introduction is a client as others are told of it.
func introduction(c core.Software, gateway string) string {
	part := func(text string) string {
		text = format.OneLine(text)
		return text[:wire.RuneStart(text, maxSoftware)]
	}
	return strings.TrimSpace(part(c.Name) + " (through the " + gateway + " gateway) " + strings.TrimSpace(part(c.Version)+" "+part(c.OS)))
}

// awaitInquiry returns when no client is being asked.
func (s *session) awaitInquiry() {
	s.mu.Lock()
	ended := s.inquiry
	s.mu.Unlock()
	if ended != nil {
		<-ended
	}
}
