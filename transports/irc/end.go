package irc

import (
	"context"
	"time"

	"gangway/core"
)

// end takes leave of a connection, or of the try for one, that ended with err: everybody who waits for something
// is told, and what is wanted again next time is kept.
func (s *session) end(ctx context.Context, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stopping := ctx.Err() != nil
	reason := core.AsError(err)
	if stopping {
		reason = core.E(core.Unavailable, "irc: stop", "The gateway is stopping.")
	}
	s.abandon(reason)
	if reason != nil {
		s.dropQueue(reason)
	}
	denied := reason != nil && reason.Kind == core.Denied
	for _, r := range s.rooms {
		s.disconnected(r, reason, denied || stopping)
	}
	s.link, s.away = nil, nil
	s.down = reason
	if denied || stopping {
		s.down = nil // core asks again only when that is worth a try
	}
	if !s.wanted() && len(s.queue) == 0 {
		s.wish, s.private = "", time.Time{}
	}
}

// abandon answers what was written and not answered: nobody knows what became of it.
func (s *session) abandon(reason *core.Error) {
	if s.link == nil {
		return
	}
	for _, r := range append([]*request(nil), s.link.asked...) {
		e := &core.Error{Kind: core.Uncertain, Op: "irc: send",
			Text: "The connection ended before the network said whether it took this."}
		if reason != nil {
			e.Err = reason
		}
		s.answer(r, e, nil)
	}
}

// dropQueue answers what was never written.
func (s *session) dropQueue(reason *core.Error) {
	queue := s.queue
	s.queue = nil
	for _, c := range queue {
		if c.ask != nil {
			s.answer(c.ask, reason, nil)
		}
	}
}

// disconnected is what the end of a connection means for a room. One that was entered is wanted again; one that was
// never entered has failed.
func (s *session) disconnected(r *room, reason *core.Error, final bool) {
	stage := r.stage
	if stage == inside || stage == leaving {
		s.emit(&core.RoomLeft{Ref: s.ref(r.addr), Self: s.self(r), Why: core.Disconnected, Err: reason})
	}
	r.members = nil
	switch {
	case !r.wanted:
		s.refused(r, reason)
	case reason == nil: // asked for while we were quitting
		r.stage = outside
	case final, stage != inside && !r.was:
		s.refused(r, reason)
	default:
		r.stage, r.was = outside, true
	}
}
