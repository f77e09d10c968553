package irc

import (
	"context"
	"strconv"
	"strings"
	"time"

	"gangway/core"
	"gangway/transports/irc/format"
	"gangway/transports/irc/isupport"
	"gangway/transports/irc/wire"
)

// operationWithin is how long a caller of Kick or SetRank waits for the network at most. Later words of the network
// about it reach the user as a notice.
const operationWithin = 30 * time.Second

// Rename asks for another nick, on the whole network.
func (s *session) Rename(ctx context.Context, addr core.Address, nick string, o core.Origin) error {
	if !validNick(nick) {
		return core.E(core.Invalid, "irc: nick", "That cannot be a nick: it has a character that IRC does not allow there.")
	}
	if most := s.mostNick(); len(nick) > most {
		return core.E(core.Invalid, "irc: nick", "A nick has at most "+strconv.Itoa(most)+" characters on this network.")
	}
	return s.request(ctx, addr, o, func(*room) *command {
		return &command{
			Command: wire.Nick(nick), ask: &request{verb: "NICK", targets: [2]string{s.fold.Fold(nick)}},
		}
	}, func() { s.wish = nick })
}

// mostNick is the network's NICKLEN. A longer nick would be cut, and not be the one that was asked for.
func (s *session) mostNick() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.link == nil {
		return isupport.MaxNick
	}
	return s.link.support.NickLen
}

// SetTopic asks for another topic.
func (s *session) SetTopic(ctx context.Context, addr core.Address, text string, o core.Origin) error {
	return s.request(ctx, addr, o, func(r *room) *command {
		return s.operation(r, "", wire.Topic(r.name, format.OneLine(text)))
	}, func() {})
}

// request queues a command whose effect the room will show; its refusal is a receipt for whoever asked.
func (s *session) request(ctx context.Context, addr core.Address, o core.Origin, build func(*room) *command, granted func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.dispatch(context.WithoutCancel(ctx))
	r := s.room(string(addr))
	switch {
	case !s.open():
		return s.notConnected()
	case r == nil || r.stage != inside:
		return s.notInside(addr)
	case len(s.queue) >= s.t.cfg.Queue:
		return s.tooMuch()
	}
	c := build(r)
	c.ask.done = func(e *core.Error) {
		if e == nil {
			granted()
			return
		}
		s.emit(&core.Receipt{Ref: s.ref(addr), Origin: o, State: core.Failed, Err: e})
	}
	s.enqueue(c)
	return nil
}

// Kick removes somebody from a room and waits for the network's answer.
func (s *session) Kick(ctx context.Context, addr core.Address, nick, reason string) error {
	if !validNick(nick) {
		return noSuchMember(nick)
	}
	return s.inRoom(ctx, addr, func(r *room) ([]*command, error) {
		return []*command{s.operation(r, nick, wire.Kick(r.name, nick, format.OneLine(reason)))}, nil
	})
}

// SetRank changes a member's modes to those of a rank, in as few commands as the network allows, and waits for the
// network's answer.
func (s *session) SetRank(ctx context.Context, addr core.Address, nick string, rank core.Rank) error {
	return s.inRoom(ctx, addr, func(r *room) ([]*command, error) {
		m, ok := r.members.get(s.key(nick))
		if s.mine(nick) {
			m, ok = r.self, true
		}
		if !ok {
			return nil, noSuchMember(nick)
		}
		signs, modes, err := s.rankModes(m.ranks, rank)
		if err != nil {
			return nil, err
		}
		return s.modeCommands(r, nick, signs, modes), nil
	})
}

func noSuchMember(nick string) error {
	return core.E(core.NotFound, "irc: room", "There is no "+wire.Bare(nick)+" in this channel.")
}

// rankModes returns the changes that turn a set of prefix modes into a rank: what gives it first, then what exceeds
// it, so that nobody is without a rank in between.
func (s *session) rankModes(now isupport.Ranks, rank core.Rank) (signs, modes string, err error) {
	support := &s.link.support
	var give byte
	switch rank {
	case core.Owner:
		give = 'q'
	case core.Operator:
		give = 'o'
	case core.Half:
		give = 'h'
	case core.Voice:
		give = 'v'
	}
	if give != 0 && support.Bit(give) == 0 {
		return "", "", core.E(core.Unsupported, "irc: mode", "This network does not have that rank.")
	}
	if give != 0 && now&support.Bit(give) == 0 {
		signs, modes = "+", string(give)
	}
	for i := range len(support.Modes) {
		mode := support.Modes[i]
		if mode == give {
			break
		}
		if now&support.Bit(mode) != 0 {
			signs, modes = signs+"-", modes+string(mode)
		}
	}
	return signs, modes, nil
}

// modeCommands writes changes of one member's modes: "+v-o nick nick".
func (s *session) modeCommands(r *room, nick, signs, modes string) []*command {
	var all []*command
	for len(modes) > 0 {
		n := min(len(modes), s.link.support.PerMode)
		var change strings.Builder
		params := []string{""}
		for i := range n {
			change.WriteByte(signs[i])
			change.WriteByte(modes[i])
			params = append(params, nick)
		}
		params[0] = change.String()
		all = append(all, s.operation(r, nick, wire.Mode(r.name, params...)))
		signs, modes = signs[n:], modes[n:]
	}
	return all
}

// operation is a command about a room, and perhaps somebody in it, that somebody waits for.
func (s *session) operation(r *room, nick string, c wire.Command) *command {
	return &command{Command: c, ask: &request{
		verb: c.Verb(), targets: [2]string{s.fold.Fold(r.name), s.fold.Fold(nick)},
	}}
}

// inRoom performs commands in a room that we are in.
func (s *session) inRoom(ctx context.Context, addr core.Address, commands func(*room) ([]*command, error)) error {
	return s.perform(ctx, addr, func() ([]*command, error) {
		r := s.room(string(addr))
		if r == nil || r.stage != inside {
			return nil, s.notInside(addr)
		}
		return commands(r)
	})
}

// notInside says why nothing can be done in a room. One that was lost with its connection is being entered again: who is
// shown to be in it must not be told that they are not.
func (s *session) notInside(addr core.Address) error {
	if r := s.room(string(addr)); r != nil && r.was && r.wanted {
		return core.E(core.Unavailable, "irc: room", "The gateway is just entering "+string(addr)+" again. Nothing was said or changed; please try again.")
	}
	return core.E(core.NotFound, "irc: room", "You are not in "+string(addr)+".")
}

// perform writes commands and waits until the network has answered them all, for the first refusal, or for ctx.
func (s *session) perform(ctx context.Context, addr core.Address, commands func() ([]*command, error)) error {
	answers, n, err := s.begin(addr, commands)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, operationWithin)
	defer cancel()
	for range n {
		select {
		case e := <-answers.ch:
			if e != nil {
				s.give(answers)
				return e
			}
		case <-ctx.Done():
			s.give(answers)
			return core.Wrap(core.Unavailable, "irc: wait for the network", ctx.Err())
		}
	}
	return nil
}

// answers are what comes of the commands of one operation.
type answers struct {
	ch   chan *core.Error
	left bool // the caller does not wait any more
}

// begin queues the commands of an operation.
func (s *session) begin(addr core.Address, commands func() ([]*command, error)) (*answers, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.open() {
		return nil, 0, s.notConnected()
	}
	all, err := commands()
	if err != nil {
		return nil, 0, err
	}
	if len(s.queue)+len(all) > s.t.cfg.Queue {
		return nil, 0, s.tooMuch()
	}
	a := &answers{ch: make(chan *core.Error, len(all))}
	for _, c := range all {
		c.ask.done = func(e *core.Error) {
			if a.left && e != nil {
				s.notice(addr, e.Sentence())
				return
			}
			a.ch <- e
		}
		s.enqueue(c)
	}
	return a, len(all), nil
}

// give up waiting: what the network says from now on goes to the user as a notice.
func (s *session) give(a *answers) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.left = true
}

// notConnected is the reason why nothing can be said at the moment.
func (s *session) notConnected() error {
	if s.down != nil {
		return s.down
	}
	return core.E(core.Unavailable, "irc: send", "The connection to "+s.net.name+" is not ready yet. Please try again in a moment.")
}

func (s *session) tooMuch() error {
	return core.E(core.OverLimit, "irc: send",
		"Too many lines wait to be sent to "+s.net.name+", which takes only a few at a time. Please wait a moment.")
}
