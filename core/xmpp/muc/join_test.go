package muc

import (
	"strings"
	"testing"
	"time"

	"gangway/core"
)

// Behaviour 34: the others, oneself with 100 and 110, the subject last.
func TestJoinOrder34(t *testing.T) {
	s := open(t)
	s.Send(presence(phone, "me", "id='j1'", "<x xmlns='http://jabber.org/protocol/muc'><password>k</password><history maxstanzas='0'/></x>"))
	s.asked(`join #c as me with "k" for {j1 ` + phone + `}`)
	s.quiet() // nothing before the network has answered
	s.show(&core.RoomJoined{
		Ref: ref, Origin: core.Origin{ID: "j1", From: phone}, Asked: "me", Self: core.Member{Nick: "me", Rank: core.Voice},
		Members: []core.Member{
			{Nick: "Op", Address: "op@h", Real: "~op@host.example", Rank: core.Operator, Away: true},
			{Nick: "plain"},
		},
		Topic: core.Topic{Text: "Welcome", By: "Op", At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))},
	})
	s.Expect(`<presence from='` + channel + `/Op' to='` + phone + `' type='!'><show>away</show>
		<x ` + user + `><item affiliation='admin' role='moderator' jid='op\40h%net@irc.gw/~op@host.example'/><no><status/></no></x>
		<occupant-id xmlns='urn:xmpp:occupant-id:0' id='$op'/></presence>`)
	s.Expect(`<presence from='` + channel + `/plain' to='` + phone + `'><no><show/></no>
		<x ` + user + `><item affiliation='none' role='participant' jid='!'/><no><status/></no></x></presence>`)
	s.Expect(`<presence from='` + channel + `/me' to='` + phone + `'>
		<x ` + user + `><item affiliation='member' role='participant'/><status code='100'/><status code='110'/>
		<no><status code='210'/><status code='201'/></no></x><occupant-id xmlns='urn:xmpp:occupant-id:0' id='*'/></presence>`)
	s.Expect(`<message from='` + channel + `/Op' to='` + phone + `' type='groupchat'><subject>Welcome</subject>
		<delay xmlns='urn:xmpp:delay' from='` + channel + `' stamp='2026-01-02T02:04:05Z'/><no><body/></no></message>`)
	s.show(&core.Message{Ref: ref, IDs: core.IDs{ID: "m1"}, Room: true, Author: "Op", Text: "Hi"})
	s.Expect(`<message from='` + channel + `/Op'><body>Hi</body><occupant-id xmlns='urn:xmpp:occupant-id:0' id='$op'/></message>`)
	s.quiet()
}

// Behaviours 41 and 47: another nick than was asked for, and an empty subject.
func TestNickTakenAndNoSubject41(t *testing.T) {
	s := open(t)
	o := s.ask(phone, "j1")
	s.show(&core.RoomJoined{Ref: ref, Origin: o, Asked: "me", Self: core.Member{Nick: "me_"}})
	s.Expect(`<presence from='` + channel + `/me_'><x ` + user + `><status code='100'/><status code='110'/><status code='210'/></x></presence>`)
	st := s.Expect(`<message from='` + channel + `' type='groupchat'><subject/><no><body/><delay xmlns='urn:xmpp:delay'/></no></message>`)
	if text := st.ChildText("", "subject"); text != "" {
		t.Errorf("subject %q", text)
	}
}

// The network's refusals in the words of XEP-0045 section 7.2.
var refusals = []struct {
	code string
	kind core.Kind
	want string
}{
	{"475", core.Denied, "<error type='auth'><not-authorized " + stanzas + "/>"},
	{"473", core.Denied, "<error type='auth'><registration-required " + stanzas + "/>"},
	{"477", core.Denied, "<error type='auth'><registration-required " + stanzas + "/>"},
	{"474", core.Denied, "<error type='auth'><forbidden " + stanzas + "/>"},
	{"471", core.Unavailable, "<error type='wait'><service-unavailable " + stanzas + "/>"},
	{"433", core.Invalid, "<error type='cancel'><conflict " + stanzas + "/>"},
	{"405", core.OverLimit, "<error type='wait'><resource-constraint " + stanzas + "/>"},
	{"403", core.NotFound, "<error type='cancel'><item-not-found " + stanzas + "/>"},
	{"", core.Unavailable, "<error type='wait'><remote-server-timeout " + stanzas + "/>"},
}

func TestJoinRefusedByTheNetwork(t *testing.T) {
	s := open(t)
	for _, c := range refusals {
		o := s.ask(phone, "j"+c.code)
		s.show(&core.RoomLeft{
			Ref: ref, Origin: o, Self: core.Member{Nick: "other"}, Why: core.NotJoined,
			Err: &core.Error{Kind: c.kind, Code: c.code, Text: "No <way>."},
		})
		s.Expect(`<presence type='error' id='j` + c.code + `' from='` + channel + `/me' to='` + phone + `'>` + muc +
			c.want + `<text ` + stanzas + `>No &lt;way>.</text></error></presence>`)
	}
	s.quiet()
	if n := len(s.rooms.rooms); n != 0 {
		t.Errorf("%d rooms are kept that nobody is in", n)
	}
	s.Send(`<message type='groupchat' id='m1' from='` + phone + `' to='` + channel + `'><body>x</body></message>`)
	s.Expect(`<message type='error' id='m1'><error type='modify'><not-acceptable ` + stanzas + `/></error></message>`)
}

// What the session refuses at once looks no different.
func TestJoinRefusedAtOnce(t *testing.T) {
	s := open(t)
	for _, c := range refusals {
		s.net.refusing(&core.Error{Kind: c.kind, Code: c.code, Text: "No."})
		s.ask(phone, "j"+c.code)
		s.Expect(`<presence type='error' id='j` + c.code + `' from='` + channel + `/me' to='` + phone + `'>` + muc +
			c.want + `<text ` + stanzas + `>No.</text></error></presence>`)
	}
	s.net.refusing(core.E(core.Internal, "test", ""))
	s.ask(phone, "j1")
	s.Expect(`<presence type='error' id='j1'><error type='wait'><internal-server-error ` + stanzas + `/></error></presence>`)
	if n := len(s.rooms.rooms); n != 0 {
		t.Errorf("%d rooms are kept that nobody is in", n)
	}
}

func TestJoinMalformed(t *testing.T) {
	s := open(t)
	for _, c := range []struct{ name, stanza, want string }{
		{"no nick", `<presence id='j1' from='` + phone + `' to='` + channel + `'>` + muc + `</presence>`, `<error type='modify'><jid-malformed ` + stanzas + `/></error>`},
		{"no <x/> (behaviour 36)", presence(phone, "me", "id='j1'", ""), muc + `<error type='modify'><not-acceptable ` + stanzas + `/></error>`},
		{"a stranger", presence("bob@example.org/x", "me", "id='j1'", muc), muc + `<error type='auth'><registration-required ` + stanzas + `/></error>`},
		{"a server", presence("example.org", "me", "id='j1'", muc), muc + `<error type='auth'><not-authorized ` + stanzas + `/></error>`},
		{"an id too long", presence(phone, "me", "id='"+strings.Repeat("j", 1024)+"'", muc), muc + `<error type='modify'><bad-request ` + stanzas + `/></error>`},
	} {
		s.Send(c.stanza)
		s.Expect(`<presence type='error'>` + c.want + `</presence>`)
	}
	s.quiet()
}

func TestNoRooms(t *testing.T) {
	plain := &spectator{calls: make(chan string, 1)}
	s := openWith(t, &plain.Plain, plain)
	s.Send(presence(phone, "me", "id='j1'", muc))
	s.Expect(`<presence type='error' id='j1'>` + muc + `<error type='cancel'><feature-not-implemented ` + stanzas + `/></error></presence>`)
	s.quiet()
}

// Behaviour 35: the second resource gets everything, the first nothing; so does one that joins again.
func TestSeveralResources35(t *testing.T) {
	s := open(t)
	s.enter(phone)
	for _, from := range []string{desk, phone} {
		o := s.ask(from, "again")
		s.show(&core.RoomJoined{Ref: ref, Origin: o, Self: core.Member{Nick: "me"}, Members: []core.Member{{Nick: "Op"}}})
		s.Expect(`<presence from='` + channel + `/Op' to='` + from + `'/>`)
		s.Expect(`<presence from='` + channel + `/me' to='` + from + `'><x ` + user + `><status code='110'/></x></presence>`)
		s.Expect(`<message to='` + from + `'><subject/></message>`)
	}
	s.show(&core.MemberChanged{Ref: ref, Change: core.Came, Member: core.Member{Nick: "new"}})
	s.Expect(`<presence from='` + channel + `/new' to='` + phone + `'><x ` + user + `><no><status/></no></x></presence>`)
	s.Expect(`<presence from='` + channel + `/new' to='` + desk + `'/>`)
	s.quiet()
}

// Two clients may give their stanzas the same ids, and many give presence none.
func TestSameIDs(t *testing.T) {
	s := open(t)
	for _, from := range []string{phone, desk} {
		s.Send(presence(from, from[len("alice@example.org/"):], "", muc))
		s.asked("join #c as " + from[len("alice@example.org/"):] + ` with "" for { ` + from + `}`)
	}
	for _, from := range []string{phone, desk} {
		s.show(&core.RoomLeft{Ref: ref, Origin: core.Origin{From: from}, Why: core.NotJoined, Err: core.E(core.Denied, "test", "")})
		s.Expect(`<presence type='error' id='!' from='` + channel + from[len("alice@example.org"):] + `' to='` + from + `'/>`)
	}
}

// A join that is called off before the network has answered it makes no ghost.
func TestJoinCalledOff(t *testing.T) {
	s := open(t)
	o := s.ask(phone, "j1")
	s.Send(presence(phone, "me", "type='unavailable'", ""))
	s.Expect(`<presence type='unavailable' from='` + channel + `/me' to='` + phone + `'><x ` + user + `><status code='110'/></x></presence>`)
	s.asked("leave #c: ")
	for _, e := range []core.Event{
		&core.RoomJoined{Ref: ref, Origin: o, Self: core.Member{Nick: "me"}},
		&core.RoomLeft{Ref: ref, Origin: o, Why: core.NotJoined},
		&core.RoomLeft{Ref: ref},
	} {
		s.show(e)
	}
	s.quiet()

	s.enter(desk)
	o = s.ask(phone, "j2")
	s.Send(presence(phone, "me", "type='unavailable'", ""))
	s.Expect(`<presence type='unavailable' to='` + phone + `'/>`)
	s.show(&core.RoomJoined{Ref: ref, Origin: o, Self: core.Member{Nick: "me"}})
	s.show(&core.RoomLeft{Ref: ref, Origin: o, Why: core.NotJoined})
	s.show(&core.Message{Ref: ref, IDs: core.IDs{ID: "m1"}, Room: true, Author: "Op", Text: "x"})
	s.Expect(`<message to='` + desk + `'/>`)
	s.quiet()
}

// Who joins while the account is on its way out is let in by what comes after.
func TestJoinWhileLeaving(t *testing.T) {
	s := open(t)
	s.enter(phone)
	s.Send(presence(phone, "me", "type='unavailable'", "<status>bye</status>"))
	s.Expect(`<presence type='unavailable' to='` + phone + `'/>`)
	s.asked("leave #c: bye")
	o := s.ask(phone, "j2")
	s.show(&core.RoomLeft{Ref: ref, Self: core.Member{Nick: "me"}, Why: core.Left})
	s.quiet()
	s.show(&core.RoomJoined{Ref: ref, Origin: o, Self: core.Member{Nick: "me"}})
	s.Expect(`<presence from='` + channel + `/me'/>`)
	s.Expect(`<message><subject/></message>`)
}

func TestTooManyClients(t *testing.T) {
	s := open(t)
	for i := range maxResources {
		s.ask("alice@example.org/"+strings.Repeat("r", i+1), "j")
	}
	s.Send(presence("alice@example.org/more", "me", "id='j'", muc))
	s.Expect(`<presence type='error' to='alice@example.org/more'>` + muc + `<error type='wait'><resource-constraint ` + stanzas + `/></error></presence>`)
	s.quiet()
}
