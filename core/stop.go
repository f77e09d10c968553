package core

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
