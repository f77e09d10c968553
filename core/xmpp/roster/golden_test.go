package roster

import (
	"flag"
	"regexp"
	"strings"
	"testing"

	"gangway/core"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/xmpptest"
)

var update = flag.Bool("update", false, "write what is rendered to testdata")

// hash is what changes with every feature; that it is right, package disco sees to.
var hash = regexp.MustCompile(`ver='[^']*'`)

// Golden: what becomes of a correspondent, and of an account's connection. What is
// known of a correspondent (core.Profile) is in the tests of package vcard.
func TestRenderGolden(t *testing.T) {
	ref := core.Ref{Account: "a1", Peer: "bob@example.com"}
	away := core.E(core.Unavailable, "", "The mail server is away.")
	for _, c := range []struct {
		name  string
		event core.Event
	}{
		{"presence-online", &core.Presence{Ref: ref}},
		{"presence-away", &core.Presence{Ref: ref, Show: core.Away, Text: "Lunch <&>"}},
		{"presence-extended-away", &core.Presence{Ref: ref, Show: core.ExtendedAway}},
		{"presence-busy", &core.Presence{Ref: ref, Show: core.Busy, Text: "\x02Later\x00"}},
		{"presence-offline", &core.Presence{Ref: ref, Show: core.Offline, Text: "Bye"}},
		{"status-connecting", &core.Status{Ref: ref, Link: core.Connecting}},
		{"status-waiting", &core.Status{Ref: ref, Link: core.Waiting, Err: away}},
		{"status-refused", &core.Status{Ref: ref, Link: core.Refused, Err: core.E(core.Denied, "", "Wrong password.")}},
		{"status-connected", &core.Status{Ref: ref, Link: core.Connected}},
		{"status-closed", &core.Status{Ref: ref, Link: core.Closed}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := stage(t)
			if _, ok := c.event.(*core.Presence); ok && strings.HasSuffix(c.name, "offline") {
				s.render(t, &core.Presence{Ref: ref}) // who was never seen is not seen to go
			}
			if strings.HasSuffix(c.name, "connected") || strings.HasSuffix(c.name, "closed") {
				s.render(t, &core.Status{Ref: ref, Link: core.Waiting, Err: away})
			}
			got := s.render(t, c.event)
			if again := s.render(t, c.event); again != "" {
				t.Errorf("said again, though nothing is new: %s", again)
			}
			xmpptest.Golden(t, *update, c.name, hash.ReplaceAllString(got, `ver='*'`))
		})
	}
}

// render returns one stanza on each line.
func (s *scene) render(t *testing.T, e core.Event) string {
	t.Helper()
	enc := stream.Encoder{Domain: s.domain.Name}
	if err := s.roster.Render(t.Context(), &enc, s.domain, edgetest.Account(), e); err != nil {
		t.Fatal(err)
	}
	if err := enc.Err(); err != nil {
		t.Fatal(err)
	}
	return xmpptest.Lines(&enc)
}
