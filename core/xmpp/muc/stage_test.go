package muc

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/disco"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/privilege"
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
	partly bool             // the list of rooms is still being told
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

func (s *session) Ban(_ context.Context, room core.Address, who, reason string) error {
	return s.did("ban %s from %s: %s", who, room, reason)
}

func (s *session) Unban(_ context.Context, room core.Address, mask string) error {
	return s.did("unban %s from %s", mask, room)
}

func (s *session) Bans(_ context.Context, room core.Address) ([]core.Ban, error) {
	return []core.Ban{{Mask: "*!*@bad.example", Reason: "spam"}, {Mask: "x!*@*"}}, s.did("bans of %s", room)
}

func (s *session) Invite(_ context.Context, room, who core.Address) error {
	return s.did("invite %s to %s", who, room)
}

func (s *session) RoomList(context.Context) ([]core.Listed, bool, error) {
	s.mu.Lock()
	all := !s.partly
	s.mu.Unlock()
	return []core.Listed{{Room: "#small", Members: 2}, {Room: "#big", Members: 2000}}, all, s.did("list")
}

func (s *session) Settings(_ context.Context, room core.Address) (core.Settings, error) {
	return core.Settings{TopicLocked: true, Limit: 5}, s.did("settings of %s", room)
}

func (s *session) Configure(_ context.Context, room core.Address, settings core.Settings) error {
	return s.did("configure %s: %+v", room, settings)
}

// rich is a session that can do everything with messages.
type rich struct {
	session
	edgetest.Full
}

func (r *rich) Run(ctx context.Context) error { return r.session.Run(ctx) }
func (r *rich) Send(ctx context.Context, m *core.Message) (core.Taken, error) {
	return r.session.Send(ctx, m)
}
func (r *rich) Join(ctx context.Context, room core.Address, j core.Join) error {
	return r.session.Join(ctx, room, j)
}
func (r *rich) Leave(ctx context.Context, room core.Address, reason string) error {
	return r.session.Leave(ctx, room, reason)
}
func (r *rich) Rename(ctx context.Context, room core.Address, nick string, o core.Origin) error {
	return r.session.Rename(ctx, room, nick, o)
}
func (r *rich) Occupant(room core.Address, nick string) core.Address {
	return r.session.Occupant(room, nick)
}
func (r *rich) Snapshot(room core.Address) (*core.RoomJoined, error) {
	return r.session.Snapshot(room)
}

// openRich sets a stage whose session can do everything.
func openRich(t *testing.T) *stage {
	t.Helper()
	s := &rich{session: session{spectator{calls: make(chan string, 100)}}}
	return openWith(t, s, &s.spectator)
}

// populate puts the account and two others into the room, as the session knows it.
func (s *stage) populate() {
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	s.net.state = &core.RoomJoined{
		Ref: ref, Self: core.Member{Nick: "me", Address: "me", Rank: core.Voice}, Topic: core.Topic{Text: "Welcome"},
		Members:  []core.Member{{Nick: "Op", Address: "op", Rank: core.Operator}, {Nick: "plain", Address: "plain"}},
		Settings: &core.Settings{Moderated: true},
	}
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

	archive memory
	notes   notes
	chosen  chosen
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
	st.rooms = New(Config{Gateway: st.hall, Archive: &st.archive, Secret: []byte("secret"), Notes: func(string) core.Notes { return &st.notes }, Choices: &st.chosen})
	st.d = &edge.Domain{Name: "irc.gw", Network: edgetest.Network(s)}
	h := st.rooms.On(st.d)
	router := xmpp.NewRouter(xmpp.RouterConfig{})
	nobody := xmpp.HandlerFunc(nil)
	messages := &edge.Switch{Domain: st.d, Self: nobody, Contact: st, Room: h.Messages()}
	h.Invitations(router, messages)
	st.d.Privileges = privilege.New(privilege.Config{Domain: st.d.Name, Host: "example.org"})
	st.d.Privileges.Register(router, messages)
	router.Presence(&edge.Switch{Domain: st.d, Self: nobody, Room: h.Presence()})
	h.Register(router, xmpp.Ping())
	for _, typ := range []string{"get", "set"} {
		router.IQ(typ, nsRegister, "query", h.Registration())
	}
	disco.New(disco.Config{Domain: st.d, Gateway: st.hall, Rooms: h}).Register(router)
	st.d.Link = xmpptest.Start(t, st.Server, st.d.Name, router)
	st.d.Privileges.Attach(st.d.Link)
	return st
}

// ServeTarget takes what is said to correspondents.
func (s *stage) ServeTarget(context.Context, xmpp.Sender, *stream.Stanza, core.Target) error {
	return nil
}

// memory is an archive that is forgotten.
type memory struct {
	mu  sync.Mutex
	all []core.Archived
}

func (m *memory) Append(_ context.Context, e core.Archived) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = append(m.all, e)
	return nil
}

func (m *memory) Last(_ context.Context, room core.Ref, n int, since time.Time) ([]core.Archived, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []core.Archived
	for _, e := range m.all {
		if e.Event.Where() == room && !e.At.Before(since) {
			found = append(found, e)
		}
	}
	return found[max(0, len(found)-n):], nil
}

func (m *memory) Find(_ context.Context, room core.Ref, name string) (core.Archived, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range slices.Backward(m.all) {
		if said, ok := e.Event.(*core.Message); ok && said.Ref == room &&
			(string(said.ID) == name || string(said.Remote) == name || said.Origin.ID == name) {
			return e, nil
		}
	}
	return core.Archived{}, core.E(core.NotFound, "test: archive", "")
}

// notes are a network's, in memory.
type notes struct {
	mu  sync.Mutex
	all map[string][]byte
}

func (n *notes) Put(_ context.Context, key string, value []byte, _ time.Duration) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.all == nil {
		n.all = map[string][]byte{}
	}
	n.all[key] = value
	return nil
}

func (n *notes) Get(_ context.Context, key string) ([]byte, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if v, ok := n.all[key]; ok {
		return v, nil
	}
	return nil, core.E(core.NotFound, "test: notes", "")
}

func (n *notes) Delete(_ context.Context, key string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.all, key)
	return nil
}

// chosen is what Alice chose.
type chosen struct {
	mu sync.Mutex
	p  core.Preferences
}

func (c *chosen) Preferences(context.Context, core.UserID, string) (core.Preferences, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.p
	p.Own = maps.Clone(p.Own)
	return p, nil
}

func (c *chosen) ChangePreferences(_ context.Context, _ core.UserID, _ string, change func(*core.Preferences) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.p
	p.Own = maps.Clone(p.Own)
	if err := change(&p); err != nil {
		return err
	}
	c.p = p
	return nil
}

// own sets what Alice chose.
func (c *chosen) own(pairs ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.p.Own = map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		c.p.Own[pairs[i]] = pairs[i+1]
	}
}

// show renders what the network says.
func (s *stage) show(e core.Event) {
	s.t.Helper()
	a := edgetest.Account()
	a.Realm = "net"
	var failed error
	err := s.d.InTurn(a.ID, func(enc *stream.Encoder) {
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
func (s *stage) enter(resources ...string) { s.t.Helper(); s.enterAs(core.Plain, resources...) }

func (s *stage) enterAs(rank core.Rank, resources ...string) {
	s.t.Helper()
	for _, from := range resources {
		o := s.ask(from, "join")
		s.show(&core.RoomJoined{Ref: ref, Origin: o, Self: core.Member{Nick: "me", Rank: rank}, Asked: "me"})
		s.Expect("<presence from='" + channel + "/me' to='" + from + "'><x " + user + "><status code='110'/></x></presence>")
		s.Expect("<message type='groupchat' to='" + from + "'><subject/></message>")
	}
}
