//go:build integration

package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"gangway/integration/client"
	"gangway/integration/ircclient"
	"gangway/integration/servers"
	"gangway/integration/servers/serverstest"
	"gangway/integration/world"
)

const (
	farNet  = "far.test"
	farRoom = "#far%" + farNet + "@" + world.IRC
)

// far is a world with an InspIRCd somewhere else, whose line can be cut so that packets are lost.
type far struct {
	*world.World
	*testing.T            // of the scene
	all        *testing.T // of all of them: who is in stays in
	ctx        context.Context
	net        *servers.Inspircd
	pull, plug func() error
	dave       *ircclient.Client // in the channel, from the side
	alice      *client.Client
}

// TestIRCCut has lines, programs and servers go and come back under a room, and looks what its people are told.
func TestIRCCut(t *testing.T) {
	t.Parallel()
	f := startFar(t)
	if err := f.dave.Send("MODE #far +H 50:1h"); err != nil { // so that InspIRCd tells what was missed
		t.Fatal(err)
	}
	f.heard("the mode", ircclient.Command("MODE"))
	f.enter(f.login("phone"))
	for _, sc := range []struct {
		name string
		play func(*far)
	}{
		{"the line", cutLine}, {"the network", restartNetwork}, {"the gateway", restartGateway}, {"the XMPP server", restartXMPP},
	} {
		ok := t.Run(sc.name, func(t *testing.T) {
			sub := *f
			sub.T = t
			sc.play(&sub)
			f.alice = sub.alice
			f.dave = sub.dave
		})
		if !ok {
			return // those after it begin where it ends
		}
	}
}

func startFar(t *testing.T) *far {
	t.Helper()
	f := &far{T: t, all: t}
	conf := servers.IRCConfig{Dir: serverstest.Dir(t), Name: farNet, Unlimited: true}
	site, err := servers.NewSite()
	if err == nil {
		t.Cleanup(func() {
			if err := site.Close(); err != nil {
				t.Error(err)
			}
		})
		conf.Site, f.pull, f.plug = site, site.Pull, site.Plug
	}
	f.net = serverstest.Start(t, servers.NewInspircd, conf)
	addr := f.net.Addr()
	if err != nil {
		t.Logf("a relay that passes nothing on takes the place of a line that loses packets: %v", err)
		r := newRelay(t, addr)
		addr, f.pull, f.plug = r.listener.Addr().String(), func() error { r.set(false); return nil }, func() error { r.set(true); return nil }
	}
	f.World, f.ctx = start(t, world.Options{
		IRC:   "ping_every = \"1s\"\nping_timeout = \"5s\"",
		Extra: fmt.Sprintf("\n[transport.irc.network.%q]\naddress = \"irc://%s\"\n", farNet, addr),
	})
	f.watch("dave")
	return f
}

// watch has somebody enter the channel from the side.
func (f *far) watch(nick string) {
	f.Helper()
	dave, err := ircclient.Dial(f.ctx, f.net.SideAddr(), ircclient.Config{Nick: nick})
	if err != nil {
		f.Fatal(err)
	}
	f.all.Cleanup(func() { dave.Close() })
	if err := dave.Join(f.ctx, "#far"); err != nil {
		f.Fatal(err)
	}
	f.dave = dave
}

func (f *far) login(resource string) *client.Client {
	f.Helper()
	c, err := retry(f.ctx, func() (*client.Client, error) { return f.Login(f.ctx, world.Alice, resource) })
	if err != nil {
		f.Fatal(err)
	}
	f.all.Cleanup(func() { c.Close() })
	return c
}

// enter is tried again: after a restart the way may not be free yet.
func (f *far) enter(c *client.Client) {
	f.Helper()
	if _, err := retry(f.ctx, func() (*client.Stanza, error) { return c.Join(f.ctx, farRoom, "alice") }); err != nil {
		f.Fatalf("%v\n%s", err, journal(c))
	}
	f.alice = c
}

func (f *far) wait(what string, match func(*client.Stanza) bool) *client.Stanza {
	f.Helper()
	return wait(f.ctx, f.T, f.alice, what, match)
}

func (f *far) heard(what string, match func(ircclient.Line) bool) {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.ctx, time.Minute)
	defer cancel()
	if _, err := f.dave.Wait(ctx, match); err != nil {
		f.Fatalf("%s: %v: %v", what, err, f.dave.Log())
	}
}

func (f *far) say(body string) string {
	f.Helper()
	id, err := f.alice.SendMessage(client.Message{To: farRoom, Type: "groupchat", Body: body})
	if err != nil {
		f.Fatal(err)
	}
	return id
}

func (f *far) tell(body string) {
	f.Helper()
	if err := f.dave.Privmsg("#far", body); err != nil {
		f.Fatal(err)
	}
}

// talk: the room lives, both ways, and its client is in it. What is said before the gateway has entered it again is
// refused, and said once more.
func (f *far) talk(when string) {
	f.Helper()
	if _, err := retry(f.ctx, func() (any, error) {
		id := f.say("alice " + when)
		st := f.wait("the answer "+when, func(st *client.Stanza) bool { return st.ID() == id && st.Kind() == "message" })
		if client.IsCondition(st.Err(), "item-not-found") {
			f.Errorf("who is in is told that they are not: %v", st.Err())
		}
		return nil, st.Err()
	}); err != nil {
		f.Fatalf("%v\n%s", err, journal(f.alice))
	}
	f.heard("what alice says "+when, ircclient.Said("alice", "#far", "alice "+when))
	f.tell("dave " + when)
	f.wait("what dave says "+when, client.MessageFrom(farRoom+"/"+f.dave.Nick(), "dave "+when))
	if _, err := f.alice.IQ(f.ctx, farRoom+"/alice", "get", "<ping xmlns='urn:xmpp:ping'/>"); err != nil {
		f.Errorf("self-ping %s: %v", when, err)
	}
}

// forget takes what dave has seen of alice's coming.
func (f *far) forget() {
	for ok := true; ok; {
		_, ok = f.dave.Take(comes)
	}
}

func comes(l ircclient.Line) bool {
	return l.Command == "JOIN" && l.Nick() == "alice" || l.Command == "NICK" && l.Last() == "alice"
}

// back waits until alice is in the channel, under her own nick: a network that has not noticed anything keeps it for
// the old connection for a while.
func (f *far) back() {
	f.Helper()
	f.heard("alice's return", comes)
}

// isLost is the word that the connection is lost.
func isLost(st *client.Stanza) bool {
	return st.From() == farRoom && strings.Contains(st.Body(), "reconnecting")
}

// cutLine: nobody is told anything by the network, so that the gateway must find out by itself.
func cutLine(f *far) {
	f.talk("before the cut")
	f.forget()
	if err := f.pull(); err != nil {
		f.Fatal(err)
	}
	unheard := f.say("into the void")
	f.wait("the word that the connection is lost", isLost)
	f.wait("the error of what nobody has confirmed", client.ErrorOf(unheard))
	unsaid := f.say("is anybody there?")
	f.wait("the error of what could not be said", client.ErrorOf(unsaid))
	if _, err := f.alice.IQ(f.ctx, farRoom+"/alice", "get", "<ping xmlns='urn:xmpp:ping'/>"); err != nil {
		f.Errorf("who is to be let in again is told that they need to enter: %v", err)
	}
	f.tell("while it was cut")
	if err := f.plug(); err != nil {
		f.Fatal(err)
	}
	f.wait("what was missed", client.MessageFrom(farRoom+"/dave", "while it was cut"))
	f.back()
	f.talk("after the cut")
	f.once("dave", "while it was cut")
	said := 0
	for _, l := range f.dave.Log() {
		switch {
		case ircclient.Said("alice", "#far", "is anybody there?")(l):
			f.Errorf("what was refused was said: %s", l.Raw)
		case ircclient.Said("alice", "#far", "into the void")(l):
			said++
		}
	}
	if said > 1 {
		f.Errorf("said %d times", said)
	}
}

// once: a line is one message, however often it is shown: what was on its way when the link ended may come again in the
// history, under the same id.
func (f *far) once(nick, text string) {
	f.Helper()
	ids := map[string]bool{}
	for _, st := range f.alice.Log() {
		if client.MessageFrom(farRoom+"/"+nick, text)(st) {
			ids[st.Child(client.NSOriginID, "stanza-id").Attr("id")] = true
		}
	}
	if len(ids) != 1 {
		f.Errorf("%q is %d messages\n%s", text, len(ids), journal(f.alice))
	}
}

// restartNetwork: the server ends, and is back with nobody in it.
func restartNetwork(f *far) {
	if err := f.net.Kill(); err != nil {
		f.Fatal(err)
	}
	f.wait("the word that the connection is lost", isLost)
	f.wait("the error of what could not be said", client.ErrorOf(f.say("hello?")))
	if err := f.net.Start(f.ctx); err != nil {
		f.Fatal(err)
	}
	f.watch("dave2")
	if _, err := retry(f.ctx, func() (any, error) { return nil, f.isIn("alice") }); err != nil {
		f.Fatal(err)
	}
	f.talk("after the server's restart")
}

// isIn asks who is in the channel.
func (f *far) isIn(nick string) error {
	if err := f.dave.Send("NAMES #far"); err != nil {
		return err
	}
	l, err := f.dave.Wait(f.ctx, ircclient.Command("353"))
	if err == nil && !strings.Contains(" "+strings.ReplaceAll(l.Last(), "@", "")+" ", " "+nick+" ") {
		err = fmt.Errorf("%s is not among %s", nick, l.Last())
	}
	return err
}

// restartGateway: the client is told that the room is closed; the room is entered again without it, since it is
// persistent, and what was said before the client is back is in its history.
func restartGateway(f *far) {
	const form = "<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'>" +
		"<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>" +
		"<field var='muc#roomconfig_persistentroom'><value>1</value></field></x></query>"
	if _, err := f.alice.IQ(f.ctx, farRoom, "set", form); err != nil {
		f.Fatalf("%v\n%s", err, journal(f.alice))
	}
	f.forget()
	if err := f.Gangway.Stop(); err != nil {
		f.Fatal(err)
	}
	f.wait("the room's farewell", func(st *client.Stanza) bool {
		return st.From() == farRoom+"/alice" && st.Type() == "unavailable" && st.HasStatus("110") && st.HasStatus("332")
	})
	f.heard("alice's end", func(l ircclient.Line) bool { return l.Command == "QUIT" && l.Nick() == "alice" })
	if err := f.Gangway.Start(f.ctx); err != nil {
		f.Fatal(err)
	}
	f.heard("alice's return, by nobody's doing", comes)
	if _, err := f.alice.IQ(f.ctx, farRoom+"/alice", "get", "<ping xmlns='urn:xmpp:ping'/>"); !client.IsCondition(err, "not-acceptable") {
		f.Errorf("self-ping of a client that was sent away: %v, want not-acceptable", err)
	}
	f.tell("before the client is back")
	if err := f.dave.Sync(f.ctx); err != nil {
		f.Fatal(err)
	}
	f.enter(f.alice)
	f.wait("what was said before the client was back", client.MessageFrom(farRoom+"/dave2", "before the client is back"))
	f.talk("after the gateway's restart")
	f.once("dave2", "before the client is back")
}

// restartXMPP: on IRC nobody notices, and what was said meanwhile is there when the client is.
func restartXMPP(f *far) {
	begun := len(f.dave.Log())
	if err := f.XMPP.Kill(); err != nil {
		f.Fatal(err)
	}
	f.tell("while XMPP was away")
	if err := f.dave.Sync(f.ctx); err != nil {
		f.Fatal(err)
	}
	if err := f.XMPP.Start(f.ctx); err != nil {
		f.Fatal(err)
	}
	f.enter(f.login("phone"))
	f.wait("what was said meanwhile", client.MessageFrom(farRoom+"/dave2", "while XMPP was away"))
	f.talk("after the XMPP server's restart")
	f.once("dave2", "while XMPP was away")
	for _, l := range f.dave.Log()[begun:] {
		if l.Nick() == "alice" && (l.Command == "QUIT" || l.Command == "PART" || l.Command == "JOIN") {
			f.Errorf("on IRC: %s", l.Raw)
		}
	}
}
