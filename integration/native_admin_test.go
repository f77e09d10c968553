//go:build integration

package integration

import (
	"strings"

	"gangway/integration/client"
	"gangway/integration/twilio"
	"gangway/integration/world"
)

func adminScenarios() []scenario {
	return []scenario{
		{"an announcement", announcement},
		{"what was not delivered is sent again", undeliveredAgain},
		{"probes and what becomes of presence (14, 15)", probed},
	}
}

func announcement(s *stage) {
	p := s.newPerson()
	p.registerByChat(world.Mail)
	text := "The gateway rests on Sunday, says " + p.name
	if got := s.admin().command(world.Mail, "announce", []string{"text", text}); !strings.Contains(got, "told") {
		s.Errorf("announce: %q", got)
	}
	st := p.wait("the announcement", bodyHas(text))
	if client.Bare(st.From()) != world.Mail {
		s.Errorf("it is from %s", st.From())
	}
}

// undeliveredAgain: what the carrier refuses for good can be read, and sent again once that is mended.
func undeliveredAgain(s *stage) {
	p := s.newPerson()
	p.registerByChat(world.SMS)
	s.Twilio.Script(twilio.Match{To: p.peer()}, twilio.FailWith(twilio.Undelivered, 30003))
	body := "once more for " + p.name
	id := p.say(p.peerJID(), body)
	p.wait("the carrier's failure", client.ErrorOf(id))
	c := p.ask(world.SMS, "set", "<command xmlns='"+nsCommands+"' node='undelivered'/>").Child(nsCommands, "command")
	s.Logf("undelivered: %v", c.Child(nsCommands, "note").Content())
	if status := c.Attr("status"); status != "executing" && status != "completed" {
		s.Errorf("undelivered is %q", status)
	}
}

// probed: a presence probe is answered by whoever is known, and not by others; who unregisters sees all go.
func probed(s *stage) {
	p := s.newPerson()
	p.registerByChat(world.SMS)
	if err := p.SendPresence(p.peerJID(), "subscribe", ""); err != nil {
		s.Fatal(err)
	}
	p.wait("the contact's presence", presenceOf(p.peerJID(), ""))
	tablet := p.device("tablet") // its server probes for it
	wait(s.ctx, s.T, tablet, "the contact's presence on a further device", presenceOf(p.peerJID(), ""))
	if got := p.command(world.SMS, "unregister", []string{"confirm", "1"}); !strings.Contains(got, "deleted") {
		s.Errorf("unregister: %q", got)
	}
	wait(s.ctx, s.T, tablet, "that the contact goes", presenceOf(p.peerJID(), "unavailable"))
}
