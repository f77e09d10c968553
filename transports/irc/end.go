package irc

import (
	"context"
	"errors"
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
	if refusal := (*core.Error)(nil); stopping && errors.As(context.Cause(ctx), &refusal) {
		stopping, reason = false, refusal
	} else if stopping {
		reason = core.E(core.Unavailable, "irc: stop", "The gateway is stopping.")
	}
	s.abandon(reason)
	s.dropQueries()
	if reason != nil {
		s.dropQueue(reason)
	}
	denied := reason != nil && reason.Kind == core.Denied
	switch {
	case stopping:
		s.rooms = map[string]*room{} // the edge tells its clients itself
	default:
		for _, r := range s.rooms {
			s.disconnected(r, reason, denied)
		}
	}
	for _, r := range s.rooms {
		r.gap, r.admitted = nil, false // what is not filled stays open
	}
	s.link, s.away, s.list = nil, nil, nil
	s.down = reason
	if denied && !stopping {
		s.down = nil // core asks again only when that is worth a try
	}
	if !s.wanted() && len(s.queue) == 0 {
		s.wish, s.named, s.private = "", false, time.Time{}
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
	for _, h := range s.waiting {
		s.unsaid(h, reason)
	}
	s.waiting = nil
	queue := s.queue
	s.queue = nil
	for _, c := range queue {
		if c.ask != nil {
			s.answer(c.ask, reason, nil)
		}
	}
}

// disconnected is what the end of a connection means for a room. One that was entered is wanted again, unless the
// network will not have us; one that was never entered has failed.
func (s *session) disconnected(r *room, reason *core.Error, final bool) {
	was := r.was || r.stage == inside
	switch {
	case r.stage == leaving && !r.wanted:
		s.left(r, &core.RoomLeft{Why: core.Left})
	case !r.wanted:
		s.forget(r)
	case reason == nil: // asked for while we were quitting
		r.stage = outside
	case final || !was:
		r.was = was
		s.refused(r, reason)
	case r.stage != inside:
		r.stage, r.members = outside, nil
	default:
		s.settle(r, time.Now(), true)
		s.emit(&core.RoomLeft{Ref: s.ref(r.addr), Self: s.self(r), Why: core.Disconnected, Err: reason})
		r.stage, r.was, r.before, r.members = outside, true, r.members, nil
	}
}
