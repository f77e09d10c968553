//go:build integration

package integration

import (
	"fmt"
	"strings"
	"time"

	"gangway/integration/client"
	"gangway/integration/servers"
	"gangway/integration/twilio"
	"gangway/integration/world"
)

func messageScenarios() []scenario {
	return []scenario{
		{"a message and its receipt", messageAndReceipt},
		{"a mail and its answer", mailAndAnswer},
		{"an error is a sentence", errorIsASentence},
		{"messages to somebody offline", toSomebodyOffline},
		{"encrypted messages are refused", encryptedRefused},
	}
}

// peerOf is a phone number that only this person knows.
func (p *person) peer() string { return strings.Replace(p.number, "+1555010", "+1555019", 1) }

func (p *person) peerJID() string { return p.peer() + "@" + world.SMS }

func messageAndReceipt(s *stage) {
	p := s.newPerson()
	p.registerByChat(world.SMS)
	id := p.say(p.peerJID(), "hello "+p.name)
	m, err := s.Twilio.WaitMessage(s.ctx, func(m *twilio.Message) bool { return m.Body == "hello "+p.name })
	if err != nil {
		s.Fatal(err)
	}
	if m.From != p.number || m.To != p.peer() {
		s.Errorf("sent from %s to %s", m.From, m.To)
	}
	p.wait("the carrier's receipt", client.ReceiptOf(id))
	if _, err := s.Twilio.Inbound(s.ctx, p.peer(), p.number, "hello back"); err != nil {
		s.Fatal(err)
	}
	st := p.wait("the answer", client.MessageFrom(p.peerJID(), "hello back"))
	if st.Type() != "chat" || st.To() != p.Bare() && st.To() != p.JID() {
		s.Errorf("type %s to %s", st.Type(), st.To())
	}
}

func mailAndAnswer(s *stage) {
	p := s.newPerson()
	p.registerByChat(world.Mail)
	id := p.send(client.Message{To: carolJID, Subject: "news of " + p.name, Body: "hello Carol", Receipt: true})
	raw, err := s.Mail.WaitMessage(s.ctx, world.Carol, servers.Contains("Subject: news of "+p.name))
	if err != nil {
		s.Fatal(err)
	}
	p.wait("the receipt", client.ReceiptOf(id))
	answer := fmt.Sprintf("From: Carol <carol@mail.test>\r\nTo: %s@%s\r\nSubject: Re: news\r\nMessage-ID: <%s@mail.test>\r\nIn-Reply-To: %s\r\nDate: %s\r\n\r\nhello back\r\n",
		p.alias, world.Mail, p.name, header(string(raw), "Message-ID"), time.Now().Format(time.RFC1123Z))
	if err := s.Mail.Send(s.ctx, "carol@mail.test", p.alias+"@"+world.Mail, []byte(answer)); err != nil {
		s.Fatal(err)
	}
	st := p.wait("the answer", func(st *client.Stanza) bool {
		return st.Kind() == "message" && strings.Contains(st.Body(), "hello back")
	})
	if r := st.Child(client.NSReply, "reply"); r.Attr("id") != id {
		s.Errorf("it answers %q, not %q: %s", r.Attr("id"), id, st.Raw)
	}
}

// Behaviour 28.
func errorIsASentence(s *stage) {
	p := s.newPerson()
	p.registerByChat(world.SMS)
	s.Twilio.Script(twilio.Match{To: p.peer()}, twilio.FailWith(twilio.Undelivered, 30003))
	id := p.say(p.peerJID(), "out of reach")
	st := p.wait("the carrier's failure", client.ErrorOf(id))
	if client.Bare(st.From()) != p.peerJID() {
		s.Errorf("the error is from %s", st.From())
	}
	s.sentence(st.Child(client.NSClient, "error").Child(client.NSStanzas, "text").Content())
}

// toSomebodyOffline: what comes in for somebody who is away waits at the host server, which is what the barrier pings
// of the gateway confirm; nothing stays in the queue.
func toSomebodyOffline(s *stage) {
	p := s.newPerson()
	p.registerByChat(world.SMS)
	if err := p.Close(); err != nil {
		s.Fatal(err)
	}
	const n = 20
	for i := range n {
		if _, err := s.Twilio.Inbound(s.ctx, p.peer(), p.number, fmt.Sprintf("while away %d", i)); err != nil {
			s.Fatal(err)
		}
	}
	until(s.ctx, s.T, "an empty queue", func() (bool, string) {
		out, _ := gangway(s.ctx, s.T, s.World, "queue", "list", "--json", "--transport", "sms")
		return !strings.Contains(out, p.number) && !strings.Contains(out, p.name), out
	})
	p.Client = p.device("later")
	for i := range n {
		p.wait("what waited", client.MessageFrom(p.peerJID(), fmt.Sprintf("while away %d", i)))
	}
}

// Behaviour 31.
func encryptedRefused(s *stage) {
	p := s.newPerson()
	p.registerByChat(world.SMS)
	id := p.send(client.Message{To: p.peerJID(), Body: "I sent you an OMEMO message",
		Extra: "<encrypted xmlns='eu.siacs.conversations.axolotl'><header sid='1'/></encrypted>"})
	st := p.wait("the refusal", client.ErrorOf(id))
	s.sentence(st.Child(client.NSClient, "error").Child(client.NSStanzas, "text").Content())
}
