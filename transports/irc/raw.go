package irc

import (
	"context"
	"strings"

	"gopkg.in/irc.v4"

	"gangway/core"
	"gangway/transports/irc/format"
	"gangway/transports/irc/wire"
)

// rawWords is the most that is told of the answer to a raw command.
const rawWords = 50

// sendRaw writes a command that a user wrote to the network itself, where the administrator allows that. What comes of
// it is told as the network's notices.
func (s *session) sendRaw(ctx context.Context, m *core.Message) error {
	if !s.t.cfg.RawCommands {
		return core.E(core.Denied, "irc: raw", "Commands of IRC cannot be written here. Enter a channel, or write to somebody.")
	}
	line := strings.TrimSpace(m.Text)
	c, err := ownCommand(line)
	if err != nil {
		e := core.AsError(err)
		if e.Text == "" {
			e = core.E(core.Invalid, "irc: raw", "That is not a command of IRC, such as: WHOIS nick")
		}
		return e
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.dispatch(context.WithoutCancel(ctx))
	switch {
	case s.down != nil:
		return s.down
	case len(s.queue) >= s.t.cfg.Queue:
		return s.tooMuch()
	}
	ref, id, origin := m.Ref, m.ID, m.Origin
	s.enqueue(&command{Command: c, ask: &request{verb: c.Verb(), raw: rawWords, done: func(e *core.Error) {
		r := &core.Receipt{Ref: ref, IDs: core.IDs{ID: id}, Origin: origin, State: core.Delivered}
		if e != nil {
			r.State, r.Err = core.Failed, e
		}
		s.emit(r)
	}}})
	return nil
}

// answersRaw tells a numeric that nothing else asked for, while a raw command is unanswered.
func (s *session) answersRaw(m *irc.Message) {
	if len(m.Command) != 3 || len(m.Params) < 2 {
		return
	}
	for _, r := range s.link.asked {
		if r.raw > 0 && (r.label == "" || s.link.labelled(m) == r) {
			r.raw--
			s.notice("", format.Styled(wire.Bare(strings.Join(m.Params[1:len(m.Params)-1], " "))+" "+m.Trailing()))
			return
		}
	}
}
