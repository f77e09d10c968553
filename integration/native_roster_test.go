//go:build integration

package integration

import (
	"strings"

	"gangway/integration/client"
	"gangway/integration/world"
)

func rosterScenarios() []scenario {
	return []scenario{
		{"the contact list is filled (13, 18)", listFilled},
		{"a contact is subscribed to and removed (12, 14)", contactComesAndGoes},
	}
}

// presenceOf matches presence of a type ("available" is "") from an address, whatever its resource.
func presenceOf(from, kind string) func(*client.Stanza) bool {
	return func(st *client.Stanza) bool {
		return st.Kind() == "presence" && strings.EqualFold(client.Bare(st.From()), from) && st.Attr("type") == kind
	}
}

// listFilled: by privilege where the server really lets us (Prosody), else by asking.
func listFilled(s *stage) {
	p := s.newPerson()
	p.registerByChat(world.SMS)
	if s.flavour != world.PrivilegedProsody {
		p.wait("a subscription request", presenceOf(world.SMS, "subscribe"))
		return
	}
	p.wait("a roster push", func(st *client.Stanza) bool {
		item := st.Child(client.NSRoster, "query").Child(client.NSRoster, "item")
		return st.Kind() == "iq" && st.Type() == "set" && item.Attr("jid") == world.SMS && item.Attr("subscription") == "both" &&
			item.Child(client.NSRoster, "group").Content() != ""
	})
}

func contactComesAndGoes(s *stage) {
	p := s.newPerson()
	p.registerByChat(world.SMS)
	subscribe := func(kind string) {
		if err := p.SendPresence(p.peerJID(), kind, ""); err != nil {
			s.Fatal(err)
		}
	}
	subscribe("subscribe")
	p.wait("presence with capabilities", func(st *client.Stanza) bool {
		return presenceOf(p.peerJID(), "")(st) && st.Child("http://jabber.org/protocol/caps", "c").Attr("ver") != ""
	})
	p.wait("a subscription back", presenceOf(p.peerJID(), "subscribe"))
	subscribe("subscribed")
	card := p.ask(p.peerJID(), "get", "<vCard xmlns='vcard-temp'/>")
	if name := card.Child("vcard-temp", "vCard").Child("vcard-temp", "FN").Content(); name == "" {
		s.Errorf("a card without a name: %s", card)
	}
	subscribe("unsubscribe")
	p.wait("the end of it", presenceOf(p.peerJID(), "unavailable"))
}
