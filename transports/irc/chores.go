package irc

import "context"

// chore queues something that waits for the host, and is therefore done without the session's mutex, by flush. What
// fails is logged: nobody waits for it.
func (s *session) chore(do func(context.Context) error) { s.chores = append(s.chores, do) }

// later queues a chore that is done when the events are delivered that were queued before it. A page of history is kept
// so: what has just been said is in it, too, and must be known by then.
func (s *session) later(do func(context.Context) error) {
	s.chore(func(context.Context) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.chore(do)
		return nil
	})
}

// doChores does what has been queued.
func (s *session) doChores(ctx context.Context) {
	s.mu.Lock()
	chores := s.chores
	s.chores = nil
	s.mu.Unlock()
	for _, do := range chores {
		if err := do(ctx); err != nil {
			s.t.log.Warn("not kept", "account", s.account.ID, "err", err)
		}
	}
}
