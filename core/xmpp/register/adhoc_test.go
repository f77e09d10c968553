package register

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/form"
	"gangway/core/xmpp/stream"
)

const (
	nsCmd     = `xmlns='http://jabber.org/protocol/commands'`
	nodeItems = `<query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/>`
)

// open begins a command, and returns the id of its session.
func (s *scene) open(t *testing.T, user, node string) string {
	t.Helper()
	command := s.ask("set", user, `<command `+nsCmd+` node='`+node+`' action='execute'/>`).Child(NSCommands, "command")
	if command.Attr("status") != "executing" || command.Attr("sessionid") == "" {
		t.Fatalf("not begun: %v", command)
	}
	return command.Attr("sessionid")
}

// Behaviour 3: the node lists the commands, the administrator's only to
// administrators, and each has its own disco.
func TestCommandList3(t *testing.T) {
	s := stage(t)
	nodes := func(user string) string {
		var all []string
		for item := range s.ask("get", user, nodeItems).Child("http://jabber.org/protocol/disco#items", "query").Children() {
			if item.Attr("jid") != "email.gw" || item.Attr("name") == "" {
				t.Errorf("item %v", item)
			}
			all = append(all, item.Attr("node"))
		}
		return strings.Join(all, " ")
	}
	const own = "jabber:iq:register status add-contact contacts history block unblock undelivered preferences export unregister erase"
	if got := nodes(alice); got != own {
		t.Errorf("Alice: %s", got)
	}
	if got := nodes(root); got != own+" users approve suspend invite limits announce move-user" {
		t.Errorf("Root: %s", got)
	}
	if got := nodes(mallory); got != "jabber:iq:register" {
		t.Errorf("Mallory: %s", got)
	}
	info := func(user, node string) *stream.Stanza {
		return s.ask("get", user, `<query xmlns='http://jabber.org/protocol/disco#info' node='`+node+`'/>`)
	}
	for _, c := range []struct{ user, node, want string }{
		{alice, "status", "automation/command-node See whether your account is connected"},
		{alice, NSCommands, "automation/command-list E-mail"},
		{root, "users", "automation/command-node See who uses the gateway, or asks to"},
	} {
		id := info(c.user, c.node).Child("http://jabber.org/protocol/disco#info", "query").Child("", "identity")
		if got := id.Attr("category") + "/" + id.Attr("type") + " " + id.Attr("name"); got != c.want {
			t.Errorf("%s: %s, want %s", c.node, got, c.want)
		}
	}
	for _, c := range []struct{ user, node string }{{alice, "users"}, {mallory, "status"}, {alice, "reject"}, {alice, "nothing"}} {
		if got := failed(info(c.user, c.node)); got != "cancel item-not-found" {
			t.Errorf("%s asks about %s: %q", c.user, c.node, got)
		}
	}
}

// A form as it looks: XEP-0050 section 3, golden.
func TestCommandForm(t *testing.T) {
	s := stage(t)
	s.hall.Step = enrolment
	s.srv.Send(`<iq type='set' id='1' from='bob@example.org/x' to='email.gw'><command ` + nsCmd + ` node='jabber:iq:register' action='execute'/></iq>`)
	s.srv.Expect(`<iq type='result' id='1' from='email.gw' to='bob@example.org/x'><command ` + nsCmd + ` node='jabber:iq:register' sessionid='$session' status='executing'>
		<actions execute='complete'><complete/><no><prev/></no></actions>
		<x xmlns='jabber:x:data' type='form'><instructions>Your mailbox, please.</instructions>
			<field var='address' type='text-single' label='Address'><required/><value>bob@mail.example</value></field>
			<field var='password' type='text-private' label='Password:'><required/><no><value/></no></field>
			<field var='how' type='list-single' label='Encryption'><value>tls</value><option label='TLS'><value>tls</value></option><option label='None'><value>none</value></option></field>
			<field var='keep' type='boolean' label='Keep copies'><value>true</value></field>
			<field var='note' type='text-single' label='Note'/></x></command></iq>`)
}

// Each action, with and without a step before; Profanity sends none (behaviour 11).
func TestActions11(t *testing.T) {
	s := stage(t)
	withBob(s)
	id := s.open(t, alice, "contacts")
	status := func(action string, answers ...pair) *stream.Element {
		t.Helper()
		st := s.ask("set", alice, submission("contacts", id, action, answers...))
		if got := failed(st); got != "" {
			t.Fatalf("%s: %s", action, got)
		}
		return st.Child(NSCommands, "command")
	}
	second := status(next, pair{"action", "rename"})
	if second.Child("", "actions").Child("", prev) == nil || form.Find(second).Child("", "field").Attr("var") != "contact" {
		t.Fatalf("second step: %v", second)
	}
	first := status(prev)
	if first.Child("", "actions").Child("", prev) != nil || form.Find(first).Child("", "field").ChildText("", "value") != "rename" {
		t.Errorf("back at the first step: %v", first)
	}
	if got := failed(s.ask("set", alice, submission("contacts", id, prev))); got != "modify bad-request bad-action" {
		t.Errorf("before the first: %q", got)
	}
	status(execute, pair{"action", "rename"})
	status("", pair{"contact", "bob@example.com"})
	if got := status(complete, pair{"name", "Bob"}); got.Attr("status") != "completed" || got.ChildText("", "note") != "bob@example.com is called Bob here." {
		t.Errorf("at the end: %v", got)
	}
	if got := failed(s.ask("set", alice, submission("contacts", id, complete, pair{"name", "Bob"}))); got != "cancel not-allowed session-expired" {
		t.Errorf("after the end: %q", got)
	}
	id = s.open(t, alice, "contacts")
	if got := status(cancel); got.Attr("status") != "canceled" {
		t.Errorf("cancelled: %v", got)
	}
	if got := failed(s.ask("set", alice, submission("contacts", id, next))); got != "cancel not-allowed session-expired" {
		t.Errorf("after cancelling: %q", got)
	}
	id = s.open(t, alice, "contacts")
	s.seq++
	st := s.ask("set", alice, `<command `+nsCmd+` node='contacts' sessionid='`+id+`'><x xmlns='jabber:x:data' type='cancel'/></command>`)
	if got := st.Child(NSCommands, "command").Attr("status"); got != "canceled" {
		t.Errorf("cancelled by form: %v", st)
	}
}

// A form that is wrong is shown again, with a note and what was filled in, but for
// secrets.
func TestWrongForm(t *testing.T) {
	s := stage(t)
	s.hall.Step = enrolment
	id := s.open(t, bob, NSRegister)
	for _, c := range []struct {
		answers []pair
		note    string
	}{
		{nil, "Address: An answer is needed here."},
		{[]pair{{"address", "a@b"}}, "Password: An answer is needed here."},
		{[]pair{{"address", "a@b"}, {"password", "x"}, {"how", "ssl"}}, "Encryption: That is none of the choices."},
		{[]pair{{"address", "a@b"}, {"password", "x"}, {"keep", "perhaps"}}, "Keep copies: This is yes or no."},
		{[]pair{{"address", strings.Repeat("x", maxAnswer+1)}, {"password", "x"}}, "Address: That is too long."},
	} {
		command := s.ask("set", bob, submission(NSRegister, id, "", c.answers...)).Child(NSCommands, "command")
		if command.Attr("status") != "executing" || command.ChildText("", "note") != c.note || command.Child("", "note").Attr("type") != "error" {
			t.Errorf("%v: %v", c.answers, command)
		}
		if text := command.String(); len(c.answers) > 1 && strings.Contains(text, "<value>x</value>") {
			t.Errorf("the secret is shown: %s", text)
		}
	}
	// The step's own refusal is its text.
	command := s.ask("set", bob, submission(NSRegister, id, "", pair{"address", "taken@mail.example"}, pair{"password", "x"})).Child(NSCommands, "command")
	if form.Find(command).ChildText("", "instructions") != "That one is taken." {
		t.Errorf("refused: %v", command)
	}
}

// A secret is never sent; an empty one is the present one.
func TestSecretIsKept(t *testing.T) {
	const present = "hunter2"
	s := stage(t)
	s.hall.Step = func(answers map[string]string) (core.Step, error) {
		if answers == nil {
			return core.Step{Fields: []core.Field{{Name: "password", Type: core.SecretField, Value: present, Required: true}, {Name: "nick"}}}, nil
		}
		return core.Step{Done: true}, nil
	}
	for _, answers := range [][]pair{{{"nick", "x"}}, {{"password", ""}, {"nick", "x"}}} {
		command := s.ask("set", bob, `<command `+nsCmd+` node='jabber:iq:register'/>`)
		if text := command.String(); strings.Contains(text, present) || strings.Contains(text, "<required/>") {
			t.Errorf("shown: %s", text)
		}
		id := command.Child(NSCommands, "command").Attr("sessionid")
		s.ask("set", bob, submission(NSRegister, id, "", answers...))
		calls := s.hall.Enrolled()
		if got := calls[len(calls)-1]["password"]; got != present {
			t.Errorf("%v: %q", answers, got)
		}
	}
}

// XEP-0050 section 4.4: each error, and nothing is changed by it.
func TestCommandErrors(t *testing.T) {
	s := stage(t)
	s.hall.Step = enrolment
	id := s.open(t, bob, NSRegister)
	var many strings.Builder
	for i := range form.MaxFields + 1 {
		fmt.Fprintf(&many, "<field var='f%d'/>", i)
	}
	command := func(attrs, inside string) string {
		return `<command ` + nsCmd + ` ` + attrs + `>` + inside + `</command>`
	}
	session := "node='jabber:iq:register' sessionid='" + id + "'"
	for _, c := range []struct{ name, user, payload, want string }{
		{"an unknown action", bob, command(session+" action='dance'", ""), "modify bad-request malformed-action"},
		{"next before execute", bob, command("node='status' action='next'", ""), "modify bad-request bad-action"},
		{"an unknown node", bob, command("node='dance'", ""), "cancel item-not-found"},
		{"no node", bob, command("", ""), "cancel item-not-found"},
		{"a chat word", bob, command("node='reject'", ""), "cancel item-not-found"},
		{"an unknown session", bob, command("node='status' sessionid='x'", ""), "modify bad-request bad-sessionid"},
		{"a session of another node", bob, command("node='status' sessionid='"+id+"'", ""), "modify bad-request bad-sessionid"},
		{"somebody else's session", alice, command(session, filledForm(pair{"address", "x"})), "modify bad-request bad-sessionid"},
		{"somebody else's cancel", alice, command(session+" action='cancel'", ""), "modify bad-request bad-sessionid"},
		{"no form", bob, command(session, ""), "modify bad-request bad-payload"},
		{"not a submission", bob, command(session, `<x xmlns='jabber:x:data' type='form'/>`), "modify bad-request bad-payload"},
		{"a field twice", bob, command(session, `<x xmlns='jabber:x:data' type='submit'><field var='a'/><field var='a'/></x>`), "modify bad-request bad-payload"},
		{"a huge form", bob, command(session, `<x xmlns='jabber:x:data' type='submit'>`+many.String()+`</x>`), "modify bad-request bad-payload"},
		{"who is not admitted", mallory, command("node='status'", ""), "auth forbidden"},
		{"who is no administrator", alice, command("node='users'", ""), "auth forbidden"},
	} {
		if got := failed(s.ask("set", c.user, c.payload)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	// Unknown fields and wrong types are not the sender's fault; the session is still there.
	st := s.ask("set", bob, command(session, `<x xmlns='jabber:x:data' type='submit'><title>x</title><field var='nonsense'><value>1</value></field>
		<field var='address' type='list-multi'><value>bob@mail.example</value></field><field var='password' type='boolean'><value>x</value></field></x>`))
	if got := form.Find(st.Child(NSCommands, "command")).ChildText("", "instructions"); got != "A code was sent to you." {
		t.Errorf("the rightful owner: %v", st)
	}
}

// Nothing but a person's own account gets in, and only to the gateway itself.
func TestWhoMayNotAsk(t *testing.T) {
	s := stage(t)
	for _, payload := range []string{
		`<command ` + nsCmd + ` node='status'/>`, `<query xmlns='jabber:iq:register'><remove/></query>`, `<query xmlns='jabber:iq:gateway'><prompt>a@b</prompt></query>`,
	} {
		for from, want := range map[string]string{"other.example.org": "cancel not-allowed", "x@email.gw/y": "cancel not-allowed"} {
			s.srv.Send(`<iq type='set' id='1' from='` + from + `' to='email.gw'>` + payload + `</iq>`)
			if got := failed(s.srv.Next()); got != want {
				t.Errorf("from %s: %q", from, got)
			}
		}
		s.srv.Send(`<iq type='set' id='1' from='alice@example.org/x' to='bob%irc@email.gw'>` + payload + `</iq>`)
		if got := failed(s.srv.Next()); got != "cancel service-unavailable" {
			t.Errorf("to a contact: %q", got)
		}
	}
}

func TestSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSessions(time.Now)
		cmd := Command{Node: "status"}
		open := func(user core.UserID) string {
			t.Helper()
			id, err := s.open(&dialog{user: user, command: cmd})
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		app := func(id string, user core.UserID) string {
			_, err := s.get(id, "status", user)
			if err == nil {
				return ""
			}
			return xmpp.ErrorOf(err).App.Local
		}
		id := open(edgetest.Alice)
		time.Sleep(sessionFor - time.Second)
		if got := app(id, edgetest.Alice); got != "" {
			t.Errorf("in time: %s", got)
		}
		time.Sleep(sessionFor)
		if got := app(id, edgetest.Alice); got != "session-expired" {
			t.Errorf("too late: %q", got)
		}
		if got := app(id, edgetest.Bob); got != "bad-sessionid" {
			t.Errorf("somebody else: %q", got)
		}
		time.Sleep(rememberFor + sessionFor)
		open(edgetest.Alice)
		if got := app(id, edgetest.Alice); got != "bad-sessionid" || len(s.byID) != 1 {
			t.Errorf("long after: %q, %d sessions", got, len(s.byID))
		}
		// Of too many of one user the oldest ends.
		first := open(edgetest.Bob)
		for range perUser {
			time.Sleep(time.Second)
			open(edgetest.Bob)
		}
		if got := app(first, edgetest.Bob); got != "session-expired" {
			t.Errorf("the oldest: %q", got)
		}
	})
}

func TestSessionsAreBounded(t *testing.T) {
	now := time.Now()
	s := newSessions(func() time.Time { return now })
	s.byID = map[string]*session{}
	for i := range maxSessions {
		id := fmt.Sprint(i)
		s.byID[id] = &session{id: id, user: core.UserID(id), dialog: &dialog{}, used: now}
	}
	if _, err := s.open(&dialog{user: "one too many"}); core.KindOf(err) != core.OverLimit {
		t.Errorf("got %v", err)
	}
	s.end("7")
	if _, err := s.open(&dialog{user: "one too many"}); err != nil || len(s.byID) != maxSessions {
		t.Errorf("with room: %v, %d sessions", err, len(s.byID))
	}
}

// A loop of requests comes to an end.
func TestRequestsAreBounded(t *testing.T) {
	v := newVisitors(func() time.Time { return time.Unix(0, 0) })
	for range maxRequests {
		if err := v.request(edgetest.Alice); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.request(edgetest.Alice); core.KindOf(err) != core.OverLimit {
		t.Errorf("got %v", err)
	}
	if err := v.request(edgetest.Bob); err != nil {
		t.Error(err)
	}
}

// Whatever is submitted is answered, and the command gets only answers that fit.
func FuzzSubmit(f *testing.F) {
	for _, seed := range []string{
		filledForm(pair{"address", "a@b"}, pair{"password", "x"}), `<x xmlns='jabber:x:data' type='submit'><field var='how'><value>none</value><value>tls</value></field></x>`,
		`<x xmlns='jabber:x:data' type='cancel'/>`, `<x xmlns='jabber:x:data' type='submit'><field var='address'/><field var='address'/></x>`,
		`<x xmlns='jabber:x:data'/>`, ``, `<field var='x'/>`, `<x xmlns='jabber:x:data' type='submit'><field var='keep'><value>TRUE</value></field></x>`,
	} {
		f.Add(seed)
	}
	step, _ := enrolment(nil)
	f.Fuzz(func(t *testing.T, inside string) {
		st, err := stream.Parse(`<iq type='set' from='a@b' to='gw'><command xmlns='http://jabber.org/protocol/commands'>` + inside + `</command></iq>`)
		if err != nil || st.Only() == nil {
			return
		}
		legacy, _ := legacyFilled(step, st.Only())
		checkAnswers(t, step, legacy, false)
		x := form.Find(st.Only())
		if x == nil {
			return
		}
		s, err := form.Parse(x)
		if err != nil {
			return
		}
		values, wrong := filled(step, s)
		checkAnswers(t, step, values, wrong == "")
	})
}

func checkAnswers(t *testing.T, step core.Step, values map[string]string, good bool) {
	t.Helper()
	if len(values) != len(step.Fields) {
		t.Fatalf("%d answers to %d questions", len(values), len(step.Fields))
	}
	for _, f := range step.Fields {
		v := values[f.Name]
		switch {
		case !good:
		case v == "" && f.Required, len(v) > maxAnswer, f.Type == core.BoolField && v != "true" && v != "false",
			f.Type == core.ChoiceField && v != "" && v != "tls" && v != "none":
			t.Errorf("%s: %q", f.Name, v)
		}
	}
}
