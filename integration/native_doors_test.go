//go:build integration

package integration

import (
	"slices"
	"strings"

	"gangway/integration/client"
	"gangway/integration/world"
)

const (
	nsRegister = "jabber:iq:register"
	nsPrompt   = "jabber:iq:gateway"
)

func doorScenarios() []scenario {
	return []scenario{
		{"registration by form", registrationByForm},
		{"commands", commandsByForm},
		{"commands of administrators", commandsOfAdmins},
		{"an address by the prompt", addressByPrompt},
		{"everything erased", everythingErased},
	}
}

// filled is a form as a client sends it: names and values in turns.
func filled(pairs ...string) string {
	var b strings.Builder
	b.WriteString("<x xmlns='" + nsForm + "' type='submit'>")
	for i := 0; i+1 < len(pairs); i += 2 {
		b.WriteString("<field var='" + client.Escape(pairs[i]) + "'><value>" + client.Escape(pairs[i+1]) + "</value></field>")
	}
	return b.String() + "</x>"
}

// command executes an ad-hoc command, fills in its forms, and returns its last note.
func (p *person) command(gateway, node string, forms ...[]string) string {
	p.s.Helper()
	send := func(session, form string) *client.Element {
		return p.ask(gateway, "set", "<command xmlns='"+nsCommands+"' node='"+node+"'"+session+">"+form+"</command>").Child(nsCommands, "command")
	}
	c := send(" action='execute'", "")
	for _, form := range forms {
		if c.Attr("status") != "executing" {
			p.s.Fatalf("%s is %s: %s", node, c.Attr("status"), c.Child(nsCommands, "note").Content())
		}
		c = send(" sessionid='"+c.Attr("sessionid")+"'", filled(form...))
	}
	if c.Attr("status") != "completed" {
		p.s.Fatalf("%s is %s: %s", node, c.Attr("status"), c.Child(nsCommands, "note").Content())
	}
	return c.Child(nsCommands, "note").Content()
}

// registrationByForm is XEP-0077 from the first form to the last farewell (behaviour 11).
func registrationByForm(s *stage) {
	p := s.newPerson()
	const get = "<query xmlns='" + nsRegister + "'/>"
	query := p.ask(world.Mail, "get", get).Child(nsRegister, "query")
	if query.Child(nsRegister, "registered") != nil || query.Child(nsRegister, "username") == nil || query.Child(nsForm, "x") == nil {
		s.Errorf("the form of a stranger: %v", query)
	}
	text := p.refused(world.Mail, "set", "<query xmlns='"+nsRegister+"'><username>postmaster</username></query>", "not-acceptable")
	s.sentence(text)
	p.ask(world.Mail, "set", "<query xmlns='"+nsRegister+"'>"+filled("FORM_TYPE", nsRegister, "alias", p.alias)+"</query>")
	p.wait("the welcome", func(st *client.Stanza) bool {
		return client.MessageFrom(world.Mail, "")(st) && strings.Contains(st.Body(), p.alias)
	})
	query = p.ask(world.Mail, "get", get).Child(nsRegister, "query")
	if query.Child(nsRegister, "registered") == nil || query.Child(nsRegister, "username").Content() != p.alias {
		s.Errorf("the form of who is registered: %v", query)
	}
	if err := p.SendPresence(world.Mail, "subscribe", ""); err != nil {
		s.Fatal(err)
	}
	p.wait("the gateway's presence", client.PresenceFrom(world.Mail, ""))
	p.ask(world.Mail, "set", "<query xmlns='"+nsRegister+"'><remove/></query>")
	p.wait("the gateway's farewell", client.PresenceFrom(world.Mail, "unavailable"))
	p.refused(world.Mail, "set", "<query xmlns='"+nsRegister+"'><remove/></query>", "registration-required")
}

func commandsByForm(s *stage) {
	p := s.newPerson()
	var nodes []string
	for _, item := range p.ask(world.SMS, "get", "<query xmlns='"+nsItems+"' node='"+nsCommands+"'/>").Child(nsItems, "query").All(nsItems, "item") {
		nodes = append(nodes, item.Attr("node"))
		if i := p.info(world.SMS, item.Attr("node")); !i.identity("automation", "command-node") || !i.has(nsForm) {
			s.Errorf("%s is no command", item.Attr("node"))
		}
	}
	if !slices.Contains(nodes, nsRegister) || !slices.Contains(nodes, "add-contact") || slices.Contains(nodes, "users") {
		s.Errorf("commands: %q", nodes)
	}
	if got := p.command(world.SMS, nsRegister, []string{"number", p.number}); !strings.Contains(got, p.number) {
		s.Errorf("registered: %q", got)
	}
	if got := p.command(world.SMS, "status"); !strings.Contains(got, p.number) {
		s.Errorf("status: %q", got)
	}
	if got := p.command(world.SMS, "add-contact", []string{"address", smsPeer}); !strings.Contains(got, "xmpp:"+smsPeer+"@"+world.SMS) {
		s.Errorf("add-contact: %q", got)
	}
	p.command(world.SMS, "contacts", []string{"action", "rename"}, []string{"contact", smsPeer}, []string{"name", "Peer"})
	if got := p.command(world.SMS, "block", []string{"contact", "Peer"}); !strings.Contains(got, smsPeer) {
		s.Errorf("block: %q", got)
	}
	p.command(world.SMS, "unblock", []string{"contact", smsPeer})
	p.command(world.SMS, "history", []string{"contact", "peer"})
	p.command(world.SMS, "preferences", []string{"receipts", "true"})
	p.refused(world.SMS, "set", "<command xmlns='"+nsCommands+"' node='users'/>", "forbidden")
	if got := p.command(world.SMS, "unregister", []string{"confirm", "1"}); !strings.Contains(got, "deleted") {
		s.Errorf("unregister: %q", got)
	}
}

func commandsOfAdmins(s *stage) {
	admin := &person{s: s, name: "admin"}
	admin.Client = admin.device("desk-" + s.Name()[strings.LastIndexByte(s.Name(), '/')+1:])
	p := s.newPerson()
	p.registerByChat(world.SMS)
	if got := admin.command(world.SMS, "limits", []string{"user", p.Bare()}, []string{"messages", "9"}); !strings.Contains(got, "9 messages") {
		s.Errorf("limits: %q", got)
	}
	if got := admin.command(world.SMS, "invite", []string{"uses", "1", "days", "1"}); !strings.Contains(got, "-") {
		s.Errorf("invite: %q", got)
	}
	admin.command(world.SMS, "suspend", []string{"user", p.Bare(), "suspended", "1", "why", "A test"})
	p.wait("the word that it is shut out", func(st *client.Stanza) bool { return strings.Contains(st.Body(), "A test") })
	p.refused(world.SMS, "set", "<command xmlns='"+nsCommands+"' node='status'/>", "forbidden")
	admin.command(world.SMS, "suspend", []string{"user", p.Bare(), "suspended", "0"})
	if got := p.command(world.SMS, "status"); !strings.Contains(got, p.number) {
		s.Errorf("status: %q", got)
	}
}

// addressByPrompt is what Cheogram does when a contact is added (behaviours 6 and 7).
func addressByPrompt(s *stage) {
	p := s.newPerson()
	query := p.ask(world.SMS, "get", "<query xmlns='"+nsPrompt+"'/>").Child(nsPrompt, "query")
	if query.Child(nsPrompt, "prompt").Content() == "" || query.Child(nsPrompt, "desc").Content() == "" {
		s.Errorf("the prompt: %v", query)
	}
	prompt := func(text string) string {
		return "<query xmlns='" + nsPrompt + "'><prompt>" + client.Escape(text) + "</prompt></query>"
	}
	got := p.ask(world.SMS, "set", prompt("+1 (555) 010-0100")).Child(nsPrompt, "query").Child(nsPrompt, "jid").Content()
	if got != "+15550100100@"+world.SMS {
		s.Errorf("the JID: %q", got)
	}
	s.sentence(p.refused(world.SMS, "set", prompt("not a number"), "not-acceptable"))
}

// everythingErased: an export first, then nothing is left.
func everythingErased(s *stage) {
	p := s.newPerson()
	p.registerByChat(world.SMS)
	if got := p.command(world.Mail, "export"); !strings.Contains(got, "everything") {
		s.Errorf("export: %q", got)
	}
	if got := p.command(world.Mail, "erase", []string{"confirm", "true"}, []string{"word", "erase"}); !strings.Contains(got, "Nothing is kept") {
		s.Errorf("erase: %q", got)
	}
	p.refused(world.SMS, "set", "<query xmlns='"+nsRegister+"'><remove/></query>", "registration-required")
}
