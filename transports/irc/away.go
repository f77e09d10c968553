package irc

import (
	"context"

	"gangway/core"
	"gangway/transports/irc/format"
	"gangway/transports/irc/wire"
)

// SetPresence shows the user's availability on the network, which knows two: there, or away for a reason. It holds over
// connections.
func (s *session) SetPresence(ctx context.Context, p *core.Presence) error {
	text := ""
	switch p.Show {
	case core.Away:
		text = "Away"
	case core.ExtendedAway:
		text = "Away for longer"
	case core.Busy:
		text = "Busy"
	case core.Offline:
		text = "Offline"
	}
	if said := format.OneLine(p.Text); text != "" && said != "" {
		text = said
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.dispatch(context.WithoutCancel(ctx))
	if text == s.absent {
		return nil
	}
	s.absent = text
	switch {
	case !s.open():
		return nil // said when connected
	case len(s.queue) >= s.t.cfg.Queue:
		return s.tooMuch()
	}
	s.enqueue(&command{Command: wire.Away(text)})
	return nil
}

// beAway says that the user is away, on a connection that does not know it yet.
func (s *session) beAway() {
	if s.absent != "" {
		s.enqueue(&command{Command: wire.Away(s.absent)})
	}
}
