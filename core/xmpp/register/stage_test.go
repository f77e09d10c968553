package register

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/disco"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/xmpptest"
)

const (
	alice   = string(edgetest.Alice)
	bob     = string(edgetest.Bob)
	mallory = string(edgetest.Mallory)
)

// scene is a desk with all that it may stand on.
type scene struct {
	srv     *xmpptest.Server
	hall    *hall
	letters *letters
	book    *book
	choices *choices
	desk    *Desk

	mu  sync.Mutex
	at  time.Time
	seq int
}

func (s *scene) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at
}

func (s *scene) wait(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = s.at.Add(d)
}

func stage(t *testing.T, change ...func(*Config)) *scene {
	t.Helper()
	s := &scene{
		srv: xmpptest.New(t), hall: newHall(), letters: &letters{}, book: newBook(), choices: &choices{},
		at: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC),
	}
	cfg := Config{
		Domain:  &edge.Domain{Name: "email.gw", Network: edgetest.Network((*edgetest.Plain)(nil))},
		Gateway: s.hall, Accounts: s.hall, Letters: s.letters, Contacts: s.book, Choices: s.choices, Data: s.hall, Admin: s.hall,
		Timeline: timeline{}, Now: s.now,
	}
	for _, fn := range change {
		fn(&cfg)
	}
	s.desk = New(cfg)
	router := xmpp.NewRouter(xmpp.RouterConfig{})
	router.Message(&edge.Switch{Domain: cfg.Domain, Self: s.desk.Messages()})
	router.IQ("get", xmpp.NSPing, "ping", xmpp.Ping())
	s.desk.Register(router)
	about := disco.New(disco.Config{Domain: cfg.Domain, Gateway: s.hall, Features: s.desk.Features(), Nodes: s.desk.Nodes()})
	about.Register(router)
	xmpptest.Start(t, s.srv, "email.gw", router)
	return s
}

func (s *scene) say(from, text string) {
	s.srv.Send(`<message type='chat' id='c1' from='` + from + `/phone' to='email.gw'><body>` + text + `</body></message>`)
}

func (s *scene) hear(to, pattern string) string {
	return s.srv.Expect(`<message type='chat' id='*' from='email.gw' to='` + to + `'><body>` + pattern + `</body></message>`).Body()
}

// ask sends a request and returns the answer.
func (s *scene) ask(typ, from, payload string) *stream.Stanza {
	s.seq++
	id := fmt.Sprint("q", s.seq)
	s.srv.Send(`<iq type='` + typ + `' id='` + id + `' from='` + from + `/phone' to='email.gw'>` + payload + `</iq>`)
	return s.srv.Next()
}

// failed describes the error of an answer; empty if it is none.
func failed(st *stream.Stanza) string {
	if st.Type != "error" {
		return ""
	}
	e := xmpp.ParseError(st)
	return strings.TrimSpace(e.Type + " " + e.Condition + " " + e.App.Local)
}

// pair is the answer to a field.
type pair struct{ name, value string }

// door drives a command from its name to its last words, for the answers to each
// of its steps.
type door func(t *testing.T, s *scene, user string, cmd Command, steps [][]pair) string

func byChat(t *testing.T, s *scene, user string, cmd Command, steps [][]pair) string {
	t.Helper()
	s.say(user, cmd.Name)
	said := s.hear(user, "*")
	for _, step := range steps {
		for _, p := range step {
			value := p.value
			if value == "" {
				value = keep
			}
			s.say(user, value)
			said = s.hear(user, "*")
		}
	}
	return said
}

func byCommand(t *testing.T, s *scene, user string, cmd Command, steps [][]pair) string {
	t.Helper()
	command := s.ask("set", user, `<command xmlns='http://jabber.org/protocol/commands' node='`+cmd.Node+`' action='execute'/>`).Child(NSCommands, "command")
	for _, step := range steps {
		if command.Attr("status") != "executing" {
			t.Fatalf("%s ended early: %v", cmd.Node, command)
		}
		command = s.ask("set", user, submission(cmd.Node, command.Attr("sessionid"), "", step...)).Child(NSCommands, "command")
	}
	if command.Attr("status") != "completed" {
		t.Fatalf("%s is not completed: %v", cmd.Node, command)
	}
	text := command.ChildText("", "note")
	for field := range command.Child("jabber:x:data", "x").Children() {
		for v := range field.Children() {
			text += "\n" + v.Text()
		}
	}
	return text
}

func submission(node, session, action string, answers ...pair) string {
	var b strings.Builder
	b.WriteString(`<command xmlns='http://jabber.org/protocol/commands' node='` + node + `' sessionid='` + session + `'`)
	if action != "" {
		b.WriteString(` action='` + action + `'`)
	}
	b.WriteString(`>` + filledForm(answers...) + `</command>`)
	return b.String()
}

func filledForm(answers ...pair) string {
	var b strings.Builder
	b.WriteString(`<x xmlns='jabber:x:data' type='submit'>`)
	for _, p := range answers {
		b.WriteString(`<field var='` + p.name + `'><value>` + p.value + `</value></field>`)
	}
	b.WriteString(`</x>`)
	return b.String()
}

// byForm is for the registration only.
func byForm(t *testing.T, s *scene, user string, cmd Command, steps [][]pair) string {
	t.Helper()
	if cmd.Name == "unregister" {
		if got := failed(s.ask("set", user, `<query xmlns='jabber:iq:register'><remove/></query>`)); got != "" {
			t.Fatal(got)
		}
		return "Your registration is deleted."
	}
	if got := failed(s.ask("get", user, `<query xmlns='jabber:iq:register'/>`)); got != "" {
		t.Fatal(got)
	}
	answer := s.ask("set", user, `<query xmlns='jabber:iq:register'>`+filledForm(steps[0]...)+`</query>`)
	if len(steps) == 1 {
		if got := failed(answer); got != "" {
			t.Fatal(got)
		}
		return s.hear(user, "*")
	}
	return byChatGoingOn(s, user, answer, steps[1:])
}

// byChatGoingOn answers in the chat what the form had no room for. The question
// came before the answer to the form.
func byChatGoingOn(s *scene, user string, question *stream.Stanza, steps [][]pair) string {
	_ = s.srv.Next() // not-acceptable
	said := question.Body()
	for _, step := range steps {
		for _, p := range step {
			s.say(user, p.value)
			said = s.hear(user, "*")
		}
	}
	return said
}

func (s *scene) command(t *testing.T, name string) Command {
	t.Helper()
	for _, cmd := range s.desk.list {
		if cmd.Name == name {
			return cmd
		}
	}
	t.Fatalf("no command %q", name)
	return Command{}
}

// enrolment asks for an address, a password and a choice, and wants the address
// to be free; then for a code.
func enrolment(answers map[string]string) (core.Step, error) {
	first := core.Step{Text: "Your mailbox, please.", Fields: []core.Field{
		{Name: "address", Label: "Address", Value: "bob@mail.example", Required: true},
		{Name: "password", Label: "Password:", Type: core.SecretField, Required: true},
		{Name: "how", Label: "Encryption", Type: core.ChoiceField, Value: "tls", Options: []core.Option{{Value: "tls", Label: "TLS"}, {Value: "none", Label: "None"}}},
		{Name: "keep", Label: "Keep copies", Type: core.BoolField, Value: "true"},
		{Name: "note", Label: "Note"},
	}}
	switch {
	case answers == nil:
		return first, nil
	case answers["address"] == "taken@mail.example":
		first.Text = "That one is taken."
		first.Fields = first.Fields[:1]
		return first, nil
	case answers["code"] == "":
		return core.Step{Text: "A code was sent to you.", Fields: []core.Field{{Name: "code", Label: "Code", Required: true}}}, nil
	case answers["code"] != "123":
		return core.Step{}, core.E(core.Denied, "test", "Wrong code.")
	}
	return core.Step{Done: true, Text: "You are " + answers["address"] + "."}, nil
}

var _ Gateway = (*hall)(nil)
