package vcard

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
)

func picOf(data string) core.Picture { return core.Picture{Type: "image/png", Data: []byte(data)} }

// What is told of a card is told once, whether the network says it by itself or is
// asked; what it does not mention stays; another user hears nothing.
func TestNewsOfCards(t *testing.T) {
	srv, cards, k, d := stage(t, true)
	now := time.Now()
	cards.now = func() time.Time { return now }
	var told []string
	cards.Watch(func(_ *edge.Domain, user core.UserID, jid string, what Parts) {
		told = append(told, fmt.Sprint(user, " ", jid, " ", what))
	})
	heard := func(after string, want ...string) {
		t.Helper()
		if !slices.Equal(told, want) {
			t.Errorf("%s: told %q, want %q", after, told, want)
		}
		told = nil
	}
	const who = "alice@example.org " + bob + " "
	cards.Learn(d, edgetest.Alice, bob, &core.Profile{Name: "Bob"})
	heard("a name", who+"5")
	cards.Learn(d, edgetest.Alice, bob, &core.Profile{Name: "Bob", Avatar: picOf("a")})
	heard("a picture", who+"6")
	cards.Learn(d, edgetest.Alice, bob, &core.Profile{Avatar: core.Picture{Type: "text/html", Data: []byte("a")}})
	heard("no picture, and no name")
	if cards.Photo(d, edgetest.Alice, bob) == "" {
		t.Error("what was not mentioned is gone")
	}
	k.profile = core.Profile{Name: "Bob", Note: "A friend", Avatar: picOf("a")}
	ask(srv, alice, bob, temp, `<vCard xmlns='vcard-temp'><FN>Bob</FN><DESC>A friend</DESC></vCard>`)
	heard("asked", who+"4")
	k.link, now = core.Waiting, now.Add(2*keep)
	ask(srv, alice, bob, temp, `<vCard xmlns='vcard-temp'><FN>Bob</FN><DESC>A friend</DESC><PHOTO/></vCard>`)
	heard("a network that is away")
	k.link, k.profile.Avatar, now = core.Connected, core.Picture{}, now.Add(2*keep)
	ask(srv, alice, bob, temp, `<vCard xmlns='vcard-temp'><FN>Bob</FN><no><PHOTO/></no></vCard>`)
	heard("a picture that is gone", who+"6")
}

// Golden: each event of personal eventing.
func TestEvents(t *testing.T) {
	_, cards, _, d := stage(t, false)
	cards.Learn(d, edgetest.Alice, bob, &core.Profile{Name: "Bob", Avatar: picOf("a")})
	const sum = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"
	event := func(from, node, id, payload string) string {
		return `<message type='headline' from='` + from + `' to='alice@example.org/x'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='` +
			node + `'><item id='` + id + `'>` + payload + `</item></items></event></message>`
	}
	picture := event(bob, "urn:xmpp:avatar:metadata", sum, `<metadata xmlns='urn:xmpp:avatar:metadata'><info id='`+sum+`' type='image/png' bytes='1'/></metadata>`)
	card := event(bob, "urn:xmpp:vcard4", "current", `<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>Bob</text></fn><nickname><text>Bob</text></nickname>`+
		`<photo><uri>data:image/png;base64,YQ==</uri></photo></vcard>`)
	nick := event(bob, "http://jabber.org/protocol/nick", "current", `<nick xmlns='http://jabber.org/protocol/nick'>Bob</nick>`)
	for _, c := range []struct {
		jid  string
		what Parts
		want string
	}{
		{bob, Picture, picture},
		{bob, Name | Picture | Rest, nick + picture + card},
		{bob, 0, ""},
		{"carol@email.gw", Name | Rest, ""}, // nothing is known
		{"carol@email.gw", Picture, event("carol@email.gw", "urn:xmpp:avatar:metadata", "current", `<metadata xmlns='urn:xmpp:avatar:metadata'/>`)},
	} {
		var enc stream.Encoder
		cards.Tell(&enc, d, edgetest.Alice, c.jid, "alice@example.org/x", c.what)
		if got := string(enc.Bytes()); got != c.want || enc.Err() != nil {
			t.Errorf("%s %d: %s, want %s (%v)", c.jid, c.what, got, c.want, enc.Err())
		}
	}
}

func TestWanted(t *testing.T) {
	got := Wanted([]string{"urn:xmpp:avatar:metadata", "urn:xmpp:avatar:metadata+notify", "urn:xmpp:vcard4+notify", "urn:xmpp:mood+notify"})
	if got != Picture|Rest {
		t.Errorf("wanted %d", got)
	}
}
