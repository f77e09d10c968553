//go:build integration

package integration

import (
	"strings"

	"gangway/integration/client"
	"gangway/integration/world"
)

func adminScenarios() []scenario {
	return []scenario{
		{"an announcement", announcement},
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

// probed: the probe that the server of a further device sends is answered; who unregisters sees all go.
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
