package irc

import (
	"context"
	"strings"
	"time"

	"gangway/core"
	"gangway/transports/irc/format"
	"gangway/transports/irc/isupport"
	"gangway/transports/irc/wire"
)

const (
	relayCommand = "PRIVMSG "
	defaultUser  = 11 // bytes of a user name with its "~", before ours is known
	defaultHost  = 63
	leastBudget  = 64
)

// Send queues a message, one line of IRC for each of its own; see core.Session. To a room that the account is not
// in it returns an error, and so it does while a lost connection has not come back.
func (s *session) Send(ctx context.Context, m *core.Message) (core.Taken, error) {
	if m.Peer == "" {
		return core.Taken{}, s.sendRaw(ctx, m)
	}
	if change, ok := modeChange(m); ok {
		return core.Taken{}, s.setModes(ctx, m, change)
	}
	chosen := s.choices(ctx)
	return s.submit(ctx, m, chosen, chosen.edits(m.Peer) == editsHold)
}

// submit says a message, or lets it wait for its correction.
func (s *session) submit(ctx context.Context, m *core.Message, chosen choices, wait bool) (core.Taken, error) {
	room := isChannel(string(m.Peer))
	if room && !validChannel(string(m.Peer)) || !room && !validNick(string(m.Peer)) {
		return core.Taken{}, core.E(core.Invalid, "irc: send", "That is neither a channel nor a nick.")
	}
	m = s.pasted(ctx, m, chosen)
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.dispatch(context.WithoutCancel(ctx))
	if err := s.sayable(m); err != nil {
		return core.Taken{}, err
	}
	s.said(m.Peer, m.ID, m.Text)
	if wait && s.open() {
		s.hold(m, chosen)
		return core.Taken{}, nil
	}
	return core.Taken{}, s.speak(m, chosen, nil)
}

// sayable says whether there is a connection, or will be one, and the room.
func (s *session) sayable(m *core.Message) error {
	if s.down != nil {
		return s.down
	}
	if r := s.room(string(m.Peer)); isChannel(string(m.Peer)) && (r == nil || r.stage != inside) {
		return s.notInside(m.Peer)
	}
	return nil
}

// speak queues the lines of a message. fixes are corrections of it that need not be said any more.
func (s *session) speak(m *core.Message, chosen choices, fixes []core.Message) error {
	if err := s.sayable(m); err != nil {
		return err
	}
	target, room := string(m.Peer), isChannel(string(m.Peer))
	if room {
		target = s.room(target).name
	}
	pieces := format.Split(said(m), s.budget(target), chosen.formats(m.Peer))
	switch {
	case len(pieces) == 0:
		return core.E(core.Invalid, "irc: send", "There is nothing in this message that could be sent.")
	case len(pieces) > s.t.cfg.Queue:
		return core.E(core.TooLarge, "irc: send", "This message has too many lines for IRC.")
	case len(s.queue)+len(pieces) > s.t.cfg.Queue:
		return s.tooMuch()
	}
	if !room {
		s.private = time.Now()
		s.met(target)
	}
	o := &outgoing{Ref: m.Ref, id: m.ID, origin: m.Origin, room: room, left: len(pieces), replyTo: m.ReplyTo, fixes: fixes}
	if text, ok := s.whole(pieces); ok {
		s.sayWhole(target, o, pieces, text)
	} else {
		s.say(target, o, pieces)
	}
	return nil
}

// said is what a message says in lines: its text, and where its files are.
func said(m *core.Message) string {
	text := m.Text
	for _, f := range m.Attachments {
		if f.URL != "" && !strings.Contains(text, f.URL) {
			text += "\n" + f.URL
		}
	}
	return text
}

// say queues the lines of a message.
func (s *session) say(target string, o *outgoing, pieces []format.Piece) {
	folded := s.fold.Fold(target)
	for i, p := range pieces {
		line := wire.Privmsg(target, p.Wire)
		if i == 0 {
			line = s.answering(line, o.replyTo)
		}
		s.enqueue(&command{Command: line, ask: &request{
			verb: "PRIVMSG", targets: [2]string{folded},
			part: &part{of: o, first: i == 0, wire: p.Wire, text: p.Text},
		}})
	}
}

// answering adds to a line which message it answers, where the network carries that.
func (s *session) answering(line wire.Command, to core.IDs) wire.Command {
	if to.Remote == "" || s.link == nil || s.link.caps&capTags == 0 || s.link.support.Denies("draft/reply") {
		return line
	}
	return line.With(wire.Tag{Key: tagReply, Value: string(to.Remote)})
}

// budget is how long the text of a line to a target may be, so that the line that the network sends on to others,
// with our prefix, is not cut.
func (s *session) budget(target string) int {
	line, nick, user, host := wire.MaxBody, len(s.nick()), defaultUser, defaultHost
	if l := s.link; l != nil {
		line = l.support.LineLen
		if l.user != "" {
			user, host = len(l.user), len(l.host)
		}
	} else {
		nick = isupport.MaxNick / 2
	}
	prefix := len(":!@ ") + nick + user + host
	return max(leastBudget, line-prefix-len(relayCommand)-len(target)-len(" :\r\n"))
}
