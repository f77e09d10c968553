package irc

import "gangway/core"

var _ core.Narrower = (*session)(nil)

// Narrow takes out what the network has no means for. Between connections nothing is known, and nothing is taken out:
// what is asked then is refused with a reason that passes.
func (s *session) Narrow(c *core.Caps) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.link
	if l == nil || !l.ready {
		return
	}
	tags := l.caps&capTags != 0
	if !tags || l.support.Denies("typing") {
		c.TypingSender = nil
	}
	if !tags || l.support.Denies("draft/react") {
		c.Reactor = nil
	}
	if l.caps&capRedaction == 0 {
		c.Retractor = nil
	}
	if l.caps&capReadMarker == 0 {
		c.ReadMarker = nil
	}
}
