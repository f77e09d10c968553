package core

import (
	"context"
	"time"
)

const leaveEvery = 100 * time.Millisecond // how often a session that ends answers those who still use it

// Stopper is an Edge that shows what an account has open, such as rooms.
type Stopper interface {
	// Stopped is told that an account's session was ended although the gateway goes on: the account was changed, moved
	// or removed, or its user suspended. What it had open is not there any more. It is quick.
	Stopped(a Account)
}

// stop ends an account's session, if there is one, without waiting.
func (g *Gateway) stop(id AccountID) {
	g.stops.Add(1)
	g.mu.Lock()
	s := g.sessions[id]
	delete(g.sessions, id)
	if o := g.opening[id]; o != nil {
		o.stale = true
		delete(g.opening, id)
	}
	g.mu.Unlock()
	if s == nil {
		return
	}
	s.mu.Lock()
	s.stopped = true
	if s.cancel != nil {
		s.cancel()
	}
	s.mu.Unlock()
	if e, ok := g.voice().(Stopper); ok {
		e.Stopped(s.account)
	}
}

// takeLeave has a session answer for what it was handed when it did not run, or was about to end: ctx has ended, and
// nobody finds the session any more, but those who use it already may hand it something still, or wait for an answer.
func (s *supervisor) takeLeave(ctx context.Context) {
	for last := false; ; {
		_ = s.once(ctx) // whoever waits for something is told
		if last {
			return
		}
		last = s.unused(leaveEvery)
	}
}

// unused waits for so long at most until nobody uses the session.
func (s *supervisor) unused(atMost time.Duration) bool {
	idle := s.idling()
	if idle == nil {
		return true
	}
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-idle:
		return true
	case <-timer.C:
		return false
	}
}

// idling is closed when nobody uses the session any more; nil if nobody does.
func (s *supervisor) idling() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.uses == 0 {
		return nil
	}
	if s.idle == nil {
		s.idle = make(chan struct{})
	}
	return s.idle
}
