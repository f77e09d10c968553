package irc

import (
	"context"
	"slices"
	"strings"
	"time"

	"gopkg.in/irc.v4"

	"gangway/core"
	"gangway/transports/irc/format"
	"gangway/transports/irc/wire"
)

// maxRecent is how many messages of one conversation a session remembers, where it may be asked about them.
const maxRecent = 32

// recent is a message that was heard or said a moment ago.
type recent struct {
	remote core.RemoteID
	author string // folded
	at     time.Time
}

// remember notes a message of a conversation, where the network has names for messages and the means to speak of them.
func (s *session) remember(peer core.Address, m *irc.Message) {
	id := core.RemoteID(m.Tags["msgid"])
	if id == "" || s.link.caps&(capRedaction|capReadMarker) == 0 {
		return
	}
	if s.recent == nil {
		s.recent = map[core.Address][]recent{}
	}
	of, known := s.recent[peer]
	if !known && len(s.recent) >= maxRooms {
		return
	}
	if len(of) >= maxRecent {
		of = slices.Delete(of, 0, len(of)-maxRecent+1)
	}
	s.recent[peer] = append(of, recent{id, s.fold.Fold(m.Name), sentAt(m)})
}

// recalled returns what is remembered of a message.
func (s *session) recalled(peer core.Address, match func(core.RemoteID) bool) (recent, bool) {
	of := s.recent[peer]
	if i := slices.IndexFunc(of, func(r recent) bool { return match(r.remote) }); i >= 0 {
		return of[i], true
	}
	return recent{}, false
}

// onRedact is a message being taken back (draft/message-redaction): by its author, or by an operator.
func (s *session) onRedact(m *irc.Message) {
	id := core.RemoteID(m.Param(1))
	if id == "" {
		return
	}
	if s.mine(m.Name) {
		if r := s.redaction(m); r != nil {
			s.answer(r, nil, nil)
			return
		}
	}
	peer, r := s.conversation(m)
	if isChannel(string(peer)) && (r == nil || !r.shown()) {
		return
	}
	s.emit(s.redacted(m, r, peer))
}

// redacted is a REDACT as the edge knows it; nil if it names nothing.
func (s *session) redacted(m *irc.Message, r *room, peer core.Address) core.Event {
	id := core.RemoteID(m.Param(1))
	if id == "" {
		return nil
	}
	room := r != nil
	e := &core.Retraction{
		Ref: s.ref(peer), IDs: core.IDs{Remote: id}, Room: room, Mine: s.mine(m.Name), At: sentAt(m),
		Moderated: room && s.moderated(r, m.Name, id),
	}
	if len(m.Params) > 2 {
		e.Reason = format.Styled(m.Trailing())
	}
	if room {
		e.Author, e.Person = core.Address(m.Name), s.personOf(r, m.Name)
	}
	return e
}

// redaction finds the request of ours that a REDACT is the echo of.
func (s *session) redaction(m *irc.Message) *request {
	if r := s.link.labelled(m); r != nil {
		return r
	}
	for _, r := range s.link.asked {
		if r.verb == "REDACT" && r.targets[1] == m.Param(1) {
			return r
		}
	}
	return nil
}

// moderated says whether a message was taken back by somebody else than who said it, as far as is known.
func (s *session) moderated(r *room, by string, id core.RemoteID) bool {
	if said, ok := s.recalled(r.addr, func(other core.RemoteID) bool { return other == id }); ok {
		return said.author != s.fold.Fold(by)
	}
	return s.link.support.Rank(s.ranksOf(r, by)) >= core.Half && s.link.support.Rank(s.ranksOf(r, by)) != core.Spectator
}

// Retract takes a message back, one's own or, as an operator, another's.
func (s *session) Retract(ctx context.Context, re *core.Retraction) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.dispatch(context.WithoutCancel(ctx))
	switch {
	case !s.open():
		return s.notConnected()
	case s.link.caps&capRedaction == 0:
		return core.E(core.Unsupported, "irc: redact", s.net.name+" cannot take messages back.")
	case re.Remote == "":
		return core.E(core.NotFound, "irc: redact", "The network has no name for that message, so that it cannot be taken back.")
	case len(s.queue) >= s.t.cfg.Queue:
		return s.tooMuch()
	}
	target, err := s.targetOf(re.Peer)
	if err != nil {
		return err
	}
	s.enqueue(&command{
		Command: wire.Redact(target, string(re.Remote), format.OneLine(re.Reason)),
		ask: &request{verb: "REDACT", targets: [2]string{s.fold.Fold(target), string(re.Remote)}, done: func(e *core.Error) {
			if e != nil {
				s.emit(&core.Receipt{Ref: s.ref(re.Peer), Origin: re.Origin, State: core.Failed, Err: e})
				return
			}
			shown := *re
			shown.Mine, shown.Author, shown.At = true, core.Address(s.nick()), time.Now()
			s.emit(&shown)
		}},
	})
	return nil
}

// Read tells the user's other programs, through the network, up to where they have read (draft/read-marker).
func (s *session) Read(ctx context.Context, r *core.Receipt) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.dispatch(context.WithoutCancel(ctx))
	switch {
	case !s.open():
		return s.notConnected()
	case s.link.caps&capReadMarker == 0:
		return core.E(core.Unsupported, "irc: read", s.net.name+" does not keep what was read.")
	}
	said, ok := s.recalled(r.Peer, func(remote core.RemoteID) bool {
		return remote == r.Remote || r.ID != "" && core.IDFor(s.account.ID, remote) == r.ID
	})
	if !ok || len(s.queue) >= s.t.cfg.Queue {
		return nil // too long ago to matter
	}
	target, err := s.targetOf(r.Peer)
	if err != nil {
		return err
	}
	if s.marked(r.Peer, said.at) {
		s.enqueue(&command{Command: wire.MarkRead(target, said.at.UTC().Format(serverTime))})
	}
	return nil
}

// marked notes up to when a conversation is read: false if that is known.
func (s *session) marked(peer core.Address, at time.Time) bool {
	if !at.After(s.markers[peer]) {
		return false
	}
	if s.markers == nil || len(s.markers) >= maxRooms {
		s.markers = map[core.Address]time.Time{}
	}
	s.markers[peer] = at
	return true
}

// onRead is MARKREAD: another program of the user's has read a conversation up to a moment. What is told is the last
// message that is remembered from before it.
func (s *session) onRead(m *irc.Message) {
	stamp, ok := strings.CutPrefix(m.Param(1), "timestamp=")
	at, err := time.Parse(time.RFC3339Nano, stamp)
	if !ok || err != nil {
		return
	}
	peer := lower(m.Param(0))
	if r := s.room(m.Param(0)); r != nil {
		peer = r.addr
	}
	if !s.marked(peer, at) {
		return
	}
	for _, said := range slices.Backward(s.recent[peer]) {
		if !said.at.After(at) {
			s.emit(&core.Receipt{Ref: s.ref(peer), IDs: core.IDs{Remote: said.remote}, State: core.Read, Mine: true})
			return
		}
	}
}

// serverTime is how IRCv3 server-time writes moments.
const serverTime = "2006-01-02T15:04:05.000Z"
