package privilege

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/xmpptest"
)

const (
	alice   core.UserID = "alice@example.org"
	mallory core.UserID = "mallory@example.net"
	bob                 = `bob\40example.com@email.gw`
	full                = `<perm access='roster' type='both'/><perm access='message' type='outgoing'/><perm access='presence' type='roster'/>` +
		`<perm access='iq'><namespace ns='http://jabber.org/protocol/pubsub' type='both'/><namespace ns='jabber:iq:private' type='get'/></perm>`
)

type scene struct {
	srv    *xmpptest.Server
	entity *Entity
	link   *xmpp.Link
	seen   chan string // ids of messages that went on
}

func stage(t *testing.T) *scene {
	t.Helper()
	s := &scene{srv: xmpptest.New(t), seen: make(chan string, 100)}
	s.entity = New(Config{Domain: "email.gw", Host: xmpptest.Host})
	r := xmpp.NewRouter(xmpp.RouterConfig{})
	s.entity.Register(r, xmpp.HandlerFunc(func(_ context.Context, _ xmpp.Sender, st *stream.Stanza) error {
		s.seen <- st.ID
		return nil
	}))
	r.IQ("get", xmpp.NSPing, "ping", xmpp.Ping())
	s.link = xmpptest.Start(t, s.srv, "email.gw", r, func(c *xmpp.Config) {
		c.Trace = &xmpp.Trace{State: func(_ string, st xmpp.Status) { s.entity.State(st) }}
	})
	s.entity.Attach(s.link)
	return s
}

// advertise says what is granted and waits until that was read.
func (s *scene) advertise(from, ns, perms string) {
	s.srv.Send(fmt.Sprintf(`<message from='%s' to='email.gw' id='adv'><privilege xmlns='%s'>%s</privilege></message>`, from, ns, perms))
	s.srv.Quiet(from, "email.gw")
}

// Behaviour 18: nothing before the advertisement; per server; advertised again;
// forgotten with the connection.
func TestAdvertisement18(t *testing.T) {
	s := stage(t)
	if g := s.entity.For(alice); g.NS != "" || g.Roster != 0 || g.Message {
		t.Errorf("granted before the server said so: %+v", g)
	}
	s.advertise("example.org", NS2, full)
	g := s.entity.For(alice)
	if g.NS != NS2 || g.Roster != Both || !g.Push || !g.Message || g.Presence != Contacts || len(g.IQ) != 2 {
		t.Errorf("granted: %+v", g)
	}
	if g := s.entity.For(mallory); g.NS != "" {
		t.Errorf("granted for a user of another server: %+v", g)
	}
	if !s.entity.MayIQ(alice, "http://jabber.org/protocol/pubsub", "set") || s.entity.MayIQ(alice, "jabber:iq:private", "set") ||
		s.entity.MayIQ(mallory, "http://jabber.org/protocol/pubsub", "get") || s.entity.MayIQ(alice, "x", "get") {
		t.Error("requests: wrong grants")
	}

	s.advertise("example.org", NS1, `<perm access='message' type='outgoing'/>`)
	if g := s.entity.Grants(); g.NS != NS2 || g.Roster != Both {
		t.Errorf("the older version took the newer one's place: %+v", g)
	}
	s.advertise("example.org", NS2, `<perm access='roster' type='get' push='false'/>`)
	if g := s.entity.Grants(); g.Roster != Get || g.Push || g.Message || g.IQ != nil {
		t.Errorf("advertised again: %+v", g)
	}

	s.srv.Cut("email.gw")
	s.srv.Await("email.gw", 2)
	if g := s.entity.Grants(); g.NS != "" {
		t.Errorf("after a lost connection: %+v", g)
	}
	s.advertise("example.org", NS1, full)
	if g := s.entity.Grants(); g.NS != NS1 || g.Roster != Both || g.Push || g.IQ != nil {
		t.Errorf("version 1: %+v", g)
	}
}

// Who is not the host server cannot grant anything.
func TestForgedAdvertisement18(t *testing.T) {
	s := stage(t)
	for _, from := range []string{
		"mallory@example.net", "example.net", "alice@example.org", "example.org/x", "example.org.evil", "email.gw", "alice@example.org/x",
	} {
		s.srv.Send(`<message from='` + from + `' to='email.gw' id='` + from + `'><privilege xmlns='` + NS2 + `'>` + full + `</privilege></message>`)
		if id := <-s.seen; id != from {
			t.Errorf("%s: another message than expected went on: %s", from, id)
		}
	}
	s.srv.Send(`<message from='example.org' to='bob@email.gw'><privilege xmlns='` + NS2 + `'>` + full + `</privilege></message>`)
	s.advertise("example.org", "urn:xmpp:privilege:3", full)
	s.srv.Quiet("example.org", "email.gw")
	if g := s.entity.Grants(); g.NS != "" || g.Roster != 0 {
		t.Errorf("forged: %+v", g)
	}
}

func TestStrangeAdvertisement18(t *testing.T) {
	s := stage(t)
	s.advertise("example.org", NS2, `<perm/><perm access='roster' type='all'/><perm access='message' type='none'/>
		<perm access='presence' type='managed_entity'/><perm access='root' type='both'/><x xmlns='y'/>
		<perm access='iq'><namespace type='get'/><namespace ns='a'/><namespace ns='b' type='set'><namespace ns='c' type='get'/></namespace></perm>`)
	g := s.entity.Grants()
	if g.Roster != 0 || g.Message || g.Presence != Users || len(g.IQ) != 2 || g.IQ["b"] != Set || g.IQ["c"] != Get {
		t.Errorf("granted: %+v", g)
	}
}

func body(enc *stream.Encoder) { enc.Leaf("body", "", "Hello from my telephone") }

// Behaviours 19 and 20: to the server's domain, both addresses bare, in
// jabber:client, under the given id and without origin-id; the echo is dropped.
func TestForward19(t *testing.T) {
	const ns = NS2
	s := stage(t)
	s.advertise("example.org", ns, full)
	for range 2 { // written again after a lost connection: the same
		err := s.link.Write(func(enc *stream.Encoder) {
			if !s.entity.Forward(enc, alice, bob+"/gateway", "m1", body) {
				t.Error("not forwarded")
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		s.srv.Expect(`<message from='email.gw' to='example.org' type='!'><privilege xmlns='` + ns + `'><forwarded xmlns='urn:xmpp:forward:0'>
			<message xmlns='jabber:client' type='chat' from='alice@example.org' to='` + bob + `' id='m1'><body>Hello from my telephone</body>
			<no><origin-id xmlns='urn:xmpp:sid:0'/></no></message></forwarded></privilege></message>`)
		s.srv.Send(`<message type='chat' from='alice@example.org' to='` + bob + `' id='m1'><body>Hello from my telephone</body></message>`)
	}
	// Not echoes: from a client, of another id, of another user.
	for i, from := range []string{"alice@example.org/phone", "alice@example.org", "bob@example.org"} {
		id := []string{"m1", "m2", "m1"}[i]
		s.srv.Send(`<message type='chat' from='` + from + `' to='` + bob + `' id='` + id + `'><body>Hello from my telephone</body></message>`)
		if got := <-s.seen; got != id {
			t.Errorf("%s of %s was taken for an echo; %s came", id, from, got)
		}
	}
}

// Without the privilege nothing is written (behaviour 21 is the caller's).
func TestForwardNotGranted21(t *testing.T) {
	s := stage(t)
	try := func(user core.UserID, contact, id string) bool {
		var enc stream.Encoder
		ok := s.entity.Forward(&enc, user, contact, id, body)
		if !ok && enc.Count() > 0 {
			t.Error("not forwarded, and yet written")
		}
		return ok
	}
	if try(alice, bob, "m1") {
		t.Error("forwarded before the advertisement")
	}
	s.advertise("example.org", NS1, full)
	if try(alice, bob, "m1") {
		t.Error("forwarded where no client would see it")
	}
	s.advertise("example.org", NS2, full)
	if !try(alice, bob, "m1") || try(mallory, bob, "m1") || try(alice, bob, "") || try(alice, "", "m1") || try("example.org", bob, "m1") {
		t.Error("forwarded for the wrong user, or not for the right one")
	}
	// A refusal, with what was refused (ejabberd) or without (Prosody), ends it.
	s.srv.Send(`<message type='error' from='mallory@example.net' to='email.gw' id='privilege-m1'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`)
	<-s.seen
	s.srv.Send(`<message type='error' from='example.org' to='email.gw' id='privilege-m1'><error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`)
	s.srv.Quiet("example.org", "email.gw")
	if !try(alice, bob, "m1") {
		t.Error("a stranger, or one bad message, ended the privilege")
	}
	s.srv.Send(`<message type='error' from='example.org' to='email.gw' id='privilege-m1'><privilege xmlns='` + NS2 + `'/><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`)
	s.srv.Quiet("example.org", "email.gw")
	if try(alice, bob, "m1") {
		t.Error("forwarded after the server has refused")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	m := newMemory()
	name := func(i int) echo { return echo{fmt.Sprint(i)} }
	for i := range 3 * remembered {
		m.add(name(i))
		m.add(name(i))
	}
	if len(m.known) != remembered || len(m.order) != remembered {
		t.Errorf("%d and %d are kept", len(m.known), len(m.order))
	}
	if !m.has(name(3*remembered-1)) || !m.has(name(2*remembered)) || m.has(name(2*remembered-1)) {
		t.Error("not the newest are kept")
	}
}

// call runs fn while the test plays the server.
func call[T any](t *testing.T, fn func(context.Context) (T, error)) func() (T, error) {
	t.Helper()
	type result struct {
		v   T
		err error
	}
	done := make(chan result, 1)
	go func() {
		v, err := fn(t.Context())
		done <- result{v, err}
	}()
	return func() (T, error) {
		r := <-done
		return r.v, r.err
	}
}

func TestRoster13(t *testing.T) {
	s := stage(t)
	if _, err := s.entity.Roster(t.Context(), alice); core.KindOf(err) != core.Denied {
		t.Errorf("without privilege: %v", err)
	}
	s.advertise("example.org", NS2, full)
	if err := s.entity.SetRoster(t.Context(), mallory, Item{JID: bob}); core.KindOf(err) != core.Denied {
		t.Errorf("of another server's user: %v", err)
	}
	get := call(t, func(ctx context.Context) ([]Item, error) { return s.entity.Roster(ctx, alice) })
	s.srv.Expect(`<iq type='get' id='$id' from='email.gw' to='alice@example.org'><query xmlns='jabber:iq:roster'/></iq>`)
	s.srv.Send(`<iq type='result' id='$id' from='alice@example.org' to='email.gw'><query xmlns='jabber:iq:roster'>
		<item jid='` + bob + `' name='Bobby' subscription='both'><group>Work</group><group/></item><item jid='carol@example.org' subscription='none' ask='subscribe'/><x xmlns='y'/></query></iq>`)
	items, err := get()
	if err != nil || len(items) != 2 || items[0].Name != "Bobby" || fmt.Sprint(items[0].Groups) != "[Work]" || !items[1].Ask {
		t.Errorf("roster: %+v, %v", items, err)
	}
	set := call(t, func(ctx context.Context) (bool, error) {
		return true, s.entity.SetRoster(ctx, alice, Item{JID: bob, Name: "Bob", Subscription: "both", Groups: []string{"E-mail"}})
	})
	s.srv.Unset("id")
	s.srv.Expect(`<iq type='set' id='$id' from='email.gw' to='alice@example.org'><query xmlns='jabber:iq:roster'>
		<item jid='` + bob + `' name='Bob' subscription='both'><group>E-mail</group></item></query></iq>`)
	s.srv.Send(`<iq type='error' id='$id' from='alice@example.org' to='email.gw'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`)
	if _, err := set(); err == nil {
		t.Error("no error")
	}
	if g := s.entity.Grants(); g.Roster != Get {
		t.Errorf("after a refused change: %+v", g)
	}

	// ejabberd grants it, and fails.
	s = stage(t)
	s.advertise("example.org", NS1, full)
	set = call(t, func(ctx context.Context) (bool, error) {
		return true, s.entity.SetRoster(ctx, alice, Item{JID: bob, Subscription: "both"})
	})
	s.srv.Unset("id")
	s.srv.Expect(`<iq type='set' id='$id' to='alice@example.org'/>`)
	s.srv.Send(`<iq type='error' id='$id' from='alice@example.org' to='email.gw'><error type='wait'><internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`)
	if _, err := set(); err == nil || s.entity.Grants().Roster != Get {
		t.Errorf("after a change that failed: %v, %+v", err, s.entity.Grants())
	}
}

func TestIQ(t *testing.T) {
	s := stage(t)
	s.advertise("example.org", NS2, full)
	const pubsub = "http://jabber.org/protocol/pubsub"
	ask := func() func() (*stream.Stanza, error) {
		c := call(t, func(ctx context.Context) (*stream.Stanza, error) {
			return s.entity.IQ(ctx, alice, "", "get", pubsub, func(enc *stream.Encoder) { enc.Empty("pubsub", pubsub) })
		})
		s.srv.Unset("id")
		s.srv.Expect(`<iq type='get' id='$id' from='email.gw' to='alice@example.org'><privileged_iq xmlns='` + NS2 + `'>
			<iq xmlns='jabber:client' type='get' id='*' to='alice@example.org'><pubsub xmlns='` + pubsub + `'/></iq></privileged_iq></iq>`)
		return c
	}
	reply := func(inner string) {
		s.srv.Send(`<iq type='result' id='$id' from='alice@example.org' to='email.gw'><privilege xmlns='` + NS2 + `'>
			<forwarded xmlns='urn:xmpp:forward:0'>` + inner + `</forwarded></privilege></iq>`)
	}
	got := ask()
	reply(`<iq xmlns='jabber:client' type='result' id='1'><pubsub xmlns='` + pubsub + `'><items node='n'/></pubsub></iq>`)
	if st, err := got(); err != nil || st.Child(pubsub, "pubsub").Child("", "items").Attr("node") != "n" {
		t.Errorf("answer: %v, %v", st, err)
	}
	var refusal *xmpp.Error
	got = ask()
	reply(`<iq xmlns='jabber:client' type='error' id='1'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`)
	if _, err := got(); !errors.As(err, &refusal) || refusal.Condition != "item-not-found" {
		t.Errorf("inner error: %v", err)
	}
	got = ask()
	reply("")
	if _, err := got(); !errors.As(err, &refusal) {
		t.Errorf("no answer inside: %v", err)
	}
	got = ask()
	s.srv.Send(`<iq type='error' id='$id' from='alice@example.org' to='email.gw'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`)
	if _, err := got(); !errors.As(err, &refusal) || refusal.Condition != "forbidden" {
		t.Errorf("outer error: %v", err)
	}
	if s.entity.MayIQ(alice, pubsub, "get") || !s.entity.MayIQ(alice, pubsub, "set") {
		t.Error("what the server refuses is still held to be granted, or too much is forgotten")
	}
	if _, err := s.entity.IQ(t.Context(), alice, "", "get", pubsub, body); core.KindOf(err) != core.Denied {
		t.Errorf("not granted: %v", err)
	}
}

// What nobody waits for is written at once, or not at all.
func TestAsk(t *testing.T) {
	s := stage(t)
	const pubsub = "http://jabber.org/protocol/pubsub"
	ask := func(user core.UserID) bool {
		var done bool
		if err := s.entity.link.Write(func(enc *stream.Encoder) {
			done = s.entity.Ask(enc, user, "set", pubsub, func(enc *stream.Encoder) { enc.Empty("pubsub", pubsub) })
		}); err != nil {
			t.Fatal(err)
		}
		return done
	}
	if ask(alice) {
		t.Error("without the privilege")
	}
	s.advertise("example.org", NS2, full)
	if ask("alice@elsewhere.example") {
		t.Error("for a user of another server")
	}
	if !ask(alice) {
		t.Fatal("not written")
	}
	s.srv.Unset("id")
	s.srv.Expect(`<iq type='set' id='$id' from='email.gw' to='alice@example.org'><privileged_iq xmlns='` + NS2 + `'>
		<iq xmlns='jabber:client' type='set' id='*' to='alice@example.org'><pubsub xmlns='` + pubsub + `'/></iq></privileged_iq></iq>`)
	s.srv.Send(`<iq type='error' id='$id' from='alice@example.org' to='email.gw'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`)
	s.srv.Quiet("alice@example.org/x", "email.gw")
}
