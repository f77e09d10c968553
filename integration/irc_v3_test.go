//go:build integration

package integration

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gangway/integration/client"
	"gangway/integration/ircv3"
	"gangway/integration/servers"
	"gangway/integration/world"
)

const (
	v3Channel = "#v3"
	v3Room    = v3Channel + "%v3.test@" + world.IRC
)

// v3World is a world with a second network, whose server is scripted.
type v3World struct {
	*world.World
	*testing.T
	ctx  context.Context
	net  *ircv3.Server
	addr string // of the network
}

// startV3 starts the network, and the program with it in its configuration; via is asked for the address that the
// program is given, and may put something between; nil: nothing.
func startV3(t *testing.T, conf ircv3.Config, via func(ctx context.Context, addr string) string) *v3World {
	t.Helper()
	addr, err := servers.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	v := &v3World{T: t, net: ircv3.New(conf), addr: addr}
	if _, err := v.net.Start(t.Context(), addr); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.net.Stop)
	if via != nil {
		addr = via(t.Context(), addr)
	}
	v.World, v.ctx = start(t, world.Options{Extra: fmt.Sprintf(
		"\n[transport.irc.network.\"v3.test\"]\naddress = \"irc://%s\"\nflood_interval = \"0s\"\n", addr)})
	return v
}

// enter logs somebody in and takes them into the room. It is tried again: after a restart the way may not be free yet.
func (v *v3World) enter(resource string) *client.Client {
	v.Helper()
	c := login(v.ctx, v.T, v.World, world.Alice, resource)
	if _, err := retry(v.ctx, func() (*client.Stanza, error) { return c.Join(v.ctx, v3Room, "alice") }); err != nil {
		v.Fatalf("%v\n%s", err, journal(c))
	}
	return c
}

// archive is what a room's archive holds, as "nick: text", page by page.
func (v *v3World) archive(c *client.Client, room string) (all []string, err error) {
	const ns, nsSet = "urn:xmpp:mam:2", "http://jabber.org/protocol/rsm"
	for last := ""; ; {
		page := "<set xmlns='" + nsSet + "'><max>100</max>"
		if last != "" {
			page += "<after>" + client.Escape(last) + "</after>"
		}
		end, err := c.IQ(v.ctx, room, "set", "<query xmlns='"+ns+"'>"+page+"</set></query>")
		if err != nil {
			return nil, err
		}
		for {
			st, ok := c.Take(func(st *client.Stanza) bool { return st.Child(ns, "result") != nil })
			if !ok {
				break
			}
			m := st.Child(ns, "result").Child("urn:xmpp:forward:0", "forwarded").Child(client.NSClient, "message")
			if text := m.Child(client.NSClient, "body").Content(); text != "" {
				_, nick, _ := strings.Cut(m.Attr("from"), "/")
				all = append(all, nick+": "+text)
			}
		}
		fin := end.Child(ns, "fin")
		if last = fin.Child(nsSet, "set").Child(nsSet, "last").Content(); last == "" || fin.Attr("complete") == "true" {
			return all, nil
		}
	}
}

// archives waits until the archive holds what it should, and says what it holds instead.
func (v *v3World) archives(c *client.Client, want []string) {
	v.Helper()
	v.archivesOf(c, v3Room, want)
}

func (v *v3World) archivesOf(c *client.Client, room string, want []string) {
	v.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, 30*time.Second)
	defer cancel()
	var got []string
	_, err := retry(ctx, func() (any, error) {
		var err error
		if got, err = v.archive(c, room); err == nil && !slices.Equal(got, want) {
			err = fmt.Errorf("the archive holds %d messages", len(got))
		}
		return nil, err
	})
	if err != nil {
		v.Fatalf("%v:\n%s\nwant\n%s", err, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestIRCGapAfterKill kills the program, lets people talk, and starts it again: the archive has everything, once.
func TestIRCGapAfterKill(t *testing.T) {
	t.Parallel()
	v := startV3(t, ircv3.Config{Page: 7}, nil) // a gap is more than a page
	bob := v.net.Person("bob", "", v3Channel)
	alice := v.enter("phone")
	bob.Say(v3Channel, "before")
	wait(v.ctx, t, alice, "a line before", client.MessageFrom(v3Room+"/bob", "before"))
	id, err := alice.SendMessage(client.Message{To: v3Room, Type: "groupchat", Body: "my own"})
	if err != nil {
		t.Fatal(err)
	}
	wait(v.ctx, t, alice, "the reflection", func(st *client.Stanza) bool { return st.ID() == id && st.Type() == "groupchat" })
	v.archives(alice, []string{"bob: before", "alice: my own"})

	for round := range 2 {
		if err := v.Gangway.Kill(); err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			bob.Say(v3Channel, fmt.Sprintf("line %d of gap %d", i, round))
		}
		bob.SayLines(v3Channel, "several", "lines")
		if err := v.Gangway.Start(v.ctx); err != nil {
			t.Fatal(err)
		}
		alice = v.enter(fmt.Sprint("phone", round))
		bob.Say(v3Channel, fmt.Sprint("after gap ", round))
		v.archives(alice, v.net.Said(v3Channel))
	}
}

// TestIRCServerRestart: who was in is in again, and what was said while the server was shut off from us is there.
func TestIRCServerRestart(t *testing.T) {
	t.Parallel()
	v := startV3(t, ircv3.Config{}, nil)
	bob := v.net.Person("bob", "", v3Channel)
	alice := v.enter("phone")
	bob.Say(v3Channel, "one")
	wait(v.ctx, t, alice, "a line", client.MessageFrom(v3Room+"/bob", "one"))
	v.net.Stop()
	bob.Say(v3Channel, "two")
	if _, err := v.net.Start(v.ctx, v.addr); err != nil {
		t.Fatal(err)
	}
	wait(v.ctx, t, alice, "what was missed", client.MessageFrom(v3Room+"/bob", "two"))
	bob.Say(v3Channel, "three")
	wait(v.ctx, t, alice, "a line after the restart", client.MessageFrom(v3Room+"/bob", "three"))
	if _, err := alice.IQ(v.ctx, v3Room+"/alice", "get", "<ping xmlns='urn:xmpp:ping'/>"); err != nil {
		t.Errorf("self-ping: %v", err)
	}
	v.archives(alice, []string{"bob: one", "bob: two", "bob: three"})
}

// TestIRCNetworkCut breaks the way to the network without a word from either side, as a cable does.
func TestIRCNetworkCut(t *testing.T) {
	t.Parallel()
	var way *cable
	v := startV3(t, ircv3.Config{}, func(ctx context.Context, addr string) string {
		way = newCable(ctx, t, addr)
		return way.listener.Addr().String()
	})
	bob := v.net.Person("bob", "", v3Channel)
	alice := v.enter("phone")
	bob.Say(v3Channel, "before") // a gap begins where the archive ends
	wait(v.ctx, t, alice, "a line before", client.MessageFrom(v3Room+"/bob", "before"))
	way.pull()
	wait(v.ctx, t, alice, "the word that the connection is lost", func(st *client.Stanza) bool {
		return client.Bare(st.From()) == v3Room && strings.Contains(st.Body(), "reconnecting")
	})
	id, err := alice.SendMessage(client.Message{To: v3Room, Type: "groupchat", Body: "anybody?"})
	if err != nil {
		t.Fatal(err)
	}
	wait(v.ctx, t, alice, "the error of what could not be said", client.ErrorOf(id))
	bob.Say(v3Channel, "while it was cut")
	way.plug()
	wait(v.ctx, t, alice, "what was missed", client.MessageFrom(v3Room+"/bob", "while it was cut"))
	if said := v.net.Said(v3Channel); slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, "anybody?") }) {
		t.Errorf("what was refused was said: %v", said)
	}
}

// cable is a way to a server that can be pulled: connections break, and none comes through. What was written to the server
// is kept.
type cable struct {
	listener net.Listener
	to       string
	mu       sync.Mutex
	pulled   bool
	ends     map[net.Conn]bool
	flows    []*flow
}

// flow is what was written to the server on one connection.
type flow struct {
	mu   sync.Mutex
	said []byte
}

func (f *flow) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.said = append(f.said, b...)
	return len(b), nil
}

// lines are what was written by whoever introduced themselves to the server under a nick.
func (c *cable) lines(nick string) (lines []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.flows {
		f.mu.Lock()
		all := strings.Split(strings.TrimSuffix(string(f.said), "\r\n"), "\r\n")
		f.mu.Unlock()
		if slices.Contains(all, "NICK "+nick) {
			lines = append(lines, all...)
		}
	}
	return lines
}

func newCable(ctx context.Context, t *testing.T, to string) *cable {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{listener: l, to: to, ends: map[net.Conn]bool{}}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { c.carry(near) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		c.pull()
		running.Wait()
	})
	return c
}

func (c *cable) carry(near net.Conn) {
	defer near.Close()
	far, err := net.Dial("tcp", c.to)
	if err != nil {
		return
	}
	defer far.Close()
	said := &flow{}
	c.mu.Lock()
	c.ends[near], c.ends[far] = true, true
	c.flows = append(c.flows, said)
	cut := c.pulled
	c.mu.Unlock()
	if cut {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(far, io.TeeReader(near, said)); far.Close(); near.Close() })
	both.Go(func() { _, _ = io.Copy(near, far); far.Close(); near.Close() })
	both.Wait()
}

func (c *cable) pull() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pulled = true
	for end := range c.ends {
		end.Close()
	}
	clear(c.ends)
}

func (c *cable) plug() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pulled = false
}
