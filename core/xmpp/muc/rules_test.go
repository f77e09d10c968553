package muc

import (
	"fmt"
	"testing"

	"gangway/core"
	"gangway/core/xmpp/addr"
)

// Behaviour 32: an error is answered by nobody, whoever it is from and whatever it is about.
func TestNoAnswerToErrors32(t *testing.T) {
	s := open(t)
	s.enter(phone)
	for _, from := range []string{phone, desk, "bob@example.org/x", "example.org"} {
		for _, to := range []string{channel, channel + "/me", channel + "/Op", "#d%net@irc.gw", "#C%NET@irc.gw", "#bad%@irc.gw"} {
			for _, kind := range []string{"message", "presence", "iq"} {
				s.Send(`<` + kind + ` type='error' id='e1' from='` + from + `' to='` + to + `'><body>x</body>` + muc +
					`<error type='modify'><bad-request ` + stanzas + `/></error></` + kind + `>`)
			}
		}
	}
	s.quiet()
	s.Quiet("bob@example.org/x", s.d.Name)
	s.Send(ping(phone, channel+"/me"))
	s.Expect(`<iq type='result' id='p1'/>`)
}

// Behaviour 37: while the network is away one is still in, or clients would join again and again; when the gateway has
// begun anew one is in nowhere, and is told so at once.
func TestSelfPingHonest37(t *testing.T) {
	s := open(t)
	s.enter(phone)
	s.show(&core.RoomLeft{Ref: ref, Self: core.Member{Nick: "me"}, Why: core.Disconnected})
	s.Expect(`<message><body>*reconnecting*</body></message>`)
	s.Send(ping(phone, channel+"/me"))
	s.Expect(`<iq type='result' id='p1'/>`)
	s.rooms.Close()
	s.Expect(`<presence type='unavailable'/>`)
	s.net.refusing(core.E(core.Unavailable, "test", "")) // whatever the network says
	s.Send(ping(phone, channel+"/me"))
	s.Expect(`<iq type='error' id='p1'><error type='cancel'><not-acceptable ` + stanzas + `/></error></iq>`)
	s.quiet()
}

// Behaviour 44: all that clients look for.
func TestFeatures44(t *testing.T) {
	s := open(t)
	s.rooms.cfg.Features = []string{"urn:xmpp:mam:2"}
	const disco = `xmlns='http://jabber.org/protocol/disco#info'`
	features := ""
	for _, f := range []string{
		"muc_persistent", "muc_open", "muc_nonanonymous", "muc_public", "muc_unmoderated", "muc_unsecured", "urn:xmpp:mam:2",
		"urn:xmpp:sid:0", "urn:xmpp:occupant-id:0", "vcard-temp", "jabber:iq:register", "urn:xmpp:ping",
	} {
		features += `<feature var='` + f + `'/>`
	}
	const ask = `<iq type='get' id='d1' from='` + phone + `' to='` + channel + `'><query ` + disco + `/></iq>`
	s.Send(ask)
	s.Expect(`<iq type='result' id='d1'><query ` + disco + `>` + features + `<no><feature var='muc_membersonly'/></no></query></iq>`)
	s.enter(phone)
	s.populate()
	s.net.mu.Lock()
	s.net.state.Settings = &core.Settings{MembersOnly: true, Hidden: true, Moderated: true, Password: "k"}
	s.net.mu.Unlock()
	s.Send(ask)
	s.Expect(`<iq type='result' id='d1'><query ` + disco + `><feature var='muc_membersonly'/><feature var='muc_hidden'/><feature var='muc_moderated'/>
		<feature var='muc_passwordprotected'/><no><feature var='muc_open'/><feature var='muc_public'/></no></query></iq>`)
	s.net.mu.Lock()
	s.net.state.Settings = nil // the network has not said: it is asked
	s.net.mu.Unlock()
	s.Send(ask)
	s.asked("settings of #c")
	s.Expect(`<iq type='result' id='d1'><query ` + disco + `><feature var='muc_open'/><no><feature var='muc_membersonly'/></no></query></iq>`)
	s.quiet()
}

// Nobody in a room has commands of their own, or anything else under a node.
func TestNodesOfAnOccupant(t *testing.T) {
	s := open(t)
	s.enter(phone)
	s.Send(`<iq type='get' id='c1' from='` + phone + `' to='` + channel + `/Op'><query xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/></iq>`)
	s.Expect(`<iq type='error' id='c1'><error type='cancel'><feature-not-implemented ` + stanzas + `/></error></iq>`)
	s.quiet()
}

// Behaviour 44: a room that says it is non-anonymous gives the JID of everybody in it, of oneself as well.
func TestRealJIDs44(t *testing.T) {
	s := open(t)
	o := s.ask(phone, "j1")
	e := &core.RoomJoined{Ref: ref, Origin: o, Self: core.Member{Nick: "me", Address: "me", Real: "~a@h"}, Asked: "me"}
	for i, nick := range []string{"Op", "[m]|x", "a/b", "élan"} {
		e.Members = append(e.Members, core.Member{Nick: nick, Address: core.Address(nick), Real: fmt.Sprintf("~%s@h%d", nick, i)})
	}
	s.show(e)
	for range len(e.Members) + 1 {
		st := s.Expect(`<presence type='!'><x ` + user + `><item jid='*'/></x></presence>`)
		jid, err := addr.Parse(st.Child(NSUser, "x").Child("", "item").Attr("jid"))
		if err != nil || !s.d.Owns(jid) {
			t.Errorf("%s is %q: %v", st.From, jid, err)
		}
	}
	s.Expect(`<message><subject/></message>`)
}

// Behaviour 35: what one client does in the room is not done to the others.
func TestResourcesApart35(t *testing.T) {
	s := open(t)
	s.enter(phone, desk)
	s.Send(presence(desk, "me", "type='unavailable'", ""))
	s.Expect(`<presence type='unavailable' to='` + desk + `'><x ` + user + `><status code='110'/></x></presence>`)
	s.Send(say(desk, "m1", "<body>x</body>"))
	s.Expect(`<message type='error' id='m1' to='` + desk + `'><error type='modify'><not-acceptable ` + stanzas + `/></error></message>`)
	s.Send(ping(phone, channel+"/me"))
	s.Expect(`<iq type='result' id='p1'/>`)
	s.Send(ping(desk, channel+"/me"))
	s.Expect(`<iq type='error' id='p1'/>`)
	s.quiet()
}
