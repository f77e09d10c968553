package muc

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"gangway/core"
)

func say(from, id, inside string) string {
	return `<message type='groupchat' id='` + id + `' from='` + from + `' to='` + channel + `'>` + inside + `</message>`
}

// Behaviour 40: one's own message comes back to every resource under the id that it was sent with.
func TestReflection40(t *testing.T) {
	s := open(t)
	s.enter(phone, desk)
	s.Send(say(phone, "m1", `<body>Hello</body><origin-id xmlns='urn:xmpp:sid:0' id='o1'/>
		<stanza-id xmlns='urn:xmpp:sid:0' by='`+channel+`' id='forged'/>
		<stanza-id xmlns='urn:xmpp:sid:0' by='irc.gw' id='forged'/>
		<stanza-id xmlns='urn:xmpp:sid:0' by='alice@example.org' id='hers'/>`))
	m := s.submitted()
	if len(m.ID) != 26 || time.Since(m.At) > time.Hour {
		t.Errorf("submitted with id %q at %v", m.ID, m.At)
	}
	want := &core.Message{
		Ref: ref, IDs: core.IDs{ID: m.ID}, At: m.At, Origin: core.Origin{ID: "m1", From: phone}, Room: true, Text: "Hello",
	}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("submitted\n%+v, want\n%+v", m, want)
	}
	back := *m
	back.Mine, back.Author, back.Text = true, "me", "Hell" // what the network really took
	s.show(&back)
	for _, to := range []string{phone, desk} {
		s.Expect(`<message type='groupchat' id='m1' from='` + channel + `/me' to='` + to + `'><body>Hell</body>
			<origin-id xmlns='urn:xmpp:sid:0' id='o1'/>
			<stanza-id xmlns='urn:xmpp:sid:0' by='` + channel + `' id='` + string(m.ID) + `'/>
			<stanza-id xmlns='urn:xmpp:sid:0' by='alice@example.org' id='hers'/>
			<occupant-id xmlns='urn:xmpp:occupant-id:0' id='$me'/>
			<no><stanza-id xmlns='urn:xmpp:sid:0' id='forged'/><delay xmlns='urn:xmpp:delay'/></no></message>`)
	}
	// The rest of a text that was cut in two has nothing but our own name.
	s.show(&core.Message{Ref: ref, IDs: core.IDs{ID: "second"}, Room: true, Mine: true, Author: "me", Text: "o"})
	s.Expect(`<message id='second' from='` + channel + `/me' to='` + phone + `'><body>o</body>
		<stanza-id xmlns='urn:xmpp:sid:0' id='second'/><occupant-id xmlns='urn:xmpp:occupant-id:0' id='$me'/>
		<no><origin-id xmlns='urn:xmpp:sid:0'/></no></message>`)
	s.Expect(`<message id='second' to='` + desk + `'/>`)
	s.quiet()
}

// Clients that give no id have an origin-id, or nothing that they could know a reflection by.
func TestReflectionWithoutID(t *testing.T) {
	s := open(t)
	s.enter(phone)
	for _, c := range []struct{ inside, want string }{
		{`<body>x</body><origin-id xmlns='urn:xmpp:sid:0' id='o1'/>`, `<message id='o1'><origin-id xmlns='urn:xmpp:sid:0' id='o1'/></message>`},
		{`<body>x</body>`, `<message id='mine'><no><origin-id xmlns='urn:xmpp:sid:0'/></no></message>`},
	} {
		s.Send(`<message type='groupchat' from='` + phone + `' to='` + channel + `'>` + c.inside + `</message>`)
		m := s.submitted()
		m.Mine, m.ID = true, "mine"
		s.show(m)
		s.Expect(c.want)
	}
}

func TestOthersMessages(t *testing.T) {
	s := open(t)
	s.enter(phone, desk)
	for _, c := range []struct {
		name, want string
		m          core.Message
	}{
		{"a member's", `<message id='m1' from='` + channel + `/Op'><body>Hi</body><occupant-id xmlns='urn:xmpp:occupant-id:0' id='$op'/>
			<no><delay xmlns='urn:xmpp:delay'/><origin-id xmlns='urn:xmpp:sid:0'/></no></message>`,
			core.Message{Author: "Op", Text: "Hi", At: time.Now()}},
		{"a member's notice", `<message id='m1' from='` + channel + `/Op'><body>[notice] Hi</body></message>`,
			core.Message{Author: "Op", Text: "Hi", Notice: true}},
		{"the network's own", `<message id='m1' from='` + channel + `'><body>Mode +n</body><no><occupant-id xmlns='urn:xmpp:occupant-id:0'/></no></message>`,
			core.Message{Text: "Mode +n", Notice: true}},
		{"an old one", `<message id='m1'><delay xmlns='urn:xmpp:delay' from='` + channel + `' stamp='2026-01-02T03:04:05Z'/></message>`,
			core.Message{Author: "Op", Text: "Hi", At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}},
		{"another app's", `<message id='m1' from='` + channel + `/me'><body>Hi</body></message>`,
			core.Message{Mine: true, Author: "ME", Text: "Hi"}},
		{"controls and markup", `<message id='m1' from='` + channel + `/a□&lt;b&gt;&amp;&apos;≈885072686'><body>�4red� &lt;/body>]]&gt;</body></message>`,
			core.Message{Author: "a\x02<b>&'", Text: "\x034red\x0f </body>]]>"}},
		{"a nick of nothing", `<message id='m1' from='` + channel + `/□≈044920917'><body>Hi</body></message>`,
			core.Message{Author: "\u200d", Text: "Hi"}},
		{"not UTF-8", `<message id='m1' from='` + channel + `/□≈747159287'><body>���</body></message>`,
			core.Message{Author: "\xff", Text: "\xed\xa0\x80"}},
	} {
		m := c.m
		m.Ref, m.ID, m.Room = ref, "m1", true
		s.show(&m)
		for _, to := range []string{phone, desk} {
			st := s.Expect(c.want)
			if st.To != to || st.Type != "groupchat" || st.Child(NSStanzaID, "stanza-id").Attr("id") != "m1" {
				t.Errorf("%s: %v", c.name, st)
			}
		}
	}
	s.quiet()
}

// Behaviour 31 among others.
func TestMessageRefused31(t *testing.T) {
	s := open(t)
	s.enter(phone)
	const body = `<body>x</body>`
	for _, c := range []struct{ name, stanza, want string }{
		{"not in with this resource", say(desk, "m1", body), `<error type='modify'><not-acceptable ` + stanzas + `/></error>`},
		{"not in, whispered", `<message type='chat' id='m1' from='` + desk + `' to='` + channel + `/Op'><body>x</body></message>`,
			`<error type='modify'><not-acceptable ` + stanzas + `/></error>`},
		{"another room", `<message type='groupchat' id='m1' from='` + phone + `' to='#d%net@irc.gw'><body>x</body></message>`,
			`<error type='modify'><not-acceptable ` + stanzas + `/></error>`},
		{"to an occupant", `<message type='groupchat' id='m1' from='` + phone + `' to='` + channel + `/Op'><body>x</body></message>`,
			`<error type='modify'><bad-request ` + stanzas + `/></error>`},
		{"chat to the room", `<message type='chat' id='m1' from='` + phone + `' to='` + channel + `'><body>x</body></message>`,
			`<error type='modify'><bad-request ` + stanzas + `/></error>`},
		{"encrypted", say(phone, "m1", body+`<encrypted xmlns='eu.siacs.conversations.axolotl'/>`), `<error type='modify'><not-acceptable ` + stanzas + `/></error>`},
		{"encrypted, without a body", say(phone, "m1", `<encrypted xmlns='urn:xmpp:omemo:2'/>`), `<error type='modify'><not-acceptable ` + stanzas + `/></error>`},
		{"encrypted, whispered", `<message type='chat' id='m1' from='` + phone + `' to='` + channel + `/Op'><encrypted xmlns='urn:xmpp:omemo:2'/></message>`,
			`<error type='modify'><not-acceptable ` + stanzas + `/></error>`},
		{"a reaction", say(phone, "m1", `<reactions xmlns='urn:xmpp:reactions:0' id='x'/>`), `<error type='cancel'><feature-not-implemented ` + stanzas + `/></error>`},
		{"a retraction", say(phone, "m1", `<retract xmlns='urn:xmpp:message-retract:1' id='x'/>`+body), `<error type='cancel'><feature-not-implemented ` + stanzas + `/></error>`},
	} {
		s.Send(c.stanza)
		st := s.Expect(`<message type='error' id='m1'>` + c.want + `</message>`)
		if st.From == "" || t.Failed() {
			t.Fatal(c.name)
		}
	}
	s.quiet()
	if all := s.hall.Submitted(); len(all) != 0 {
		t.Errorf("%d events were submitted", len(all))
	}
}

// What the network does not take comes back to who sent it, and to nobody else, even when they have left meanwhile.
func TestMessageFailed(t *testing.T) {
	s := open(t)
	s.enter(phone, desk)
	s.hall.Refuse = &core.Error{Kind: core.Denied, Code: "404", Text: "Cannot send to channel."}
	s.Send(say(phone, "m0", "<body>x</body>"))
	s.Expect(`<message type='error' id='m0' from='` + channel + `' to='` + phone + `'><error type='auth'><forbidden ` + stanzas + `/>
		<text ` + stanzas + `>Cannot send to channel.</text></error></message>`)
	s.hall.Refuse = nil
	s.Send(say(phone, "m1", "<body>x</body>"))
	m := s.submitted()
	r := &core.Receipt{
		Ref: ref, IDs: m.IDs, Origin: m.Origin, State: core.Failed,
		Err: &core.Error{Kind: core.Denied, Code: "404", Text: "Cannot send to channel."},
	}
	const want = `<message type='error' id='m1' from='` + channel + `' to='` + phone + `'><error type='auth'><forbidden ` + stanzas + `/>
		<text ` + stanzas + `>Cannot send to channel.</text></error><no>` + muc + `</no></message>`
	s.show(r)
	s.Expect(want)
	s.show(&core.Receipt{Ref: ref, IDs: m.IDs, Origin: m.Origin, State: core.Delivered})
	s.show(&core.Receipt{Ref: ref, IDs: m.IDs, State: core.Failed})
	s.show(&core.RoomLeft{Ref: ref, Why: core.Left})
	s.Expect(`<presence type='unavailable' to='` + phone + `'/>`)
	s.Expect(`<presence type='unavailable' to='` + desk + `'/>`)
	s.show(r)
	s.Expect(want)
	s.show(&core.Message{Ref: ref, Room: true, Author: "Op", Text: "anybody?"})
	s.quiet()
}

// Without a body there may still be a link; all else that a room cannot carry is no message.
func TestBodiless(t *testing.T) {
	s := open(t)
	s.enter(phone)
	for _, inside := range []string{
		`<active xmlns='http://jabber.org/protocol/chatstates'/>`,
		`<displayed xmlns='urn:xmpp:chat-markers:0' id='m1'/>`,
	} {
		s.Send(say(phone, "m1", inside))
		s.Send(`<message type='chat' id='m1' from='` + phone + `' to='` + channel + `/Op'>` + inside + `</message>`)
	}
	s.quiet()
	if all := s.hall.Submitted(); len(all) != 0 {
		t.Errorf("%d events were submitted", len(all))
	}
	s.Send(say(phone, "m1", `<x xmlns='jabber:x:oob'><url>https://files.example/1</url></x>`))
	if m := s.submitted(); m.Text != "https://files.example/1" {
		t.Errorf("text %q", m.Text)
	}
}

// XEP-0045 section 7.5: a message to an occupant goes to where they are reached in private.
func TestPrivateMessage43(t *testing.T) {
	s := open(t)
	s.enter(phone)
	s.Send(`<message type='chat' id='p1' from='` + phone + `' to='` + channel + `/Op'><body>psst</body>
		<x ` + user + `/><request xmlns='urn:xmpp:receipts'/></message>`)
	m := s.submitted()
	want := &core.Message{
		Ref: core.Ref{Account: "a1", Peer: "private-Op"}, IDs: core.IDs{ID: m.ID}, At: m.At,
		Origin: core.Origin{ID: "p1", From: phone}, Text: "psst", Receipt: true,
	}
	if len(m.ID) != 26 || m.At.IsZero() || !reflect.DeepEqual(m, want) {
		t.Errorf("submitted\n%+v, want\n%+v", m, want)
	}
}

func TestTopic(t *testing.T) {
	s := open(t)
	s.enter(phone, desk)
	s.Send(say(phone, "t1", "<subject>New &amp; better</subject>"))
	s.asked(`topic of #c: "New & better" for {t1 ` + phone + `}`)
	s.Send(say(phone, "t2", "<subject/>"))
	s.asked(`topic of #c: "" for {t2 ` + phone + `}`)
	s.quiet() // the network's word is the answer
	s.show(&core.TopicChanged{Ref: ref, Topic: core.Topic{Text: "New & better", By: "me", At: time.Now()}})
	for _, to := range []string{phone, desk} {
		s.Expect(`<message type='groupchat' from='` + channel + `/me' to='` + to + `'><subject>New &amp; better</subject>
			<no><body/><delay xmlns='urn:xmpp:delay'/></no></message>`)
	}
	s.show(&core.Receipt{Ref: ref, Origin: core.Origin{ID: "t2", From: phone}, State: core.Failed, Err: &core.Error{Kind: core.Denied, Code: "482"}})
	s.Expect(`<message type='error' id='t2' from='` + channel + `' to='` + phone + `'><error type='auth'><forbidden ` + stanzas + `/></error></message>`)
	s.net.refusing(&core.Error{Kind: core.Denied, Code: "482", Text: "You're not channel operator."})
	s.Send(say(phone, "t3", "<subject>x</subject>"))
	s.asked(`topic of #c: "x" for {t3 ` + phone + `}`)
	s.Expect(`<message type='error' id='t3'><error type='auth'><forbidden ` + stanzas + `/><text ` + stanzas + `>You&apos;re not channel operator.</text></error></message>`)
	s.Send(say(phone, "m1", "<subject>a subject</subject><body>and a body</body>"))
	if m := s.submitted(); m.Text != "and a body" {
		t.Errorf("text %q", m.Text)
	}
}

func TestNoModeration(t *testing.T) {
	net := &spectator{calls: make(chan string, 10)}
	s := openWith(t, net, net)
	s.enter(phone)
	s.Send(say(phone, "t1", "<subject>x</subject>"))
	s.Expect(`<message type='error' id='t1'><error type='cancel'><feature-not-implemented ` + stanzas + `/></error></message>`)
	s.Send(admin(phone, "<item nick='Op' role='none'/>"))
	s.Expect(`<iq type='error' id='a1'><error type='cancel'><feature-not-implemented ` + stanzas + `/></error></iq>`)
	s.quiet()
}

// Behaviour 38: a resource that cannot be reached is taken out; one that only did not like a message stays.
func TestGhosts38(t *testing.T) {
	bounce := func(from, kind, condition string) string {
		return `<` + kind + ` type='error' id='m1' from='` + from + `' to='` + channel + `/Op'><error type='cancel'><` + condition + ` ` + stanzas + `/></error></` + kind + `>`
	}
	for _, condition := range ghostly {
		s := open(t)
		s.enter(phone, desk)
		s.Send(bounce(desk, "message", "not-acceptable"))
		s.Send(bounce("alice@example.org/never", "message", condition))
		s.Send(bounce(desk, []string{"message", "presence"}[len(condition)%2], condition))
		s.quiet()
		s.show(&core.Message{Ref: ref, IDs: core.IDs{ID: "m2"}, Room: true, Author: "Op", Text: "x"})
		s.Expect(`<message to='` + phone + `'><body>x</body></message>`)
		s.quiet()
		s.Send(bounce(phone, "message", condition))
		s.asked("leave #c: ")
		s.quiet()
	}
}

// Nothing that is never answered makes a room grow without bounds.
func TestPendingBounded(t *testing.T) {
	rm := New(Config{}).newRoom(nil, core.Account{}, core.Ref{}, "")
	for i := range 2 * maxPending {
		rm.await(core.Origin{ID: strings.Repeat("x", i)}, pending{ids: ids{origin: "o"}})
	}
	if n := len(rm.pending); n != maxPending {
		t.Errorf("%d are pending", n)
	}
	last := core.Origin{ID: strings.Repeat("x", 2*maxPending-1)}
	if p := rm.answered(last); p.ids.origin != "o" {
		t.Errorf("the last is forgotten")
	}
}
