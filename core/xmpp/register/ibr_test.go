package register

import (
	"strings"
	"testing"

	"gangway/core"
	"gangway/core/xmpp/edge/edgetest"
)

const nsReg = `xmlns='jabber:iq:register'`

// oneStep is an enrolment by one form.
func oneStep(answers map[string]string) (core.Step, error) {
	ask := core.Step{Text: "Choose a name.", Fields: []core.Field{
		{Name: "alias", Label: "Name", Value: "bob", Required: true}, {Name: "password", Type: core.SecretField},
	}}
	switch {
	case answers == nil:
		return ask, nil
	case answers["alias"] == "taken":
		ask.Text = "That name is taken."
		return ask, nil
	}
	return core.Step{Done: true, Text: "You are " + answers["alias"] + "."}, nil
}

// Behaviour 11: fields of old and a data form, filled in when known, and whether
// there is a registration. Golden.
func TestRegisterForm11(t *testing.T) {
	s := stage(t)
	s.hall.Step = oneStep
	for user, registered := range map[string]string{alice: `<registered/>`, bob: `<no><registered/></no>`} {
		s.srv.Send(`<iq type='get' id='1' from='` + user + `/x' to='email.gw'><query ` + nsReg + `/></iq>`)
		s.srv.Expect(`<iq type='result' id='1' from='email.gw' to='` + user + `/x'><query ` + nsReg + `>` + registered + `
			<instructions>Choose a name.</instructions><username>bob</username><password/>
			<x xmlns='jabber:x:data' type='form'><instructions>Choose a name.</instructions>
			<field var='FORM_TYPE' type='hidden'><value>jabber:iq:register</value></field>
			<field var='alias' type='text-single' label='Name'><required/><value>bob</value></field>
			<field var='password' type='text-private'><no><value/></no></field></x></query></iq>`)
	}
}

func TestRegisterByForm(t *testing.T) {
	for name, payload := range map[string]string{
		"fields of old":   `<username>carol</username><password>x</password>`,
		"with nonsense":   `<username>carol</username><password>x</password><zip>1</zip><dance/>`,
		"a data form":     filledForm(pair{"FORM_TYPE", NSRegister}, pair{"alias", "carol"}, pair{"password", "x"}),
		"without a type":  filledForm(pair{"alias", " carol "}, pair{"password", "x"}, pair{"else", "1"}),
		"a form and both": `<username>dave</username>` + filledForm(pair{"alias", "carol"}, pair{"password", "x"}),
	} {
		t.Run(name, func(t *testing.T) {
			s := stage(t)
			s.hall.Step = oneStep
			if got := failed(s.ask("set", bob, `<query `+nsReg+`>`+payload+`</query>`)); got != "" {
				t.Fatal(got)
			}
			s.hear(bob, "You are carol.")
			calls := s.hall.Enrolled()
			if last := calls[len(calls)-1]; last["alias"] != "carol" || last["password"] != "x" {
				t.Errorf("answers %v", last)
			}
		})
	}
}

// A field of old that is not sent keeps its proposal; a form's is empty.
func TestMissingFields11(t *testing.T) {
	s := stage(t)
	s.hall.Step = oneStep
	if got := failed(s.ask("set", bob, `<query `+nsReg+`><password>x</password></query>`)); got != "" {
		t.Error(got)
	}
	s.hear(bob, "You are bob.")
	if got := failed(s.ask("set", bob, `<query `+nsReg+`>`+filledForm(pair{"password", "x"})+`</query>`)); got != "modify not-acceptable" {
		t.Errorf("an empty form: %q", got)
	}
}

func TestRegisterErrors(t *testing.T) {
	s := stage(t)
	s.hall.Step = oneStep
	for _, c := range []struct{ name, user, payload, want string }{
		{"a name that is taken", bob, `<username>taken</username>`, "modify not-acceptable"},
		{"an empty name", bob, `<username/>`, "modify not-acceptable"},
		{"another form", bob, filledForm(pair{"FORM_TYPE", "x"}, pair{"alias", "y"}), "modify not-acceptable"},
		{"a field twice", bob, `<x xmlns='jabber:x:data' type='submit'><field var='alias'/><field var='alias'/></x>`, "modify bad-request"},
		{"not a submission", bob, `<x xmlns='jabber:x:data' type='form'/>`, "modify bad-request"},
		{"removal with something", alice, `<remove/><username>x</username>`, "modify bad-request"},
		{"removal of nothing", bob, `<remove/>`, "auth registration-required"},
		{"who is not admitted", mallory, `<username>x</username>`, "cancel not-allowed"},
		{"removal by who is not admitted", mallory, `<remove/>`, "cancel not-allowed"},
	} {
		if got := failed(s.ask("set", c.user, `<query `+nsReg+`>`+c.payload+`</query>`)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if got := failed(s.ask("get", mallory, `<query `+nsReg+`/>`)); got != "cancel not-allowed" {
		t.Errorf("who is not admitted asks: %q", got)
	}
	if got := failed(s.ask("set", bob, `<query `+nsReg+`><x xmlns='jabber:x:data' type='cancel'/></query>`)); got != "" {
		t.Errorf("cancelled: %q", got)
	}
	if all := s.hall.Enrolled(); all[len(all)-1] != nil {
		t.Errorf("cancelled, and yet asked with %v", all[len(all)-1])
	}
}

// What asks for more than one form goes on in the chat.
func TestRegisterGoesOnInChat(t *testing.T) {
	s := stage(t)
	s.hall.Step = enrolment
	s.srv.Send(`<iq type='set' id='1' from='bob@example.org/x' to='email.gw'><query ` + nsReg + `>` + filledForm(pair{"address", "a@b"}, pair{"password", "x"}) + `</query></iq>`)
	s.hear(bob, "A code was sent to you.*Code?")
	answer := s.srv.Next()
	if got := failed(answer); got != "modify not-acceptable" || !strings.Contains(answer.String(), "chat with email.gw") {
		t.Errorf("answered %v", answer)
	}
	s.say(bob, "123")
	s.hear(bob, "You are a@b.")
}

// Behaviour 11: who removes their registration has none. Their contact list is the roster's to clean.
func TestRemove11(t *testing.T) {
	s := stage(t)
	s.book.all = newBook("bob@example.com", "carol@example.com").all
	s.srv.Send(`<iq type='set' id='1' from='alice@example.org/x' to='email.gw'><query ` + nsReg + `><remove/></query></iq>`)
	s.srv.Expect(`<iq type='result' id='1' from='email.gw' to='alice@example.org/x'/>`)
	s.srv.Quiet("alice@example.org/x", "email.gw")
	if all, _ := s.hall.AccountsOf(t.Context(), edgetest.Alice); len(all) != 0 {
		t.Error("still registered")
	}
}

// Behaviours 6, 7 and 8: the prompt, and the canonical JID of whatever is
// understood.
func TestPrompt6(t *testing.T) {
	s := stage(t, func(c *Config) { c.Domain.Network.Driver.Prompt = "E-mail address" })
	const ns = `xmlns='jabber:iq:gateway'`
	s.srv.Send(`<iq type='get' id='1' from='alice@example.org/x' to='email.gw'><query ` + ns + `/></iq>`)
	s.srv.Expect(`<iq type='result' id='1'><query ` + ns + `><desc>Enter the address of somebody on E-mail.</desc><prompt>E-mail address</prompt></query></iq>`)
	for _, text := range []string{"bob@Example.COM", " bob@example.com ", "mailto:bob@example.com", `bob\40example.com@email.gw`, "xmpp:bob%5C40example.com@email.gw?message"} {
		st := s.ask("set", alice, `<query `+ns+`><prompt>`+text+`</prompt></query>`)
		if got := st.Child(NSGateway, "query").ChildText("", "jid"); got != `bob\40example.com@email.gw` {
			t.Errorf("%q: %v", text, st)
		}
	}
	for text, want := range map[string]string{"nonsense": "modify not-acceptable", "": "modify not-acceptable", "%irc": "modify not-acceptable"} {
		if got := failed(s.ask("set", alice, `<query `+ns+`><prompt>`+text+`</prompt></query>`)); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	if got := failed(s.ask("set", alice, `<query `+ns+`/>`)); got != "modify not-acceptable" {
		t.Errorf("no prompt: %q", got)
	}
	for _, typ := range []string{"get", "set"} {
		if got := failed(s.ask(typ, mallory, `<query `+ns+`><prompt>a@b</prompt></query>`)); got != "cancel not-allowed" {
			t.Errorf("who is not admitted: %q", got)
		}
	}
}
