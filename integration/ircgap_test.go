//go:build integration

package integration

import (
	"fmt"
	"testing"

	"gangway/integration/client"
	"gangway/integration/ircclient"
	"gangway/integration/world"
)

// TestIRCGap kills the gateway, has somebody talk meanwhile, and starts it again: nothing is missing in the room's
// history, and nothing is there twice. InspIRCd tells what was said when one enters a channel (mode H).
func TestIRCGap(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, world.Options{InspIRCd: true})
	dave, err := ircclient.Dial(ctx, w.IRC.Addr(), ircclient.Config{Nick: "dave"})
	if err != nil {
		t.Fatal(err)
	}
	defer dave.Close()
	if err := dave.Join(ctx, "#gap"); err != nil {
		t.Fatal(err)
	}
	if err := dave.Send("MODE #gap +H 50:1h"); err != nil {
		t.Fatal(err)
	}
	if _, err := dave.Wait(ctx, ircclient.Command("MODE")); err != nil {
		t.Fatal(err)
	}
	room := "#gap%irc.test@" + world.IRC
	alice := login(ctx, t, w, world.Alice, "phone")
	enter := func() {
		t.Helper()
		if _, err := alice.Join(ctx, room, "alice"); err != nil {
			t.Fatalf("%v\n%s", err, journal(alice))
		}
	}
	enter()
	if _, err := alice.SendMessage(client.Message{To: room, Type: "groupchat", Body: "said by alice"}); err != nil {
		t.Fatal(err)
	}
	wait(ctx, t, alice, "the reflection", client.MessageFrom(room+"/alice", "said by alice"))
	said := func(from, to int) {
		t.Helper()
		for i := from; i <= to; i++ {
			if err := dave.Privmsg("#gap", fmt.Sprintf("line %d", i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := dave.Sync(ctx); err != nil {
			t.Fatal(err)
		}
	}
	said(1, 3)
	wait(ctx, t, alice, "the last line", client.MessageFrom(room+"/dave", "line 3"))
	for life := range 2 {
		if err := w.Gangway.Kill(); err != nil {
			t.Fatal(err)
		}
		said(4+3*life, 6+3*life)
		if err := w.Gangway.Start(ctx); err != nil {
			t.Fatal(err)
		}
		enter()
		last := fmt.Sprintf("line %d", 6+3*life)
		wait(ctx, t, alice, "the last line", client.MessageFrom(room+"/dave", last))
	}
	page, err := alice.IQ(ctx, room, "set", "<query xmlns='urn:xmpp:mam:2' queryid='q'><set xmlns='http://jabber.org/protocol/rsm'><max>50</max></set></query>")
	if err != nil {
		t.Fatalf("%v: %v", err, page)
	}
	counts := map[string]int{}
	for {
		st, ok := alice.Take(func(st *client.Stanza) bool { return st.Child("urn:xmpp:mam:2", "result") != nil })
		if !ok {
			break
		}
		inner := st.Child("urn:xmpp:mam:2", "result").Child("urn:xmpp:forward:0", "forwarded").Child(client.NSClient, "message")
		if body := inner.Child(client.NSClient, "body").Content(); body != "" && inner.Attr("from") != room {
			counts[body]++
		}
	}
	if counts["said by alice"] != 1 {
		t.Errorf("alice's own words are there %d times", counts["said by alice"])
	}
	for i := 1; i <= 9; i++ {
		if n := counts[fmt.Sprintf("line %d", i)]; n != 1 {
			t.Errorf("line %d is there %d times: %v", i, n, counts)
		}
	}
}
