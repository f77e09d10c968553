package chat

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/privilege"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/xmpptest"
)

// The tests of this file are named after the behaviours of the specification of
// the edge, 19 to 33, that they hold chat to.

// theatre is a stage that also shows what the network says.
type theatre struct {
	*xmpptest.Server
	t      *testing.T
	chat   *Chat
	domain *edge.Domain
	hall   *edgetest.Hall
}

func open(t *testing.T, s core.Session) *theatre {
	t.Helper()
	ch, d, hall := pane(s)
	d.Privileges = privilege.New(privilege.Config{Domain: d.Name, Host: "example.org"})
	router := xmpp.NewRouter(xmpp.RouterConfig{})
	nobody := xmpp.HandlerFunc(func(context.Context, xmpp.Sender, *stream.Stanza) error {
		return core.E(core.NotFound, "test: gateway", "")
	})
	d.Privileges.Register(router, &edge.Switch{Domain: d, Self: ch.Multicast(d, nobody), Contact: ch.Handler(d)})
	router.IQ("get", xmpp.NSPing, "ping", xmpp.Ping())
	srv := xmpptest.New(t)
	d.Link = xmpptest.Start(t, srv, d.Name, router)
	d.Privileges.Attach(d.Link)
	return &theatre{srv, t, ch, d, hall}
}

// grant lets the gateway speak for the users of example.org.
func (th *theatre) grant(ns string) {
	th.t.Helper()
	th.Send(`<message from='example.org' to='email.gw'><privilege xmlns='` + ns + `'><perm access='message' type='outgoing'/></privilege></message>`)
	th.Quiet("example.org", "email.gw")
}

func (th *theatre) show(e core.Event) { th.showTo(edgetest.Account(), e) }

func (th *theatre) showTo(a core.Account, e core.Event) {
	th.t.Helper()
	var failed error
	err := th.domain.Link.Write(func(enc *stream.Encoder) {
		failed = th.chat.Render(th.t.Context(), enc, th.domain, a, e)
	})
	if err != nil || failed != nil {
		th.t.Fatal(err, failed)
	}
}

// say sends Bob a message of Alice's.
func (th *theatre) say(id, inside string) {
	th.t.Helper()
	th.Send(`<message type='chat' id='` + id + `' from='alice@example.org/phone' to='` + bob + `'>` + inside + `</message>`)
}

func (th *theatre) quiet() { th.t.Helper(); quiet(th.Server) }

var (
	bobRef = core.Ref{Account: "a1", Peer: "bob@example.com"}
	mine   = core.IDs{ID: theirs}
)

const refusedAs = `<message type='error' id='c1' from='` + bob + `' to='alice@example.org/phone'><error type='%t'><%c xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
	<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>*%s*</text></error></message>`

func refusal(typ, condition, text string) string {
	return strings.NewReplacer("%t", typ, "%c", condition, "%s", text).Replace(refusedAs)
}

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

func TestFilesRead23(t *testing.T) {
	const at = "https://files.example/a%20b.jpg"
	sfs := func(sources string) string {
		return `<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'><media-type>image/jpeg</media-type>
			<name>../c.jpg</name><size>12</size></file><sources>` + sources + `</sources></file-sharing>`
	}
	const web = `<url-data xmlns='http://jabber.org/protocol/url-data' target='` + at + `'/>`
	oob := `<x xmlns='jabber:x:oob'><url>` + at + `</url></x>`
	plain := []core.Attachment{{URL: at, Name: "a b.jpg"}}
	full := []core.Attachment{{URL: at, Name: "c.jpg", Type: "image/jpeg", Size: 12}}
	for name, c := range map[string]struct {
		inside, text string
		files        []core.Attachment
	}{
		"an address":                  {`<body>` + at + `</body>` + oob, "", plain},
		"without a body":              {oob, "", plain},
		"described":                   {`<body>` + at + `</body>` + oob + sfs(web), "", full},
		"described only":              {sfs(web), "", full},
		"with words":                  {`<body>look: ` + at + `</body>` + oob, "look: " + at, plain},
		"with words and a fallback":   {`<body>look` + at + `</body>` + sfs(web) + `<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:sfs:0'><body start='4' end='99'/></fallback>`, "look", full},
		"twice, and another":          {`<body>` + at + "\nhttps://files.example/2" + `</body>` + oob + oob + `<x xmlns='jabber:x:oob'><url>https://files.example/2</url></x>`, "", append(plain[:1:1], core.Attachment{URL: "https://files.example/2", Name: "2"})},
		"an address that is no file":  {`<x xmlns='jabber:x:oob'><url>geo:1,2</url></x>`, "geo:1,2", nil},
		"an address without a scheme": {`<body>x</body><x xmlns='jabber:x:oob'><url>//files.example/1</url></x>`, "x", nil},
		"a link in a message":         {`<body>` + at + `</body>`, at, nil},
	} {
		th := open(t, (*edgetest.Full)(nil))
		th.say("c1", c.inside)
		th.quiet()
		if m := one[*core.Message](t, th.hall); m.Text != c.text || !reflect.DeepEqual(m.Attachments, c.files) {
			t.Errorf("%s: %q with %+v", name, m.Text, m.Attachments)
		}
	}
	th := open(t, (*edgetest.Full)(nil))
	th.say("c1", sfs(`<jingle-info xmlns='urn:xmpp:jingle:apps:file-transfer:5'/>`))
	th.Expect(refusal("cancel", "feature-not-implemented", "upload"))
	th.say("c1", manyFiles(21))
	th.Expect(refusal("modify", "policy-violation", "at most 20 files"))
}

func manyFiles(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`<x xmlns='jabber:x:oob'><url>https://files.example/` + itoa(i) + `</url></x>`)
	}
	return b.String()
}

// Whatever is said about one of the files of a message is about the message.
func TestPartsHaveNames24(t *testing.T) {
	for id, want := range map[string]core.MessageID{
		string(theirs): theirs, string(theirs) + "-f0": theirs, string(theirs) + "-f12": theirs,
		string(theirs) + "-f": "", string(theirs) + "-f-1": "", string(theirs) + "-f01": "", string(theirs) + "-f1000": "",
		string(theirs) + "-x": "", "": "", "short-f1": "",
	} {
		if got, _ := ourName(id); got != want {
			t.Errorf("%q is %q, want %q", id, got, want)
		}
	}
}

// choices are everybody's preferences.
type choices core.Preferences

func (c choices) Preferences(context.Context, core.UserID, string) (core.Preferences, error) {
	return core.Preferences(c), nil
}

func (choices) Blocked(context.Context, core.AccountID, core.Address) (bool, error) {
	return false, nil
}

// Where a network has no corrections they are refused, or sent anew by choice; of
// a message of another conversation, there are none.
func TestCorrections24(t *testing.T) {
	const correction = `<body>Hallo</body><replace xmlns='urn:xmpp:message-correct:0' id='client-1'/>`
	th := open(t, (*edgetest.Plain)(nil))
	th.say("c1", correction)
	th.Expect(refusal("cancel", "feature-not-implemented", "changed*E-mail"))
	th.chat.choices = choices{ResendEdits: true}
	th.say("c1", correction)
	th.quiet()
	if m := one[*core.Message](t, th.hall); m.Text != "* Hallo" || m.Replaces.Known() {
		t.Errorf("submitted %+v", m)
	}
	th = open(t, (*edgetest.Full)(nil))
	th.Send(`<message type='chat' id='c1' from='alice@example.org/phone' to='carol\40example.com@email.gw'>` + correction + `</message>`)
	th.Expect(`<message type='error' id='c1'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`)
}

func TestReactions25(t *testing.T) {
	react := func(emoji ...string) string {
		return `<reactions xmlns='urn:xmpp:reactions:0' id='client-1'><reaction>` + strings.Join(emoji, `</reaction><reaction>`) + `</reaction></reactions>`
	}
	th := open(t, (*edgetest.Full)(nil))
	th.say("c1", react("❤️", "❤", "👍"))
	th.quiet()
	if r := one[*core.Reaction](t, th.hall); !reflect.DeepEqual(r.Emoji, []string{"❤️", "👍"}) {
		t.Errorf("the set is %q", r.Emoji)
	}
	th.domain.Network.Driver.Reactions = core.ReactionRules{Most: 1, Allowed: []string{"❤️", "👍"}}
	th.say("c1", react("❤"))
	th.quiet()
	if r := one[*core.Reaction](t, th.hall); !reflect.DeepEqual(r.Emoji, []string{"❤️"}) {
		t.Errorf("the set is %q, want it as the network spells it", r.Emoji)
	}
	th.say("c1", react("❤", "👍"))
	th.Expect(refusal("modify", "bad-request", "at most 1"))
	th.say("c1", react("🎉"))
	th.Expect(refusal("modify", "bad-request", "only these reactions: ❤️ 👍"))
}

// The quotation goes where the network names what is answered, and stays where
// it does not.
func TestQuotations26(t *testing.T) {
	const answer = `<body>&gt; 👍 At noon?
Yes</body><reply xmlns='urn:xmpp:reply:0' id='client-1'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='13'/></fallback>`
	for threads, want := range map[bool]string{true: "Yes", false: "> 👍 At noon?\nYes"} {
		th := open(t, (*edgetest.Full)(nil))
		th.domain.Network.Driver.Threads = threads
		th.say("c1", answer)
		th.quiet()
		if m := one[*core.Message](t, th.hall); m.Text != want || m.ReplyTo.ID != ours {
			t.Errorf("threads %v: submitted %+v", threads, m)
		}
	}
}

// What is answered is quoted for clients that know no replies, in a range that
// takes exactly the quotation away again, and nothing that it quotes itself.
func TestQuotationShown26(t *testing.T) {
	th := open(t, (*edgetest.Full)(nil))
	for text, quote := range map[string]string{
		"👍 At noon?":            "> 👍 At noon?\n",
		"> quoted\n\nAt\nnoon?": "> At\n> noon?\n",
		"1\n2\n3\n4\n5\n6":      "> 1\n> 2\n> 3\n> 4\n> ...\n",
		"> all quoted":          "",
	} {
		asked := core.NewID()
		th.show(&core.Message{Ref: bobRef, IDs: core.IDs{ID: asked}, Text: text})
		th.Next()
		th.show(&core.Message{Ref: bobRef, IDs: core.IDs{ID: core.NewID()}, Text: "Yes", ReplyTo: core.IDs{ID: asked}})
		st := th.Next()
		if got := st.Body(); got != quote+"Yes" {
			t.Errorf("%q is quoted as %q", text, got)
		}
		if got := stripFallback(st, st.Body(), nsReply); got != "Yes" {
			t.Errorf("%q: %q is left", text, got)
		}
	}
	long := quotation(strings.Repeat("ä", 10_000))
	if len(long) > quoteBytes+50 || !strings.HasSuffix(long, "...\n") {
		t.Errorf("a long line is quoted with %d bytes", len(long))
	}
}

// Both kinds of retraction are understood; the fallback is nobody's message and
// names no id.
func TestRetractions27(t *testing.T) {
	for _, inside := range []string{
		`<retract xmlns='urn:xmpp:message-retract:1' id='client-1'/>`,
		`<apply-to xmlns='urn:xmpp:fasten:0' id='client-1'><retract xmlns='urn:xmpp:message-retract:0'/></apply-to>`,
	} {
		th := open(t, (*edgetest.Full)(nil))
		th.say("c1", inside+`<body>/me retracted a message</body><fallback xmlns='urn:xmpp:fallback:0'/>`)
		th.quiet()
		if r := one[*core.Retraction](t, th.hall); r.ID != ours {
			t.Errorf("%s: submitted %+v", inside, r)
		}
	}
	th := open(t, (*edgetest.Full)(nil))
	th.show(&core.Message{Ref: bobRef, IDs: core.IDs{ID: "yyyyyyyyyyyyyyyyyyyyyyyy22"}, Text: "Two:", Attachments: []core.Attachment{{URL: "https://x.example/1"}, {URL: "https://x.example/2"}}})
	for range 3 {
		th.Next()
	}
	th.show(&core.Retraction{Ref: bobRef, IDs: core.IDs{ID: "yyyyyyyyyyyyyyyyyyyyyyyy22"}})
	for _, id := range []string{"yyyyyyyyyyyyyyyyyyyyyyyy22", "yyyyyyyyyyyyyyyyyyyyyyyy22-f0", "yyyyyyyyyyyyyyyyyyyyyyyy22-f1"} {
		st := th.Expect(`<message><retract xmlns='urn:xmpp:message-retract:1' id='` + id + `'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:message-retract:1'/></message>`)
		if strings.Contains(st.Body(), "yyyy") {
			t.Errorf("the fallback is %q", st.Body())
		}
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

// Only what is older than five minutes says when it was said.
func TestDelay30(t *testing.T) {
	th := open(t, (*edgetest.Full)(nil))
	for age, late := range map[time.Duration]bool{0: false, time.Minute: false, 300 * time.Second: false, 301 * time.Second: true, -time.Hour: false} {
		th.show(&core.Message{Ref: bobRef, IDs: mine, Text: "x", At: noon.Add(-age)})
		st := th.Next()
		if got := st.Child(nsDelay, "delay") != nil; got != late {
			t.Errorf("%v old: delay %v", age, got)
		}
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
