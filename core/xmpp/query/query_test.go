package query

import (
	"context"
	"sync"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/xmpptest"
)

const (
	phone   = "alice@example.org/phone"
	bob     = "bob%net@irc.gw"
	inRoom  = "#c%net@irc.gw/Bob"
	stanzas = "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'"
)

// program is a session that asks one program, which answers when the test wants it to.
type program struct {
	edgetest.Plain

	mu      sync.Mutex
	asked   []core.Query
	peers   []core.Address
	waiting []func(string, error)
	text    string
	err     error
	later   bool // the answer waits for the test
}

func (p *program) Query(_ context.Context, peer core.Address, q core.Query, answered func(string, error)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked, p.peers = append(p.asked, q), append(p.peers, peer)
	if p.later {
		p.waiting = append(p.waiting, answered)
		return nil
	}
	text, err := p.text, p.err
	go answered(text, err)
	return nil
}

func (p *program) says(text string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text, p.err = text, err
}

// hall is the gateway with one session.
type hall struct {
	edgetest.Hall
	session core.Session
}

func (h *hall) With(_ context.Context, _ core.Account, fn func(core.Session) error) error {
	return fn(h.session)
}

// rooms has Bob in it, and Alice as Me.
type rooms struct{}

func (rooms) Occupant(_ context.Context, st *stream.Stanza, _ core.Target) (core.Account, core.Address, bool, error) {
	switch st.To {
	case inRoom:
		return edgetest.Account(), "bob", false, nil
	case "#c%net@irc.gw/Me":
		return edgetest.Account(), "", true, nil
	}
	return core.Account{}, "", false, core.E(core.NotFound, "test: occupant", "")
}

func stage(t *testing.T, s core.Session) *xmpptest.Server {
	t.Helper()
	srv := xmpptest.New(t)
	d := &edge.Domain{Name: "irc.gw", Network: edgetest.Network(s)}
	router := xmpp.NewRouter(xmpp.RouterConfig{})
	a := New(Config{Domain: d, Gateway: &hall{session: s}, Rooms: rooms{}})
	a.Register(router, xmpp.Version("gangway", "1"))
	router.IQ("get", xmpp.NSPing, "ping", a.Ping(xmpp.Ping()))
	xmpptest.Start(t, srv, "irc.gw", router)
	return srv
}

const (
	version = "<query xmlns='jabber:iq:version'/>"
	ping    = "<ping xmlns='urn:xmpp:ping'/>"
	clock   = "<time xmlns='urn:xmpp:time'/>"
)

func ask(srv *xmpptest.Server, to, payload string) {
	srv.Send("<iq type='get' id='q' from='" + phone + "' to='" + to + "'>" + payload + "</iq>")
}

func result(to, inside string) string {
	return "<iq type='result' id='q' from='" + to + "' to='" + phone + "'>" + inside + "</iq>"
}

func failed(to, typ, condition string) string {
	return "<iq type='error' id='q' from='" + to + "' to='" + phone + "'><error type='" + typ + "'><" + condition + " " + stanzas + "/></error></iq>"
}

// biboumi: a version is asked of an occupant or a person, and is what their program says of itself.
func TestPrograms(t *testing.T) {
	p := &program{}
	srv := stage(t, p)
	for _, to := range []string{bob, inRoom} {
		p.says("mIRC v7 <&>", nil)
		ask(srv, to, version)
		srv.Expect(result(to, "<query xmlns='jabber:iq:version'><name>mIRC v7 &lt;&amp;&gt;</name><version/></query>"))
		p.says("", nil)
		ask(srv, to, ping)
		srv.Expect(result(to, ""))
		p.says("Tue, 24 Nov 2026 14:03:18 +0100", nil)
		ask(srv, to, clock)
		srv.Expect(result(to, "<time xmlns='urn:xmpp:time'><tzo>+01:00</tzo><utc>2026-11-24T13:03:18Z</utc></time>"))
		p.says("half past two", nil)
		ask(srv, to, clock)
		srv.Expect(failed(to, "cancel", "undefined-condition"))
		for _, payload := range []string{version, ping, clock} {
			p.says("", core.E(core.NotFound, "test", ""))
			ask(srv, to, payload)
			srv.Expect(failed(to, "cancel", "item-not-found"))
			p.says("", core.E(core.Unavailable, "test", ""))
			ask(srv, to, payload)
			srv.Expect(failed(to, "wait", "remote-server-timeout"))
		}
	}
	for _, peer := range p.peers {
		if peer != "bob" {
			t.Errorf("asked %s", peer)
		}
	}
}

// Others' stanzas are not held up by a program that does not answer.
func TestNobodyWaits(t *testing.T) {
	p := &program{later: true}
	srv := stage(t, p)
	ask(srv, bob, version)
	ask(srv, bob, ping)
	ask(srv, "irc.gw", version)
	srv.Expect(result("irc.gw", "<query xmlns='jabber:iq:version'><name>gangway</name></query>"))
	p.mu.Lock()
	waiting := p.waiting
	p.mu.Unlock()
	waiting[1]("", nil)
	srv.Expect(result(bob, ""))
	waiting[0]("x", nil)
	srv.Expect(result(bob, "<query xmlns='jabber:iq:version'><name>x</name></query>"))
}

// What is not to somebody else the gateway answers itself.
func TestOwn(t *testing.T) {
	for name, s := range map[string]core.Session{"asks": &program{}, "cannot ask": (*edgetest.Plain)(nil)} {
		t.Run(name, func(t *testing.T) {
			srv := stage(t, s)
			all := []string{"irc.gw", "%net@irc.gw", "#c%net@irc.gw", "#c%net@irc.gw/Me"}
			if name == "cannot ask" {
				all = append(all, bob, inRoom)
			}
			for _, to := range all {
				ask(srv, to, version)
				srv.Expect(result(to, "<query xmlns='jabber:iq:version'><name>gangway</name><version>1</version></query>"))
				ask(srv, to, ping)
				srv.Expect(result(to, ""))
				ask(srv, to, clock)
				srv.Expect(result(to, "<time xmlns='urn:xmpp:time'><tzo>+00:00</tzo><utc>*</utc></time>"))
			}
		})
	}
	srv := stage(t, &program{})
	ask(srv, "#c%net@irc.gw/Nobody", version)
	srv.Expect(failed("#c%net@irc.gw/Nobody", "cancel", "item-not-found"))
}

func TestParseTime(t *testing.T) {
	want := time.Date(2026, 11, 24, 13, 3, 18, 0, time.UTC)
	for _, text := range []string{
		"Tue, 24 Nov 2026 13:03:18 UTC", "Tue, 24 Nov 2026 13:03:18 GMT", "Tue, 24 Nov 2026 14:03:18 +0100", "2026-11-24T13:03:18Z",
		" 2026-11-24 15:03:18 +0200 ", "Tue Nov 24 13:03:18 2026 UTC", "Tue Nov 24 13:03:18 UTC 2026",
		"2026-11-24T14:03:18+0100", "Tue, 24 Nov 2026 14:03:18 UTC+0100",
	} {
		if got, ok := parseTime(text); !ok || !got.Equal(want) {
			t.Errorf("%q is %v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "Tue Nov 24 13:03:18 2026", "Tue Nov 24 13:03:18 CET 2026", "0000-01-01T00:00:00Z", "UTC"} {
		if got, ok := parseTime(text); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func FuzzParseTime(f *testing.F) {
	f.Add("Tue, 24 Nov 2026 13:03:18 UTC")
	f.Add("2026-11-24 15:03:18 +0200")
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := parseTime(text)
		if ok && len(got.UTC().Format("2006-01-02T15:04:05Z")) < 20 {
			t.Errorf("%q is %v", text, got)
		}
	})
}
