package chat

import (
	"context"
	"strings"
	"testing"
	"time"

	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/xmpptest"
)

// A report of a correspondent reaches the admins, once, with what its sender says.
func TestReports(t *testing.T) {
	ch, d, _ := pane((*edgetest.Plain)(nil))
	var told []string
	ch.report = func(_ context.Context, network, text string) { told = append(told, network+": "+text) }
	now := noon
	ch.reports.now = func() time.Time { return now }
	router := xmpp.NewRouter(xmpp.RouterConfig{})
	router.IQ("get", xmpp.NSPing, "ping", xmpp.Ping())
	next := xmpp.HandlerFunc(func(context.Context, xmpp.Sender, *stream.Stanza) error { return nil })
	ch.RegisterReports(router, d, &edge.Switch{Domain: d, Self: next, Contact: ch.Handler(d)})
	srv := xmpptest.New(t)
	d.Link = xmpptest.Start(t, srv, d.Name, router)
	send := func(typ, from, to, inside string) {
		srv.Send(`<message type='` + typ + `' id='r' from='` + from + `' to='` + to + `'>` + inside + `</message>`)
	}
	report := func(reason, inside string) string {
		return `<report xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:` + reason + `'>` + inside + `</report>`
	}
	jid := func(who string) string { return `<jid xmlns='urn:xmpp:jid:0'>` + who + `</jid>` }
	for _, c := range []struct{ from, to, inside, want string }{
		{"example.org", "email.gw", report("spam", jid(bob)), "mail: example.org reports bob@example.com for spam."},
		{"alice@example.org/x", bob, report("abuse", "<text>Rude\n words</text>"), "mail: alice@example.org reports bob@example.com for abuse. They say: Rude\n words"},
		{"alice@example.org/y", bob, report("abuse", "<text>Again</text>"), ""},
		{"bob@example.org/x", "email.gw", report("spam", jid(bob+"/gateway")+"<text>"+strings.Repeat("x", 5000)+"</text>"),
			"mail: bob@example.org reports bob@example.com for spam. They say: " + strings.Repeat("x", maxReport)},
	} {
		told = nil
		send("normal", c.from, c.to, c.inside)
		srv.Quiet(c.from, "email.gw")
		if got := strings.Join(told, "|"); got != c.want {
			t.Errorf("%s: told %q, want %q", c.inside, got, c.want)
		}
	}
	for _, inside := range []string{report("spam", ""), report("spam", jid("x@elsewhere.example")), report("spam", jid("nonsense@email.gw"))} {
		told = nil
		send("normal", "example.org", "email.gw", inside)
		srv.Expect(`<message type='error' id='r' to='example.org'/>`)
		send("error", "example.org", "email.gw", inside)
		srv.Quiet("example.org", "email.gw")
		if len(told) > 0 {
			t.Errorf("%s: told %q", inside, told)
		}
	}
	now = now.Add(3 * time.Hour)
	send("normal", "alice@example.org/x", bob, report("spam", ""))
	srv.Quiet("alice@example.org/x", "email.gw")
	if len(told) != 1 {
		t.Errorf("later: told %q", told)
	}
}
