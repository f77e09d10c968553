package irc

import "context"

// chore queues something that waits for the host, and is therefore done without the session's mutex, by flush. What
// fails is logged: nobody waits for it.
func (s *session) chore(do func(context.Context) error) { s.chores = append(s.chores, do) }

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
