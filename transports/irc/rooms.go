package irc

import (
	"context"
	"slices"
	"strings"
	"time"

	"gangway/core"
	"gangway/transports/irc/format"
	"gangway/transports/irc/isupport"
	"gangway/transports/irc/wire"
)

const (
	maxRooms = 250
	maxAsks  = 50  // who wait for one room
	maxWho   = 300 // rooms with more members are not asked for their members' hosts
)

// stage is how far a room is entered or left.
type stage uint8

const (
	outside stage = iota // wanted; not asked for, since there is no connection
	joining              // JOIN is written or queued
	inside               // its whole state is known and shown
	leaving              // PART is written or queued
)

// room is a channel that is wanted, or that the network has put us in.
type room struct {
	addr    core.Address // as the user addresses it
	name    string       // as the network spells it
	key     string       // the password
	stage   stage
	since   time.Time // when it was asked for
	unasked bool      // the network put us there, and the edge knows nothing of it
	wanted  bool      // somebody of the account asked for it
	who     bool      // its members' hosts have been asked for
	was     bool      // it was entered before the connection was lost
	asks    []ask     // who wait for it
	self    member
	members members // without ourselves
	before  members // who was there when the connection was lost
	known   string  // the nick that the edge knows us by there
	topic   core.Topic

	settings *core.Settings  // nil: the network has not said
	bans     *[]core.Ban     // where those that were asked for go
	banning  name            // who is being removed together with a ban
	parted   map[name]parted // who was lost in a netsplit
	gap      *gap            // nil: nothing of its history is being filled
	admitted bool            // the network has let us in, in this connection
	claims   map[name]bool   // nicks that members are known by who have another now
}

// ask is somebody who waits to enter a room.
type ask struct {
	origin core.Origin
	nick   string
}

// Join enters a room; see core.Rooms. Without a connection it waits for it, except when the last try for one failed
// and the room is a new one: then the reason is returned.
func (s *session) Join(ctx context.Context, addr core.Address, j core.Join) error {
	if !isChannel(string(addr)) || !validChannel(string(addr)) {
		return core.E(core.Invalid, "irc: join", "That is not the name of a channel.")
	}
	if strings.ContainsAny(j.Password, " ,\r\n\x00") || strings.HasPrefix(j.Password, ":") {
		return core.E(core.Denied, "irc: join", "The password of a channel has no spaces, commas or line ends.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.dispatch(context.WithoutCancel(ctx))
	if j.Nick != "" {
		s.want(j.Nick)
	}
	key := s.fold.Fold(string(addr))
	r := s.rooms[key]
	switch {
	case r == nil && s.down != nil:
		return s.down
	case r == nil && len(s.rooms) >= maxRooms, r != nil && len(r.asks) >= maxAsks, len(s.queue) >= s.t.cfg.Queue:
		return core.E(core.OverLimit, "irc: join", "You are in, or on your way into, too many channels already.")
	case r == nil:
		r = &room{addr: addr, name: string(addr)}
		s.rooms[key] = r
	}
	seen := !r.unasked
	r.wanted, r.unasked = true, false
	r.key = firstOf(j.Password, r.key)
	one := ask{origin: j.Origin, nick: j.Nick}
	if r.stage == inside && !seen && s.open() && s.link.fills() {
		r.asks = append(r.asks, one)
		s.revealed(r)
		return nil
	}
	if r.stage == inside {
		s.settle(r, time.Now(), true)
		s.emit(s.snapshot(r, one))
		return nil
	}
	r.asks = append(r.asks, one)
	if r.stage == outside && s.open() {
		s.enter(r)
	}
	return nil
}

// Snapshot is a room as it is now; see core.Rooms.
func (s *session) Snapshot(addr core.Address) (*core.RoomJoined, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.room(string(addr))
	if r == nil || !r.shown() {
		return nil, s.notInside(addr)
	}
	known := r.known
	defer func() { r.known = known }() // nobody is shown it
	return s.snapshot(r, ask{}), nil
}

// Leave leaves a room; see core.Rooms.
func (s *session) Leave(ctx context.Context, addr core.Address, reason string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.dispatch(context.WithoutCancel(ctx))
	r := s.room(string(addr))
	if r == nil {
		return core.E(core.NotFound, "irc: leave", "You are not in "+string(addr)+".")
	}
	s.sayHeld(func(h *held) bool { return h.m.Peer == r.addr })
	r.wanted, r.asks = false, nil
	switch r.stage {
	case outside:
		s.left(r, &core.RoomLeft{Why: core.Left, Reason: reason})
	case joining, inside:
		r.stage = leaving
		s.enqueue(&command{Command: wire.Part(r.name, format.OneLine(reason))})
	}
	return nil
}

func optional(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

// Occupant is the one address of a person, wherever they are met.
func (s *session) Occupant(_ core.Address, nick string) core.Address { return lower(nick) }

// room finds a room by any of its spellings.
func (s *session) room(channel string) *room { return s.rooms[s.fold.Fold(channel)] }

// open says whether the network would take a line now.
func (s *session) open() bool { return s.link != nil && s.link.ready && s.link.quit.IsZero() }

// refold files the rooms under the network's own folding.
func (s *session) refold(c isupport.Casemap) {
	s.fold = c
	rooms := make(map[string]*room, len(s.rooms))
	for _, r := range s.rooms {
		rooms[c.Fold(r.name)] = r
	}
	s.rooms = rooms
}

// enter asks the network to let us in.
func (s *session) enter(r *room) {
	r.stage, r.admitted = joining, false
	r.reset()
	join := func() {
		if r.stage == joining && !r.admitted {
			s.enqueue(&command{Command: wire.Join([]string{r.name}, optional(r.key))})
		}
	}
	if !s.link.fills() {
		join()
		return
	}
	s.afterMarks([]*room{r}, join)
}

// reset forgets who and what is in the room.
func (r *room) reset() {
	r.members, r.topic, r.who, r.since = nil, core.Topic{}, false, time.Now()
	r.settings, r.banning, r.parted, r.claims = nil, name{}, nil, nil
}

// enterAll asks for all wanted rooms, in as few lines as they fit in: those with keys first, as JOIN's grammar wants.
func (s *session) enterAll() {
	var all []*room
	for _, r := range s.rooms {
		if r.stage == outside {
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		return
	}
	for _, r := range all {
		r.stage = joining
		r.reset()
	}
	if !s.link.fills() {
		s.joinAll(all)
		return
	}
	s.afterMarks(all, func() {
		s.joinAll(slices.DeleteFunc(all, func(r *room) bool { return r.stage != joining || r.admitted }))
	})
}

// joinAll asks to be let into rooms.
func (s *session) joinAll(all []*room) {
	slices.SortFunc(all, func(a, b *room) int {
		if (a.key == "") != (b.key == "") {
			if a.key == "" {
				return 1
			}
			return -1
		}
		return strings.Compare(a.name, b.name)
	})
	var names, keys []string
	size := 0
	send := func() {
		if len(names) > 0 {
			s.enqueue(&command{Command: wire.Join(names, keys)})
		}
		names, keys, size = nil, nil, 0
	}
	for _, r := range all {
		if size += len(r.name) + len(r.key) + 2; size > 400 || len(names) == 10 {
			send()
			size = len(r.name) + len(r.key) + 2
		}
		names = append(names, r.name)
		if r.key != "" {
			keys = append(keys, r.key)
		}
	}
	send()
}

// snapshot is the whole room for one who asked; for everybody if a is zero.
func (s *session) snapshot(r *room, a ask) *core.RoomJoined {
	r.known = s.nick()
	j := &core.RoomJoined{
		Ref: s.ref(r.addr), Origin: a.origin, Asked: a.nick, Topic: r.topic,
		Self: s.self(r), Members: make([]core.Member, 0, len(r.members)),
	}
	if r.settings != nil {
		known := *r.settings
		j.Settings = &known
	}
	for m := range r.members.each {
		j.Members = append(j.Members, s.shown(m))
	}
	slices.SortFunc(j.Members, func(a, b core.Member) int { return strings.Compare(a.Nick, b.Nick) })
	return j
}

// self is the account in a room.
func (s *session) self(r *room) core.Member {
	m := s.shown(r.self)
	m.Nick = s.nick()
	m.Address = lower(m.Nick)
	return m
}

// entered shows a room whose state is complete: to those who wait, and after a loss to everybody who was in it.
func (s *session) entered(r *room) {
	if r.stage != joining || r.waits() {
		return
	}
	r.stage = inside
	if r.unasked && len(r.asks) == 0 { // by a bouncer, or by services
		s.emit(&core.Invited{Ref: s.ref(r.addr)})
	}
	if r.was {
		s.returned(r)
	}
	for _, a := range r.asks {
		s.emit(s.snapshot(r, a))
	}
	r.asks, r.was = nil, false
}

// returned shows everybody that we are back in a room: first who is not there any more.
func (s *session) returned(r *room) {
	for one := range r.before.each {
		if _, ok := r.members.get(one.key); !ok {
			s.changed(r, &core.MemberChanged{Change: core.Went, Member: s.shown(one), Why: core.Left})
		}
	}
	if now := s.nick(); r.known != now {
		s.changed(r, &core.MemberChanged{Change: core.Renamed, Member: s.self(r), Old: r.known, Mine: true})
	}
	r.before = nil
	s.emit(s.snapshot(r, ask{nick: s.wish}))
}

// refused tells those who wait for a room that they will not get in, and forgets it.
func (s *session) refused(r *room, e *core.Error) {
	self := s.self(r)
	if r.was {
		s.emit(&core.RoomLeft{Ref: s.ref(r.addr), Self: self, Why: core.NotJoined, Err: e})
	}
	for _, a := range r.asks {
		s.emit(&core.RoomLeft{Ref: s.ref(r.addr), Origin: a.origin, Self: self, Why: core.NotJoined, Err: e})
	}
	r.asks = nil
	s.forget(r)
}

func (s *session) forget(r *room) {
	for key, other := range s.rooms {
		if other == r {
			delete(s.rooms, key)
		}
	}
}

// left shows that we are out of a room, to everybody, and forgets it, unless somebody came back meanwhile.
func (s *session) left(r *room, e *core.RoomLeft) {
	if e.Ref, e.Self = s.ref(r.addr), s.self(r); !r.unasked {
		s.emit(e)
	}
	r.was, r.known, r.before = false, "", nil
	if len(r.asks) > 0 && s.open() {
		s.enter(r)
		return
	}
	if len(r.asks) > 0 {
		r.stage = outside
		return
	}
	s.forget(r)
}

// orNow is t, or the present where t is not known.
func orNow(t time.Time) time.Time {
	if t.IsZero() {
		return time.Now()
	}
	return t
}
