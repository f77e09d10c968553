//go:build integration

package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"gangway/integration/client"
	"gangway/integration/ircv3"
	"gangway/integration/servers"
	"gangway/integration/world"
)

// pastRoom is a room of one of two networks, one of which has no names for its messages, and somebody who speaks there.
type pastRoom struct {
	jid, channel string
	net          *ircv3.Server
	bob          *ircv3.Person
	moment       int // lines that are said in one millisecond: without names as many as fit into a page
}

// startPast starts two networks, with small pages, and the program.
func startPast(t *testing.T) (v *v3World, rooms []*pastRoom) {
	t.Helper()
	v = &v3World{T: t}
	extra := ""
	for _, name := range []string{"named.test", "nameless.test"} {
		addr, err := servers.FreeAddr()
		if err != nil {
			t.Fatal(err)
		}
		nameless := name == "nameless.test"
		net := ircv3.New(ircv3.Config{Name: name, Page: 7, Nameless: nameless})
		if _, err := net.Start(t.Context(), addr); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(net.Stop)
		extra += fmt.Sprintf("\n[transport.irc.network.%q]\naddress = \"irc://%s\"\nflood_interval = \"0s\"\n", name, addr)
		bob := net.Person("bob", "")
		for _, channel := range []string{"#silent", "#busy"} {
			bob.Join(channel)
			moment := 17
			if nameless {
				moment = 5
			}
			rooms = append(rooms, &pastRoom{jid: channel + "%" + name + "@" + world.IRC, channel: channel, net: net, bob: bob, moment: moment})
		}
	}
	v.World, v.ctx = start(t, world.Options{Extra: extra})
	return v, rooms
}

// talk says more than a page: some lines in one moment, some of them the same as others.
func (r *pastRoom) talk(round int) {
	for i := range 4 {
		r.bob.Say(r.channel, fmt.Sprintf("line %d of gap %d", i, round))
	}
	r.net.Still(true)
	for i := range r.moment {
		r.bob.Say(r.channel, fmt.Sprintf("line %d of the moment in gap %d", i, round))
	}
	r.net.Still(false)
	for i := range 8 {
		r.bob.Say(r.channel, fmt.Sprintf("line %d of gap %d", i%2, round))
	}
}

// all has something done with each room.
func all(ctx context.Context, t *testing.T, rooms []*pastRoom, c *client.Client) {
	t.Helper()
	for _, r := range rooms {
		if _, err := retry(ctx, func() (*client.Stanza, error) { return c.Join(ctx, r.jid, "alice") }); err != nil {
			t.Fatalf("%s: %v\n%s", r.jid, err, journal(c))
		}
	}
}

// TestIRCGapOfFirstEntry enters rooms for the first time, which leaves the latest lines in their archives and a mark, so
// that what is said while the program is killed is there, once, though nothing was heard live before.
func TestIRCGapOfFirstEntry(t *testing.T) {
	t.Parallel()
	v, rooms := startPast(t)
	for _, r := range rooms {
		if r.channel == "#busy" {
			r.talk(0)
		}
	}
	alice := login(v.ctx, t, v.World, world.Alice, "phone")
	all(v.ctx, t, rooms, alice)
	for _, r := range rooms {
		v.archivesOf(alice, r.jid, r.net.Said(r.channel))
	}
	for _, st := range alice.Log() { // what was said before is history, whoever asks for it
		if st.Type() == "groupchat" && st.Body() != "" && st.Child("urn:xmpp:delay", "delay") == nil {
			t.Errorf("told as new: %s", st.Raw)
		}
	}
	for round := 1; round < 3; round++ {
		if err := v.Gangway.Kill(); err != nil {
			t.Fatal(err)
		}
		for _, r := range rooms {
			r.talk(round)
		}
		if err := v.Gangway.Start(v.ctx); err != nil {
			t.Fatal(err)
		}
		alice = login(v.ctx, t, v.World, world.Alice, fmt.Sprint("phone", round))
		all(v.ctx, t, rooms, alice)
		for _, r := range rooms {
			id, err := alice.SendMessage(client.Message{To: r.jid, Type: "groupchat", Body: fmt.Sprint("my own ", round)})
			if err != nil {
				t.Fatal(err)
			}
			wait(v.ctx, t, alice, "the reflection", func(st *client.Stanza) bool { return st.ID() == id && st.Type() == "groupchat" })
			v.archivesOf(alice, r.jid, r.net.Said(r.channel))
		}
	}
}

// TestIRCMissedPrivately has people write in private while the program is killed: they are heard once each, with the time
// when they said it, and what the user said is not told back.
func TestIRCMissedPrivately(t *testing.T) {
	t.Parallel()
	v := startV3(t, ircv3.Config{Page: 3}, nil)
	bob, carol := v.net.Person("bob", "", v3Channel), v.net.Person("carol", "")
	alice := v.enter("phone")
	of := func(nick string) string { return nick + "%v3.test@" + world.IRC }
	bob.Say("alice", "live from bob")
	wait(v.ctx, t, alice, "a private message", client.MessageFrom(of("bob"), "live from bob"))
	if _, err := alice.Say(of("bob"), "alice to bob"); err != nil {
		t.Fatal(err)
	}
	want := []string{"live from bob"}
	for round := range 3 {
		v.settled(alice)
		if err := v.Gangway.Kill(); err != nil {
			t.Fatal(err)
		}
		last := ""
		if round < 2 {
			for i := range 7 {
				last = fmt.Sprintf("missed %d of %d", i, round)
				bob.Say("alice", last+" from bob")
				carol.Say("alice", last+" from carol")
				want = append(want, last+" from bob", last+" from carol")
			}
		}
		if err := v.Gangway.Start(v.ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := retry(v.ctx, func() (*client.Stanza, error) { return alice.Join(v.ctx, v3Room, "alice") }); err != nil {
			t.Fatal(err)
		}
		for _, nick := range []string{"bob", "carol"} {
			if last != "" {
				st := wait(v.ctx, t, alice, "what was missed", client.MessageFrom(of(nick), last+" from "+nick))
				if st.Child("urn:xmpp:delay", "delay") == nil {
					t.Errorf("it does not say when: %s", st.Raw)
				}
			}
		}
	}
	v.settled(alice)
	count := map[string]int{}
	for _, st := range alice.Log() {
		if body := st.Body(); strings.HasSuffix(client.Bare(st.From()), "%v3.test@"+world.IRC) && st.Type() != "groupchat" && body != "" {
			count[body]++
		}
		if strings.Contains(st.Raw, "alice to bob") {
			t.Errorf("told back: %s", st.Raw)
		}
	}
	for _, text := range want {
		if count[text] != 1 {
			t.Errorf("%q came %d times", text, count[text])
		}
	}
}

// settled waits until what the program has shown is noted: what it says in the room comes back after that.
func (v *v3World) settled(c *client.Client) {
	v.Helper()
	id, err := c.SendMessage(client.Message{To: v3Room, Type: "groupchat", Body: "settled"})
	if err != nil {
		v.Fatal(err)
	}
	wait(v.ctx, v.T, c, "the reflection", func(st *client.Stanza) bool { return st.ID() == id && st.Type() == "groupchat" })
}
