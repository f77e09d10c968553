package disco

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/xmpptest"
)

const (
	errorOf = `<error type='%'><^ xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`
	bob     = `bob\40example.com@email.gw`
)

// rooms answers for rooms and nodes as package muc would.
type rooms struct{}

func (rooms) Info(_ context.Context, q Query) (Info, error) {
	if q.Node == "missing" {
		return Info{}, core.E(core.NotFound, "test", "")
	}
	return Info{Identities: []Identity{{Category: "conference", Type: "irc", Name: string(q.To.Address) + " " + q.Nick + " " + string(q.User)}}}, nil
}

func (rooms) Items(_ context.Context, q Query) ([]Item, error) {
	return []Item{{JID: "#go%irc@email.gw", Name: "realm:" + q.To.Realm}}, nil
}

func (r rooms) List(ctx context.Context, q Query) ([]Item, bool, error) {
	items, err := r.Items(ctx, q)
	return items, true, err
}

func stage(t *testing.T, cfg Config, s core.Session) (*xmpptest.Server, *Handler) {
	t.Helper()
	cfg.Domain = &edge.Domain{Name: "email.gw", Network: edgetest.Network(s)}
	cfg.Gateway = &edgetest.Hall{}
	h := New(cfg)
	router := xmpp.NewRouter(xmpp.RouterConfig{})
	h.Register(router)
	srv := xmpptest.New(t)
	xmpptest.Start(t, srv, "email.gw", router)
	return srv, h
}

func ask(srv *xmpptest.Server, from, to, payload string) {
	srv.Send(`<iq type='get' id='1' from='` + from + `' to='` + to + `'>` + payload + `</iq>`)
}

const (
	alice     = "alice@example.org/phone"
	infoQuery = `<query xmlns='http://jabber.org/protocol/disco#info'/>`
	itemQuery = `<query xmlns='http://jabber.org/protocol/disco#items'/>`
	cardQuery = `<vCard xmlns='vcard-temp'/>`
)

func node(query, n string) string { return strings.Replace(query, "/>", " node='"+n+"'/>", 1) }

func failure(typ, condition string) string {
	return `<iq type='error' id='1'>` + strings.NewReplacer("%", typ, "^", condition).Replace(errorOf) + `</iq>`
}

// Behaviours 1, 3, 5: the gateway answers everybody, contacts only their users,
// and a node that is not there is item-not-found.
func TestAnswers(t *testing.T) {
	cfg := Config{Rooms: rooms{}, Nodes: map[string]Answerer{"http://jabber.org/protocol/commands": rooms{}}, Features: []string{"jabber:iq:register"},
		Contacts: []string{"urn:xmpp:avatar:metadata"}, Admins: func() []string { return []string{"root@example.org"} }}
	for _, c := range []struct{ name, from, to, query, want string }{
		{"the gateway", alice, "email.gw", infoQuery, `<iq type='result' id='1' from='email.gw'><query xmlns='http://jabber.org/protocol/disco#info'>
			<identity category='gateway' type='smtp' name='E-mail'/><identity category='conference' type='text'/>
			<feature var='http://jabber.org/protocol/disco#info'/><feature var='jabber:iq:register'/><feature var='http://jabber.org/protocol/muc'/></query></iq>`},
		{"whom to turn to", alice, "email.gw", infoQuery, `<iq type='result'><query xmlns='http://jabber.org/protocol/disco#info'><x xmlns='jabber:x:data' type='result'>
			<field var='FORM_TYPE' type='hidden'><value>http://jabber.org/network/serverinfo</value></field>
			<field var='admin-addresses' type='list-multi'><value>xmpp:root@example.org</value></field></x></query></iq>`},
		{"to a stranger", "mallory@example.net/x", "email.gw", infoQuery, `<iq type='result'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`},
		{"to a server", "example.org", "email.gw", infoQuery, `<iq type='result'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`},
		{"an unknown node", alice, "email.gw", node(infoQuery, "x"), failure("cancel", "item-not-found")},
		{"the commands", alice, "email.gw", node(itemQuery, "http://jabber.org/protocol/commands"),
			`<iq type='result'><query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'><item/></query></iq>`},
		{"an unknown node's items", alice, "email.gw", node(itemQuery, "x"), failure("cancel", "item-not-found")},
		{"the rooms", alice, "email.gw", itemQuery, `<iq type='result'><query xmlns='http://jabber.org/protocol/disco#items' node='!'><item jid='#go%irc@email.gw' name='realm:'/></query></iq>`},
		{"the rooms of a realm", alice, "%irc@email.gw", itemQuery, `<iq type='result'><query xmlns='http://jabber.org/protocol/disco#items'><item name='realm:irc'/></query></iq>`},
		{"a room", alice, "#go%irc@email.gw", infoQuery, `<iq type='result' from='#go%irc@email.gw'><query xmlns='http://jabber.org/protocol/disco#info'><identity category='conference' name='#go  alice@example.org'/></query></iq>`},
		{"an occupant", alice, "#go%irc@email.gw/nick", infoQuery, `<iq type='result'><query xmlns='http://jabber.org/protocol/disco#info'><identity name='#go nick alice@example.org'/></query></iq>`},
		{"a room's card", alice, "#go%irc@email.gw", cardQuery, `<iq type='result'><vCard xmlns='vcard-temp'><FN>#go%irc</FN></vCard></iq>`},
		{"an occupant's card", alice, "#go%irc@email.gw/nick", cardQuery, `<iq type='result'><vCard xmlns='vcard-temp'><FN>nick</FN></vCard></iq>`},
		{"a contact, by name", alice, bob, infoQuery, `<iq type='result' from='bob\40example.com@email.gw'><query xmlns='http://jabber.org/protocol/disco#info'>
			<identity category='account' type='registered' name='bob@example.com'/><feature var='urn:xmpp:receipts'/><feature var='urn:xmpp:reactions:0'/><feature var='urn:xmpp:avatar:metadata'/></query></iq>`},
		{"a contact's client", alice, bob + "/gateway", infoQuery, `<iq type='result'><query xmlns='http://jabber.org/protocol/disco#info'>
			<identity category='client' type='pc' name='E-mail'/><feature var='http://jabber.org/protocol/chatstates'/></query></iq>`},
		// Behaviour 9.
		{"a contact under another spelling", alice, `mailto:bob\40example.com@email.gw`, infoQuery,
			`<iq type='error'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>xmpp:bob%5C40example.com@email.gw</gone></error></iq>`},
		{"a contact's other client", alice, bob + "/x", infoQuery, failure("cancel", "item-not-found")},
		{"a contact's node", alice, bob + "/gateway", node(infoQuery, "x"), failure("cancel", "item-not-found")},
		{"a contact, to a stranger", "bob@example.org/x", bob, infoQuery, failure("auth", "registration-required")},
		{"a contact, to a server", "example.org", bob, infoQuery, failure("auth", "registration-required")},
		{"a contact's items", alice, bob, itemQuery, `<iq type='result'><query xmlns='http://jabber.org/protocol/disco#items'><no><item/></no></query></iq>`},
		{"a contact's items, to a stranger", "bob@example.org/x", bob, itemQuery, failure("auth", "registration-required")},
		{"what is no address", alice, "nonsense@email.gw", infoQuery, failure("modify", "bad-request")},
		{"the gateway's card", alice, "email.gw", cardQuery, `<iq type='result'><vCard xmlns='vcard-temp'><FN>E-mail</FN></vCard></iq>`},
		{"a contact's card", alice, bob, cardQuery, `<iq type='result'><vCard xmlns='vcard-temp'><FN>bob@example.com</FN></vCard></iq>`},
		{"a contact's card, to a stranger", "bob@example.org/x", bob, cardQuery, failure("auth", "registration-required")},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv, _ := stage(t, cfg, (*edgetest.Full)(nil))
			ask(srv, c.from, c.to, c.query)
			srv.Expect(c.want)
		})
	}
}

func TestWithoutRooms(t *testing.T) {
	srv, _ := stage(t, Config{}, (*edgetest.Plain)(nil))
	ask(srv, alice, "email.gw", itemQuery)
	srv.Expect(`<iq type='result'><query xmlns='http://jabber.org/protocol/disco#items'><no><item/></no></query></iq>`)
	ask(srv, alice, "#go%irc@email.gw", infoQuery)
	srv.Expect(failure("cancel", "item-not-found"))
	ask(srv, alice, "email.gw", infoQuery)
	srv.Expect(`<iq type='result'><query xmlns='http://jabber.org/protocol/disco#info'><no><identity category='conference'/><feature var='http://jabber.org/protocol/muc'/></no></query></iq>`)
}

func TestSetIsRefused(t *testing.T) {
	h := New(Config{Domain: &edge.Domain{Name: "email.gw", Network: edgetest.Network((*edgetest.Plain)(nil))}, Gateway: &edgetest.Hall{}})
	router := xmpp.NewRouter(xmpp.RouterConfig{})
	router.IQ("set", NSVCard, "vCard", h)
	srv := xmpptest.New(t)
	xmpptest.Start(t, srv, "email.gw", router)
	srv.Send(`<iq type='set' id='1' from='alice@example.org/x' to='email.gw'><vCard xmlns='vcard-temp'/></iq>`)
	srv.Expect(failure("cancel", "not-allowed"))
}

// Where accounts are made at first use, whoever may use the gateway may look, and
// looking makes none.
func TestImplicitAccounts(t *testing.T) {
	n := edgetest.Network((*edgetest.Plain)(nil))
	n.Driver.Implicit = true
	h := New(Config{Domain: &edge.Domain{Name: "email.gw", Network: n}, Gateway: &edgetest.Hall{}})
	router := xmpp.NewRouter(xmpp.RouterConfig{})
	router.IQ("get", NSInfo, "query", h)
	srv := xmpptest.New(t)
	xmpptest.Start(t, srv, "email.gw", router)
	ask(srv, "bob@example.org/x", bob, infoQuery)
	srv.Expect(`<iq type='result'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`)
	ask(srv, "mallory@example.net/x", bob, infoQuery)
	srv.Expect(failure("auth", "registration-required"))
}

// nodes is what there is about everybody.
type nodes []string

func (n nodes) Nodes(context.Context, core.UserID, core.Target) ([]string, error) { return n, nil }

// An account has personal eventing (XEP-0163) where somebody serves it, and lists
// its nodes; the device that speaks for it, and the gateway, only have items.
func TestPersonalEventing(t *testing.T) {
	srv, _ := stage(t, Config{Personal: nodes{"urn:xmpp:avatar:metadata"}}, (*edgetest.Plain)(nil))
	ask(srv, alice, bob, infoQuery)
	srv.Expect(`<iq type='result'><query xmlns='` + NSInfo + `'><identity category='account' type='registered'/><identity category='pubsub' type='pep'/>
		<feature var='urn:ietf:params:xml:ns:vcard-4.0'/><feature var='http://jabber.org/protocol/pubsub#retrieve-items'/>
		<feature var='http://jabber.org/protocol/pubsub#filtered-notifications'/></query></iq>`)
	ask(srv, alice, bob, itemQuery)
	srv.Expect(`<iq type='result'><query xmlns='` + NSItems + `'><item jid='` + bob + `' node='urn:xmpp:avatar:metadata'/></query></iq>`)
	for _, to := range []string{bob + "/gateway", "email.gw"} {
		ask(srv, alice, to, infoQuery)
		srv.Expect(`<iq type='result'><query xmlns='` + NSInfo + `'><feature var='urn:ietf:params:xml:ns:vcard-4.0'/>
			<feature var='http://jabber.org/protocol/pubsub#retrieve-items'/><no><identity category='pubsub'/></no></query></iq>`)
	}
	srv, _ = stage(t, Config{}, (*edgetest.Plain)(nil))
	ask(srv, alice, bob, infoQuery)
	srv.Expect(`<iq type='result'><query xmlns='` + NSInfo + `'><no><identity category='pubsub'/></no><no><feature var='urn:ietf:params:xml:ns:vcard-4.0'/></no></query></iq>`)
	ask(srv, alice, bob, itemQuery)
	srv.Expect(`<iq type='result'><query xmlns='` + NSItems + `'><no><item/></no></query></iq>`)
}

// Behaviour 16: clients send chat states, markers, corrections and so on only to
// whom the capabilities say that they take them, for each resource.
func TestContactsSayWhatTheyTake16(t *testing.T) {
	takes := []string{
		"http://jabber.org/protocol/chatstates", "urn:xmpp:chat-markers:0", "urn:xmpp:message-correct:0", "urn:xmpp:message-retract:1", "urn:xmpp:reactions:0",
	}
	always := []string{"urn:xmpp:receipts", "jabber:x:oob", "urn:xmpp:reply:0"}
	for _, full := range []bool{true, false} {
		var session core.Session = (*edgetest.Plain)(nil)
		if full {
			session = (*edgetest.Full)(nil)
		}
		srv, h := stage(t, Config{}, session)
		for _, to := range []string{bob, bob + "/gateway"} {
			ask(srv, alice, to, infoQuery)
			info := readInfo(srv.Next().Child(NSInfo, "query"))
			for _, f := range takes {
				if slices.Contains(info.Features, f) != full {
					t.Errorf("%s, able %v: has %s: %v", to, full, f, !full)
				}
			}
			for _, f := range always {
				if !slices.Contains(info.Features, f) {
					t.Errorf("%s lacks %s", to, f)
				}
			}
		}
		ask(srv, alice, bob+"/gateway", node(infoQuery, Node+"#"+h.ContactVer()))
		if got := readInfo(srv.Next().Child(NSInfo, "query")).Ver(); got != h.ContactVer() {
			t.Errorf("able %v: presence says %s, the answer is %s", full, h.ContactVer(), got)
		}
	}
}

// Behaviour 4: the hash that presence carries is that of the answer, for the
// gateway and for contacts, also when asked by the node of the caps.
func TestCapsMatch(t *testing.T) {
	cfg := Config{Features: []string{"jabber:iq:register"}, Contacts: []string{"urn:xmpp:avatar:metadata"}, Admins: func() []string { return []string{"root@example.org"} }, Personal: nodes{}}
	srv, h := stage(t, cfg, (*edgetest.Full)(nil))
	for to, ver := range map[string]string{"email.gw": h.GatewayVer(), bob + "/gateway": h.ContactVer()} {
		for _, query := range []string{infoQuery, node(infoQuery, Node+"#"+ver)} {
			ask(srv, alice, to, query)
			answer := srv.Next().Child(NSInfo, "query")
			if answer == nil {
				t.Fatalf("%s: no answer to %s", to, query)
			}
			if got := readInfo(answer).Ver(); got != ver {
				t.Errorf("%s: the answer has the hash %s, its presence %s", to, got, ver)
			}
		}
	}
	if h.GatewayVer() == h.ContactVer() {
		t.Error("gateway and contacts have one hash")
	}
}

// TestAdminsChange has others become those to turn to: the capabilities are others then, and who was shown the old ones can
// still ask what they were.
func TestAdminsChange(t *testing.T) {
	admins := []string{"root@example.org"}
	srv, h := stage(t, Config{Admins: func() []string { return admins }}, (*edgetest.Full)(nil))
	names := func(node, want string) {
		t.Helper()
		ask(srv, alice, "email.gw", node)
		srv.Expect(`<iq type='result'><query xmlns='http://jabber.org/protocol/disco#info'><x xmlns='jabber:x:data' type='result'>
			<field var='admin-addresses'><value>xmpp:` + want + `</value></field></x></query></iq>`)
	}
	old := h.GatewayVer()
	names(infoQuery, "root@example.org")
	admins = []string{"carol@example.org"}
	names(infoQuery, "carol@example.org")
	if h.GatewayVer() == old {
		t.Error("the capabilities are said to be the same")
	}
	names(node(infoQuery, Node+"#"+old), "root@example.org")
	names(node(infoQuery, Node+"#"+h.GatewayVer()), "carol@example.org")
	for i := range 20 {
		admins = []string{fmt.Sprintf("u%d@example.org", i)}
		_ = h.GatewayVer()
	}
	ask(srv, alice, "email.gw", node(infoQuery, Node+"#"+old))
	srv.Expect(failure("cancel", "item-not-found"))
}
