package irc

import (
	"context"
	"strconv"
	"strings"
	"time"

	"gopkg.in/irc.v4"

	"gangway/core"
	"gangway/transports/irc/format"
	"gangway/transports/irc/wire"
)

const (
	queryWithin = 15 * time.Second // what a person's program may take to answer
	maxQueries  = 20               // unanswered ones, of a session
	maxReply    = 400              // bytes of an answer that are shown
)

var _ core.Querier = (*session)(nil)

// query is a question to somebody's program (CTCP), which is not answered yet.
type query struct {
	who      string // folded
	kind     string
	token    string // of a PING, which comes back
	due      time.Time
	answered func(string, error)
}

// Query asks a person's program something; see core.Querier.
func (s *session) Query(ctx context.Context, peer core.Address, what core.Query, answered func(string, error)) error {
	if !validNick(string(peer)) {
		return core.E(core.Invalid, "irc: query", "That is not a nick.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.dispatch(context.WithoutCancel(ctx))
	switch {
	case !s.open():
		return core.E(core.Unavailable, "irc: query", "You are not connected to "+s.net.name+" at the moment.")
	case len(s.queries) >= maxQueries, len(s.queue) >= s.t.cfg.Queue:
		return s.tooMuch()
	}
	now := time.Now()
	q := &query{who: s.fold.Fold(string(peer)), due: now.Add(queryWithin), answered: answered}
	text := ""
	switch what {
	case core.QueryVersion:
		q.kind = "VERSION"
	case core.QueryTime:
		q.kind = "TIME"
	case core.QueryPing:
		s.pings++
		q.kind, q.token = "PING", strconv.FormatInt(now.Unix(), 10)+strconv.FormatUint(s.pings, 10)
		text = " " + q.token
	default:
		return core.E(core.Unsupported, "irc: query", "That cannot be asked on IRC.")
	}
	s.queries = append(s.queries, q)
	s.enqueue(&command{Command: wire.Privmsg(string(peer), "\x01"+q.kind+text+"\x01"), ask: &request{
		verb: "PRIVMSG", targets: [2]string{q.who}, done: func(e *core.Error) {
			if e != nil {
				s.untold(q, e)
			}
		},
	}})
	s.link.interrupt() // the reader looks at the clock
	return nil
}

// untold ends a query that the network did not take, or that the connection did not outlive.
func (s *session) untold(q *query, e *core.Error) {
	if e.Kind != core.NotFound {
		e = &core.Error{Kind: core.Unavailable, Op: "irc: query", Err: e, Text: e.Text}
	}
	s.replied(q, "", e)
}

// replied ends a query, once.
func (s *session) replied(q *query, text string, err error) {
	for i, other := range s.queries {
		if other == q {
			s.queries = append(s.queries[:i:i], s.queries[i+1:]...)
			s.chore(func(context.Context) error { q.answered(text, err); return nil })
			return
		}
	}
}

// onReply is what somebody's program answers. What nobody asked for is nobody's.
func (s *session) onReply(m *irc.Message, kind, rest string) {
	if !s.mine(m.Param(0)) {
		return
	}
	who := s.fold.Fold(m.Name)
	for _, q := range s.queries {
		if q.who != who || q.kind != kind || q.token != "" && q.token != strings.TrimSpace(rest) {
			continue
		}
		text := ""
		if q.token == "" {
			text = format.OneLine(format.Styled(rest))
			text = text[:wire.RuneStart(text, maxReply)]
		}
		s.replied(q, text, nil)
		return
	}
}

// queriesDue ends the queries that wait for too long, and returns when the next will have.
func (s *session) queriesDue(now time.Time) (next time.Time) {
	for _, q := range append([]*query(nil), s.queries...) {
		switch {
		case !now.Before(q.due):
			s.replied(q, "", core.E(core.Unavailable, "irc: query", "They did not answer."))
		case next.IsZero() || q.due.Before(next):
			next = q.due
		}
	}
	return next
}

// dropQueries ends all queries, as the connection has.
func (s *session) dropQueries() {
	for _, q := range append([]*query(nil), s.queries...) {
		s.replied(q, "", core.E(core.Unavailable, "irc: query", "The connection ended before they answered."))
	}
}
