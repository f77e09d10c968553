package edge_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"gangway/core"
	"gangway/core/outbox"
	"gangway/core/store"
	"gangway/core/xmpp"
	"gangway/core/xmpp/chat"
	"gangway/core/xmpp/disco"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/register"
	"gangway/core/xmpp/roster"
	"gangway/core/xmpp/xmpptest"
	"gangway/mapping"
	"gangway/transports/loopback"
)

// letters shows a user the queue's dead letters.
type letters struct{ queue *outbox.Outbox }

func (l letters) Undelivered(ctx context.Context, user core.UserID, network string, _ int64, limit int) ([]register.Letter, error) {
	dead, err := l.queue.List(ctx, outbox.Filter{User: user, Network: network, Dead: true, Limit: limit})
	var all []register.Letter
	for _, d := range dead {
		if m, ok := d.Event.(*core.Message); ok {
			all = append(all, register.Letter{
				Seq: d.Seq, Incoming: d.Direction == core.ToXMPP, Peer: m.Peer, Queued: d.Queued, Text: m.Text, Err: d.LastErr,
			})
		}
	}
	return all, err
}

func (l letters) Retry(ctx context.Context, user core.UserID, network string, seq int64) error {
	return l.settle(ctx, user, network, seq, l.queue.Retry)
}

func (l letters) Drop(ctx context.Context, user core.UserID, network string, seq int64) error {
	return l.settle(ctx, user, network, seq, l.queue.Drop)
}

func (l letters) settle(ctx context.Context, user core.UserID, network string, seq int64, do func(context.Context, int64) error) error {
	d, err := l.queue.Get(ctx, seq)
	if err != nil {
		return err
	}
	if !d.Dead || d.User != user || d.Network != network {
		return core.E(core.NotFound, "test: letter", "")
	}
	return do(ctx, seq)
}

// house is the whole gateway between a scripted host server and the loopback
// network, wired as the program wires it.
func house(t *testing.T) *xmpptest.Server {
	t.Helper()
	return houseOf(t, loopback.Driver())
}

// houseOf is the same with another network.
func houseOf(t *testing.T, driver core.Driver) *xmpptest.Server {
	t.Helper()
	ctx := t.Context()
	db, err := store.Open(ctx, store.Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "gangway.db")})
	if err != nil {
		t.Fatal(err)
	}
	key, err := mapping.ParseKey(strings.Repeat("5a", 32))
	if err != nil {
		t.Fatal(err)
	}
	people, err := mapping.Open(ctx, db, mapping.NewSealer(key), mapping.Options{})
	if err != nil {
		t.Fatal(err)
	}
	queue, err := outbox.New(ctx, db, outbox.Config{Journal: people})
	if err != nil {
		t.Fatal(err)
	}
	gw := core.NewGateway(core.Config{
		Queue: queue, Accounts: people, Ledger: people, Notes: people.Notes,
		People: people, Choices: people,
		Access: func() *core.Access {
			return &core.Access{Allow: func(u core.UserID) bool { return strings.HasSuffix(string(u), "@example.org") }}
		},
	})
	if err := gw.Add(driver, func(any) error { return nil }); err != nil {
		t.Fatal(err)
	}

	d := &edge.Domain{Name: "loop.gw", Network: gw.Network("loopback")}
	chats := chat.New(chat.Config{Gateway: gw, Ledger: people, Contacts: people})
	dh := disco.New(disco.Config{Domain: d, Gateway: gw})
	rosters := roster.New(roster.Config{Gateway: gw, Accounts: people})
	presence := rosters.On(d, dh)
	desk := register.New(register.Config{Domain: d, Gateway: gw, Accounts: people, Letters: letters{queue}})

	router := xmpp.NewRouter(xmpp.RouterConfig{})
	router.Message(&edge.Switch{Domain: d, Self: desk.Messages(), Contact: chats.Handler(d)})
	router.Presence(&edge.Switch{Domain: d, Self: presence, Contact: presence})
	router.IQ("get", xmpp.NSPing, "ping", xmpp.Ping())
	dh.Register(router)

	srv := xmpptest.New(t)
	d.Link = xmpptest.Start(t, srv, d.Name, router)
	e, err := edge.New(edge.Config{Domains: []*edge.Domain{d}, Chat: chats, Roster: rosters})
	if err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- gw.Run(running, e) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("gateway: %v", err)
		}
		if err := db.Close(); err != nil {
			t.Errorf("store: %v", err)
		}
	})
	return srv
}

func say(srv *xmpptest.Server, from, to, id, body string) {
	srv.Send(`<message type='chat' id='` + id + `' from='` + from + `@example.org/phone' to='` + to + `'><body>` + body + `</body><request xmlns='urn:xmpp:receipts'/></message>`)
}

// The main job from one end to the other: two people register by chat and write
// to each other; receipts say what is true, and failures come back.
func TestHouse(t *testing.T) {
	srv := house(t)
	for _, name := range []string{"alice", "bob"} {
		say(srv, name, "echo@loop.gw", "early", "Hello?")
		srv.Expect(`<message type='error' id='early' from='echo@loop.gw' to='` + name + `@example.org/phone'>
			<error type='auth'><registration-required xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`)
		say(srv, name, "loop.gw", "r1", "register")
		srv.Expect(`<message to='` + name + `@example.org/phone'><received xmlns='urn:xmpp:receipts' id='r1'/></message>`)
		srv.Expect(`<message from='loop.gw' to='` + name + `@example.org'><body>Which address would you like?*Send "." for: ` + name + `.</body></message>`)
		say(srv, name, "loop.gw", "r2", ".")
		srv.Expect(`<message><received xmlns='urn:xmpp:receipts' id='r2'/></message>`)
		srv.Expect(`<message from='loop.gw'><body>You are ` + name + `.*</body></message>`)
	}

	srv.Send(`<message type='chat' id='m1' from='alice@example.org/phone' to='bob@loop.gw'>
		<subject>Lunch</subject><body>At noon?</body><thread>t1</thread><request xmlns='urn:xmpp:receipts'/></message>`)
	srv.ExpectAll(
		`<message type='chat' id='$question' from='alice@loop.gw/gateway' to='bob@example.org'>
			<subject>Lunch</subject><body>At noon?</body><thread>t1</thread><origin-id xmlns='urn:xmpp:sid:0' id='$question'/></message>`,
		`<message type='chat' from='bob@loop.gw/gateway' to='alice@example.org/phone'><received xmlns='urn:xmpp:receipts' id='m1'/></message>`,
	)
	srv.Send(`<message type='chat' id='m2' from='bob@example.org/desk' to='alice@loop.gw/gateway'><body>&gt; At noon?
Yes</body><reply xmlns='urn:xmpp:reply:0' id='$question' to='alice@loop.gw'/>
		<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='11'/></fallback><request xmlns='urn:xmpp:receipts'/></message>`)
	srv.ExpectAll(
		`<message from='bob@loop.gw/gateway' to='alice@example.org'><body>&gt; At noon?
Yes</body><reply xmlns='urn:xmpp:reply:0' id='m1'/>
			<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='11'/></fallback></message>`,
		`<message from='alice@loop.gw/gateway' to='bob@example.org/desk'><received xmlns='urn:xmpp:receipts' id='m2'/></message>`,
	)

	// Sent again by a client that lost its connection, it is not said twice.
	say(srv, "alice", "nobody@loop.gw", "m3", "Anybody?")
	srv.Expect(`<message type='error' id='m3' from='nobody@loop.gw' to='alice@example.org/phone'>
		<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>*</text></error></message>`)
	srv.Send(`<message type='chat' id='m2' from='bob@example.org/desk' to='alice@loop.gw/gateway'><body>&gt; At noon?
Yes</body><reply xmlns='urn:xmpp:reply:0' id='$question' to='alice@loop.gw'/>
		<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='11'/></fallback><request xmlns='urn:xmpp:receipts'/></message>`)
	say(srv, "alice", "loop.gw", "u1", "undelivered")
	srv.Expect(`<message><received xmlns='urn:xmpp:receipts' id='u1'/></message>`)
	srv.Expect(`<message from='loop.gw' to='alice@example.org'><body>1 not delivered:*to nobody: Anybody?*1. retry*</body></message>`)
	for _, answer := range []string{"drop", "1"} {
		say(srv, "alice", "loop.gw", "u-"+answer, answer)
		srv.Expect(`<message><received xmlns='urn:xmpp:receipts' id='u-` + answer + `'/></message>`)
		srv.Expect(`<message from='loop.gw'><body>*</body></message>`)
	}
	say(srv, "alice", "loop.gw", "s1", "status")
	srv.Expect(`<message><received xmlns='urn:xmpp:receipts' id='s1'/></message>`)
	srv.Expect(`<message><body>alice: connected since *</body></message>`)
}
