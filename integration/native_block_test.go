//go:build integration

package integration

import (
	"strings"

	"gangway/integration/client"
	"gangway/integration/world"
)

const nsBlocking = "urn:xmpp:blocking"

func blockScenarios() []scenario {
	return []scenario{
		{"a contact is blocked at the server", blockedAtTheServer},
		{"a contact is blocked at the gateway", blockedAtTheGateway},
	}
}

// blockedAtTheServer: a client blocks by XEP-0191, which the host server carries out. What the contact says meanwhile
// is refused to the gateway, not shown later, and holds nothing else back.
func blockedAtTheServer(s *stage) {
	p := s.newPerson()
	p.registerByChat(world.SMS)
	item := "<item jid='" + p.peerJID() + "'/>"
	p.ask("", "set", "<block xmlns='"+nsBlocking+"'>"+item+"</block>")
	p.text("while blocked")
	st := p.wait("the refusal to write to who is blocked", client.ErrorOf(p.say(p.peerJID(), "hello")))
	if !client.IsCondition(st.Err(), "not-acceptable") { // XEP-0191, section 3.5
		s.Errorf("%v", st.Err())
	}
	p.nothingWaits()
	p.ask("", "set", "<unblock xmlns='"+nsBlocking+"'>"+item+"</unblock>")
	p.text("after all")
	p.wait("what is said after all", client.MessageFrom(p.peerJID(), "after all"))
	p.hasNotSeen("while blocked")
}

// blockedAtTheGateway: the same by the gateway's own command. Who is blocked is answered as always, and so learns nothing.
func blockedAtTheGateway(s *stage) {
	p, q, from, to := s.neighbours()
	p.tell(q, from, to, "hello")
	q.command(world.Loop, "block", []string{"contact", p.name})
	id := p.say(to, "while blocked")
	p.wait("an answer", client.Either(client.ReceiptOf(id), client.ErrorOf(id)))
	q.command(world.Loop, "unblock", []string{"contact", p.name})
	p.tell(q, from, to, "after all")
	q.hasNotSeen("while blocked")
}

// text is an SMS from the person's peer.
func (p *person) text(body string) {
	p.s.Helper()
	if _, err := p.s.Twilio.Inbound(p.s.ctx, p.peer(), p.number, body); err != nil {
		p.s.Fatal(err)
	}
}

// nothingWaits waits until the person's texts have left the queue.
func (p *person) nothingWaits() {
	p.s.Helper()
	until(p.s.ctx, p.s.T, "an empty queue", func() (bool, string) {
		out, _ := gangway(p.s.ctx, p.s.T, p.s.World, "queue", "list", "--json", "--transport", "sms")
		return !strings.Contains(out, p.number) && !strings.Contains(out, p.name), out
	})
}

// hasNotSeen checks what has come so far.
func (p *person) hasNotSeen(text string) {
	p.s.Helper()
	for _, st := range p.Log() {
		if bodyHas(text)(st) {
			p.s.Errorf("shown: %s", st.Raw)
		}
	}
}
