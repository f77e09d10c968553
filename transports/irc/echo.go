package irc

import (
	"gopkg.in/irc.v4"
)

// onEcho finds what of ours the network shows us, by its label or as the oldest to that target: true if it did.
func (s *session) onEcho(m *irc.Message) bool {
	s.recognise(m.Prefix)
	l := s.link
	if r := l.labelled(m); r != nil && r.part != nil {
		s.answer(r, nil, m)
		return true
	}
	target := s.fold.Fold(m.Param(0))
	var oldest *request
	for _, r := range l.asked {
		if r.label != "" || r.part == nil || r.targets[0] != target {
			continue
		}
		if r.part.wire == m.Trailing() {
			s.answer(r, nil, m)
			return true
		}
		if oldest == nil && l.echoes(r) {
			oldest = r
		}
	}
	if oldest == nil || m.Command != "PRIVMSG" {
		return false
	}
	s.answer(oldest, nil, m)
	return true
}
