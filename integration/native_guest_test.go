//go:build integration

package integration

import (
	"regexp"
	"strings"

	"gangway/integration/client"
	"gangway/integration/twilio"
	"gangway/integration/world"
)

func guestScenarios() []scenario {
	return []scenario{
		{"a guest with an invitation", guestInvited},
		{"a guest asks to be let in", guestAsks},
		{"a guest is declined", guestDeclined},
	}
}

// admin is the administrator, with a device of this scenario's own, which is sent nothing but answers: the others
// would be told of the same guests.
func (s *stage) admin() *person {
	s.Helper()
	a := &person{s: s, name: "admin"}
	a.Client = a.device("desk-" + regexp.MustCompile(`\W+`).ReplaceAllString(s.Name(), "-"))
	return a
}

// canWrite checks that the person has an account and can use it.
func (p *person) canWrite() {
	p.s.Helper()
	id := p.say(p.peerJID(), "hello from "+p.name)
	if _, err := p.s.Twilio.WaitMessage(p.s.ctx, func(m *twilio.Message) bool { return m.Body == "hello from "+p.name }); err != nil {
		p.s.Fatal(err)
	}
	p.wait("the receipt", client.ReceiptOf(id))
}

// mayNot checks that the person is nobody here yet.
func (p *person) mayNot() {
	p.s.Helper()
	st := p.wait("the refusal", client.ErrorOf(p.say(p.peerJID(), "hello")))
	p.s.sentence(st.Child(client.NSClient, "error").Child(client.NSStanzas, "text").Content())
}

var token = regexp.MustCompile(`The invitation: (\S+)`)

func guestInvited(s *stage) {
	p, q := s.newGuest(), s.newGuest()
	p.mayNot()
	m := token.FindStringSubmatch(s.admin().command(world.SMS, "invite", []string{"uses", "1", "days", "1"}))
	if m == nil {
		s.Fatal("no invitation")
	}
	if got := p.command(world.SMS, nsRegister, []string{"invite", m[1]}, []string{"number", p.number}); !strings.Contains(got, p.number) {
		s.Errorf("registered: %q", got)
	}
	p.canWrite()
	form := q.ask(world.SMS, "set", "<command xmlns='"+nsCommands+"' node='"+nsRegister+"'/>").Child(nsCommands, "command")
	again := q.ask(world.SMS, "set", "<command xmlns='"+nsCommands+"' node='"+nsRegister+"' sessionid='"+form.Attr("sessionid")+"'>"+
		filled("invite", m[1])+"</command>").Child(nsCommands, "command")
	if again.Attr("status") != "executing" {
		s.Errorf("an invitation for one lets a second one in: %v", again)
	}
	q.mayNot()
}

// askToBeLetIn is a request to be let in.
func (p *person) askToBeLetIn() {
	p.s.Helper()
	p.command(world.SMS, nsRegister, []string{"note", "I am " + p.name})
	p.mayNot()
}

func guestAsks(s *stage) {
	p, admin := s.newGuest(), s.admin()
	p.askToBeLetIn()
	admin.wait("the word to the administrator", bodyHas(p.Bare()))
	if got := admin.command(world.SMS, "users"); !strings.Contains(got, p.Bare()) {
		s.Errorf("users: %q", got)
	}
	admin.command(world.SMS, "approve", []string{"user", p.Bare(), "decision", "approve"})
	p.wait("the good word", bodyHas("You have been let in."))
	p.registerByChat(world.SMS)
	p.canWrite()
}

func guestDeclined(s *stage) {
	p, admin := s.newGuest(), s.admin()
	p.askToBeLetIn()
	admin.command(world.SMS, "approve", []string{"user", p.Bare(), "decision", "reject"})
	p.wait("the word that it is declined", bodyHas("declined"))
	p.mayNot()
}
