//go:build integration

package integration

import (
	"slices"
	"strings"

	"gangway/integration/client"
	"gangway/integration/ircclient"
	"gangway/integration/world"
)

func roomScenarios() []scenario {
	return []scenario{
		{"joining a room", joiningARoom},
		{"a nick changes", aNickChanges},
		{"private messages", privateMessages},
	}
}

// channel is a channel of this person's own, with somebody from IRC in it.
func (p *person) channel() (room string, other *ircclient.Client) {
	p.s.Helper()
	name := "#of-" + p.name
	other, err := ircclient.Dial(p.s.ctx, p.s.IRC.Addr(), ircclient.Config{Nick: "irc-" + p.name, User: "irc"})
	if err != nil {
		p.s.Fatal(err)
	}
	p.s.Cleanup(func() { other.Close() })
	if err := other.Join(p.s.ctx, name); err != nil {
		p.s.Fatal(err)
	}
	return name + "%irc.test@" + world.IRC, other
}

func (p *person) enter(room, nick string) *client.Stanza {
	p.s.Helper()
	st, err := p.Join(p.s.ctx, room, nick)
	if err != nil {
		p.s.Fatalf("%v\n%s", err, journal(p.Client))
	}
	return st
}

// Behaviours 34, 35, 37 and 40: others, then oneself, then the subject; the own message comes back under its own id.
func joiningARoom(s *stage) {
	p := s.newPerson()
	room, other := p.channel()
	self := p.enter(room, p.name)
	subject := p.wait("the subject", func(st *client.Stanza) bool {
		return st.Kind() == "message" && client.Bare(st.From()) == room && st.Child(client.NSClient, "subject") != nil && st.Body() == ""
	})
	order := func(st *client.Stanza) int {
		return slices.IndexFunc(p.Log(), func(l *client.Stanza) bool { return l == st })
	}
	them := p.wait("the other's presence", client.PresenceFrom(room+"/irc-"+p.name, ""))
	if order(them) >= order(self) || order(self) >= order(subject) {
		s.Errorf("order: others %d, self %d, subject %d", order(them), order(self), order(subject))
	}
	id := p.send(client.Message{To: room, Type: "groupchat", Body: "hello IRC"})
	if _, err := other.Wait(s.ctx, ircclient.Said(p.name, "#of-"+p.name, "hello IRC")); err != nil {
		s.Fatal(err)
	}
	if st := p.wait("the reflection", client.MessageFrom(room+"/"+p.name, "hello IRC")); st.ID() != id {
		s.Errorf("sent as %q, reflected as %q", id, st.ID())
	}
	if err := other.Privmsg("#of-"+p.name, "hello \x02XMPP\x02"); err != nil {
		s.Fatal(err)
	}
	p.wait("a line", func(st *client.Stanza) bool {
		return st.From() == room+"/irc-"+p.name && strings.Contains(st.Body(), "XMPP")
	})
	p.ask(room+"/"+p.name, "get", "<ping xmlns='urn:xmpp:ping'/>")
	tablet := p.device("tablet")
	if _, err := tablet.Join(s.ctx, room, p.name); err != nil {
		s.Fatal(err)
	}
	wait(s.ctx, s.T, tablet, "the other's presence on the second device", client.PresenceFrom(room+"/irc-"+p.name, ""))
	if err := p.Leave(s.ctx, room, p.name); err != nil {
		s.Fatal(err)
	}
	p.refused(room+"/"+p.name, "get", "<ping xmlns='urn:xmpp:ping'/>", "not-acceptable")
	if _, err := tablet.IQ(s.ctx, room+"/"+p.name, "get", "<ping xmlns='urn:xmpp:ping'/>"); err != nil {
		s.Errorf("the second device is thrown out with the first: %v", err)
	}
}

// Behaviour 42: the other's and one's own.
func aNickChanges(s *stage) {
	p := s.newPerson()
	room, other := p.channel()
	p.enter(room, p.name)
	if err := other.Send("NICK new-" + p.name); err != nil {
		s.Fatal(err)
	}
	p.wait("the nick change", func(st *client.Stanza) bool {
		return st.From() == room+"/irc-"+p.name && st.Type() == "unavailable" && st.HasStatus("303")
	})
	p.wait("the new nick", client.PresenceFrom(room+"/new-"+p.name, ""))
	if err := p.SendPresence(room+"/me-"+p.name, "", ""); err != nil {
		s.Fatal(err)
	}
	p.wait("the own nick change", func(st *client.Stanza) bool {
		return st.From() == room+"/"+p.name && st.HasStatus("303") && st.HasStatus("110")
	})
	p.wait("the own new nick", func(st *client.Stanza) bool {
		return st.From() == room+"/me-"+p.name && st.Type() == "" && st.HasStatus("110")
	})
	if _, err := other.Wait(s.ctx, ircclient.Command("NICK")); err != nil {
		s.Fatal(err)
	}
}

// Behaviour 43.
func privateMessages(s *stage) {
	p := s.newPerson()
	room, other := p.channel()
	p.enter(room, p.name)
	id := p.say("irc-"+p.name+"%irc.test@"+world.IRC, "psst")
	if _, err := other.Wait(s.ctx, ircclient.Said(p.name, "irc-"+p.name, "psst")); err != nil {
		s.Fatal(err)
	}
	p.wait("the receipt", client.ReceiptOf(id))
	if err := other.Privmsg(p.name, "pssst"); err != nil {
		s.Fatal(err)
	}
	p.wait("the answer", client.MessageFrom("irc-"+p.name+"%irc.test@"+world.IRC, "pssst"))
}
