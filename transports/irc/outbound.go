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
	room := isChannel(string(m.Peer))
	if room && !validChannel(string(m.Peer)) || !room && !validNick(string(m.Peer)) {
		return core.Taken{}, core.E(core.Invalid, "irc: send", "That is neither a channel nor a nick.")
	}
	formats := s.formats(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.dispatch(context.WithoutCancel(ctx))
	if s.down != nil {
		return core.Taken{}, s.down
	}
	target := string(m.Peer)
	if room {
		r := s.room(target)
		if r == nil || r.stage != inside {
			return core.Taken{}, notInside(m.Peer)
		}
		target = r.name
	}
	pieces := format.Split(said(m), s.budget(target), formats)
	switch {
	case len(pieces) == 0:
		return core.Taken{}, core.E(core.Invalid, "irc: send", "There is nothing in this message that could be sent.")
	case len(pieces) > s.t.cfg.Queue:
		return core.Taken{}, core.E(core.TooLarge, "irc: send", "This message has too many lines for IRC.")
	case len(s.queue)+len(pieces) > s.t.cfg.Queue:
		return core.Taken{}, s.tooMuch()
	}
	if !room {
		s.private = time.Now()
		s.met(target)
	}
	if text, ok := s.whole(pieces); ok {
		s.sayWhole(target, m, room, pieces, text)
	} else {
		s.say(target, m, room, pieces)
	}
	return core.Taken{}, nil
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
func (s *session) say(target string, m *core.Message, room bool, pieces []format.Piece) {
	o := &outgoing{Ref: m.Ref, id: m.ID, origin: m.Origin, room: room, left: len(pieces), replyTo: m.ReplyTo}
	folded := s.fold.Fold(target)
	for i, p := range pieces {
		line := wire.Privmsg(target, p.Wire)
		if i == 0 {
			line = s.answering(line, m.ReplyTo)
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
