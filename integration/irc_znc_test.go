//go:build integration

package integration

import (
	"fmt"
	"testing"
	"time"

	"gangway/integration/client"
	"gangway/integration/ircclient"
	"gangway/integration/servers"
	"gangway/integration/servers/serverstest"
	"gangway/integration/world"
)

const (
	bouncer = "znc.test"
	zncRoom = "#znc%" + bouncer + "@" + world.IRC
)

// TestIRCZNC reaches a network through a ZNC, which stays there while the gateway is away and tells it everything that
// it has kept each time it comes: nothing is missing in the room, nothing is there twice, and all has its time.
func TestIRCZNC(t *testing.T) {
	t.Parallel()
	upstream := serverstest.Start(t, servers.NewInspircd, servers.IRCConfig{Dir: serverstest.Dir(t), Unlimited: true})
	znc := serverstest.Start(t, servers.NewZNC, servers.ZNCConfig{
		Dir: serverstest.Dir(t), Upstream: upstream, Nick: "bouncer", Password: "sesame", Channel: "#znc", Replay: true,
	})
	w, ctx := start(t, world.Options{Extra: fmt.Sprintf(
		"\n[transport.irc.network.%q]\naddress = \"irc://%s\"\n", bouncer, znc.Addr())})
	s := newStage(ctx, t, w, world.Usual)
	p := s.newPerson()
	p.command(world.IRC, nsRegister, []string{"network", bouncer, "nick", "bouncer", "more", "true"},
		[]string{"server_password", znc.Pass()})
	dave, err := ircclient.Dial(ctx, upstream.Addr(), ircclient.Config{Nick: "dave"})
	if err != nil {
		t.Fatal(err)
	}
	defer dave.Close()
	if err := dave.Join(ctx, "#znc"); err != nil {
		t.Fatal(err)
	}
	say := func(text string) {
		t.Helper()
		if err := dave.Privmsg("#znc", text); err != nil {
			t.Fatal(err)
		}
		if err := dave.Sync(ctx); err != nil {
			t.Fatal(err)
		}
	}
	p.enter(zncRoom, "bouncer")
	say("live")
	p.wait("a line", client.MessageFrom(zncRoom+"/dave", "live"))
	id := p.send(client.Message{To: zncRoom, Type: "groupchat", Body: "my own"})
	p.wait("the reflection", func(st *client.Stanza) bool { return st.ID() == id && st.Type() == "groupchat" })

	want := []string{"live", "my own"}
	for round, end := range []func() error{w.Gangway.Stop, w.Gangway.Kill} {
		if err := end(); err != nil {
			t.Fatal(err)
		}
		missed := fmt.Sprint("missed ", round)
		begun := time.Now()
		say(missed)
		if err := w.Gangway.Start(ctx); err != nil {
			t.Fatal(err)
		}
		back := time.Now()
		p.enter(zncRoom, "bouncer")
		st := p.wait("what was missed", client.MessageFrom(zncRoom+"/dave", missed))
		stamp := st.Child("urn:xmpp:delay", "delay").Attr("stamp")
		if at, err := time.Parse(time.RFC3339, stamp); err != nil || at.Before(begun.Add(-time.Second)) || at.After(back) {
			t.Errorf("said between %v and %v, shown as of %q", begun.UTC(), back.UTC(), stamp)
		}
		live := fmt.Sprint("live again ", round)
		say(live)
		p.wait("a line", client.MessageFrom(zncRoom+"/dave", live))
		want = append(want, missed, live)
	}
	for i, text := range want {
		nick := "dave"
		if text == "my own" {
			nick = "bouncer"
		}
		want[i] = nick + ": " + text
	}
	(&v3World{World: w, T: t, ctx: ctx}).archivesOf(p.Client, zncRoom, want)
}
