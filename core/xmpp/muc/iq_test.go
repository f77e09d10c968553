package muc

import (
	"strings"
	"testing"

	"gangway/core"
)

func ping(from, to string) string {
	return `<iq type='get' id='p1' from='` + from + `' to='` + to + `'><ping xmlns='urn:xmpp:ping'/></iq>`
}

func admin(from, items string) string {
	return `<iq type='set' id='a1' from='` + from + `' to='` + channel + `'><query xmlns='http://jabber.org/protocol/muc#admin'>` + items + `</query></iq>`
}

// Behaviour 37.
func TestSelfPing37(t *testing.T) {
	s := open(t)
	s.enter(phone)
	for _, c := range []struct{ name, stanza, want string }{
		{"in", ping(phone, channel+"/me"), `<iq type='result' id='p1' from='` + channel + `/me' to='` + phone + `'/>`},
		{"in with another resource", ping(desk, channel+"/me"), `<iq type='error' id='p1' from='` + channel + `/me' to='` + desk + `'><error type='cancel'><not-acceptable ` + stanzas + `/></error></iq>`},
		{"in another room", ping(phone, "#d%net@irc.gw/me"), `<iq type='error' id='p1'><error type='cancel'><not-acceptable ` + stanzas + `/></error></iq>`},
		{"another nick", ping(phone, channel+"/Op"), `<iq type='error' id='p1'><error type='cancel'><service-unavailable ` + stanzas + `/></error></iq>`},
		{"a stranger", ping("bob@example.org/x", channel+"/me"), `<iq type='error' id='p1'><error type='auth'/></iq>`},
		{"the room", ping(phone, channel), `<iq type='result' id='p1' from='` + channel + `'/>`},
		{"the gateway", ping(phone, "irc.gw"), `<iq type='result' id='p1' from='irc.gw'/>`},
	} {
		t.Log(c.name)
		s.Send(c.stanza)
		s.Expect(c.want)
	}
	// A nick that had to be written otherwise is known by what was written.
	s.show(&core.MemberChanged{Ref: ref, Change: core.Renamed, Mine: true, Old: "me", Member: core.Member{Nick: "m\x02e"}})
	s.Expect(`<presence type='unavailable'/>`)
	s.Expect(`<presence from='` + channel + `/m□e≈536345804'/>`)
	s.Send(ping(phone, channel+"/m□e≈536345804"))
	s.Expect(`<iq type='result' id='p1'/>`)
}

func TestAdmin(t *testing.T) {
	s := open(t)
	s.enter(phone)
	for _, c := range []struct {
		items string
		asked []string
	}{
		{`<item nick='Op' role='none'><reason>spam</reason></item>`, []string{"kick Op from #c: spam"}},
		{`<item nick='Op' affiliation='none' role='none'/>`, []string{"kick Op from #c: "}},
		{`<item nick='a' affiliation='owner'/><item nick='b' role='visitor'/>`, []string{"rank of a in #c: 4", "rank of b in #c: 0"}},
		{`<item nick='a' affiliation='admin'/>`, []string{"rank of a in #c: 3"}},
		{`<item nick='a' affiliation='member' role='moderator'/>`, []string{"rank of a in #c: 2"}},
		{strings.Repeat(`<item nick='a' role='participant'/>`, maxItems), slicesOf("rank of a in #c: 1", maxItems)},
	} {
		s.Send(admin(phone, c.items))
		for _, want := range c.asked {
			s.asked(want)
		}
		s.Expect(`<iq type='result' id='a1' from='` + channel + `' to='` + phone + `'/>`)
	}
	s.quiet()
}

func slicesOf(s string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = s
	}
	return all
}

func TestAdminRefused(t *testing.T) {
	s := open(t)
	s.enter(phone)
	s.populate()
	const modify = `<error type='modify'><bad-request ` + stanzas + `/></error>`
	for _, c := range []struct{ name, stanza, want string }{
		{"not in", admin(desk, `<item nick='Op' role='none'/>`), `<error type='auth'><forbidden ` + stanzas + `/></error>`},
		{"nobody", admin(phone, `<item affiliation='admin'/>`), modify},
		{"somebody of XMPP", admin(phone, `<item affiliation='admin' jid='bob@example.org'/>`), `<error type='cancel'><item-not-found ` + stanzas + `/></error>`},
		{"somebody who is not in", admin(phone, `<item affiliation='admin' jid='x%net@irc.gw'/>`), `<error type='cancel'><item-not-found ` + stanzas + `/></error>`},
		{"nothing", admin(phone, ``), modify},
		{"something else", admin(phone, `<item xmlns='x' nick='Op' role='none'/>`), modify},
		{"no change", admin(phone, `<item nick='Op'/>`), `<error type='cancel'><feature-not-implemented ` + stanzas + `/></error>`},
		{"a flood", admin(phone, strings.Repeat(`<item nick='a' role='none'/>`, maxItems+1)), `<error type='modify'><policy-violation ` + stanzas + `/></error>`},
		{"no room", strings.Replace(admin(phone, `<item nick='a' role='none'/>`), channel, "irc.gw", 1), `<error type='cancel'><service-unavailable ` + stanzas + `/></error>`},
		{"a person", strings.Replace(admin(phone, `<item nick='a' role='none'/>`), channel, "op%net@irc.gw", 1), `<error type='cancel'><service-unavailable ` + stanzas + `/></error>`},
	} {
		t.Log(c.name)
		s.Send(c.stanza)
		s.Expect(`<iq type='error' id='a1'>` + c.want + `</iq>`)
	}
	s.quiet()
	s.net.refusing(&core.Error{Kind: core.Denied, Code: "482", Text: "You're not channel operator."})
	s.Send(admin(phone, `<item nick='a' role='none'/><item nick='b' role='none'/>`))
	s.asked("kick a from #c: ")
	s.Expect(`<iq type='error' id='a1'><error type='auth'><forbidden ` + stanzas + `/><text ` + stanzas + `>You&apos;re not channel operator.</text></error></iq>`)
	s.quiet() // the first refusal ends it
}

// Behaviour 44, to who is not in.
func TestDisco44(t *testing.T) {
	s := open(t)
	const disco = `xmlns='http://jabber.org/protocol/disco#info'`
	s.Send(`<iq type='get' id='d1' from='` + phone + `' to='` + channel + `'><query ` + disco + `/></iq>`)
	s.Expect(`<iq type='result' id='d1' from='` + channel + `'><query ` + disco + `>
		<identity category='conference' type='text' name='#c on net'/>
		<feature var='http://jabber.org/protocol/muc'/><feature var='http://jabber.org/protocol/muc#self-ping-optimization'/>
		<feature var='muc_nonanonymous'/><feature var='urn:xmpp:sid:0'/><feature var='urn:xmpp:occupant-id:0'/>
		<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roominfo</value></field></x>
		</query></iq>`)
	s.Send(`<iq type='get' id='d2' from='` + phone + `' to='` + channel + `'><query ` + disco + ` node='http://jabber.org/protocol/muc#traffic'/></iq>`)
	s.Expect(`<iq type='result' id='d2'><query ` + disco + ` node='http://jabber.org/protocol/muc#traffic'/></iq>`)
	s.Send(`<iq type='get' id='d3' from='` + phone + `' to='` + channel + `'><query ` + disco + ` node='x'/></iq>`)
	s.Expect(`<iq type='error' id='d3'><error type='cancel'><item-not-found ` + stanzas + `/></error></iq>`)
	s.Send(`<iq type='get' id='d4' from='` + phone + `' to='` + channel + `/Op'><query ` + disco + `/></iq>`)
	s.Expect(`<iq type='result' id='d4' from='` + channel + `/Op'><query ` + disco + `><identity category='client' type='pc' name='Op'/></query></iq>`)
	s.Send(`<iq type='get' id='d6' from='` + phone + `' to='` + channel + `'><query ` + disco + ` node='x-roomuser-item'/></iq>`)
	s.Expect(`<iq type='result' id='d6'><query ` + disco + `><no><identity/></no></query></iq>`)
	s.Send(`<iq type='get' id='d5' from='` + phone + `' to='` + channel + `'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`)
	s.Expect(`<iq type='result' id='d5'><query xmlns='http://jabber.org/protocol/disco#items'><no><item/></no></query></iq>`)
	s.quiet()
}
