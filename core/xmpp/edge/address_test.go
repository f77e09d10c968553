package edge_test

import (
	"context"
	"testing"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
)

type target func(core.Target)

func (fn target) ServeTarget(_ context.Context, _ xmpp.Sender, _ *stream.Stanza, t core.Target) error {
	fn(t)
	return nil
}

func TestAddresses(t *testing.T) {
	d := &edge.Domain{Name: domain, Network: edgetest.Network((*edgetest.Plain)(nil))}
	for _, c := range []struct {
		realm   string
		peer    core.Address
		contact string
	}{
		{"", "Bob@Example.com", `bob\40example.com@email.gw/gateway`},
		{"", "", "email.gw"},
		{"irc", "", "%irc@email.gw/gateway"},
		{"irc", "nick", "nick%irc@email.gw/gateway"},
	} {
		got, err := d.Contact(c.realm, c.peer)
		if err != nil || got != c.contact {
			t.Errorf("Contact(%q, %q) = %q, %v; want %q", c.realm, c.peer, got, err, c.contact)
		}
	}
	for _, text := range []string{
		"bob@example.com", " bob@EXAMPLE.com ", `bob\40example.com@email.gw`, `bob\40example.com@Email.GW/gateway`,
		`xmpp:bob\40example.com@email.gw?message`, "xmpp:bob%5C40example.com@email.gw", "xmpp:bob@example.com",
		"bob@example.com@email.gw", "mailto:bob@example.com",
	} {
		got, err := d.Understand(text)
		if want := (core.Target{Address: "bob@example.com"}); err != nil || got != want {
			t.Errorf("Understand(%q) = %+v, %v", text, got, err)
		}
	}
	for _, from := range []string{"", "example.org", "x@email.gw/y", "a@b@c"} {
		if u, _, err := d.User(from); err == nil {
			t.Errorf("User(%q) = %q", from, u)
		}
	}
	if u, j, err := d.User("Alice@Example.ORG/Phone"); err != nil || u != "alice@example.org" || j.String() != "Alice@Example.ORG/Phone" {
		t.Errorf("User = %q, %q, %v", u, j, err)
	}
}

func TestURI(t *testing.T) {
	for jid, want := range map[string]string{
		`bob\40example.com@email.gw`: "xmpp:bob%5C40example.com@email.gw",
		"+15551234567@sms.gw":        "xmpp:+15551234567@sms.gw",
		"#go%irc.libera.chat@irc.gw": "xmpp:%23go%25irc.libera.chat@irc.gw",
		"jürgen(x)@email.gw":         "xmpp:j%C3%BCrgen%28x%29@email.gw",
	} {
		if got := edge.URI(jid, ""); got != want {
			t.Errorf("URI(%q) = %q, want %q", jid, got, want)
		}
	}
	if got := edge.URI("a@b", "join"); got != "xmpp:a@b?join" {
		t.Errorf("got %q", got)
	}
}
