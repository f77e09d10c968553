package edge_test

import (
	"net/url"
	"strings"
	"testing"

	"gangway/core"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/mapping"
)

// What is understood has one JID, which is canonical and understood again as the
// same, and its link leads there.
func FuzzUnderstand(f *testing.F) {
	for _, s := range []string{
		"bob@example.com", `bob\40example.com@email.gw`, "xmpp:bob%5C40example.com@email.gw", "#go%irc", "%irc", "a b@c",
		`\5c40@example.com`, "mailto:B@C", "ß@example.com", "a@b@email.gw", "İ@x", "a%b%c",
	} {
		f.Add(s)
	}
	d := &edge.Domain{Name: domain, Network: edgetest.Network((*edgetest.Plain)(nil))}
	f.Fuzz(func(t *testing.T, text string) {
		target, err := d.Understand(text)
		if err != nil {
			return
		}
		jid, err := d.JID(target.Realm, target.Address, target.Room)
		if err != nil {
			return // an address that no JID can have
		}
		j, err := addr.Parse(jid)
		if err != nil || !d.Owns(j) {
			t.Fatalf("%q: JID %q: %v", text, jid, err)
		}
		again, err := d.Target(j.Local())
		if err != nil {
			return // folding may make an address that the network does not take
		}
		// A JID has no case: the address is the same but for that.
		folded := func(t core.Target) string { return mapping.Fold(d.Network.Transport.Format(t)) }
		if folded(again) != folded(target) {
			t.Fatalf("%q: %+v became %+v", text, target, again)
		}
		if err := d.Canonical(j, again); err != nil {
			t.Fatalf("%q: its own JID %q is not canonical: %v", text, jid, err)
		}
		link, err := url.PathUnescape(strings.TrimPrefix(edge.URI(jid, ""), "xmpp:"))
		if err != nil || link != jid {
			t.Fatalf("%q: the link leads to %q, %v", jid, link, err)
		}
	})
}
