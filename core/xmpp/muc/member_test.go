package muc

import (
	"testing"

	"gangway/core"
)

// Behaviours 17, 42 and 48: what becomes of the others.
func TestMembers42(t *testing.T) {
	s := open(t)
	s.enter(phone)
	for _, c := range []struct {
		name string
		e    core.MemberChanged
		want []string
	}{
		{"came", core.MemberChanged{Change: core.Came, Member: core.Member{Nick: "Op", Address: "Op", Real: "~o\x1fp@h", Rank: core.Owner}},
			[]string{`<presence type='!' from='` + channel + `/Op'><x ` + user + `><item affiliation='owner' role='moderator' jid='op%net@irc.gw/~o□p@h'/></x></presence>`}},
		{"away", core.MemberChanged{Change: core.Updated, Member: core.Member{Nick: "Op", Away: true}},
			[]string{`<presence from='` + channel + `/Op'><show>away</show></presence>`}},
		{"back, and of another rank", core.MemberChanged{Change: core.Updated, Member: core.Member{Nick: "Op", Rank: core.Half}},
			[]string{`<presence from='` + channel + `/Op'><x ` + user + `><item affiliation='member' role='moderator'/></x><no><show/></no></presence>`}},
		{"oneself", core.MemberChanged{Change: core.Updated, Mine: true, Member: core.Member{Nick: "me", Rank: core.Operator}},
			[]string{`<presence from='` + channel + `/me'><x ` + user + `><item affiliation='admin'/><status code='110'/></x></presence>`}},
		{"renamed (behaviour 42)", core.MemberChanged{Change: core.Renamed, Old: "Op", Member: core.Member{Nick: "<Op>", Rank: core.Operator}}, []string{
			`<presence type='unavailable' from='` + channel + `/Op'><x ` + user + `><item nick='&lt;Op>' affiliation='admin' role='moderator'/><status code='303'/>
				<no><status code='110'/><status code='307'/></no></x></presence>`,
			`<presence type='!' from='` + channel + `/&lt;Op>'><x ` + user + `><item affiliation='admin' role='moderator'/><no><status/></no></x></presence>`,
		}},
		{"renamed to nothing usual", core.MemberChanged{Change: core.Renamed, Old: "Op", Member: core.Member{Nick: "a\x02"}}, []string{
			`<presence type='unavailable' from='` + channel + `/Op'><x ` + user + `><item nick='a□≈415326052'/></x></presence>`,
			`<presence type='!' from='` + channel + `/a□≈415326052'/>`,
		}},
		{"left", core.MemberChanged{Change: core.Went, Member: core.Member{Nick: "Op", Rank: core.Voice}, Reason: "bye"},
			[]string{`<presence type='unavailable' from='` + channel + `/Op'><status>bye</status><x ` + user + `><item affiliation='member' role='none'/><no><status/></no></x></presence>`}},
		{"quit, saying nothing", core.MemberChanged{Change: core.Went, Why: core.Quit, Member: core.Member{Nick: "Op"}},
			[]string{`<presence type='unavailable' from='` + channel + `/Op'><no><status/></no></presence>`}},
		{"kicked", core.MemberChanged{Change: core.Went, Why: core.Kicked, By: "King", Reason: "spam", Member: core.Member{Nick: "Op"}},
			[]string{`<presence type='unavailable' from='` + channel + `/Op'><x ` + user + `><item role='none'><actor nick='King'/><reason>spam</reason></item>
				<status code='307'/><no><status code='110'/></no></x><no><status/></no></presence>`}},
		{"banned by nobody", core.MemberChanged{Change: core.Went, Why: core.Banned, Member: core.Member{Nick: "Op"}},
			[]string{`<presence type='unavailable' from='` + channel + `/Op'><x ` + user + `><item role='none'><actor nick='irc.gw'/><no><reason/></no></item><status code='301'/></x></presence>`}},
	} {
		t.Log(c.name)
		c.e.Ref = ref
		s.show(&c.e)
		for _, want := range c.want {
			s.Expect(want)
		}
	}
	s.quiet()
}

// Behaviour 36: presence without <x/> under the nick that one has is only a status, and changes nothing.
func TestStatusUpdate36(t *testing.T) {
	s := open(t)
	s.enter(phone)
	s.Send(presence(phone, "me", "", "<show>away</show>"))
	s.quiet()
	s.Send(presence(desk, "me", "id='s1'", "<show>away</show>"))
	s.Expect(`<presence type='error' id='s1'>` + muc + `<error type='modify'><not-acceptable ` + stanzas + `/></error></presence>`)
	s.quiet()
}

func TestRename42(t *testing.T) {
	s := open(t)
	s.enter(phone, desk)
	s.Send(presence(phone, "I", "id='r1'", ""))
	s.asked("rename in #c to I for {r1 " + phone + "}")
	s.show(&core.MemberChanged{Ref: ref, Change: core.Renamed, Mine: true, Old: "me", Member: core.Member{Nick: "I"}})
	for _, to := range []string{phone, desk} {
		s.Expect(`<presence type='unavailable' from='` + channel + `/me' to='` + to + `'><x ` + user + `><item nick='I'/><status code='303'/><status code='110'/></x></presence>`)
	}
	for _, to := range []string{phone, desk} {
		s.Expect(`<presence type='!' from='` + channel + `/I' to='` + to + `'><x ` + user + `><status code='110'/></x></presence>`)
	}
	s.Send(presence(phone, "I", "", "")) // now the nick that it has
	s.show(&core.Message{Ref: ref, IDs: core.IDs{ID: "m1"}, Room: true, Mine: true, Text: "x"})
	s.Expect(`<message from='` + channel + `/I' to='` + phone + `'/>`)
	s.Expect(`<message from='` + channel + `/I' to='` + desk + `'/>`)
	s.quiet()
	if n := len(s.rooms.find(ref).pending); n != 0 {
		t.Errorf("%d are pending", n)
	}
}

func TestRenameFailed(t *testing.T) {
	s := open(t)
	s.enter(phone, desk)
	taken := &core.Error{Kind: core.Invalid, Code: "433", Text: "In use."}
	const want = `<presence type='error' id='r1' from='` + channel + `/I' to='` + phone + `'>` + muc + `<error type='cancel'><conflict ` + stanzas + `/>
		<text ` + stanzas + `>In use.</text></error></presence>`
	s.Send(presence(phone, "I", "id='r1'", ""))
	s.asked("rename in #c to I for {r1 " + phone + "}")
	s.show(&core.Receipt{Ref: ref, Origin: core.Origin{ID: "r1", From: phone}, State: core.Failed, Err: taken})
	s.Expect(want)
	s.net.refusing(taken)
	s.Send(presence(phone, "I", "id='r1'", ""))
	s.asked("rename in #c to I for {r1 " + phone + "}")
	s.Expect(want)
	s.quiet()
	// Not in with this resource: not a join either.
	s.Send(presence("alice@example.org/x", "I", "id='r2'", ""))
	s.Expect(`<presence type='error' id='r2'>` + muc + `<error type='modify'><not-acceptable ` + stanzas + `/></error></presence>`)
	s.quiet()
}

func TestDepart(t *testing.T) {
	s := open(t)
	s.enter(phone, desk)
	s.Send(presence(phone, "me", "type='unavailable'", "<status>lunch</status>"))
	s.Expect(`<presence type='unavailable' from='` + channel + `/me' to='` + phone + `'><status>lunch</status><x ` + user + `><item role='none'/><status code='110'/></x></presence>`)
	s.quiet()
	s.show(&core.Message{Ref: ref, IDs: core.IDs{ID: "m1"}, Room: true, Author: "Op", Text: "x"})
	s.Expect(`<message to='` + desk + `'/>`)
	s.Send(presence(phone, "me", "type='unavailable'", ""))
	s.Send(presence(phone, "me", "type='subscribe'", ""))
	s.quiet()
	s.Send(presence(desk, "me", "type='unavailable'", ""))
	s.Expect(`<presence type='unavailable' to='` + desk + `'><x ` + user + `><status code='110'/></x></presence>`)
	s.asked("leave #c: ")
	s.show(&core.RoomLeft{Ref: ref, Self: core.Member{Nick: "me"}, Why: core.Left})
	s.show(&core.Message{Ref: ref, IDs: core.IDs{ID: "m2"}, Room: true, Author: "Op", Text: "x"})
	s.quiet()
	if n := len(s.rooms.rooms); n != 0 {
		t.Errorf("%d rooms are kept that nobody is in", n)
	}
}

// What a session that is gone says about leaving is no news for who has left.
func TestDepartFromWhereOneIsNot(t *testing.T) {
	s := open(t)
	s.enter(phone)
	s.net.refusing(core.E(core.NotFound, "test", ""))
	s.Send(presence(phone, "me", "type='unavailable'", ""))
	s.Expect(`<presence type='unavailable' to='` + phone + `'/>`)
	s.asked("leave #c: ")
	s.quiet()
}

// Whatever takes the account out of a room reaches all its resources, and all are out.
func TestLeft(t *testing.T) {
	for _, c := range []struct {
		name, want string
		e          core.RoomLeft
	}{
		{"kicked", `<x ` + user + `><item affiliation='admin' role='none'><actor nick='King'/><reason>&lt;out></reason></item><status code='307'/><status code='110'/></x><no><status/></no>`,
			core.RoomLeft{Why: core.Kicked, By: "King", Reason: "<out>", Self: core.Member{Nick: "me", Rank: core.Operator}}},
		{"kicked by nobody", `<x ` + user + `><item role='none'><actor nick='irc.gw'/></item><status code='307'/><status code='110'/></x>`,
			core.RoomLeft{Why: core.Kicked}},
		{"banned", `<x ` + user + `><item><actor nick='King'/></item><status code='301'/><status code='110'/></x>`,
			core.RoomLeft{Why: core.Banned, By: "King"}},
		{"left by another way", `<status>bye</status><x ` + user + `><item role='none'/><status code='110'/><no><status code='307'/></no></x>`,
			core.RoomLeft{Why: core.Left, Reason: "bye"}},
		{"not let in again after a loss", `<status>You are banned.</status><x ` + user + `><status code='333'/><status code='110'/></x>`,
			core.RoomLeft{Why: core.NotJoined, Err: &core.Error{Kind: core.Denied, Code: "474", Text: "You are banned."}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := open(t)
			s.enter(phone, desk)
			c.e.Ref = ref
			s.show(&c.e)
			for _, to := range []string{phone, desk} {
				s.Expect(`<presence type='unavailable' from='` + channel + `/me' to='` + to + `'>` + c.want + `</presence>`)
			}
			s.show(&core.MemberChanged{Ref: ref, Change: core.Came, Member: core.Member{Nick: "x"}})
			s.Send(ping(phone, channel+"/me"))
			s.Expect(`<iq type='error' id='p1'><error><not-acceptable ` + stanzas + `/></error></iq>`)
			s.quiet() // above all nothing is asked of the session: it has said so itself
		})
	}
}

func TestDisconnected(t *testing.T) {
	s := open(t)
	s.enter(phone, desk)
	s.show(&core.RoomLeft{Ref: ref, Self: core.Member{Nick: "me"}, Why: core.Disconnected, Reason: "Ping timeout"})
	for _, to := range []string{phone, desk} {
		s.Expect(`<message type='groupchat' from='` + channel + `' to='` + to + `'><body>*lost (Ping timeout). *reconnecting*</body></message>`)
	}
	s.show(&core.MemberChanged{Ref: ref, Change: core.Went, Why: core.Quit, Member: core.Member{Nick: "Op"}})
	s.Expect(`<presence type='unavailable' to='` + phone + `'/>`)
	s.Expect(`<presence type='unavailable' to='` + desk + `'/>`)
	s.show(&core.RoomJoined{Ref: ref, Self: core.Member{Nick: "me"}, Members: []core.Member{{Nick: "new"}}, Topic: core.Topic{Text: "T"}})
	for _, to := range []string{phone, desk} {
		s.Expect(`<presence from='` + channel + `/new' to='` + to + `'/>`)
		s.Expect(`<presence from='` + channel + `/me' to='` + to + `'><x ` + user + `><status code='110'/></x></presence>`)
		s.Expect(`<message from='` + channel + `' to='` + to + `'><subject>T</subject></message>`)
	}
	s.quiet()
}

func TestBackUnderAnotherNick(t *testing.T) {
	s := open(t)
	s.enter(phone)
	s.show(&core.RoomJoined{Ref: ref, Self: core.Member{Nick: "me_"}, Asked: "me"})
	s.Expect(`<presence type='unavailable' from='` + channel + `/me'><x ` + user + `><item nick='me_'/><status code='303'/><status code='110'/></x></presence>`)
	s.Expect(`<presence from='` + channel + `/me_'><x ` + user + `><status code='110'/><status code='210'/></x></presence>`)
	s.Expect(`<message><subject/></message>`)
	s.Send(ping(phone, channel+"/me_"))
	s.Expect(`<iq type='result' id='p1'/>`)
}

// A network may put the account into a room: nobody is there to see it, and nothing is kept.
func TestNobodyThere(t *testing.T) {
	s := open(t)
	for _, e := range []core.Event{
		&core.RoomJoined{Ref: ref, Self: core.Member{Nick: "me"}},
		&core.RoomJoined{Ref: ref, Origin: core.Origin{ID: "j", From: phone}, Self: core.Member{Nick: "me"}},
		&core.RoomLeft{Ref: ref, Why: core.Kicked},
		&core.TopicChanged{Ref: ref},
		&core.MemberChanged{Ref: ref},
	} {
		s.show(e)
	}
	s.quiet()
	if n := len(s.rooms.rooms); n != 0 {
		t.Errorf("%d rooms are kept that nobody is in", n)
	}
}

// Behaviour 39.
func TestShutdown39(t *testing.T) {
	s := open(t)
	s.enter(phone, desk)
	s.ask("alice@example.org/waiting", "j9")
	s.rooms.Close()
	for _, to := range []string{phone, desk, "alice@example.org/waiting"} {
		s.Expect(`<presence type='unavailable' from='` + channel + `/me' to='` + to + `'><x ` + user + `><status code='110'/><status code='332'/></x></presence>`)
	}
	s.rooms.Close()
	s.Send(ping(phone, channel+"/me"))
	s.Expect(`<iq type='error' id='p1'><error><not-acceptable ` + stanzas + `/></error></iq>`)
	s.quiet()
}
