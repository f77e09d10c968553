package edge_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/xmpptest"
	"gangway/transports/loopback"
)

// told counts what a renderer is asked to show.
type told struct{ events atomic.Int32 }

func (r *told) Render(context.Context, *stream.Encoder, *edge.Domain, core.Account, core.Event) error {
	r.events.Add(1)
	return nil
}

// What a correspondent's availability has become is the contact list's business: a room hears of it only from what the
// network says of its member, so that who is offline has not left.
func TestOfflineIsNoDeparture17(t *testing.T) {
	srv := xmpptest.New(t)
	link := xmpptest.Start(t, srv, domain, xmpp.NewRouter(xmpp.RouterConfig{}))
	var chats, lists, rooms told
	e, err := edge.New(edge.Config{
		Domains: []*edge.Domain{{Name: domain, Network: edgetest.Network((*edgetest.Full)(nil)), Link: link}},
		Chat:    &chats, Roster: &lists, Rooms: &rooms,
	})
	if err != nil {
		t.Fatal(err)
	}
	a := edgetest.Account()
	a.Realm = "net"
	for _, show := range []core.Show{core.Offline, core.Online, core.Away} {
		if err := e.Show(t.Context(), a, &core.Presence{Ref: core.Ref{Account: a.ID, Peer: "bob"}, Show: show}); err != nil {
			t.Fatal(err)
		}
	}
	if lists.events.Load() != 3 || chats.events.Load() != 0 || rooms.events.Load() != 0 {
		t.Errorf("the list heard %d, conversations %d, rooms %d", lists.events.Load(), chats.events.Load(), rooms.events.Load())
	}
}

// counted is a network that says how often a session was made, and one was run.
func counted(made, run *atomic.Int32) core.Driver {
	d := loopback.Driver()
	inner := d.New
	d.New = func(h core.Host, dec core.Decoder) (core.Transport, error) {
		t, err := inner(h, dec)
		return &countedTransport{t, t.(core.Enroller), made, run}, err
	}
	return d
}

type countedTransport struct {
	core.Transport
	core.Enroller
	made, run *atomic.Int32
}

func (t *countedTransport) Open(a core.Account) (core.Session, error) {
	t.made.Add(1)
	s, err := t.Transport.Open(a)
	return countedSession{s, t.run}, err
}

type countedSession struct {
	core.Session
	run *atomic.Int32
}

func (s countedSession) Run(ctx context.Context) error {
	s.run.Add(1)
	return s.Session.Run(ctx)
}

// A component link that is lost, and comes back, is nothing to the networks: their sessions stay, and what was said
// meanwhile arrives.
func TestLostLinkEndsNoSession49(t *testing.T) {
	var made, run atomic.Int32
	srv := houseOf(t, counted(&made, &run))
	say(srv, "alice", "loop.gw", "r1", "register")
	srv.Expect(`<message><received xmlns='urn:xmpp:receipts' id='r1'/></message>`)
	srv.Expect(`<message from='loop.gw'/>`)
	say(srv, "alice", "loop.gw", "r2", ".")
	srv.Expect(`<message><received xmlns='urn:xmpp:receipts' id='r2'/></message>`)
	srv.Expect(`<message from='loop.gw'><body>You are alice*</body></message>`)
	srv.Ignore(`<message from='loop.gw'/>`)
	echo := func(id string) {
		t.Helper()
		srv.Send(`<message type='chat' id='` + id + `' from='alice@example.org/phone' to='echo@loop.gw'><body>` + id + `</body></message>`)
		said := srv.Expect(`<message type='chat' from='echo@loop.gw/gateway' to='alice@example.org'><body>` + id + `</body></message>`)
		// What the server had not yet confirmed when it was cut off comes again, under the same id.
		srv.Ignore(`<message id='` + said.ID + `'/>`)
	}
	echo("before")
	before := [2]int32{made.Load(), run.Load()}
	for n := range 2 {
		srv.Cut("loop.gw")
		srv.Await("loop.gw", n+2)
		echo(fmt.Sprint("after ", n+1))
	}
	if after := [2]int32{made.Load(), run.Load()}; after != before || before[0] != 1 {
		t.Errorf("sessions made and run: %v before, %v after", before, after)
	}
}
