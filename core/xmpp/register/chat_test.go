package register

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gangway/core"
)

func TestMenu(t *testing.T) {
	s := stage(t)
	for _, text := range []string{"help", "Hello!", " hi ", "?"} {
		s.say(bob, text)
		s.hear(bob, "*gateway to E-mail*1. register:*2. status:*3. add ADDRESS:*4. contacts*5. history*6. block*7. unblock*8. undelivered:*9. preferences*10. export*11. unregister:*12. erase:*")
	}
}

func TestMenuWithoutLetters(t *testing.T) {
	s := stage(t, func(c *Config) { c.Letters = nil })
	s.say(bob, "help")
	if got := s.hear(bob, "*11. erase:*"); strings.Contains(got, "undelivered") {
		t.Errorf("offered: %s", got)
	}
}

// A whole registration, as somebody types it who knows nothing of it.
func TestRegister(t *testing.T) {
	s := stage(t)
	s.hall.Step = enrolment
	s.say(bob, "1")
	s.hear(bob, `Your mailbox, please.*Address?*Send "." for: bob@mail.example.`)
	s.say(bob, "taken@mail.example")
	secret := s.hear(bob, "Password?*history*")
	if strings.Contains(secret, "present one") {
		t.Errorf("there is none: %s", secret)
	}
	s.say(bob, ".")
	s.hear(bob, "An answer is needed here.*Password?*")
	s.say(bob, "hunter2")
	s.hear(bob, `Encryption:*1. TLS*2. None*Send "." for: TLS.`)
	s.say(bob, "3")
	s.hear(bob, "Please answer with one of the numbers.*Encryption:*")
	s.say(bob, "2")
	s.hear(bob, `Keep copies? (yes or no)*Send "." for: yes.`)
	s.say(bob, "perhaps")
	s.hear(bob, "Please answer yes or no.*")
	s.say(bob, "No")
	s.hear(bob, `Note?*leave it empty.`)
	s.say(bob, ".")
	s.hear(bob, "That one is taken.*Address?*")
	s.say(bob, ".")
	s.hear(bob, "A code was sent to you.*Code?")
	s.say(bob, "123")
	s.hear(bob, "You are bob@mail.example.")
	s.say(bob, "123")
	s.hear(bob, `*alice@example.com*Send "help"*`) // the conversation is over

	calls := s.hall.Enrolled()
	want := map[string]string{
		"address": "bob@mail.example", "password": "hunter2", "how": "none", "keep": "false", "note": "", "code": "123",
	}
	if last := calls[len(calls)-1]; fmt.Sprint(last) != fmt.Sprint(want) {
		t.Errorf("answers %v, want %v", last, want)
	}
}

func TestRegisterEndsWithAnError(t *testing.T) {
	s := stage(t)
	s.hall.Step = enrolment
	for _, text := range []string{"register", ".", "hunter2", ".", ".", "."} {
		s.say(bob, text)
		s.srv.Next()
	}
	s.say(bob, "9")
	s.hear(bob, "Wrong code.")
	s.say(bob, "nonsense")
	s.hear(bob, `*Send "help"*`)
	s.hall.Step = nil
	s.say(bob, "/register")
	s.hear(bob, "Accounts are made by the administrator.")
}

func TestRegisterWhereThereIsNoNeed(t *testing.T) {
	s := stage(t, func(c *Config) { c.Domain.Network.Driver.Implicit = true })
	s.say(bob, "register")
	s.hear(bob, "You need not register here*")
	s.say(bob, "status")
	s.hear(bob, "You have not used this network yet.*")
}

func TestCancelAndExpiry(t *testing.T) {
	s := stage(t)
	s.hall.Step = enrolment
	s.say(bob, "cancel")
	s.hear(bob, "There is nothing to cancel.")
	s.say(bob, "register")
	s.hear(bob, "*Address?*")
	s.say(bob, "Cancel")
	s.hear(bob, "Cancelled.*")
	s.say(bob, "register")
	s.hear(bob, "*Address?*")
	s.wait(visitFor)
	s.say(bob, "status")
	s.hear(bob, "You are not registered here.*")
	// What looks like an answer, and comes too late, is none; a client that asks for things meanwhile does not keep it open.
	s.say(bob, "register")
	s.hear(bob, "*Address?*")
	s.wait(visitFor - 1)
	s.ask("get", bob, `<query xmlns='jabber:iq:gateway'/>`)
	s.wait(1)
	s.say(bob, "maybe")
	s.hear(bob, "You were asked something, and that was too long ago. Nothing was changed.*")
	s.say(bob, "maybe")
	s.hear(bob, `*Send "help"*`)
	// Somebody else's conversation is their own.
	s.say(bob, "register")
	s.hear(bob, "*Address?*")
	s.say(alice, "unregister")
	s.hear(alice, "*Delete it?*")
	s.say(bob, ".")
	s.hear(bob, "Password?*")
}

// Who is new is told what comes next, through whichever door they came.
func TestWelcome(t *testing.T) {
	s := stage(t)
	s.hall.Step = func(answers map[string]string) (core.Step, error) {
		if answers == nil {
			return core.Step{Fields: []core.Field{{Name: "name", Label: "Name"}}}, nil
		}
		return core.Step{Done: true, Text: "You are in.", Link: &core.Account{ID: "b1"}}, nil
	}
	const text = "You are in.\n\nSend me an address, and you get the link to write to it. Or send \"help\" to see what else can be done."
	welcome := func() {
		t.Helper()
		s.srv.Expect(`<message type='chat' from='email.gw' to='bob@example.org'><body>You are in.*Send me an address*</body>
			<query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'>
			<item node='status' jid='email.gw' name='*'/><item node='add-contact' jid='email.gw' name='*'/><item node='preferences' jid='email.gw' name='*'/></query></message>`)
	}
	s.say(bob, "register")
	s.hear(bob, "Name?*")
	s.say(bob, "x")
	welcome()
	if got := byCommand(t, s, bob, s.command(t, "register"), [][]pair{{{"name", "x"}}}); got != text {
		t.Errorf("%q", got)
	}
	if got := failed(s.ask("set", bob, `<query `+nsReg+`><name>x</name></query>`)); got != "" {
		t.Error(got)
	}
	welcome()
	// Who changes a registration is not new.
	if got := byCommand(t, s, alice, s.command(t, "register"), [][]pair{{{"name", "x"}}}); got != "You are in." {
		t.Errorf("%q", got)
	}
	s.srv.Quiet("alice@example.org/x", "email.gw")
}

func TestUnregister(t *testing.T) {
	s := stage(t)
	s.book.all = newBook("bob@example.com", "#go").all // of which one is a room, if anything
	s.say(alice, "unregister")
	s.hear(alice, "This deletes*Delete it? (yes or no)")
	s.say(alice, "no")
	s.hear(alice, "Nothing was changed.")
	s.say(alice, "11")
	s.hear(alice, "*Delete it?*")
	s.say(alice, "yes")
	s.hear(alice, "Your registration is deleted.")
	s.say(alice, "unregister")
	s.hear(alice, "*Delete it?*")
	s.say(alice, "yes")
	s.hear(alice, "You are not registered here.")
}

func TestStatus(t *testing.T) {
	for _, c := range []struct {
		state core.Status
		want  string
	}{
		{core.Status{Link: core.Connected}, "alice@mail.example: connected."},
		{core.Status{Link: core.Connected, Since: at9}, "alice@mail.example: connected since 24 Nov 09:05 UTC."},
		{core.Status{Link: core.Connected, Report: core.Report{Waiting: 3}},
			"alice@mail.example: connected. Of what you said 3 lines wait, since the network takes only a few at a time."},
		{core.Status{Link: core.Connected, Report: core.Report{Waiting: 1, Within: 90 * time.Second, Lag: 23400 * time.Microsecond}},
			"alice@mail.example: connected. It answers after 23ms. Of what you said 1 line waits, since the network takes only a few at a time; all is said within 2 minutes."},
		{core.Status{Link: core.Connected, Since: at9, Last: core.E(core.Unavailable, "", "It was lost."), LastAt: at9, Facts: []string{"One thing.", "Another."}},
			"alice@mail.example: connected since 24 Nov 09:05 UTC. There was none at 24 Nov 09:05 UTC: It was lost.\n- One thing.\n- Another."},
		{core.Status{Link: core.Connecting}, "alice@mail.example: connecting."},
		{core.Status{Link: core.Closed}, "alice@mail.example: not connected; it connects when you use it."},
		{core.Status{Link: core.Waiting, Err: core.E(core.Unavailable, "", "The server is away."), Retry: 61 * time.Second},
			"alice@mail.example: not connected. The server is away. It is tried again within 2 minutes."},
		{core.Status{Link: core.Waiting, Text: "Soon.", Retry: time.Millisecond}, "alice@mail.example: not connected. Soon. It is tried again within a second."},
		{core.Status{Link: core.Refused, Err: core.E(core.Denied, "", "Wrong password.")},
			"alice@mail.example: refused by the network; it is not tried again by itself. Wrong password."},
	} {
		s := stage(t)
		s.hall.State = c.state
		s.say(alice, "status")
		if got := s.hear(alice, "*"); got != c.want {
			t.Errorf("%v: %q, want %q", c.state.Link, got, c.want)
		}
	}
}

// Whatever is understood as an address is answered with a link (rule 8).
func TestAddresses(t *testing.T) {
	s := stage(t)
	const link = "bob@example.com is xmpp:bob%5C40example.com@email.gw?message"
	for _, text := range []string{"bob@Example.com", "add bob@example.com", "ADD mailto:bob@example.com", `bob\40example.com@email.gw`} {
		s.say(alice, text)
		s.hear(alice, link)
	}
	s.say(alice, "add")
	s.hear(alice, "Which address?*Address?")
	s.say(alice, "nonsense")
	s.hear(alice, "An address looks like alice@example.com.*Address?")
	s.say(alice, "bob@example.com")
	s.hear(alice, link)
	s.say(alice, "#go%irc")
	s.hear(alice, "#go%irc is xmpp:%23go%25irc@email.gw?join")
	s.say(alice, "what can you do")
	s.hear(alice, `*Send "help" to see what can be done here.`)
	s.say(alice, "13") // not an item of the menu
	s.hear(alice, `*Send "help"*`)
}

// What a person may not do is said once, politely, and does not tell whether
// there is an account.
func TestNotAllowed(t *testing.T) {
	s := stage(t)
	for _, text := range []string{"help", "register", "status", "unregister", "bob@example.com"} {
		s.say(mallory, text)
		s.hear(mallory, "This gateway is not open to your address. Ask its administrator.")
	}
}

func TestWhoMayNotSpeak(t *testing.T) {
	s := stage(t)
	denied := `<message type='error' id='c1'><error type='auth'><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`
	for name, stanza := range map[string]string{
		"a component": `<message type='chat' id='c1' from='other.example.org' to='email.gw'><body>register</body></message>`,
		"somebody inside a room": `<message type='chat' id='c1' from='room@muc.example.org/nick' to='email.gw'><body>register</body>
			<x xmlns='http://jabber.org/protocol/muc#user'/></message>`,
	} {
		t.Log(name)
		s.srv.Send(stanza)
		s.srv.Expect(denied)
	}
	s.srv.Send(`<message type='groupchat' id='c1' from='alice@example.org/x' to='email.gw'><body>help</body></message>`)
	s.srv.Expect(`<message type='error'><error><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`)
	s.srv.Send(`<message type='chat' id='c1' from='alice@example.org/x' to='email.gw'><body>help</body><encrypted xmlns='eu.siacs.conversations.axolotl'/></message>`)
	s.srv.Expect(`<message type='error'><error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`)
	s.srv.Send(`<message type='error' from='alice@example.org/x' to='email.gw'><body>help</body></message>`)
	s.srv.Send(`<message type='chat' from='alice@example.org/x' to='email.gw'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`)
	s.srv.Quiet("alice@example.org/x", "email.gw")
}

// The gateway is the far side of what is said to it.
func TestReceiptAndThread(t *testing.T) {
	s := stage(t)
	s.srv.Send(`<message type='chat' id='c1' from='alice@example.org/x' to='email.gw'><body>help</body><thread>t1</thread><request xmlns='urn:xmpp:receipts'/></message>`)
	s.srv.Expect(`<message to='alice@example.org/x'><received xmlns='urn:xmpp:receipts' id='c1'/></message>`)
	s.srv.Expect(`<message to='alice@example.org'><body>*</body><thread>t1</thread></message>`)
}

// Two machines that answer each other come to an end.
func TestLoopEnds(t *testing.T) {
	s := stage(t)
	for range maxTurns {
		s.say(alice, "I am on holiday")
		s.srv.Next()
	}
	s.say(alice, "I am on holiday")
	s.srv.Expect(`<message type='error' id='c1'><error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`)
	s.say(bob, "help")
	s.hear(bob, "*")
	s.wait(time.Minute)
	s.say(alice, "help")
	s.hear(alice, "*")
}

func TestVisitorsAreBounded(t *testing.T) {
	now := time.Now()
	v := newVisitors(func() time.Time { return now })
	for i := range maxVisitors {
		if _, err := v.turn(core.UserID(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := v.turn("one too many"); core.KindOf(err) != core.OverLimit {
		t.Errorf("got %v", err)
	}
	now = now.Add(visitFor)
	if _, err := v.turn("one too many"); err != nil || len(v.byUser) != 1 {
		t.Errorf("later: %v, %d visitors", err, len(v.byUser))
	}
}

func TestLongAnswer(t *testing.T) {
	if _, wrong := typed(core.Field{}, strings.Repeat("x", maxAnswer+1)); wrong == "" {
		t.Error("accepted")
	}
}

// A step that asks nothing waits for a word.
func TestStepWithoutFields(t *testing.T) {
	s := stage(t)
	s.hall.Step = func(answers map[string]string) (core.Step, error) {
		if answers == nil {
			return core.Step{Text: "Read this."}, nil
		}
		return core.Step{Done: true}, nil
	}
	s.say(bob, "register")
	s.hear(bob, `Read this.*Send "." to go on.`)
	s.say(bob, ".")
	s.hear(bob, "Done.")
}
