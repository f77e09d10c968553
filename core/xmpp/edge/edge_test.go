package edge_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/xmpptest"
)

const domain = "email.gw"

// words renders a message as its text, and refuses what says "refuse".
type words struct{}

func (words) Render(_ context.Context, enc *stream.Encoder, d *edge.Domain, a core.Account, e core.Event) error {
	m, ok := e.(*core.Message)
	switch {
	case !ok || m.Text == "":
		return nil // nothing to show
	case m.Text == "refuse":
		return core.E(core.Invalid, "test", "")
	}
	enc.Start("message", "", "from", d.Name, "to", string(a.User), "id", string(m.ID))
	enc.Leaf("body", "", m.Text)
	enc.End()
	return nil
}

// begin starts a link and an edge over it, in memory.
func begin(t *testing.T) (*xmpptest.Server, *edge.Edge, *xmpp.Link) {
	t.Helper()
	srv := xmpptest.New(t)
	link := xmpptest.Start(t, srv, domain, xmpp.NewRouter(xmpp.RouterConfig{}), func(c *xmpp.Config) { c.Dial = srv.Dial })
	e, err := edge.New(edge.Config{
		Domains: []*edge.Domain{{Name: domain, Network: edgetest.Network((*edgetest.Plain)(nil)), Link: link}},
		Chat:    words{}, Roster: words{},
	})
	if err != nil {
		t.Fatal(err)
	}
	return srv, e, link
}

func message(text string) core.Handing {
	return core.Handing{Account: edgetest.Account(), Event: &core.Message{
		Ref: core.Ref{Account: "a1"}, IDs: core.IDs{ID: core.MessageID(text)}, Text: text,
	}}
}

// hand calls Hand in the background.
func hand(ctx context.Context, e *edge.Edge, hs ...core.Handing) <-chan []error {
	done := make(chan []error, 1)
	go func() { done <- e.Hand(ctx, hs) }()
	return done
}

func kinds(errs []error) string {
	names := make([]string, len(errs))
	for i, err := range errs {
		names[i] = "done"
		if err != nil {
			names[i] = core.KindOf(err).String()
		}
	}
	return strings.Join(names, " ")
}

func TestShow(t *testing.T) {
	srv, e, _ := begin(t)
	h := message("hello")
	if err := e.Show(t.Context(), h.Account, h.Event); err != nil {
		t.Fatal(err)
	}
	srv.Expect(`<message from='email.gw' to='alice@example.org'><body>hello</body></message>`)
	for text, want := range map[string]core.Kind{
		"refuse": core.Invalid, strings.Repeat("x", stream.DefaultMaxStanza): core.TooLarge,
	} {
		if err := e.Show(t.Context(), h.Account, message(text).Event); core.KindOf(err) != want {
			t.Errorf("%.10s: %v, want %v", text, err, want)
		}
	}
	elsewhere := h.Account
	elsewhere.Network = "fax"
	if err := e.Show(t.Context(), elsewhere, h.Event); core.KindOf(err) != core.NotFound {
		t.Errorf("a network without a domain: %v", err)
	}
	if err := e.Show(t.Context(), h.Account, &core.TopicChanged{}); core.KindOf(err) != core.Unsupported {
		t.Errorf("a room where there are none: %v", err)
	}
	if err := e.Show(t.Context(), h.Account, &core.Message{Room: true, Text: "x"}); core.KindOf(err) != core.Unsupported {
		t.Errorf("a message of a room where there are none: %v", err)
	}
}

// What the gateway says itself comes from its domain, as a message that waits for who is offline, and under the same id
// when it is said again.
func TestNotice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, e, link := begin(t)
		a := core.Account{User: edgetest.Alice, Network: edgetest.Network((*edgetest.Plain)(nil)).Driver.Name}
		n := core.Handing{Account: a, Event: &core.Notice{ID: "n1", Text: "You have been let in."}}
		const want = `<message type='chat' id='n1' from='` + domain + `' to='` + string(edgetest.Alice) + `'>
			<body>You have been let in.</body><origin-id xmlns='urn:xmpp:sid:0' id='n1'/></message>`
		srv.HoldPings()
		done := hand(t.Context(), e, n)
		srv.Expect(want)
		srv.Cut(domain)
		if got := kinds(<-done); got != "unavailable" {
			t.Fatalf("got %q", got)
		}
		srv.ReleasePings()
		if err := link.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := kinds(e.Hand(t.Context(), []core.Handing{n})); got != "done" {
			t.Fatalf("got %q", got)
		}
		srv.Expect(want)
	})
}

// Who keeps something by user hears of a move, with the accounts of each domain.
func TestMoved(t *testing.T) {
	keeper := &movable{}
	n := edgetest.Network((*edgetest.Plain)(nil))
	e, err := edge.New(edge.Config{Domains: []*edge.Domain{{Name: domain, Network: n}}, Chat: words{}, Roster: keeper})
	if err != nil {
		t.Fatal(err)
	}
	here, there := edgetest.Account(), edgetest.Account()
	there.Network = "pigeon"
	if err := e.Moved(t.Context(), "old@example.org", []core.Account{here, there}); err != nil {
		t.Fatal(err)
	}
	if want := domain + " old@example.org a1"; keeper.told != want {
		t.Errorf("told %q, want %q", keeper.told, want)
	}
}

// Who shows rooms hears of an account that was stopped.
func TestStopped(t *testing.T) {
	keeper := &movable{}
	n := edgetest.Network((*edgetest.Plain)(nil))
	e, err := edge.New(edge.Config{Domains: []*edge.Domain{{Name: domain, Network: n}}, Chat: words{}, Roster: words{}, Rooms: keeper})
	if err != nil {
		t.Fatal(err)
	}
	there := edgetest.Account()
	there.Network = "pigeon"
	e.Stopped(there)
	e.Stopped(edgetest.Account())
	if want := domain + " a1"; keeper.told != want {
		t.Errorf("told %q, want %q", keeper.told, want)
	}
}

type movable struct {
	words
	told string
}

func (m *movable) Stopped(d *edge.Domain, a core.Account) { m.told += d.Name + " " + string(a.ID) }

func (m *movable) Moved(_ context.Context, d *edge.Domain, from core.UserID, moved []core.Account) error {
	m.told += d.Name + " " + string(from)
	for _, a := range moved {
		m.told += " " + string(a.ID)
	}
	return nil
}

// Hand returns when the host server has confirmed, and not before; each item has
// its own error.
func TestHandWaitsForTheBarrier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, e, _ := begin(t)
		srv.HoldPings()
		nothing := core.Handing{Account: edgetest.Account(), Event: &core.Receipt{}}
		done := hand(t.Context(), e, message("one"), message(strings.Repeat("x", stream.DefaultMaxStanza)), message("refuse"), nothing, message("two"))
		srv.Expect(`<message id='one'/>`)
		srv.Expect(`<message id='two'/>`)
		srv.AwaitPings(1)
		synctest.Wait()
		select {
		case errs := <-done:
			t.Fatalf("returned before the server confirmed: %v", errs)
		default:
		}
		srv.ReleasePings()
		if got := kinds(<-done); got != "done too-large invalid done done" {
			t.Errorf("got %q", got)
		}
	})
}

// What a lost connection did not confirm is handed again, with the same ids.
func TestHandWhenTheLinkIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, e, link := begin(t)
		srv.HoldPings()
		done := hand(t.Context(), e, message("one"), message("two"))
		srv.Expect(`<message id='one'/>`)
		srv.Expect(`<message id='two'/>`)
		srv.Cut(domain)
		if got := kinds(<-done); got != "unavailable unavailable" {
			t.Fatalf("got %q", got)
		}
		if got := kinds(e.Hand(t.Context(), []core.Handing{message("one"), message("two")})); got != "unavailable unavailable" {
			t.Errorf("while the link is down: %q", got)
		}
		srv.ReleasePings()
		if err := link.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := kinds(e.Hand(t.Context(), []core.Handing{message("one"), message("two")})); got != "done done" {
			t.Fatalf("got %q", got)
		}
		srv.Expect(`<message id='one'/>`)
		srv.Expect(`<message id='two'/>`)
	})
}

func TestHandStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, e, _ := begin(t)
		srv.HoldPings()
		ctx, cancel := context.WithCancel(t.Context())
		done := hand(ctx, e, message("one"))
		srv.Expect(`<message id='one'/>`)
		cancel()
		if errs := <-done; core.KindOf(errs[0]) != core.Unavailable {
			t.Errorf("got %v", errs)
		}
	})
}

// A message that ends the stream each time it is sent is found out, and what was
// sent beside it is not blamed.
func TestPoison(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, e, link := begin(t)
		// fatal hands, expects what is sent, and ends the stream over it.
		fatal := func(expect []string, hs ...core.Handing) string {
			srv.HoldPings()
			pings := srv.AwaitPings(0)
			done := hand(t.Context(), e, hs...)
			for _, id := range expect {
				srv.Expect(`<message id='` + id + `'/>`)
			}
			srv.AwaitPings(pings + 1)
			srv.Cut(domain)
			got := kinds(<-done)
			srv.ReleasePings()
			if err := link.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			return got
		}
		if got := fatal([]string{"one", "poison", "two"}, message("one"), message("poison"), message("two")); got != "unavailable unavailable unavailable" {
			t.Fatalf("got %q", got)
		}
		if got := kinds(e.Hand(t.Context(), []core.Handing{message("one")})); got != "done" {
			t.Fatalf("the innocent one: %q", got)
		}
		srv.Expect(`<message id='one'/>`)
		for range 2 {
			// Alone now: "two" is not sent behind it.
			if got := fatal([]string{"poison"}, message("poison"), message("two")); got != "unavailable unavailable" {
				t.Fatalf("got %q", got)
			}
		}
		if got := fatal([]string{"poison"}, message("poison")); got != "invalid" {
			t.Fatalf("the third time: %q", got)
		}
		if got := kinds(e.Hand(t.Context(), []core.Handing{message("two")})); got != "done" {
			t.Errorf("the one behind it: %q", got)
		}
		srv.Expect(`<message id='two'/>`)
	})
}

// The events of many conversations share barriers.
func TestHandManyAtOnce(t *testing.T) {
	srv, e, _ := begin(t)
	const lanes, each = 20, 50
	results := make([]<-chan []error, lanes)
	for l := range results {
		hs := make([]core.Handing, each)
		for i := range hs {
			hs[i] = message(fmt.Sprintf("%d-%d", l, i))
		}
		results[l] = hand(t.Context(), e, hs...)
	}
	for l, done := range results {
		for i, err := range <-done {
			if err != nil {
				t.Errorf("%d-%d: %v", l, i, err)
			}
		}
	}
	next := make([]int, lanes)
	for range lanes * each {
		var l, i int
		if _, err := fmt.Sscanf(srv.Next().ID, "%d-%d", &l, &i); err != nil || i != next[l] {
			t.Fatalf("lane %d: message %d, want %d (%v)", l, i, next[l], err)
		}
		next[l]++
	}
	if pings := srv.AwaitPings(1); pings > lanes*each/4 {
		t.Errorf("%d pings for %d messages", pings, lanes*each)
	}
}

func TestTwoDomainsOfOneNetwork(t *testing.T) {
	n := edgetest.Network((*edgetest.Plain)(nil))
	_, err := edge.New(edge.Config{Domains: []*edge.Domain{{Name: "a", Network: n}, {Name: "b", Network: n}}})
	if err == nil {
		t.Error("accepted")
	}
}

func TestSwitch(t *testing.T) {
	d := &edge.Domain{Name: domain, Network: edgetest.Network((*edgetest.Plain)(nil))}
	var got string
	s := edge.Switch{
		Domain: d,
		Self: xmpp.HandlerFunc(func(context.Context, xmpp.Sender, *stream.Stanza) error {
			got = "self"
			return nil
		}),
		Contact: target(func(t core.Target) { got = "contact " + string(t.Address) }),
		Room:    target(func(t core.Target) { got = "room " + string(t.Address) }),
	}
	for _, c := range []struct{ from, to, want string }{
		{"alice@example.org/x", "email.gw", "self"},
		{"alice@example.org/x", "email.gw/res", "self"},
		{"alice@example.org/x", `Bob\40Example.com@EMAIL.gw/res`, "contact bob@example.com"},
		{"alice@example.org/x", "#room%irc@email.gw/nick", "room #room"},
		{"%irc@email.gw", "email.gw", ""}, // an echo of our own
		{"EMAIL.GW", "email.gw", ""},
	} {
		got = ""
		st, err := stream.Parse(`<message from='` + c.from + `' to='` + c.to + `'/>`)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Serve(t.Context(), nil, st); err != nil || got != c.want {
			t.Errorf("%s to %s: %q, %v; want %q", c.from, c.to, got, err, c.want)
		}
	}
	for to, want := range map[string]string{"nonsense@email.gw": "jid-malformed", "@email.gw": "jid-malformed"} {
		st, err := stream.Parse(`<message from='alice@example.org/x' to='` + to + `'/>`)
		if err != nil {
			t.Fatal(err)
		}
		var e *xmpp.Error
		if err := s.Serve(t.Context(), nil, st); !errors.As(err, &e) || e.Condition != want {
			t.Errorf("%s: %v, want %s", to, err, want)
		}
	}
}
