package chat

import (
	"strings"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/xmpp/edge/edgetest"
)

// The tests of this file are named after the behaviours of the specification of
// the edge that they hold chat to.

// The case of an address is kept, as its owner writes it, and makes no other
// correspondent: a JID has none.
func TestCaseKeptComparedFolded10(t *testing.T) {
	th := open(t, (*edgetest.Full)(nil))
	th.show(&core.Message{Ref: core.Ref{Account: "a1", Peer: "Bob@example.com"}, IDs: core.IDs{ID: theirs}, Text: "Hello"})
	th.Expect(`<message from='` + bob + `/gateway'/>`)
	for _, to := range []string{bob, `BOB\40example.com@email.gw`, `Bob\40Example.com@email.gw`} {
		th.Send(`<message type='chat' id='c1' from='alice@example.org/phone' to='` + to + `'><body>x</body></message>`)
		th.quiet()
		if m := one[*core.Message](t, th.hall); m.Peer != "Bob@example.com" {
			t.Errorf("%s is taken for %q", to, m.Peer)
		}
	}
	th.Send(`<message type='chat' id='c2' from='alice@example.org/phone' to='` + bob + `'><reply xmlns='urn:xmpp:reply:0' id='` + string(theirs) + `'/><body>x</body></message>`)
	th.quiet()
	if m := one[*core.Message](t, th.hall); m.ReplyTo.ID != theirs {
		t.Errorf("what Bob said is not known any more: %+v", m)
	}
}

// A message asks only for what the network can carry back.
func TestAsksForWhatIsTaken16(t *testing.T) {
	for _, c := range []struct {
		session core.Session
		want    string
	}{
		{(*edgetest.Full)(nil), `<request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/><active xmlns='http://jabber.org/protocol/chatstates'/>`},
		{(*edgetest.Plain)(nil), `<no><request xmlns='urn:xmpp:receipts'/></no><no><markable xmlns='urn:xmpp:chat-markers:0'/></no><no><active xmlns='http://jabber.org/protocol/chatstates'/></no>`},
	} {
		th := open(t, c.session)
		th.show(&core.Message{Ref: bobRef, IDs: mine, Text: "Hello"})
		th.Expect(`<message><body>Hello</body>` + c.want + `</message>`)
	}
}

// An error is never answered, whatever is in it, and nothing of it goes anywhere.
func TestErrorsAreNotAnswered32(t *testing.T) {
	for _, inside := range []string{
		``, `<body>x</body>`, `<encrypted xmlns='urn:xmpp:omemo:2'/>`, `<body>x</body><request xmlns='urn:xmpp:receipts'/>`,
		`<retract xmlns='urn:xmpp:message-retract:1' id='lost'/>`, `<body>x</body><replace xmlns='urn:xmpp:message-correct:0' id='lost'/>`,
		`<reactions xmlns='urn:xmpp:reactions:0' id='client-1'><reaction>x</reaction></reactions>`, `<x xmlns='jabber:x:conference' jid='r@c'/>`,
		`<body>x</body><addresses xmlns='http://jabber.org/protocol/address'><address type='to' jid='nobody@nowhere'/></addresses>`,
	} {
		for _, to := range []string{bob, bob + "/gateway", "nonsense@email.gw", "email.gw", `mailto\3abob\40example.com@email.gw`, "#room%net@email.gw"} {
			th := open(t, (*edgetest.Plain)(nil))
			for _, from := range []string{"alice@example.org", "alice@example.org/phone", "mallory@example.net/x", "example.org"} {
				th.Send(`<message type='error' id='e1' from='` + from + `' to='` + to + `'>` + inside + `<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`)
				th.Quiet(from, "email.gw")
			}
			if n := len(th.hall.Submitted()); n != 0 {
				t.Errorf("%s to %s: %d events were submitted", inside, to, n)
			}
		}
	}
}

// What is pushed goes to all of the user's devices, whichever spoke last; only
// what became of one device's own message goes to that one.
func TestNoResourceIsReused52(t *testing.T) {
	th := open(t, (*edgetest.Full)(nil))
	for _, device := range []string{"phone", "desk"} {
		th.Send(`<message type='chat' id='` + device + `' from='alice@example.org/` + device + `' to='` + bob + `'><body>x</body><request xmlns='urn:xmpp:receipts'/><composing xmlns='http://jabber.org/protocol/chatstates'/></message>`)
		th.Quiet("alice@example.org/"+device, "email.gw")
	}
	var said []*core.Message
	for _, e := range th.hall.Submitted() {
		if m, ok := e.(*core.Message); ok {
			said = append(said, m)
		}
	}
	if len(said) != 2 {
		t.Fatalf("%d messages were submitted", len(said))
	}
	for _, e := range []core.Event{
		&core.Message{Ref: bobRef, IDs: mine, Text: "Hello"}, &core.Typing{Ref: bobRef, On: true}, &core.Typing{Ref: bobRef},
		&core.Message{Ref: bobRef, IDs: mine, Text: "Hallo", Replaces: mine}, &core.Reaction{Ref: bobRef, IDs: mine, Emoji: []string{"x"}},
		&core.Retraction{Ref: bobRef, IDs: mine}, &core.Message{Ref: bobRef, IDs: mine, Attachments: []core.Attachment{{URL: "https://x.example/1"}}},
	} {
		th.show(e)
		th.Expect(`<message type='chat' from='` + bob + `/gateway' to='alice@example.org'/>`)
	}
	for _, m := range said {
		th.show(&core.Receipt{Ref: bobRef, IDs: m.IDs, Origin: m.Origin, State: core.Delivered})
		th.Expect(`<message to='alice@example.org/` + m.Origin.ID + `'><received xmlns='urn:xmpp:receipts' id='` + m.Origin.ID + `'/></message>`)
	}
}

func TestToTheBareJID22(t *testing.T) {
	th := open(t, (*edgetest.Full)(nil))
	for _, e := range []core.Event{
		&core.Message{Ref: bobRef, IDs: mine, Text: "Hello"}, &core.Typing{Ref: bobRef, On: true},
		&core.Reaction{Ref: bobRef, IDs: mine}, &core.Retraction{Ref: bobRef, IDs: mine},
	} {
		th.show(e)
		th.Expect(`<message type='chat' from='` + bob + `/gateway' to='alice@example.org'/>`)
	}
}

// A receipt is for who has asked for one, in a chat.
func TestReceiptsAskedFor28(t *testing.T) {
	for _, c := range []struct {
		typ, inside string
		asked       bool
	}{
		{"chat", `<request xmlns='urn:xmpp:receipts'/>`, true}, {"chat", ``, false},
		{"normal", `<request xmlns='urn:xmpp:receipts'/>`, false}, {"chat", `<received xmlns='urn:xmpp:receipts' id='x'/>`, false},
	} {
		th := open(t, (*edgetest.Full)(nil))
		th.Send(`<message type='` + c.typ + `' id='c1' from='alice@example.org/phone' to='` + bob + `'><body>x</body>` + c.inside + `</message>`)
		th.quiet()
		m := one[*core.Message](t, th.hall)
		if m.Receipt != c.asked {
			t.Errorf("%+v: Receipt is %v", c, m.Receipt)
		}
		th.show(&core.Receipt{Ref: m.Ref, IDs: m.IDs, Origin: m.Origin, State: core.Delivered})
		if c.asked {
			th.Expect(`<message to='alice@example.org/phone'><received xmlns='urn:xmpp:receipts' id='c1'/></message>`)
		}
		th.quiet()
		th.show(&core.Receipt{Ref: m.Ref, IDs: m.IDs, Origin: m.Origin, State: core.Failed, Err: core.E(core.Unavailable, "", "Away.")})
		th.Expect(refusal("wait", "remote-server-timeout", "Away."))
	}
}

// Hostile words in every field make whole stanzas, none too large, and no message
// is kept back because of them.
func TestHostileFields29(t *testing.T) {
	th := open(t, (*edgetest.Full)(nil))
	for _, hostile := range []string{
		"\x00\x02\x1f", "\xed\xa0\x80 \xff", "\ufffe\uffff", "]]><![CDATA[", "</message></stream:stream>", "&#2; &amp;",
		strings.Repeat("&", 1<<20), strings.Repeat("\U0001F469\u200D", 100_000), strings.Repeat("\n", 300_000), "\u202e",
	} {
		th.hall.Names = map[core.Address]core.Address{}
		m := &core.Message{
			Ref: bobRef, IDs: core.IDs{ID: core.NewID()}, Author: core.Address(hostile), Subject: hostile, Text: hostile,
			Thread: core.ThreadID(hostile), Also: []core.Address{core.Address(hostile)},
			Attachments: []core.Attachment{{URL: hostile, Name: hostile, Type: hostile, Size: -1}, {URL: "https://x.example/" + hostile}},
		}
		th.show(m)
		st := th.Expect(`<message id='` + string(m.ID) + `'><body>*</body></message>`)
		if len(hostile) > maxBody && !strings.HasSuffix(st.Body(), strings.TrimSpace(tooLong)) {
			t.Errorf("a long body ends with %q", st.Body()[len(st.Body())-50:])
		}
		for range len(withAddress(m.Attachments)) {
			th.Expect(`<message><body>*</body><x xmlns='jabber:x:oob'/></message>`)
		}
		th.show(&core.Reaction{Ref: bobRef, IDs: mine, Emoji: []string{hostile}})
		th.Expect(`<message><reactions xmlns='urn:xmpp:reactions:0'><reaction/></reactions></message>`)
		th.quiet()
	}
}

// A message larger than the gateway takes is refused with a sentence.
func TestTooLarge29(t *testing.T) {
	th := open(t, (*edgetest.Full)(nil))
	th.Raw("email.gw", `<message type='chat' id='c1' from='alice@example.org/phone' to='`+bob+`'><body>`+strings.Repeat("x", 1<<20)+`</body></message>`)
	th.Expect(refusal("modify", "policy-violation", "too large"))
	th.quiet()
}

// Only what is older than five minutes, or was missed, says when it was said.
func TestDelay30(t *testing.T) {
	th := open(t, (*edgetest.Full)(nil))
	for age, late := range map[time.Duration]bool{0: false, time.Minute: false, 300 * time.Second: false, 301 * time.Second: true, -time.Hour: false} {
		th.show(&core.Message{Ref: bobRef, IDs: mine, Text: "x", At: noon.Add(-age)})
		st := th.Next()
		if got := st.Child(nsDelay, "delay") != nil; got != late {
			t.Errorf("%v old: delay %v", age, got)
		}
	}
	th.show(&core.Message{Ref: bobRef, IDs: mine, Text: "x", At: noon.Add(-time.Minute), Past: true})
	if st := th.Next(); st.Child(nsDelay, "delay") == nil {
		t.Error("what was missed does not say when it was said")
	}
}

func TestEncrypted31(t *testing.T) {
	for _, inside := range []string{
		`<encrypted xmlns='eu.siacs.conversations.axolotl'/>`, `<encrypted xmlns='urn:xmpp:omemo:1'/>`, `<encrypted xmlns='urn:xmpp:omemo:2'/>`,
		`<openpgp xmlns='urn:xmpp:openpgp:0'/>`, `<x xmlns='jabber:x:encrypted'/>`, `<encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:otr:0'/>`,
		`<body>?OTR:AAMC</body>`, `<body>
 ?OTRv23?</body>`, `<body>aesgcm://files.example/1#00</body>`, `<x xmlns='jabber:x:oob'><url> aesgcm://files.example/1#00</url></x>`,
		`<file-sharing xmlns='urn:xmpp:sfs:0'><sources><encrypted xmlns='urn:xmpp:esfs:0'/></sources></file-sharing>`,
	} {
		th := open(t, (*edgetest.Full)(nil))
		if !strings.HasPrefix(inside, "<body>") {
			inside += `<body>I sent you an OMEMO encrypted message</body>`
		}
		th.say("c1", inside)
		th.Expect(refusal("modify", "not-acceptable", "Switch encryption off"))
		if n := len(th.hall.Submitted()); n != 0 {
			t.Errorf("%s: %d events were submitted", inside, n)
		}
	}
}

// What a machine said is not asked whether it was seen, so that nothing answers.
func TestMachines33(t *testing.T) {
	th := open(t, (*edgetest.Full)(nil))
	th.show(&core.Message{Ref: bobRef, IDs: mine, Text: "I am away", Notice: true})
	th.Expect(`<message><body>I am away</body><no><request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/><active xmlns='http://jabber.org/protocol/chatstates'/></no></message>`)
}
