//go:build integration

package integration

import (
	"context"
	"sync"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/privilege"
	"gangway/core/xmpp/stream"
	"gangway/integration/client"
	"gangway/integration/servers"
	"gangway/integration/servers/serverstest"
)

const (
	privileged = "gw.example.test"
	stranger   = `bob\40example.com@` + privileged
)

// privilegedLink is a component as the gateway has it, without the gateway.
type privilegedLink struct {
	*xmpp.Link
	entity *privilege.Entity

	mu   sync.Mutex
	came []string // ids of the messages that went on to the gateway
}

func (l *privilegedLink) seen() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.came...)
}

func dialPrivileged(ctx context.Context, t *testing.T, s servers.Host) *privilegedLink {
	t.Helper()
	l := &privilegedLink{entity: privilege.New(privilege.Config{Domain: privileged, Host: s.Domain()})}
	router := xmpp.NewRouter(xmpp.RouterConfig{})
	l.entity.Register(router, xmpp.HandlerFunc(func(_ context.Context, _ xmpp.Sender, st *stream.Stanza) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.came = append(l.came, st.ID)
		return nil
	}))
	link, err := xmpp.New(xmpp.Config{
		Server: s.ComponentAddr(), Domain: privileged, Secret: "s3cret", HostDomain: s.Domain(), Router: router,
		Trace: &xmpp.Trace{State: func(_ string, st xmpp.Status) { l.entity.State(st) }},
	})
	if err != nil {
		t.Fatal(err)
	}
	l.Link = link
	l.entity.Attach(link)
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- link.Run(running) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	if err := link.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	for l.entity.Grants().NS == "" {
		select {
		case <-ctx.Done():
			t.Fatal("the server advertises no privileges")
		case <-time.After(10 * time.Millisecond):
		}
	}
	return l
}

// Behaviours 18 to 20 on the real servers.
func TestPrivileges18(t *testing.T) {
	t.Parallel()
	conf := servers.HostConfig{
		Users:      []servers.User{{Name: "alice", Password: "secret"}},
		Components: []servers.Component{{Domain: privileged, Secret: "s3cret", Privileged: true}},
	}
	t.Run("prosody", func(t *testing.T) {
		conf.Dir = serverstest.Dir(t)
		s := serverstest.Start(t, servers.NewProsody, conf)
		testPrivileges(t, s, privilege.NS2)
	})
	t.Run("ejabberd", func(t *testing.T) {
		conf.Dir = serverstest.Dir(t)
		s := serverstest.Start(t, servers.NewEjabberd, conf)
		testPrivileges(t, s, privilege.NS1)
	})
}

func testPrivileges(t *testing.T, s servers.Host, ns string) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	l := dialPrivileged(ctx, t, s)
	g := l.entity.Grants()
	if g.NS != ns || g.Roster != privilege.Both || !g.Message || g.Presence != privilege.Contacts {
		t.Fatalf("granted: %+v", g)
	}
	alice := core.UserID("alice@" + s.Domain())
	c, err := client.Dial(ctx, s.Addr(), string(alice)+"/desk", "secret", client.WithCarbons())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()

	items, err := l.entity.Roster(ctx, alice)
	if err != nil || len(items) != 0 {
		t.Errorf("roster: %+v, %v", items, err)
	}
	err = l.entity.SetRoster(ctx, alice, privilege.Item{JID: stranger, Name: "Bob", Subscription: "both", Groups: []string{"E-mail"}})
	items, gerr := l.entity.Roster(ctx, alice)
	if gerr != nil {
		t.Error(gerr)
	}
	if ns == privilege.NS2 {
		if err != nil || len(items) != 1 || items[0].JID != stranger || items[0].Name != "Bob" || items[0].Subscription != "both" {
			t.Errorf("roster after the change: %+v, %v", items, err)
		}
	} else if err == nil || l.entity.Grants().Roster != privilege.Get || len(items) != 0 {
		t.Errorf("a change that this server refuses: %v, %+v, %+v", err, l.entity.Grants(), items)
	}

	if ns == privilege.NS1 {
		var enc stream.Encoder
		if l.entity.Forward(&enc, alice, stranger, "own-1", func(*stream.Encoder) {}) {
			t.Error("forwarded, where the server shows it to nobody")
		}
		return
	}
	forward(ctx, t, l, c, alice)
	bookmark(ctx, t, l, alice)
}

// forward sends as Alice, who sees it on her client, and it does not come back.
func forward(ctx context.Context, t *testing.T, l *privilegedLink, c *client.Client, alice core.UserID) {
	t.Helper()
	err := l.Write(func(enc *stream.Encoder) {
		ok := l.entity.Forward(enc, alice, stranger, "own-1", func(enc *stream.Encoder) { enc.Leaf("body", "", "from my telephone") })
		if !ok {
			t.Error("not forwarded")
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Wait(ctx, func(st *client.Stanza) bool {
		sent := st.Child("urn:xmpp:carbons:2", "sent")
		return sent.Child("urn:xmpp:forward:0", "forwarded").Child(client.NSClient, "message").Attr("id") == "own-1"
	}); err != nil {
		t.Errorf("no carbon copy of an own message: %v", err)
	}
	// What Alice sends herself comes after the echo.
	if err := c.Send(`<message to='` + stranger + `' type='chat' id='typed'><body>by hand</body></message>`); err != nil {
		t.Fatal(err)
	}
	for len(l.seen()) == 0 {
		select {
		case <-ctx.Done():
			t.Fatal("Alice's own message did not come")
		case <-time.After(10 * time.Millisecond):
		}
	}
	if ids := l.seen(); len(ids) != 1 || ids[0] != "typed" {
		t.Errorf("messages that came: %v", ids)
	}
}

// bookmark asks for Alice's bookmarks in her name.
func bookmark(ctx context.Context, t *testing.T, l *privilegedLink, alice core.UserID) {
	t.Helper()
	const ns, node = "http://jabber.org/protocol/pubsub", "urn:xmpp:bookmarks:1"
	_, err := l.entity.IQ(ctx, alice, "", "set", ns, func(enc *stream.Encoder) {
		enc.Start("pubsub", ns)
		enc.Start("publish", "", "node", node)
		enc.Start("item", "", "id", "#go%irc@"+privileged)
		enc.Empty("conference", node, "autojoin", "true", "name", "Go")
		enc.End()
		enc.End()
		enc.End()
	})
	if err != nil {
		t.Fatalf("publish: %v", err)
	}
	st, err := l.entity.IQ(ctx, alice, "", "get", ns, func(enc *stream.Encoder) {
		enc.Start("pubsub", ns)
		enc.Empty("items", "", "node", node)
		enc.End()
	})
	if err != nil {
		t.Fatalf("items: %v", err)
	}
	item := st.Child(ns, "pubsub").Child("", "items").Child("", "item")
	if item.Attr("id") != "#go%irc@"+privileged || item.Child(node, "conference").Attr("name") != "Go" {
		t.Errorf("bookmarks: %s", st)
	}
}
