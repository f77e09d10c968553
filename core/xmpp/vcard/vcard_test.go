package vcard

import (
	"bytes"
	"context"
	"encoding/base64"
	"image/png"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/xmpptest"
	"gangway/mapping"
)

const (
	bob  = `bob\40example.com@email.gw`
	errs = `xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'`
)

// knower is a session that knows people, and the hall with it.
type knower struct {
	edgetest.Plain
	*edgetest.Hall
	link    core.Link
	asked   int
	profile core.Profile
}

func (k *knower) Run(ctx context.Context) error { <-ctx.Done(); return nil }
func (k *knower) Send(context.Context, *core.Message) (core.Taken, error) {
	return core.Taken{}, nil
}

func (k *knower) Profile(context.Context, core.Address) (*core.Profile, error) {
	k.asked++
	p := k.profile
	return &p, nil
}

func (k *knower) With(_ context.Context, _ core.Account, fn func(core.Session) error) error {
	return fn(k)
}
func (k *knower) Status(id core.AccountID) core.Status { return core.Status{Link: k.link} }
func (k *knower) Contact(_ context.Context, _ core.AccountID, a core.Address) (mapping.Contact, error) {
	return mapping.Contact{Address: a, Name: "Bob of the table"}, nil
}

func stage(t *testing.T, profiler bool) (*xmpptest.Server, *Cards, *knower, *edge.Domain) {
	t.Helper()
	srv := xmpptest.New(t)
	k := &knower{Hall: &edgetest.Hall{}, link: core.Connected}
	n := edgetest.Network((*edgetest.Plain)(nil))
	if profiler {
		n = edgetest.Network((*knower)(nil))
	}
	d := &edge.Domain{Name: "email.gw", Network: n}
	cards := New(Config{Gateway: k, Accounts: k, Contacts: k})
	r := xmpp.NewRouter(xmpp.RouterConfig{})
	h := cards.On(d)
	h.Register(r)
	r.IQ("get", nsTemp, "vCard", h)
	d.Link = xmpptest.Start(t, srv, "email.gw", r)
	return srv, cards, k, d
}

func ask(srv *xmpptest.Server, from, to, payload, want string) {
	srv.Send(`<iq type='get' id='1' from='` + from + `' to='` + to + `'>` + payload + `</iq>`)
	srv.Expect(`<iq id='1' from='` + to + `' to='` + from + `'>` + want + `</iq>`)
}

const (
	temp  = `<vCard xmlns='vcard-temp'/>`
	alice = "alice@example.org/x"
)

func TestGatewayCard(t *testing.T) {
	srv, cards, _, d := stage(t, false)
	sum := cards.Photo(d, "", "email.gw")
	ask(srv, "anybody@example.net/x", "email.gw", temp, `<vCard xmlns='vcard-temp'><FN>E-mail</FN><DESC>*help*</DESC><PHOTO><TYPE>image/png</TYPE><BINVAL/></PHOTO></vCard>`)
	ask(srv, alice, "email.gw", `<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:avatar:metadata'/></pubsub>`,
		`<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:avatar:metadata'><item id='`+sum+`'><metadata xmlns='urn:xmpp:avatar:metadata'><info id='`+sum+`' type='image/png'/></metadata></item></items></pubsub>`)
	ask(srv, alice, "email.gw", `<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:avatar:data'><item id='other'/></items></pubsub>`, `<error type='cancel'><item-not-found `+errs+`/></error>`)
}

func TestContactCard(t *testing.T) {
	srv, cards, k, d := stage(t, true)
	k.profile = core.Profile{Name: "Bob", Note: "A friend", Avatar: core.Picture{Type: "image/png", Data: []byte("png")}}
	if cards.Photo(d, edgetest.Alice, bob) != "" {
		t.Error("a picture before anybody asked")
	}
	b64 := base64.StdEncoding.EncodeToString([]byte("png"))
	ask(srv, alice, bob, temp, `<vCard xmlns='vcard-temp'><FN>Bob</FN><DESC>A friend</DESC><PHOTO><TYPE>image/png</TYPE><BINVAL>`+b64+`</BINVAL></PHOTO></vCard>`)
	ask(srv, alice, bob, `<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'/>`, `<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>Bob</text></fn><photo><uri>data:image/png;base64,`+b64+`</uri></photo></vcard>`)
	sum := cards.Photo(d, edgetest.Alice, bob)
	ask(srv, alice, bob, `<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:avatar:data'><item id='`+sum+`'/></items></pubsub>`,
		`<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:avatar:data'><item id='`+sum+`'><data xmlns='urn:xmpp:avatar:data'>`+b64+`</data></item></items></pubsub>`)
	ask(srv, alice, bob, `<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='http://jabber.org/protocol/nick'/></pubsub>`,
		`<pubsub xmlns='http://jabber.org/protocol/pubsub'><items><item><nick xmlns='http://jabber.org/protocol/nick'>Bob</nick></item></items></pubsub>`)
	ask(srv, alice, bob, `<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='storage:bookmarks'/></pubsub>`, `<error type='cancel'><item-not-found `+errs+`/></error>`)
	nodes, err := cards.On(d).Nodes(t.Context(), edgetest.Alice, core.Target{Address: "bob@example.com"})
	if err != nil || len(nodes) != 4 {
		t.Errorf("nodes %q, %v", nodes, err)
	}
	if k.asked != 1 {
		t.Errorf("the network was asked %d times", k.asked)
	}
	if cards.Photo(d, edgetest.Bob, bob) != "" {
		t.Error("what one user's account has found out is shown to another")
	}
}

func TestCardOfTheTable(t *testing.T) {
	for _, link := range []core.Link{core.Connected, core.Waiting} {
		srv, _, k, _ := stage(t, link != core.Connected) // a network that cannot tell, and one that is away
		k.link = link
		ask(srv, alice, bob, temp, `<vCard xmlns='vcard-temp'><FN>Bob of the table</FN><no><PHOTO/></no></vCard>`)
		if k.asked > 0 {
			t.Error("the network was asked")
		}
	}
}

func TestNoCard(t *testing.T) {
	srv, _, _, _ := stage(t, true)
	ask(srv, "bob@example.org/x", bob, temp, `<error type='auth'><registration-required `+errs+`/></error>`)
	ask(srv, "example.org", bob, temp, `<error type='auth'><registration-required `+errs+`/></error>`)
	ask(srv, alice, "#room%net@email.gw", temp, `<error type='cancel'><item-not-found `+errs+`/></error>`)
	ask(srv, alice, bob, `<pubsub xmlns='http://jabber.org/protocol/pubsub'><subscriptions/></pubsub>`, `<error type='cancel'><feature-not-implemented `+errs+`/></error>`)
}

func TestHostileProfile(t *testing.T) {
	var c Card
	c.add(&core.Profile{Name: string(bytes.Repeat([]byte("é"), 5000)), Avatar: core.Picture{Type: "text/html", Data: []byte("<b>")}})
	if len(c.Name) > textMost || c.photo.sum != "" {
		t.Errorf("%d bytes of name, picture %q", len(c.Name), c.photo.sum)
	}
	c.add(&core.Profile{Avatar: core.Picture{Type: "image/png;base64,AAAA", Data: []byte("a")}})
	if c.photo.sum != "" {
		t.Error("a media type that is more than one")
	}
	c.add(&core.Profile{Avatar: core.Picture{Type: "image/png", Data: make([]byte, photoMost+1)}})
	if c.photo.sum != "" {
		t.Error("a picture that is too large")
	}
}

func TestCacheIsBounded(t *testing.T) {
	now := time.Now()
	c := New(Config{})
	c.now = func() time.Time { return now }
	for i := range 2 * keepMost {
		c.change(nil, key{jid: string(rune(i))}, "", func(known) known { return known{} })
	}
	if len(c.known) > keepMost {
		t.Errorf("%d cards are kept", len(c.known))
	}
}

func TestLogos(t *testing.T) {
	seen := map[string]string{}
	for _, typ := range []string{"smtp", "sms", "irc", "other"} {
		data := drawLogo(typ)
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil || img.Bounds().Dx() != logoSize || len(data) > 2000 {
			t.Errorf("%s: %d bytes, %v", typ, len(data), err)
		}
		if other, dup := seen[string(data)]; dup {
			t.Errorf("%s looks like %s", typ, other)
		}
		seen[string(data)] = typ
		if !bytes.Equal(data, drawLogo(typ)) {
			t.Errorf("%s: another picture each time", typ)
		}
	}
}
