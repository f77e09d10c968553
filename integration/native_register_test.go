//go:build integration

package integration

import (
	"strings"

	"gangway/integration/client"
	"gangway/integration/world"
)

func registerScenarios() []scenario {
	return []scenario{
		{"registration by chat", registrationByChat},
		{"strangers may not register", strangersMayNot},
	}
}

func registrationByChat(s *stage) {
	p := s.newPerson()
	p.say(world.SMS, "help")
	menu := p.wait("the menu", client.MessageFrom(world.SMS, ""))
	if !strings.Contains(menu.Body(), "1") || !strings.Contains(menu.Body(), "register") {
		s.Errorf("the menu: %q", menu.Body())
	}
	for _, gateway := range []string{world.SMS, world.Mail} {
		p.registerByChat(gateway)
		p.say(gateway, "status")
		p.wait("the state of the account", client.MessageFrom(gateway, ""))
		p.say(gateway, "unregister")
		st := p.wait("the question whether to", client.MessageFrom(gateway, ""))
		if strings.Contains(st.Body(), "?") {
			p.say(gateway, "yes")
			st = p.wait("the farewell", client.MessageFrom(gateway, ""))
		}
		s.Logf("%s: %s", gateway, st.Body())
		id := p.say(strings.Replace("peer@"+gateway, "peer@sms", smsPeer+"@sms", 1), "without an account")
		p.wait("the refusal without an account", client.ErrorOf(id))
	}
}

// strangersMayNot: a contact of a person without an account is not told apart from one that does not exist.
func strangersMayNot(s *stage) {
	p := s.newPerson()
	for _, to := range []string{smsPeer + "@" + world.SMS, carolJID} {
		st := p.wait("the refusal", client.ErrorOf(p.say(to, "hello")))
		if !client.IsCondition(st.Err(), "registration-required") {
			s.Errorf("%s: %v", to, st.Err())
		}
		e := st.Child(client.NSClient, "error").Child(client.NSStanzas, "text")
		s.sentence(e.Content())
	}
}
