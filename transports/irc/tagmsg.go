package irc

import (
	"context"
	"slices"
	"time"

	"gopkg.in/irc.v4"

	"gangway/core"
	"gangway/transports/irc/wire"
)

// The client-only tags that are written and read (IRCv3 client-tags).
const (
	tagTyping  = "+typing"
	tagReply   = "+draft/reply"
	tagReact   = "+draft/react"
	tagUnreact = "+draft/unreact"
)

const (
	typingLasts  = 6 * time.Second // IRCv3 typing: how long "active" holds without another
	typingEvery  = 3 * time.Second // and how often it may be said
	maxTyping    = 50              // people who are shown to be writing, in all conversations
	maxReactedTo = 50              // messages whose reactions are remembered
	maxReactors  = 100             // people of one message
	maxReactions = 10              // emoji of one person on one message
	maxReaction  = 64              // bytes of one
)

// onTagmsg is a TAGMSG: what has no text.
func (s *session) onTagmsg(m *irc.Message) {
	if m.User == "" && s.isServer(m.Prefix) {
		return
	}
	if s.mine(m.Name) {
		if r := s.link.labelled(m); r != nil {
			s.answer(r, nil, nil)
			return
		}
		if s.echoesTags(m) {
			return // the answer to the barrier behind it tells it
		}
	}
	s.onTyping(m)
	s.onReaction(m)
}

// echoesTags says whether a TAGMSG of ours can be the echo of one whose answer is still awaited.
func (s *session) echoesTags(m *irc.Message) bool {
	target := s.fold.Fold(m.Param(0))
	return slices.ContainsFunc(s.link.asked, func(r *request) bool {
		return r.verb == "TAGMSG" && r.label == "" && r.targets[0] == target
	})
}

// conversation is where a message to a target belongs, and whether that is a room that we are in.
func (s *session) conversation(m *irc.Message) (peer core.Address, r *room) {
	_, target := s.link.support.Channel(m.Param(0))
	if s.link.support.IsChannel(target) {
		if r = s.room(target); r != nil {
			return r.addr, r
		}
		return lower(target), nil
	}
	if s.mine(m.Name) {
		return lower(target), nil
	}
	return lower(m.Name), nil
}

// typist is somebody in a conversation.
type typist struct {
	peer core.Address
	nick string
}

// onTyping shows that somebody writes, or has stopped.
func (s *session) onTyping(m *irc.Message) {
	state, ok := m.Tags[tagTyping]
	if !ok || s.mine(m.Name) {
		return
	}
	peer, r := s.conversation(m)
	if r == nil && isChannel(string(peer)) || r != nil && !r.shown() {
		return
	}
	who := typist{peer, m.Name}
	if state != "active" {
		s.stopped(who)
		return
	}
	l := s.link
	_, on := l.typing[who]
	if !on && len(l.typing) >= maxTyping {
		return
	}
	if l.typing == nil {
		l.typing = map[typist]time.Time{}
	}
	if l.typing[who] = time.Now().Add(typingLasts); !on {
		s.emit(s.typing(who, true))
	}
}

func (s *session) typing(who typist, on bool) *core.Typing {
	t := &core.Typing{Ref: s.ref(who.peer), On: on}
	if isChannel(string(who.peer)) {
		t.Author = core.Address(who.nick)
	}
	return t
}

// stopped shows that somebody does not write any more.
func (s *session) stopped(who typist) {
	if _, on := s.link.typing[who]; !on {
		return
	}
	if delete(s.link.typing, who); len(s.link.typing) == 0 {
		s.link.typing = nil
	}
	s.emit(s.typing(who, false))
}

// stopTyping ends what has not been repeated in time, and returns when the next is over.
func (s *session) stopTyping(now time.Time) (next time.Time) {
	for who, due := range s.link.typing {
		switch {
		case !now.Before(due):
			s.stopped(who)
		case next.IsZero() || due.Before(next):
			next = due
		}
	}
	return next
}

// Typing tells a correspondent that the user writes, where the network carries that.
func (s *session) Typing(ctx context.Context, t *core.Typing) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.dispatch(context.WithoutCancel(ctx))
	target, err := s.taggable(t.Peer, "typing")
	if err != nil {
		return err
	}
	l, now := s.link, time.Now()
	if t.On && now.Sub(l.typed) < typingEvery && l.typedTo == t.Peer || len(s.queue) > 0 {
		return nil // it says nothing new, or would come too late
	}
	state := "done"
	if l.typed, l.typedTo = now, t.Peer; t.On {
		state = "active"
	}
	s.enqueue(&command{Command: wire.Tagmsg(target).With(wire.Tag{Key: tagTyping, Value: state})})
	return nil
}

// taggable returns the target of a conversation to which the network passes a client-only tag on, by its name without
// the "+".
func (s *session) taggable(peer core.Address, tag string) (string, error) {
	switch {
	case !s.open():
		return "", s.notConnected()
	case s.link.caps&capTags == 0 || s.link.support.Denies(tag):
		return "", core.E(core.Unsupported, "irc: tags", s.net.name+" cannot carry that.")
	}
	return s.targetOf(peer)
}

// targetOf is a conversation as the network writes it.
func (s *session) targetOf(peer core.Address) (string, error) {
	if !isChannel(string(peer)) {
		if !validNick(string(peer)) {
			return "", core.E(core.Invalid, "irc: send", "That is neither a channel nor a nick.")
		}
		return string(peer), nil
	}
	r := s.room(string(peer))
	if r == nil || r.stage != inside {
		return "", s.notInside(peer)
	}
	return r.name, nil
}

// reactions are the emoji of everybody on one message.
type reactions struct {
	about core.RemoteID
	of    map[string][]string // by folded nick
}

// reactionsTo finds or makes the reactions to a message. Those to old messages are forgotten.
func (s *session) reactionsTo(about core.RemoteID) *reactions {
	for _, r := range s.reacted {
		if r.about == about {
			return r
		}
	}
	r := &reactions{about: about, of: map[string][]string{}}
	if s.reacted = append(s.reacted, r); len(s.reacted) > maxReactedTo {
		s.reacted = slices.Delete(s.reacted, 0, 1)
	}
	return r
}

// onReaction is an emoji put on a message, or taken back: of the whole set that the edge shows, one at a time.
func (s *session) onReaction(m *irc.Message) {
	peer, r := s.conversation(m)
	if isChannel(string(peer)) && r == nil {
		return
	}
	if e := s.reaction(m, r, peer); e != nil {
		s.emit(e)
	}
}

// reaction is a TAGMSG with an emoji as the edge knows it; nil if it has none, or nothing new.
func (s *session) reaction(m *irc.Message, r *room, peer core.Address) core.Event {
	about := remoteOf(m, tagReply, "+reply")
	add, remove := m.Tags[tagReact], m.Tags[tagUnreact]
	if about == "" || add == "" && remove == "" || len(add) > maxReaction || len(about) > maxReaction*4 {
		return nil
	}
	room := r != nil
	all := s.reactionsTo(about)
	who := s.fold.Fold(m.Name)
	set := all.of[who]
	switch {
	case add != "" && !slices.Contains(set, add) && len(set) < maxReactions && (len(set) > 0 || len(all.of) < maxReactors):
		set = append(slices.Clone(set), add)
	case remove != "" && slices.Contains(set, remove):
		set = slices.DeleteFunc(slices.Clone(set), func(e string) bool { return e == remove })
	default:
		return nil
	}
	all.of[who] = set
	e := &core.Reaction{Ref: s.ref(peer), IDs: core.IDs{Remote: about}, Room: room, Mine: s.mine(m.Name), Emoji: set, At: sentAt(m)}
	if room {
		e.Author, e.Person = core.Address(m.Name), s.personOf(r, m.Name)
	}
	return e
}

// React puts emoji on a message: what is new is added, what is gone is taken back, each in a line of its own.
func (s *session) React(ctx context.Context, re *core.Reaction) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.dispatch(context.WithoutCancel(ctx))
	target, err := s.taggable(re.Peer, "draft/react")
	switch {
	case err != nil:
		return err
	case re.Remote == "":
		return core.E(core.NotFound, "irc: react", "The network has no name for that message, so that nothing can be put on it.")
	}
	all := s.reactionsTo(re.Remote)
	was := all.of[s.fold.Fold(s.nick())]
	var lines []wire.Command
	say := func(tag, emoji string) {
		lines = append(lines, wire.Tagmsg(target).With(wire.Tag{Key: tag, Value: emoji}, wire.Tag{Key: tagReply, Value: string(re.Remote)}))
	}
	for _, e := range re.Emoji {
		if !slices.Contains(was, e) {
			say(tagReact, e)
		}
	}
	for _, e := range was {
		if !slices.Contains(re.Emoji, e) {
			say(tagUnreact, e)
		}
	}
	if len(s.queue)+len(lines) > s.t.cfg.Queue {
		return s.tooMuch()
	}
	s.together(target, lines, func(e *core.Error) {
		if e != nil {
			s.emit(&core.Receipt{Ref: s.ref(re.Peer), Origin: re.Origin, State: core.Failed, Err: e})
			return
		}
		all.of[s.fold.Fold(s.nick())] = slices.Clone(re.Emoji)
		shown := *re
		shown.Mine, shown.Author, shown.At = true, core.Address(s.nick()), time.Now()
		s.emit(&shown)
	})
	return nil
}

// together queues lines to a target whose answers are one answer: the first refusal, or nil after the last.
func (s *session) together(target string, lines []wire.Command, done func(*core.Error)) {
	left := len(lines)
	if left == 0 {
		done(nil)
		return
	}
	failed := false
	for _, line := range lines {
		s.enqueue(&command{Command: line, ask: &request{verb: line.Verb(), targets: [2]string{s.fold.Fold(target)}, done: func(e *core.Error) {
			left--
			if e != nil && !failed {
				failed = true
				done(e)
			} else if left == 0 && !failed {
				done(nil)
			}
		}}})
	}
}
