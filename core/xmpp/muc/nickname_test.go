package muc

import (
	"testing"

	"gangway/core"
)

func registration(typ, inside string) string {
	return `<iq type='` + typ + `' id='n1' from='` + phone + `' to='` + channel + `'><query xmlns='jabber:iq:register'>` + inside + `</query></iq>`
}

// Behaviour 44: jabber:iq:register at a room is about the nick, which is one's own already.
func TestNickRegistered44(t *testing.T) {
	s := open(t)
	s.Send(registration("get", ""))
	s.Expect(`<iq type='error' id='n1' from='` + channel + `'><error type='auth'><forbidden ` + stanzas + `/><text ` + stanzas + `>*not in this room*</text></error></iq>`)
	s.enter(phone)
	s.Send(registration("get", ""))
	s.Expect(`<iq type='result' id='n1' from='` + channel + `'><query xmlns='jabber:iq:register'><registered/><username>me</username>
		<x xmlns='jabber:x:data' type='form'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#register</value></field>
		<field var='muc#register_roomnick'><value>me</value></field></x></query></iq>`)
	for _, c := range []struct{ inside, want string }{
		{"<remove/>", "<error type='cancel'><not-allowed " + stanzas + "/></error>"},
		{"", "<error type='modify'><not-acceptable " + stanzas + "/></error>"},
		{submitNick(" "), "<error type='modify'><not-acceptable " + stanzas + "/></error>"},
		{"<x xmlns='jabber:x:data' type='what'/>", "<error type='modify'><bad-request " + stanzas + "/></error>"},
	} {
		s.Send(registration("set", c.inside))
		s.Expect(`<iq type='error' id='n1'>` + c.want + `</iq>`)
	}
	for _, inside := range []string{submitNick("me"), "<username>me</username>", "<x xmlns='jabber:x:data' type='cancel'/>"} {
		s.Send(registration("set", inside))
		s.Expect(`<iq type='result' id='n1'/>`)
	}
	s.quiet() // nothing was asked of the network
}

func submitNick(nick string) string {
	return `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#register</value></field>
		<field var='muc#register_roomnick'><value>` + nick + `</value></field></x>`
}

// Behaviour 44: to register another nick is to change it; the answer is the network's.
func TestNickRegisteredAnew44(t *testing.T) {
	s := open(t)
	s.enter(phone)
	taken := &core.Error{Kind: core.Invalid, Code: "433", Text: "In use."}
	const conflict = `<iq type='error' id='n1' from='` + channel + `'><error type='cancel'><conflict ` + stanzas + `/><text ` + stanzas + `>In use.</text></error></iq>`
	s.Send(registration("set", submitNick("I")))
	s.asked("rename in #c to I for {n1 " + phone + "}")
	s.show(&core.Receipt{Ref: ref, Origin: core.Origin{ID: "n1", From: phone}, State: core.Failed, Err: taken})
	s.Expect(conflict)
	s.net.refusing(taken)
	s.Send(registration("set", submitNick("I")))
	s.asked("rename in #c to I for {n1 " + phone + "}")
	s.Expect(conflict)
	s.net.refusing(nil)
	s.Send(registration("set", "<username>I</username>"))
	s.asked("rename in #c to I for {n1 " + phone + "}")
	s.show(&core.MemberChanged{Ref: ref, Change: core.Renamed, Mine: true, Old: "me", Member: core.Member{Nick: "I"}})
	s.ExpectAll(`<iq type='result' id='n1'/>`, `<presence type='unavailable' from='`+channel+`/me'/>`, `<presence type='!' from='`+channel+`/I'/>`)
	s.quiet()
	if n := len(s.rooms.find(ref).pending); n != 0 {
		t.Errorf("%d are pending", n)
	}
}
