package muc

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/disco"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/xmpptest"
)

const (
	channel = "#c%net@irc.gw"
	phone   = "alice@example.org/phone"
	desk    = "alice@example.org/desk"

	user    = "xmlns='http://jabber.org/protocol/muc#user'"
	muc     = "<x xmlns='http://jabber.org/protocol/muc'/>"
	stanzas = "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'"
)

var ref = core.Ref{Account: "a1", Peer: "#c"}

// spectator is a session without any ability but rooms.
type spectator struct {
	edgetest.Plain
	calls chan string

	mu     sync.Mutex
	refuse error            // what every request is answered with
	state  *core.RoomJoined // the room that it is in
}

func (s *spectator) did(format string, args ...any) error {
	s.mu.Lock()
	err := s.refuse
	s.mu.Unlock()
	s.calls <- fmt.Sprintf(format, args...) // the test may go on, and change its mind
	return err
}

// refusing makes every request fail from now on; nil ends that.
func (s *spectator) refusing(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = err
}

func (s *spectator) Join(_ context.Context, room core.Address, j core.Join) error {
	return s.did("join %s as %s with %q for %v", room, j.Nick, j.Password, j.Origin)
}

func (s *spectator) Leave(_ context.Context, room core.Address, reason string) error {
	return s.did("leave %s: %s", room, reason)
}

func (s *spectator) Rename(_ context.Context, room core.Address, nick string, o core.Origin) error {
	return s.did("rename in %s to %s for %v", room, nick, o)
}

func (s *spectator) Occupant(_ core.Address, nick string) core.Address {
	return core.Address("private-" + nick)
}

// Snapshot implements core.Rooms.
func (s *spectator) Snapshot(room core.Address) (*core.RoomJoined, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == nil || s.state.Peer != room {
		return nil, core.E(core.NotFound, "test: room", "You are not in that room.")
	}
	state := *s.state
	return &state, nil
}

// session is one that may also moderate.
type session struct{ spectator }

func (s *session) SetTopic(ctx context.Context, room core.Address, text string, o core.Origin) error {
	if _, ok := ctx.Deadline(); !ok {
		return s.did("topic without a deadline")
	}
	return s.did("topic of %s: %q for %v", room, text, o)
}

func (s *session) Kick(_ context.Context, room core.Address, nick, reason string) error {
	return s.did("kick %s from %s: %s", nick, room, reason)
}

func (s *session) SetRank(_ context.Context, room core.Address, nick string, r core.Rank) error {
	return s.did("rank of %s in %s: %d", nick, room, r)
}

// hall is the gateway with one session.
type hall struct {
	edgetest.Hall
	session core.Session
}

func (h *hall) With(_ context.Context, _ core.Account, fn func(core.Session) error) error {
	return fn(h.session)
}

// stage is a host server with a domain of rooms, and the network behind it in the test's hands.
type stage struct {
	*xmpptest.Server
	t     *testing.T
	rooms *Rooms
	d     *edge.Domain
	hall  *hall
	net   *spectator
}

// open sets a stage whose session can moderate.
func open(t *testing.T) *stage {
	t.Helper()
	s := &session{spectator{calls: make(chan string, 100)}}
	return openWith(t, s, &s.spectator)
}

func openWith(t *testing.T, s core.Session, net *spectator) *stage {
	t.Helper()
	st := &stage{t: t, Server: xmpptest.New(t), hall: &hall{session: s}, net: net}
	st.rooms = New(st.hall)
	st.d = &edge.Domain{Name: "irc.gw", Network: edgetest.Network(s)}
	h := st.rooms.On(st.d)
	router := xmpp.NewRouter(xmpp.RouterConfig{})
	nobody := xmpp.HandlerFunc(nil)
	router.Message(&edge.Switch{Domain: st.d, Self: nobody, Room: h.Messages()})
	router.Presence(&edge.Switch{Domain: st.d, Self: nobody, Room: h.Presence()})
	h.Register(router, xmpp.Ping())
	disco.New(disco.Config{Domain: st.d, Gateway: st.hall, Rooms: h}).Register(router)
	st.d.Link = xmpptest.Start(t, st.Server, st.d.Name, router)
	return st
}

// show renders what the network says.
func (s *stage) show(e core.Event) {
	s.t.Helper()
	a := edgetest.Account()
	a.Realm = "net"
	var failed error
	err := s.d.Link.Write(func(enc *stream.Encoder) {
		failed = s.rooms.Render(context.Background(), enc, s.d, a, e)
	})
	if err != nil || failed != nil {
		s.t.Fatalf("show %T: %v, %v", e, err, failed)
	}
}

// asked waits for the next request to the session.
func (s *stage) asked(want string) {
	s.t.Helper()
	select {
	case got := <-s.net.calls:
		if got != want {
			s.t.Fatalf("the session was asked\n%q, want\n%q", got, want)
		}
	case <-time.After(s.Patience):
		s.t.Fatalf("the session was not asked %q", want)
	}
}

// quiet fails if a resource of Alice is told anything more, or the session asked.
func (s *stage) quiet() {
	s.t.Helper()
	s.Quiet(phone, s.d.Name)
	select {
	case got := <-s.net.calls:
		s.t.Fatalf("the session was asked %q", got)
	default:
	}
}

// submitted returns the only message that was submitted.
func (s *stage) submitted() *core.Message {
	s.t.Helper()
	s.quiet()
	all := s.hall.Submitted()
	if len(all) != 1 {
		s.t.Fatalf("%d events were submitted, want 1", len(all))
	}
	m, ok := all[0].(*core.Message)
	if !ok {
		s.t.Fatalf("a %T was submitted", all[0])
	}
	return m
}

func presence(from, nick, attrs, inside string) string {
	return fmt.Sprintf("<presence from='%s' to='%s/%s' %s>%s</presence>", from, channel, nick, attrs, inside)
}

// ask sends a join and waits until the session has it.
func (s *stage) ask(from, id string) core.Origin {
	s.t.Helper()
	s.Send(presence(from, "me", "id='"+id+"'", muc))
	o := core.Origin{ID: id, From: from}
	s.asked(fmt.Sprintf(`join #c as me with "" for %v`, o))
	return o
}

// enter takes a resource into the room, with nobody else in it.
func (s *stage) enter(resources ...string) {
	s.t.Helper()
	for _, from := range resources {
		o := s.ask(from, "join")
		s.show(&core.RoomJoined{Ref: ref, Origin: o, Self: core.Member{Nick: "me"}, Asked: "me"})
		s.Expect("<presence from='" + channel + "/me' to='" + from + "'><x " + user + "><status code='110'/></x></presence>")
		s.Expect("<message type='groupchat' to='" + from + "'><subject/></message>")
	}
}
