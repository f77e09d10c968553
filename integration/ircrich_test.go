//go:build integration

package integration

import (
	"strings"
	"testing"

	"gangway/integration/client"
	"gangway/integration/ircclient"
	"gangway/integration/world"
)

// TestIRCRich has answers, reactions, chat states, corrections and presence cross both ways on InspIRCd with its
// message tags, as its users' programs write and read them; and what the network has no means for is not offered.
func TestIRCRich(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, world.Options{InspIRCd: true})
	dave, err := ircclient.Dial(ctx, w.IRC.Addr(), ircclient.Config{
		Nick: "dave", Caps: []string{"message-tags", "server-time", "echo-message", "away-notify"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer dave.Close()
	if err := dave.Join(ctx, "#rich"); err != nil {
		t.Fatal(err)
	}
	room := "#rich%irc.test@" + world.IRC
	alice := login(ctx, t, w, world.Alice, "phone")
	if _, err := alice.Join(ctx, room, "alice"); err != nil {
		t.Fatalf("%v\n%s", err, journal(alice))
	}
	heard := func(what string, match func(ircclient.Line) bool) ircclient.Line {
		t.Helper()
		l, err := dave.Wait(ctx, match)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		return l
	}
	say := func(m client.Message) string {
		t.Helper()
		m.To, m.Type = room, "groupchat"
		id, err := alice.SendMessage(m)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	write := func(line string) {
		t.Helper()
		if err := dave.Send(line); err != nil {
			t.Fatal(err)
		}
	}

	info, err := alice.IQ(ctx, room, "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>")
	if err != nil {
		t.Fatal(err)
	}
	for feature, want := range map[string]bool{nsReactions: true, nsStates: true, client.NSCorrect: true, "urn:xmpp:message-retract:1": false} {
		if got := strings.Contains(info.Raw, "'"+feature+"'") || strings.Contains(info.Raw, `"`+feature+`"`); got != want {
			t.Errorf("feature %s: %v, want %v", feature, got, want)
		}
	}

	write("PRIVMSG #rich :first words")
	mine := heard("dave's own line", ircclient.Said("dave", "#rich", "first words"))
	first := wait(ctx, t, alice, "dave's line", client.MessageFrom(room+"/dave", "first words"))
	stanzaID := first.Child(client.NSOriginID, "stanza-id").Attr("id")

	say(client.Message{Extra: "<composing xmlns='" + nsStates + "'/>"})
	heard("that alice writes", func(l ircclient.Line) bool { return l.Command == "TAGMSG" && l.Tags["+typing"] == "active" })
	say(client.Message{Body: "an answer", ReplyTo: room + "/dave", ReplyID: stanzaID})
	answer := heard("the answer", ircclient.Said("alice", "#rich", "dave: an answer"))
	if answer.Tags["+draft/reply"] != mine.Tags["msgid"] || mine.Tags["msgid"] == "" {
		t.Errorf("the answer %s\nis to %s", answer.Raw, mine.Raw)
	}
	reflected := wait(ctx, t, alice, "the reflection", client.MessageFrom(room+"/alice", "dave: an answer"))
	if got := reflected.Child(client.NSReply, "reply").Attr("id"); got != stanzaID {
		t.Errorf("reflected as an answer to %q, not %q: %s", got, stanzaID, reflected.Raw)
	}

	say(client.Message{Extra: "<reactions xmlns='" + nsReactions + "' id='" + stanzaID + "'><reaction>\U0001F44D</reaction></reactions>"})
	reaction := heard("the reaction", func(l ircclient.Line) bool { return l.Command == "TAGMSG" && l.Tags["+draft/react"] != "" })
	if reaction.Tags["+draft/react"] != "\U0001F44D" || reaction.Tags["+draft/reply"] != mine.Tags["msgid"] {
		t.Errorf("the reaction is %s", reaction.Raw)
	}
	reacted := func(nick, emoji string) func(*client.Stanza) bool {
		return func(st *client.Stanza) bool {
			el := st.Child(nsReactions, "reactions")
			return el != nil && st.From() == room+"/"+nick && el.Child(nsReactions, "reaction").Content() == emoji
		}
	}
	wait(ctx, t, alice, "the reflection of the reaction", reacted("alice", "\U0001F44D"))
	write("@+draft/react=\U0001F389;+draft/reply=" + answer.Tags["msgid"] + " TAGMSG #rich")
	got := wait(ctx, t, alice, "dave's reaction", reacted("dave", "\U0001F389"))
	if want := reflected.Child(client.NSOriginID, "stanza-id").Attr("id"); got.Child(nsReactions, "reactions").Attr("id") != want {
		t.Errorf("dave reacts to another message than %q: %s", want, got.Raw)
	}

	write("@+typing=active TAGMSG #rich")
	wait(ctx, t, alice, "that dave writes", func(st *client.Stanza) bool {
		return st.From() == room+"/dave" && st.Child(nsStates, "composing") != nil
	})
	write("@+draft/reply=" + answer.Tags["msgid"] + " PRIVMSG #rich :and back")
	back := wait(ctx, t, alice, "dave's answer", client.MessageFrom(room+"/dave", "and back"))
	if got, want := back.Child(client.NSReply, "reply").Attr("id"), reflected.Child(client.NSOriginID, "stanza-id").Attr("id"); got != want {
		t.Errorf("dave answers %q, not %q: %s", got, want, back.Raw)
	}

	id := say(client.Message{Body: "tha end"})
	heard("the line", ircclient.Said("alice", "#rich", "tha end"))
	wait(ctx, t, alice, "the reflection", client.MessageFrom(room+"/alice", "tha end"))
	say(client.Message{Body: "the end", Replaces: id})
	heard("the correction", ircclient.Said("alice", "#rich", "* the end"))
	wait(ctx, t, alice, "what IRC saw", client.MessageFrom(room+"/alice", "* the end"))

	if err := alice.SendPresence(room+"/alice", "", "<show>away</show><status>out for lunch</status>"); err != nil {
		t.Fatal(err)
	}
	heard("that alice is away", func(l ircclient.Line) bool {
		return l.Command == "AWAY" && l.Nick() == "alice" && l.Last() == "out for lunch"
	})
	write("AWAY :gone fishing")
	wait(ctx, t, alice, "that dave is away", func(st *client.Stanza) bool {
		return st.Kind() == "presence" && st.From() == room+"/dave" && st.Child(client.NSClient, "show").Content() == "away"
	})
}
