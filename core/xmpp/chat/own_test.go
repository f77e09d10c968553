package chat

import (
	"testing"
	"time"

	"gangway/core"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/privilege"
	"gangway/core/xmpp/stream"
)

// With the privilege, what the user said in another app is said by the user; the
// server gives it back to us, and that is no message of theirs.
func TestOwnMessageForwarded19(t *testing.T) {
	th := open(t, (*edgetest.Full)(nil))
	th.grant(privilege.NS2)
	th.show(&core.Message{Ref: bobRef, IDs: mine, Mine: true, Text: "Hello", Thread: "t1", At: noon.Add(-time.Hour)})
	th.Expect(`<message from='email.gw' to='example.org'><privilege xmlns='urn:xmpp:privilege:2'><forwarded xmlns='urn:xmpp:forward:0'>
		<message xmlns='jabber:client' type='chat' id='` + string(theirs) + `' from='alice@example.org' to='` + bob + `'>
			<body>Hello</body><thread>t1</thread><delay xmlns='urn:xmpp:delay'/>
			<no><origin-id xmlns='urn:xmpp:sid:0'/><request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/></no>
		</message></forwarded></privilege></message>`)
	th.Send(`<message type='chat' id='` + string(theirs) + `' from='alice@example.org' to='` + bob + `'><body>Hello</body></message>`)
	th.Quiet("alice@example.org", "email.gw")
	if n := len(th.hall.Submitted()); n != 0 {
		t.Errorf("the echo was submitted")
	}
}

// The echo is recognised by a gateway that was restarted meanwhile, with its files.
func TestOwnEchoAfterRestart19(t *testing.T) {
	th := open(t, (*edgetest.Full)(nil))
	for _, id := range []string{string(theirs), string(theirs) + "-f2"} {
		th.Send(`<message type='chat' id='` + id + `' from='alice@example.org' to='` + bob + `'><body>Hello</body></message>`)
	}
	th.Quiet("alice@example.org", "email.gw")
	if n := len(th.hall.Submitted()); n != 0 {
		t.Errorf("%d echoes were submitted", n)
	}
	th.say(string(theirs), `<body>Hello</body>`) // a client's own id, whatever it looks like
	th.quiet()
	one[*core.Message](t, th.hall)
}

// Files, reactions and retractions of the user's other app are the user's, too.
func TestOwnEverything19(t *testing.T) {
	th := open(t, (*edgetest.Full)(nil))
	th.grant(privilege.NS2)
	for _, c := range []struct {
		event  core.Event
		inside string
	}{
		{&core.Message{Ref: bobRef, IDs: mine, Mine: true, Attachments: []core.Attachment{{URL: "https://files.example/1.jpg"}}},
			`<body>https://files.example/1.jpg</body><x xmlns='jabber:x:oob'><url>https://files.example/1.jpg</url></x>`},
		{&core.Reaction{Ref: bobRef, IDs: mine, Mine: true, Emoji: []string{"👍"}, At: noon},
			`<reactions xmlns='urn:xmpp:reactions:0' id='` + string(theirs) + `'><reaction>👍</reaction></reactions>`},
		{&core.Retraction{Ref: bobRef, IDs: core.IDs{ID: ours}, Mine: true, At: noon},
			`<retract xmlns='urn:xmpp:message-retract:1' id='client-1'/>`},
	} {
		th.show(c.event)
		th.Expect(`<message to='example.org'><privilege xmlns='urn:xmpp:privilege:2'><forwarded xmlns='urn:xmpp:forward:0'>
			<message xmlns='jabber:client' from='alice@example.org' to='` + bob + `'>` + c.inside + `</message></forwarded></privilege></message>`)
	}
}

// What the user has read in another app is marked as read by the user, for the
// clients to see; without the privilege nothing is said: the correspondent has
// read nothing.
func TestReadElsewhere19(t *testing.T) {
	th := open(t, (*edgetest.Full)(nil))
	read := &core.Receipt{Ref: bobRef, IDs: mine, State: core.Read, Mine: true}
	th.show(read)
	th.quiet()
	th.grant(privilege.NS2)
	th.show(&core.Receipt{Ref: bobRef, State: core.Read, Mine: true}) // of what nobody knows
	th.show(read)
	st := th.Expect(`<message from='email.gw' to='example.org'><privilege xmlns='urn:xmpp:privilege:2'><forwarded xmlns='urn:xmpp:forward:0'>
		<message xmlns='jabber:client' type='chat' from='alice@example.org' to='` + bob + `'>
			<displayed xmlns='urn:xmpp:chat-markers:0' id='` + string(theirs) + `'/><store xmlns='urn:xmpp:hints'/><no><body/></no>
		</message></forwarded></privilege></message>`)
	inner := st.Child(privilege.NS2, "privilege").Child("urn:xmpp:forward:0", "forwarded").Child(stream.NSClient, "message")
	th.Send(`<message type='chat' id='` + inner.Attr("id") + `' from='alice@example.org' to='` + bob + `'><displayed xmlns='urn:xmpp:chat-markers:0' id='` + string(theirs) + `'/></message>`)
	th.Quiet("alice@example.org", "email.gw")
	if n := len(th.hall.Submitted()); n != 0 {
		t.Error("the echo was taken for the user's reading it here")
	}
}

// What the user said in another app has our id, and the user's clients name it so.
func TestOwnMessageNamed20(t *testing.T) {
	th := open(t, (*edgetest.Full)(nil))
	th.hall.Entries = append(th.hall.Entries, core.Entry{Ref: bobRef, IDs: core.IDs{ID: theirs, Remote: "r1"}, Mine: true})
	th.show(&core.Message{Ref: bobRef, IDs: core.IDs{ID: "yyyyyyyyyyyyyyyyyyyyyyyy22"}, Text: "Yes", ReplyTo: mine})
	th.Expect(`<message><reply xmlns='urn:xmpp:reply:0' to='alice@example.org' id='` + string(theirs) + `'/></message>`)
	th.say("c1", `<body>x</body><replace xmlns='urn:xmpp:message-correct:0' id='`+string(theirs)+`'/>`)
	th.quiet()
	if m := one[*core.Message](t, th.hall); m.Replaces.ID != theirs {
		t.Errorf("submitted %+v", m)
	}
}

// Without the privilege, or for a user of another server, it is marked.
func TestOwnMessageMarked21(t *testing.T) {
	th := open(t, (*edgetest.Full)(nil))
	said := &core.Message{Ref: bobRef, IDs: mine, Mine: true, Text: "Hello", Attachments: []core.Attachment{{URL: "https://files.example/1.jpg"}}}
	marked := func(to string) {
		th.Expect(`<message from='` + bob + `/gateway' to='` + to + `'><body>(sent from another app) Hello</body></message>`)
		th.Expect(`<message from='` + bob + `/gateway' to='` + to + `'><body>(sent from another app) https://files.example/1.jpg</body>
			<no><x xmlns='jabber:x:oob'/><file-sharing xmlns='urn:xmpp:sfs:0'/></no></message>`)
	}
	th.show(said)
	marked("alice@example.org")
	th.grant(privilege.NS1) // a server that knows no better shows them to none of the user's clients
	th.show(said)
	marked("alice@example.org")
	th.grant(privilege.NS2)
	a := edgetest.Account()
	a.User = "alice@elsewhere.example"
	th.showTo(a, said)
	marked("alice@elsewhere.example")
}
