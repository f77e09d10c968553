package irc

import (
	"context"
	"strings"
	"time"

	"gopkg.in/irc.v4"

	"gangway/core"
	"gangway/transports/irc/wire"
)

const (
	skew         = 30 * time.Second // by which clocks may differ
	soon         = 24 * time.Hour   // the end of what is asked for: whatever the network's clock says, it is to come
	maxTargets   = 1000             // people who have written in one absence
	targetsAsked = 100              // at once
)

// missing is what is asked for of the private messages of an absence. It goes with the connection.
type missing struct {
	since  time.Time // exclusive
	to     string
	listed int       // of the targets last asked for
	last   time.Time // when the last of them was last written to
	nicks  []string  // to ask for
	pages            // of the first of them
	asking bool      // for the pages of the first
	failed bool      // something was not told: the next connection asks again
	known  map[string]bool
}

// missedPrivately asks who has written in private, or has been written to, since the last message that the user has.
func (s *session) missedPrivately() {
	l := s.link
	if l.caps&capHistory == 0 || l.caps&capBatch == 0 {
		return
	}
	now := time.Now()
	if s.have.At.IsZero() {
		s.have.At = now
		s.keepSeen()
		return
	}
	l.missing = &missing{since: s.have.from(), to: now.Add(soon).UTC().Format(serverTime), known: map[string]bool{}}
	s.have.again()
	s.askTargets()
}

// askTargets asks for the next people, those first who have been silent for longest.
func (s *session) askTargets() {
	l, g := s.link, s.link.missing
	g.listed = 0
	from := g.since
	if !g.last.IsZero() {
		from = g.last.Add(-time.Millisecond)
	}
	s.enqueue(&command{
		Command: wire.HistoryTargets(from.UTC().Format(serverTime), g.to, targetsAsked),
		ask: &request{verb: "CHATHISTORY", done: func(e *core.Error) {
			if s.link != l || l.closed {
				return
			}
			g.failed = g.failed || e != nil && e.Kind == core.Uncertain
			if e == nil && g.listed >= targetsAsked && g.last.After(from.Add(time.Millisecond)) {
				s.askTargets()
				return
			}
			s.askNext()
		}},
	})
}

// onTarget is one line of the answer: "TARGETS target moment". Rooms have their own gaps.
func (s *session) onTarget(m *irc.Message) {
	g := s.link.missing
	if g == nil || !strings.EqualFold(m.Param(0), "TARGETS") {
		return
	}
	g.listed++
	nick := m.Param(1)
	at, err := time.Parse(time.RFC3339Nano, strings.TrimPrefix(m.Param(2), "timestamp="))
	if err == nil && at.After(g.last) {
		g.last = at
	}
	key := s.fold.Fold(nick)
	if s.link.support.IsChannel(nick) || isChannel(nick) || !validNick(nick) || g.known[key] || len(g.nicks) >= maxTargets {
		return
	}
	g.known[key] = true
	g.nicks = append(g.nicks, strings.Clone(nick))
}

// askNext asks for what was said with the next of them, one after the other: the rest of the session goes on meanwhile.
// When all is told, the next absence begins after it.
func (s *session) askNext() {
	g := s.link.missing
	if len(g.nicks) == 0 {
		if !g.failed { // otherwise the absence stays as it was
			s.link.missing = nil
			s.have.settle()
			s.keepSeen()
		}
		return
	}
	g.pages, g.asking = pages{mark: core.Mark{At: g.since}}, true
	s.askPrivately()
}

// askPrivately asks for the next page of one conversation.
func (s *session) askPrivately() {
	l, g := s.link, s.link.missing
	nick := g.nicks[0]
	g.begin()
	g.asked = s.pageSize(g.wide)
	s.enqueue(&command{Command: g.request(nick, false, s.selector(&g.pages)), ask: &request{
		verb: "CHATHISTORY", targets: [2]string{s.fold.Fold(nick)}, done: func(e *core.Error) {
			switch {
			case s.link != l || l.closed || l.missing != g:
				return
			case e != nil && g.mark.Remote != "" && !g.byTime && e.Kind != core.Uncertain:
				g.byTime = true
				s.askPrivately()
				return
			case e == nil && g.advance(false):
				s.askPrivately()
				return
			}
			g.failed = g.failed || e != nil && e.Kind == core.Uncertain
			g.nicks, g.asking = g.nicks[1:], false
			s.askNext()
		},
	}})
}

// privately tells what was said in private while we were away: asked for, or by a bouncer of its own accord. What the
// user has already is not told again.
func (s *session) privately(b *batch) {
	lines := b.lines
	if g := s.link.missing; g != nil && g.asking && s.fold.Fold(b.target()) == s.fold.Fold(g.nicks[0]) {
		lines = g.take(lines)
	}
	for _, m := range lines {
		switch m.Command {
		case "PRIVMSG", "NOTICE":
			text, other := s.readable(m)
			if other || text == "" || len(m.Params) < 2 || s.isServer(m.Prefix) || isChannel(m.Param(0)) {
				continue
			}
			if !s.have.has(s.lineOf(m, m.Param(0))) {
				s.told(m, m.Param(0), text, true)
			}
		case "REDACT":
			s.onRedact(m)
		case "TAGMSG":
			s.onReaction(m)
		}
	}
}

// lineOf is what a private message is known by: its text as it came.
func (s *session) lineOf(m *irc.Message, target string) seenLine {
	peer, mine := m.Name, s.mine(m.Name)
	if mine {
		peer = target
	}
	return newSeenLine(m.Tags["msgid"], string(lower(peer)), mine, m.Trailing(), sentAt(m), false)
}

// seenPrivately notes a private message that the user has now.
func (s *session) seenPrivately(one seenLine) {
	if !s.link.fills() {
		return
	}
	if s.have.add(one); s.link.missing == nil && !s.have.At.IsZero() {
		s.have.settle()
	}
	s.keepSeen()
}

// saidPrivately notes a line of the user's own: the network tells it among what was missed.
func (s *session) saidPrivately(p *part, echo *irc.Message) {
	if s.link == nil {
		return
	}
	if echo != nil {
		s.seenPrivately(s.lineOf(echo, string(p.of.Peer)))
		return
	}
	s.seenPrivately(newSeenLine("", string(p.of.Peer), true, p.wire, time.Now(), true))
}

// seenKey is where it is kept up to when an account has its private messages: the note goes with the account.
func seenKey(id core.AccountID) string { return "seen " + string(id) }

// keepSeen writes the note, after what is noted has been told: in doubt a message is told twice, under one name, and
// never not at all.
func (s *session) keepSeen() {
	if s.keeping {
		return
	}
	s.keeping = true
	s.later(func(ctx context.Context) error {
		s.mu.Lock()
		s.keeping = false
		note, err := s.have.encode()
		s.mu.Unlock()
		if err != nil {
			return err
		}
		return s.t.host.Notes().Put(ctx, seenKey(s.account.ID), note, 0)
	})
}

// loadSeen returns what private messages the account has; zero: that is not known.
func (s *session) loadSeen(ctx context.Context) seen {
	note, err := s.t.host.Notes().Get(ctx, seenKey(s.account.ID))
	if err != nil {
		if core.KindOf(err) != core.NotFound {
			s.t.log.Warn("private messages not found out", "account", s.account.ID, "err", err)
		}
		return seen{}
	}
	return decodeSeen(note)
}
