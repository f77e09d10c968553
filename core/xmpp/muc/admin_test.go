package muc

import (
	"strings"
	"testing"

	"gangway/core"
)

func adminList(from, id, item string) string {
	return `<iq type='get' id='` + id + `' from='` + from + `' to='` + channel + `'><query xmlns='http://jabber.org/protocol/muc#admin'>` + item + `</query></iq>`
}

// Clients ask for these lists whenever they have joined: who has a rank is in them, and what nobody has is empty.
func TestAdminLists48(t *testing.T) {
	s := open(t)
	s.enter(phone)
	s.populate()
	for _, c := range []struct{ item, want string }{
		{"<item affiliation='owner'/>", "<no><item/></no>"},
		{"<item affiliation='admin'/>", "<item affiliation='admin' role='moderator' nick='Op' jid='op%net@irc.gw'/>"},
		{"<item affiliation='member'/>", "<item affiliation='member' nick='me' jid='me%net@irc.gw'/>"},
		{"<item affiliation='none'/>", "<item affiliation='none' nick='plain'/>"},
		{"<item role='moderator'/>", "<item affiliation='admin' nick='Op'/>"},
		{"<item role='participant'/>", "<item nick='plain'/><item nick='me'/>"},
	} {
		s.Send(adminList(phone, "l1", c.item))
		s.Expect(`<iq type='result' id='l1'><query xmlns='http://jabber.org/protocol/muc#admin'>` + c.want + `</query></iq>`)
	}
	s.Send(adminList(phone, "l2", "<item affiliation='outcast'/>"))
	s.asked("bans of #c")
	s.Expect(`<iq type='result' id='l2'><query xmlns='http://jabber.org/protocol/muc#admin'>
		<item affiliation='outcast' jid='*!*\40bad.example%net@irc.gw'><reason>spam</reason></item><item affiliation='outcast' jid='x!*\40*%net@irc.gw'/></query></iq>`)
	s.quiet()
}

// A network without bans has an empty list of them, and cannot ban.
func TestNoBans(t *testing.T) {
	net := &spectator{calls: make(chan string, 10)}
	s := openWith(t, net, net)
	s.enter(phone)
	s.Send(adminList(phone, "l1", "<item affiliation='outcast'/>"))
	s.Expect(`<iq type='result' id='l1'><query xmlns='http://jabber.org/protocol/muc#admin'><no><item/></no></query></iq>`)
	s.Send(admin(phone, "<item nick='Op' affiliation='outcast'/>"))
	s.Expect(`<iq type='error' id='a1'><error type='cancel'><feature-not-implemented ` + stanzas + `/></error></iq>`)
}

// People are named by their nick, by the address that their presence showed, or by the mask that the list showed.
func TestAdminByAddress48(t *testing.T) {
	s := open(t)
	s.enter(phone)
	s.populate()
	for _, c := range []struct{ item, asked string }{
		{`<item jid='op%net@irc.gw' role='none'><reason>spam</reason></item>`, "kick Op from #c: spam"},
		{`<item jid='op%net@irc.gw/~op@host' affiliation='member'/>`, "rank of Op in #c: 1"},
		{`<item nick='Op' affiliation='outcast'><reason>out</reason></item>`, "ban Op from #c: out"},
		{`<item jid='op%net@irc.gw' affiliation='outcast'/>`, "ban Op from #c: "},
		{`<item jid='gone%net@irc.gw' affiliation='outcast'/>`, "ban gone from #c: "},
		{`<item jid='*!*\40bad.example%net@irc.gw' affiliation='none'/>`, "unban *!*@bad.example from #c"},
	} {
		s.Send(admin(phone, c.item))
		s.asked(c.asked)
		s.Expect(`<iq type='result' id='a1'/>`)
	}
	s.quiet()
}

func owner(from, typ, inside string) string {
	return `<iq type='` + typ + `' id='o1' from='` + from + `' to='` + channel + `'><query xmlns='http://jabber.org/protocol/muc#owner'>` + inside + `</query></iq>`
}

func submit(fields ...string) string {
	var b strings.Builder
	b.WriteString(`<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>`)
	for i := 0; i < len(fields); i += 2 {
		b.WriteString(`<field var='muc#roomconfig_` + fields[i] + `'><value>` + fields[i+1] + `</value></field>`)
	}
	return b.String() + `</x>`
}

func TestSettings48(t *testing.T) {
	s := open(t)
	s.enterAs(core.Operator, phone)
	s.Send(owner(phone, "get", ""))
	s.asked("settings of #c")
	s.Expect(`<iq type='result' id='o1'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='form'><title>#c on net</title>
		<field var='muc#roomconfig_persistentroom'><value>0</value></field><field var='muc#roomconfig_moderatedroom'><value>0</value></field>
		<field var='muc#roomconfig_membersonly'/><field var='muc#roomconfig_roomsecret' type='text-private'/>
		<field var='muc#roomconfig_changesubject'><value>0</value></field><field var='muc#roomconfig_publicroom'><value>1</value></field>
		<field var='muc#roomconfig_maxusers'><value>5</value></field></x></query></iq>`)
	s.Send(owner(phone, "set", submit())) // an instant room
	s.Expect(`<iq type='result' id='o1'/>`)
	s.Send(owner(phone, "set", `<x xmlns='jabber:x:data' type='cancel'/>`))
	s.Expect(`<iq type='result' id='o1'/>`)
	s.Send(owner(phone, "set", submit("changesubject", "1", "membersonly", "true", "passwordprotectedroom", "1", "roomsecret", "k", "maxusers", "none")))
	s.asked("settings of #c")
	s.asked("configure #c: {TopicLocked:false Moderated:false MembersOnly:true Hidden:false Inside:false Password:k Limit:0}")
	s.Expect(`<iq type='result' id='o1'/>`)
	s.Send(owner(phone, "set", `<x xmlns='jabber:x:data' type='submit'><field var='x-inside'><value>1</value></field></x>`))
	s.asked("settings of #c")
	s.asked("configure #c: {TopicLocked:true Moderated:false MembersOnly:false Hidden:false Inside:true Password: Limit:5}")
	s.Expect(`<iq type='result' id='o1'/>`)
	s.Send(owner(phone, "set", submit("changesubject", "0"))) // as it is
	s.asked("settings of #c")
	s.Expect(`<iq type='result' id='o1'/>`)
	for _, fields := range [][]string{{"passwordprotectedroom", "1"}, {"maxusers", "many"}} {
		s.Send(owner(phone, "set", submit(fields...)))
		s.asked("settings of #c")
		s.Expect(`<iq type='error' id='o1'><error type='modify'><bad-request ` + stanzas + `/></error></iq>`)
	}
	s.Send(owner(phone, "set", `<destroy/>`))
	s.Expect(`<iq type='error' id='o1'><error type='cancel'><not-allowed ` + stanzas + `/></error></iq>`)
	s.Send(owner(phone, "set", ``))
	s.Expect(`<iq type='error' id='o1'><error type='modify'><bad-request ` + stanzas + `/></error></iq>`)
	s.Send(owner(desk, "get", ""))
	s.Expect(`<iq type='error' id='o1'><error type='auth'><forbidden ` + stanzas + `/></error></iq>`)
	s.show(&core.SettingsChanged{Ref: ref})
	s.Expect(`<message type='groupchat' from='` + channel + `' to='` + phone + `'><x ` + user + `><status code='104'/></x></message>`)
	s.quiet()
}

// The account stays in a persistent room when its last client leaves.
func TestPersistentRoom46(t *testing.T) {
	s := open(t)
	s.enter(phone)
	s.Send(owner(phone, "set", submit("persistentroom", "1")))
	s.Expect(`<iq type='result' id='o1'/>`)
	s.Send(presence(phone, "me", "type='unavailable'", ""))
	s.Expect(`<presence type='unavailable' to='` + phone + `'/>`)
	s.quiet()
	s.show(&core.Message{Ref: ref, IDs: core.IDs{ID: "away"}, Room: true, Author: "Op", Text: "while away"})
	s.quiet()
	o := s.ask(phone, "j2")
	s.show(&core.RoomJoined{Ref: ref, Origin: o, Self: core.Member{Nick: "me"}, Asked: "me"})
	s.Expect(`<presence from='` + channel + `/me'/>`)
	s.Expect(`<message from='` + channel + `/Op' id='away'><body>while away</body><delay xmlns='urn:xmpp:delay' from='` + channel + `'/></message>`)
	s.Expect(`<message><subject/></message>`)
	a, err := s.hall.Account(t.Context(), "alice@example.org", "", "net")
	if err != nil {
		t.Fatal(err)
	}
	s.rooms.Restore(t.Context(), s.d, []core.Account{a})
	s.asked(`join #c as me with "" for { }`)
	s.show(&core.MemberChanged{Ref: ref, Change: core.Renamed, Mine: true, Old: "me", Member: core.Member{Nick: "I"}})
	s.Expect(`<presence type='unavailable'/>`)
	s.Expect(`<presence from='` + channel + `/I'/>`)
	s.Send(presence(phone, "I", "type='unavailable'", ""))
	s.Expect(`<presence type='unavailable' to='` + phone + `'/>`)
	s.quiet()
	s.rooms.Restore(t.Context(), s.d, []core.Account{a})
	s.asked(`join #c as I with "" for { }`) // as who it was there last
	o = s.ask(phone, "j3")
	s.show(&core.RoomJoined{Ref: ref, Origin: o, Self: core.Member{Nick: "me"}})
	s.Expect(`<presence from='` + channel + `/me'/>`)
	s.Expect(`<message id='away'/>`)
	s.Expect(`<message><subject/></message>`)
	s.Send(owner(phone, "set", submit("persistentroom", "0")))
	s.Expect(`<iq type='result' id='o1'/>`)
	s.Send(presence(phone, "me", "type='unavailable'", ""))
	s.Expect(`<presence type='unavailable' to='` + phone + `'/>`)
	s.asked("leave #c: ")
	s.quiet()
}

// Behaviour 46: a persistent room is a bookmark with autojoin, where the server lets us put one.
func TestBookmark46(t *testing.T) {
	s := open(t)
	s.enter(phone)
	s.Send(`<message from='example.org' to='irc.gw'><privilege xmlns='urn:xmpp:privilege:2'>
		<perm access='iq'><namespace ns='http://jabber.org/protocol/pubsub' type='set'/></perm></privilege></message>`)
	s.Quiet("example.org", s.d.Name) // the same sender's: the privilege has been taken
	for _, c := range []struct{ value, want string }{
		{"1", `<publish node='urn:xmpp:bookmarks:1'><item id='` + channel + `'>
			<conference xmlns='urn:xmpp:bookmarks:1' name='#c on net' autojoin='true'><nick>me</nick></conference></item></publish>
			<publish-options><x xmlns='jabber:x:data' type='submit'/></publish-options>`},
		{"0", `<retract node='urn:xmpp:bookmarks:1' notify='true'><item id='` + channel + `'/></retract>`},
	} {
		s.Send(owner(phone, "set", submit("persistentroom", c.value)))
		st := s.Expect(`<iq type='set' from='irc.gw' to='alice@example.org'><privileged_iq xmlns='urn:xmpp:privilege:2'>
			<iq xmlns='jabber:client' type='set' to='alice@example.org'><pubsub xmlns='http://jabber.org/protocol/pubsub'>` + c.want + `</pubsub></iq></privileged_iq></iq>`)
		s.Send(`<iq type='result' from='alice@example.org' to='irc.gw' id='` + st.ID + `'><privilege xmlns='urn:xmpp:privilege:2'><forwarded xmlns='urn:xmpp:forward:0'>
			<iq xmlns='jabber:client' type='result' id='x' from='alice@example.org' to='alice@example.org'/></forwarded></privilege></iq>`)
		s.Expect(`<iq type='result' id='o1'/>`)
	}
	s.quiet()
}
