package irc

import (
	"context"
	"strings"
	"time"

	"gopkg.in/irc.v4"

	"gangway/core"
	"gangway/transports/irc/wire"
)

// seenKey is where it is kept up to when an account has its private messages: the note goes with the account.
func seenKey(id core.AccountID) string { return "seen " + string(id) }

// seenAt notes when a private message came, so that later ones can be asked for.
func (s *session) seenAt(at time.Time) {
	if s.link.caps&capHistory == 0 || !at.After(s.latest) {
		return
	}
	s.latest = at
	text := at.UTC().Format(serverTime)
	s.chore(func(ctx context.Context) error {
		return s.t.host.Notes().Put(ctx, seenKey(s.account.ID), []byte(text), 0)
	})
}

// loadSeen returns up to when the account has its private messages; zero: that is not known.
func (s *session) loadSeen(ctx context.Context) time.Time {
	text, err := s.t.host.Notes().Get(ctx, seenKey(s.account.ID))
	if err != nil {
		return time.Time{}
	}
	at, err := time.Parse(serverTime, string(text))
	if err != nil {
		return time.Time{}
	}
	return at
}

// missed asks who has written in private since the last message.
func (s *session) missedPrivately() {
	l := s.link
	if l.caps&capHistory == 0 || l.caps&capBatch == 0 {
		return
	}
	now := time.Now()
	if s.latest.IsZero() {
		s.seenAt(now)
		return
	}
	s.enqueue(&command{Command: wire.HistoryTargets(
		s.latest.UTC().Format(serverTime), now.UTC().Format(serverTime), pageSize,
	), ask: &request{verb: "CHATHISTORY", done: func(*core.Error) {}}})
}

// onTarget is one line of the answer: "TARGETS target moment".
func (s *session) onTarget(m *irc.Message) {
	nick := m.Param(1)
	if !strings.EqualFold(m.Param(0), "TARGETS") || isChannel(nick) || !validNick(nick) || !s.open() || len(s.queue) >= s.t.cfg.Queue {
		return
	}
	since := core.Mark{At: s.latest}
	s.enqueue(&command{Command: wire.HistoryAfter(nick, selector(since), s.pageSize()), ask: &request{
		verb: "CHATHISTORY", targets: [2]string{s.fold.Fold(nick)}, done: func(*core.Error) {},
	}})
}

// privately tells what was said in private while we were away.
func (s *session) privately(b *batch) {
	for _, m := range b.lines {
		if text, other := s.readable(m); (m.Command == "PRIVMSG" || m.Command == "NOTICE") && !other && text != "" && len(m.Params) > 1 {
			s.whispered(m, m.Param(0), text)
		}
	}
}
