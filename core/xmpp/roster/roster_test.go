package roster

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/disco"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/xmpptest"
)

const bob = `bob\40example.com@email.gw`

type scene struct {
	srv    *xmpptest.Server
	hall   *edgetest.Hall
	roster *Roster
	domain *edge.Domain
	edge   *edge.Edge
}

func stage(t *testing.T, change ...func(*core.Network)) *scene {
	t.Helper()
	s := &scene{srv: xmpptest.New(t), hall: &edgetest.Hall{}}
	n := edgetest.Network((*edgetest.Plain)(nil))
	for _, fn := range change {
		fn(n)
	}
	s.domain = &edge.Domain{Name: "email.gw", Network: n}
	s.roster = New(Config{Gateway: s.hall, Accounts: s.hall})
	h := s.roster.On(s.domain, disco.New(disco.Config{Domain: s.domain, Gateway: s.hall}))
	router := xmpp.NewRouter(xmpp.RouterConfig{})
	router.Presence(&edge.Switch{Domain: s.domain, Self: h, Contact: h})
	router.IQ("get", xmpp.NSPing, "ping", xmpp.Ping())
	s.domain.Link = xmpptest.Start(t, s.srv, "email.gw", router, func(c *xmpp.Config) { c.Dial = s.srv.Dial })
	var err error
	if s.edge, err = edge.New(edge.Config{Domains: []*edge.Domain{s.domain}, Chat: s.roster, Roster: s.roster}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *scene) presence(typ, from, to string) {
	s.srv.Send(fmt.Sprintf(`<presence type='%s' from='%s' to='%s'/>`, typ, from, to))
}

// Behaviour 14: subscribed, presence with caps, and a subscription back.
func TestSubscribeToTheGateway(t *testing.T) {
	s := stage(t)
	for _, user := range []string{"alice@example.org", "bob@example.org"} { // with and without an account
		s.presence("subscribe", user, "email.gw")
		s.srv.Expect(`<presence type='subscribed' from='email.gw' to='` + user + `'/>`)
		s.srv.Expect(`<presence type='!' from='email.gw' to='` + user + `'>
			<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:gangway' ver='*'/><no><show/><status/></no></presence>`)
		s.srv.Expect(`<presence type='subscribe' from='email.gw' to='` + user + `'/>`)
	}
	s.presence("subscribe", "mallory@example.net", "email.gw")
	s.srv.Expect(`<presence type='unsubscribed' from='email.gw' to='mallory@example.net'/>`)
}

func TestSubscribeToAContact(t *testing.T) {
	s := stage(t)
	s.presence("subscribe", "alice@example.org", bob)
	s.srv.Expect(`<presence type='subscribed' from='` + bob + `' to='alice@example.org'/>`)
	s.srv.Expect(`<presence type='!' from='` + bob + `/gateway' to='alice@example.org'><c xmlns='http://jabber.org/protocol/caps'/></presence>`)
	s.srv.Expect(`<presence type='subscribe' from='` + bob + `' to='alice@example.org'/>`)

	s.presence("subscribe", "bob@example.org", bob)
	s.srv.Expect(`<presence type='error' from='` + bob + `'><error type='auth'><registration-required xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`)
	s.presence("subscribe", "alice@example.org", "nonsense@email.gw")
	s.srv.Expect(`<presence type='error'><error type='modify'><jid-malformed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`)
	s.presence("subscribe", "alice@example.org", `mailto\3abob\40example.com@email.gw`)
	s.srv.Expect(`<presence type='error'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>xmpp:bob%5C40example.com@email.gw</gone></error></presence>`)
}

// A probe is answered to the one who asks, with how things stand, or by
// unsubscribed (RFC 6121 section 4.3.2).
func TestProbe(t *testing.T) {
	s := stage(t)
	s.presence("probe", "alice@example.org/phone", bob)
	s.srv.Expect(`<presence type='!' from='` + bob + `/gateway' to='alice@example.org/phone'><no><show/></no></presence>`)
	s.presence("probe", "alice@example.org/phone", "email.gw")
	s.srv.Expect(`<presence type='!' from='email.gw' to='alice@example.org/phone'/>`)
	s.presence("probe", "bob@example.org/x", bob)
	s.srv.Expect(`<presence type='unsubscribed' from='` + bob + `' to='bob@example.org/x'/>`)
	s.presence("probe", "mallory@example.net/x", "email.gw")
	s.srv.Expect(`<presence type='unsubscribed' from='email.gw'/>`)
	s.presence("probe", "example.org", "email.gw")
	s.srv.Expect(`<presence type='unsubscribed' from='email.gw' to='example.org'/>`)

	s.hall.State = core.Status{Link: core.Waiting, Err: core.E(core.Unavailable, "", "The mail server is away.")}
	s.presence("probe", "alice@example.org/phone", bob)
	s.srv.Expect(`<presence from='` + bob + `/gateway'><show>xa</show><status>The mail server is away.</status></presence>`)
}

func TestProbeOfAnImplicitAccount(t *testing.T) {
	s := stage(t, func(n *core.Network) { n.Driver.Implicit = true })
	s.presence("probe", "bob@example.org/x", bob)
	s.srv.Expect(`<presence type='!' from='` + bob + `/gateway' to='bob@example.org/x'/>`)
	s.presence("probe", "mallory@example.net/x", bob)
	s.srv.Expect(`<presence type='unsubscribed'/>`)
}

// Behaviour 12: removing the gateway deletes nothing, and says so.
func TestUnsubscribe(t *testing.T) {
	s := stage(t)
	s.presence("unsubscribe", "alice@example.org", "email.gw")
	s.srv.Expect(`<presence type='unsubscribed' from='email.gw' to='alice@example.org'/>`)
	s.srv.Expect(`<presence type='unavailable' from='email.gw' to='alice@example.org'/>`)
	s.srv.Expect(`<message type='chat' from='email.gw' to='alice@example.org'><body>*is kept*unregister*</body></message>`)
	s.presence("unsubscribe", "bob@example.org", "email.gw")
	s.srv.Expect(`<presence type='unsubscribed' to='bob@example.org'/>`)
	s.srv.Expect(`<presence type='unavailable' to='bob@example.org'/>`)
	s.presence("unsubscribe", "alice@example.org", bob)
	s.srv.Expect(`<presence type='unsubscribed' from='` + bob + `' to='alice@example.org'/>`)
	s.srv.Expect(`<presence type='unavailable' from='` + bob + `'/>`)
	s.srv.Quiet("alice@example.org/x", "email.gw")
}

func TestNoAnswerWhereNoneIsWanted(t *testing.T) {
	s := stage(t)
	for _, to := range []string{"email.gw", bob} {
		s.srv.Send(`<presence from='alice@example.org/x' to='` + to + `'><show>away</show></presence>`)
		for _, typ := range []string{"unavailable", "subscribed", "unsubscribed", "error"} {
			s.presence(typ, "alice@example.org/x", to)
		}
	}
	s.srv.Quiet("alice@example.org/x", "email.gw")
}

// The gateway's presence changes when an account's state does, and is sent once.
func TestStatus(t *testing.T) {
	s := stage(t)
	show := func(st core.Status) {
		t.Helper()
		st.Account = "a1"
		if err := s.edge.Show(t.Context(), edgetest.Account(), &st); err != nil {
			t.Fatal(err)
		}
	}
	away := core.E(core.Unavailable, "", "The mail server is away.")
	show(core.Status{Link: core.Connecting})
	show(core.Status{Link: core.Connected}) // what was announced
	show(core.Status{Link: core.Waiting, Err: away})
	s.srv.Expect(`<presence from='email.gw' to='alice@example.org' xml:lang='en'><show>xa</show><status>alice@mail.example: The mail server is away.</status></presence>`)
	show(core.Status{Link: core.Connecting})
	show(core.Status{Link: core.Waiting, Err: away})
	show(core.Status{Link: core.Refused, Err: core.E(core.Denied, "", "Wrong password.")})
	s.srv.Expect(`<presence from='email.gw'><show>xa</show><status>alice@mail.example: Wrong password.</status></presence>`)
	s.presence("probe", "alice@example.org/x", "email.gw")
	s.srv.Expect(`<presence from='email.gw'><show>xa</show></presence>`)
	show(core.Status{Link: core.Connected})
	s.srv.Expect(`<presence from='email.gw'><no><show/><status/></no></presence>`)
	s.srv.Quiet("alice@example.org/x", "email.gw")
	if n := len(s.roster.health.users); n != 0 {
		t.Errorf("%d users are still kept", n)
	}
}

func TestRenderContact(t *testing.T) {
	ref := core.Ref{Account: "a1", Peer: "bob@example.com"}
	for _, c := range []struct {
		event core.Event
		want  string
	}{
		{&core.Presence{Ref: ref}, `<presence type='!' from='` + bob + `/gateway' to='alice@example.org'><c xmlns='http://jabber.org/protocol/caps'/><no><show/></no></presence>`},
		{&core.Presence{Ref: ref, Show: core.Away, Text: "Lunch"}, `<presence><show>away</show><status>Lunch</status></presence>`},
		{&core.Presence{Ref: ref, Show: core.ExtendedAway}, `<presence><show>xa</show></presence>`},
		{&core.Presence{Ref: ref, Show: core.Busy}, `<presence><show>dnd</show></presence>`},
		{&core.Presence{Ref: ref, Show: core.Offline, Text: "Bye"}, `<presence type='unavailable'><status>Bye</status><no><c xmlns='http://jabber.org/protocol/caps'/></no></presence>`},
	} {
		s := stage(t)
		if err := s.edge.Show(t.Context(), edgetest.Account(), c.event); err != nil {
			t.Fatal(err)
		}
		s.srv.Expect(c.want)
	}
	s := stage(t)
	if err := s.edge.Show(t.Context(), edgetest.Account(), &core.Profile{Ref: ref}); err != nil {
		t.Error(err)
	}
	s.srv.Quiet("alice@example.org/x", "email.gw")
	bad := core.Ref{Account: "a1", Peer: "a\x00@b"}
	if err := s.edge.Show(t.Context(), edgetest.Account(), &core.Presence{Ref: bad}); core.KindOf(err) != core.Invalid {
		t.Errorf("an address that no JID can have: %v", err)
	}
	var enc stream.Encoder
	if err := s.roster.Render(t.Context(), &enc, s.domain, edgetest.Account(), &core.Message{}); core.KindOf(err) != core.Unsupported {
		t.Errorf("an event of somebody else's: %v", err)
	}
}

// crowd is many accounts, two to a user.
type crowd struct {
	edgetest.Hall
	n int
}

func (c *crowd) Accounts(context.Context, string) ([]core.Account, error) {
	all := make([]core.Account, 2*c.n)
	for i := range all {
		all[i] = core.Account{ID: core.AccountID(fmt.Sprint(i)), Network: "mail", User: core.UserID(fmt.Sprintf("u%03d@example.org", i/2))}
	}
	return all, nil
}

// Behaviours 2 and 15: each user is told once at start and once at stop, also
// where the server reads slowly.
func TestAnnounceAndWithdraw(t *testing.T) {
	const users = 500
	synctest.Test(t, func(t *testing.T) {
		s := stage(t)
		s.srv.Patience = time.Hour
		s.roster.cfg.Accounts = &crowd{n: users}
		s.domain.Link = narrow{s.domain.Link, new(int)}
		for _, pass := range []struct {
			do   func(context.Context, *edge.Domain) error
			want string
		}{
			{s.roster.Announce, `<presence type='!' from='email.gw' to='u%03d@example.org'><c xmlns='http://jabber.org/protocol/caps'/></presence>`},
			{s.roster.Withdraw, `<presence type='unavailable' from='email.gw' to='u%03d@example.org'/>`},
		} {
			if err := pass.do(t.Context(), s.domain); err != nil {
				t.Fatal(err)
			}
			for i := range users {
				s.srv.Expect(fmt.Sprintf(pass.want, i))
			}
		}
		s.srv.Quiet("u001@example.org/x", "email.gw")

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s.domain.Link = full{s.domain.Link}
		if err := s.roster.Announce(ctx, s.domain); err == nil {
			t.Error("no error when it was stopped")
		}
	})
}

// narrow is a link that is full every second time.
type narrow struct {
	xmpp.Sender
	calls *int
}

func (l narrow) Write(fn func(*stream.Encoder)) error {
	if *l.calls++; *l.calls%2 == 1 {
		return xmpp.ErrFull
	}
	return l.Sender.Write(fn)
}

type full struct{ xmpp.Sender }

func (full) Write(func(*stream.Encoder)) error { return xmpp.ErrFull }
