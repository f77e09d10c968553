package muc

import (
	"slices"
	"testing"
	"time"

	"gangway/core"
)

// said puts a message of somebody's into the room, and returns its id.
func (s *stage) said(author string, mine bool, origin string) core.MessageID {
	s.t.Helper()
	m := &core.Message{
		Ref: ref, IDs: core.IDs{ID: core.NewID(), Remote: core.RemoteID("remote-" + author)}, Room: true,
		Author: core.Address(author), Mine: mine, Text: "x", Origin: core.Origin{ID: origin, From: phone},
	}
	s.show(m)
	s.Expect(`<message to='` + phone + `'><stanza-id xmlns='urn:xmpp:sid:0' id='` + string(m.ID) + `'/></message>`)
	return m.ID
}

// Behaviours 24 to 27 in rooms: what is answered, changed, reacted to or taken back is named by its stanza-id, and a
// correction by the first id.
func TestRich25(t *testing.T) {
	s := openRich(t)
	s.enter(phone)
	op, mine := s.said("Op", false, ""), s.said("me", true, "o1")

	s.Send(say(phone, "r1", `<body>> x
yes</body><reply xmlns='urn:xmpp:reply:0' id='`+string(op)+`' to='`+channel+`/Op'/>
		<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='4'/></fallback>`))
	if m := s.submitted(); m.Text != "Op: yes" || m.ReplyTo != (core.IDs{ID: op, Remote: "remote-Op"}) {
		t.Errorf("reply %+v", m)
	}
	s.Send(say(phone, "r2", `<body>> x
yes</body><reply xmlns='urn:xmpp:reply:0' id='forgotten'/>
		<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='4'/></fallback>`))
	if m := s.submitted(); m.Text != "> x\nyes" || m.ReplyTo.Known() {
		t.Errorf("reply to what is not known %+v", m)
	}
	s.Send(say(phone, "c1", `<body>better</body><replace xmlns='urn:xmpp:message-correct:0' id='o1'/>`))
	if m := s.submitted(); m.Text != "better" || m.Replaces.ID != mine {
		t.Errorf("correction %+v", m)
	}
	s.Send(say(phone, "e1", `<reactions xmlns='urn:xmpp:reactions:0' id='`+string(op)+`'><reaction>👍</reaction></reactions>`))
	s.quiet()
	re, ok := s.hall.Submitted()[0].(*core.Reaction)
	if !ok || re.ID != op || re.Remote != "remote-Op" || !slices.Equal(re.Emoji, []string{"👍"}) || !re.Room {
		t.Errorf("reaction %+v", re)
	}
	re.Mine = true
	s.show(re)
	s.Expect(`<message type='groupchat' from='` + channel + `/me' id='e1'><reactions xmlns='urn:xmpp:reactions:0' id='` + string(op) + `'><reaction>👍</reaction></reactions>
		<store xmlns='urn:xmpp:hints'/><stanza-id xmlns='urn:xmpp:sid:0' by='` + channel + `'/><occupant-id xmlns='urn:xmpp:occupant-id:0'/><no><body/></no></message>`)
	s.Send(say(phone, "d1", `<retract xmlns='urn:xmpp:message-retract:1' id='`+string(mine)+`'/><body>fallback</body>`))
	s.quiet()
	rt, ok := s.hall.Submitted()[0].(*core.Retraction)
	if !ok || rt.ID != mine || rt.Moderated {
		t.Errorf("retraction %+v", rt)
	}
	s.Send(say(phone, "t1", `<composing xmlns='http://jabber.org/protocol/chatstates'/>`))
	s.quiet()
	if ty, ok := s.hall.Submitted()[0].(*core.Typing); !ok || !ty.On || ty.Ref != ref {
		t.Errorf("typing %+v", ty)
	}
	for _, c := range []struct{ inside, condition string }{
		{`<retract xmlns='urn:xmpp:message-retract:1' id='` + string(op) + `'/>`, "not-authorized"},
		{`<retract xmlns='urn:xmpp:message-retract:1' id='forgotten'/>`, "item-not-found"},
		{`<body>x</body><replace xmlns='urn:xmpp:message-correct:0' id='` + string(op) + `'/>`, "not-authorized"},
		{`<body>x</body><replace xmlns='urn:xmpp:message-correct:0' id='forgotten'/>`, "item-not-found"},
		{`<reactions xmlns='urn:xmpp:reactions:0' id='forgotten'/>`, "item-not-found"},
		{`<reactions xmlns='urn:xmpp:reactions:0' id='` + string(op) + `'><reaction/></reactions>`, "bad-request"},
	} {
		s.Send(say(phone, "x", c.inside))
		s.Expect(`<message type='error' id='x'><error><` + c.condition + ` ` + stanzas + `/></error></message>`)
	}
	s.quiet()
}

// XEP-0425: a moderator takes back what somebody else said.
func TestModeration(t *testing.T) {
	s := openRich(t)
	s.enter(phone)
	op := s.said("Op", false, "")
	moderate := func(id string) string {
		return `<iq type='set' id='q1' from='` + phone + `' to='` + channel + `'><moderate xmlns='urn:xmpp:message-moderate:1' id='` + id + `'>
			<retract xmlns='urn:xmpp:message-retract:1'/><reason>spam</reason></moderate></iq>`
	}
	s.Send(moderate(string(op)))
	s.Expect(`<iq type='result' id='q1'/>`)
	rt, ok := s.hall.Submitted()[0].(*core.Retraction)
	if !ok || rt.ID != op || !rt.Moderated || rt.Reason != "spam" {
		t.Fatalf("retraction %+v", rt)
	}
	rt.Mine = true
	s.show(rt)
	s.Expect(`<message type='groupchat' from='` + channel + `'><retract xmlns='urn:xmpp:message-retract:1' id='` + string(op) + `'>
		<moderated xmlns='urn:xmpp:message-moderate:1' by='` + channel + `/me'><occupant-id xmlns='urn:xmpp:occupant-id:0'/></moderated><reason>spam</reason></retract></message>`)
	s.Send(moderate("forgotten"))
	s.Expect(`<iq type='error' id='q1'><error><item-not-found ` + stanzas + `/></error></iq>`)
	poor := open(t)
	poor.enter(phone)
	poor.Send(moderate(string(op)))
	poor.Expect(`<iq type='error' id='q1'><error><feature-not-implemented ` + stanzas + `/></error></iq>`)
}

// What comes from the network looks no different, and is named alike.
func TestRichFromTheNetwork(t *testing.T) {
	s := open(t)
	s.enter(phone)
	op, mine := s.said("Op", false, ""), s.said("me", true, "o1")
	in := func(m core.Message) *core.Message {
		m.Ref, m.ID, m.Room, m.Author, m.Text = ref, core.NewID(), true, "Op", "y"
		return &m
	}
	s.show(in(core.Message{ReplyTo: core.IDs{ID: mine}}))
	s.Expect(`<message><reply xmlns='urn:xmpp:reply:0' id='` + string(mine) + `' to='` + channel + `/me'/></message>`)
	s.show(in(core.Message{Replaces: core.IDs{ID: op}}))
	s.Expect(`<message><body>y</body><replace xmlns='urn:xmpp:message-correct:0' id='` + string(op) + `'/></message>`)
	s.show(in(core.Message{Replaces: core.IDs{ID: "forgotten"}}))
	s.Expect(`<message><body>y</body><no><replace xmlns='urn:xmpp:message-correct:0'/></no></message>`)
	s.show(&core.Reaction{Ref: ref, IDs: core.IDs{ID: mine}, Room: true, Author: "Op", Emoji: []string{"👍"}, At: time.Now()})
	s.Expect(`<message from='` + channel + `/Op'><reactions xmlns='urn:xmpp:reactions:0' id='` + string(mine) + `'/></message>`)
	s.show(&core.Retraction{Ref: ref, IDs: core.IDs{ID: op}, Room: true, Author: "Op"})
	s.Expect(`<message from='` + channel + `/Op'><retract xmlns='urn:xmpp:message-retract:1' id='` + string(op) + `'/></message>`)
	s.show(&core.Typing{Ref: ref, Author: "Op", On: true})
	s.Expect(`<message type='groupchat' from='` + channel + `/Op'><composing xmlns='http://jabber.org/protocol/chatstates'/><no><body/></no></message>`)
	s.quiet()
}

// A correction that the network cannot carry is refused in words.
func TestCorrectionRefused(t *testing.T) {
	s := open(t)
	s.enter(phone)
	s.Send(say(phone, "c1", `<body>better</body><replace xmlns='urn:xmpp:message-correct:0' id='o1'/>`))
	s.Expect(`<message type='error' id='c1'><error type='cancel'><feature-not-implemented ` + stanzas + `/><text ` + stanzas + `>*cannot be changed*</text></error></message>`)
	s.quiet()
}

// XEP-0421: the same person has the same occupant-id whatever their nick, another in another room, and a secret keeps
// others from finding out whose it is.
func TestOccupantID(t *testing.T) {
	rooms := New(Config{Secret: []byte("a")})
	here := rooms.newRoom(nil, core.Account{}, ref, channel)
	there := rooms.newRoom(nil, core.Account{}, ref, "#d%net@irc.gw")
	elsewhere := New(Config{Secret: []byte("b")}).newRoom(nil, core.Account{}, ref, channel)
	one := here.occupantID("account alice", "alice")
	if one != here.occupantID("account alice", "alice_") {
		t.Error("another nick, another id")
	}
	for _, other := range []string{
		here.occupantID("", "alice"), there.occupantID("account alice", "alice"), elsewhere.occupantID("account alice", "alice"),
	} {
		if one == other || len(other) != 26 {
			t.Errorf("%q and %q", one, other)
		}
	}
}

func TestHats(t *testing.T) {
	s := open(t)
	s.enter(phone)
	s.show(&core.MemberChanged{Ref: ref, Change: core.Came, Member: core.Member{Nick: "Op", Account: "operator", Staff: true}})
	s.Expect(`<presence from='` + channel + `/Op'><hats xmlns='urn:xmpp:hats:0'><hat title='network operator' uri='*'/><hat title='logged in as operator' uri='*'/></hats></presence>`)
	s.show(&core.MemberChanged{Ref: ref, Change: core.Came, Member: core.Member{Nick: "x"}})
	s.Expect(`<presence from='` + channel + `/x'><no><hats xmlns='urn:xmpp:hats:0'/></no></presence>`)
}

// TestCorrectionOfWhatWaits has a client correct what the network has not taken yet: the one that it sent, by its id.
func TestCorrectionOfWhatWaits(t *testing.T) {
	s := openRich(t)
	s.enter(phone)
	s.enter(desk)
	s.Send(say(phone, "h1", `<body>tha end</body>`))
	waits := s.submitted()
	s.Send(say(phone, "c1", `<body>the end</body><replace xmlns='urn:xmpp:message-correct:0' id='h1'/>`))
	if m := s.submitted(); m.Text != "the end" || m.Replaces.ID != waits.ID || waits.ID == "" {
		t.Errorf("corrected %+v, which was %+v", m, waits)
	}
	s.Send(say(desk, "c2", `<body>the end</body><replace xmlns='urn:xmpp:message-correct:0' id='h1'/>`))
	s.Expect(`<message type='error' id='c2' to='` + desk + `'><error type='cancel'><item-not-found ` + stanzas + `/></error></message>`)
	s.quiet()
}
