//go:build integration

package integration

import (
	"net"
	"strings"

	"gangway/integration/ircclient"
	"gangway/integration/servers"
	"gangway/integration/servers/serverstest"
)

func ircUser(user string) ircclient.Config { return ircclient.Config{User: user} }

func ircChangeScenarios() []ircScenario {
	return []ircScenario{
		{name: "kicked", play: kicked},
		{name: "kicking", play: kicking},
		{name: "another's nick", play: nickOfAnother},
		{name: "one's own nick", play: ownNick},
		{name: "a nick that is taken", play: ownNickTaken},
		{name: "leaving and quitting", play: partAndQuit},
		{name: "a subject is set", play: subjectSet},
		{name: "away", play: ownAway},
		{name: "others who are away", on: []string{inspircd, hybrid}, play: othersAway}, // ngircd tells nobody (away-notify)
		{name: "a netsplit", on: []string{ngircd, inspircd}, play: netsplit},            // hybrid would be a third time the same
		{name: "invited", play: invitedFromIRC},
		{name: "inviting", play: invitingToIRC},
	}
}

// Joining 5, C5.1: one's own removal, with who and why, to every resource.
func kicked(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	s.enter("$desk", "$bob")
	bob.write("KICK $chan $me :Not you")
	gone := func(resource string) string {
		return "<presence type='unavailable' from='$room/$me' to='" + resource + "'><x " + mucUser + "><item affiliation='none' role='none'>" +
			"<actor nick='$bob'/><reason>Not you</reason></item><status code='110'/><status code='307'/></x></presence>"
	}
	s.ExpectAll(gone("$phone"), gone("$desk"))
	s.Send("<iq type='get' id='p' from='$phone' to='$room/$me'><ping xmlns='urn:xmpp:ping'/></iq>")
	s.Expect("<iq type='error' id='p' from='$room/$me' to='$phone'><error type='cancel'><not-acceptable " + stanzaErr + "/></error></iq>")
	s.enter("$phone", "$bob")
}

// Joining 5, C5.1: another's, by muc#admin.
func kicking(s *ircStage) {
	s.enter("$phone")
	s.enter("$desk")
	bob := s.person("bob", "$chan")
	s.ExpectAll("<presence from='$room/$bob' to='$phone'/>", "<presence from='$room/$bob' to='$desk'/>")
	s.admin("k1", "$phone", "nick='$bob' role='none'", "Out")
	gone := func(resource string) string {
		return "<presence type='unavailable' from='$room/$bob' to='" + resource + "'><x " + mucUser + "><item affiliation='none' role='none'>" +
			"<actor nick='$me'/><reason>Out</reason></item><status code='307'/><no><status code='110'/></no></x></presence>"
	}
	s.ExpectAll("<iq type='result' id='k1' from='$room' to='$phone'/>", gone("$phone"), gone("$desk"))
	if l := bob.heard("KICK", "$chan", "$bob"); l.Last() != "Out" || l.Nick() != s.Known("$me") {
		s.Errorf("%s", l)
	}
}

// Joining 5, C5.3: unavailable with 303 and the new nick, then available.
func nickOfAnother(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	bob.write("NICK $bob-new")
	s.Expect("<presence type='unavailable' from='$room/$bob' to='$phone'><x " + mucUser + "><item affiliation='admin' role='moderator' nick='$bob-new'/>" +
		"<status code='303'/><no><status code='110'/></no></x></presence>")
	s.Expect("<presence type='!' from='$room/$bob-new' to='$phone'><x " + mucUser + "><item affiliation='admin' role='moderator'/><no><status/></no></x></presence>")
}

// Joining 5, C5.3: 110 on both, to every resource, in every room.
func ownNick(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	s.enter("$desk", "$bob")
	s.Set("mynew", s.Known("$me")+"new")
	s.Send("<presence id='n1' from='$phone' to='$room/$mynew'/>")
	var all []string
	for _, resource := range []string{"$phone", "$desk"} {
		all = append(all,
			"<presence type='unavailable' from='$room/$me' to='"+resource+"'><x "+mucUser+"><item nick='$mynew'/><status code='303'/><status code='110'/></x></presence>",
			"<presence type='!' from='$room/$mynew' to='"+resource+"'><x "+mucUser+"><status code='110'/></x></presence>")
	}
	s.ExpectAll(all...)
	bob.heard("NICK", "$mynew")
}

// C5.3: a nick that is taken is a conflict, from the occupant that was to be, and changes nothing.
func ownNickTaken(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	s.Send("<presence id='n1' from='$phone' to='$room/$bob'/>")
	s.Expect("<presence type='error' id='n1' from='$room/$bob' to='$phone'>" + inMUC + "<error type='cancel'><conflict " + stanzaErr + "/></error></presence>")
	s.Send("<message type='groupchat' id='m1' from='$phone' to='$room'><body>still me</body></message>")
	s.Expect("<message type='groupchat' id='m1' from='$room/$me'/>")
	bob.heard("PRIVMSG", "$chan", "still me")
}

// Joining 5: unavailable, with the reason.
func partAndQuit(s *ircStage) {
	bob := s.person("bob", "$chan")
	dave := s.person("dave", "$chan")
	s.enter("$phone", "$bob", "$dave")
	bob.write("PART $chan :off to lunch")
	status := "<status>off to lunch</status>"
	if s.kind == hybrid {
		status = "" // it passes none on from those who have just come
	}
	s.Expect("<presence type='unavailable' from='$room/$bob' to='$phone'>" + status + item("*", "none") + "</presence>")
	if err := dave.Send("QUIT :so long"); err != nil {
		s.Fatal(err)
	}
	s.Expect("<presence type='unavailable' from='$room/$dave' to='$phone'><status>*</status>" + item("*", "none") + "</presence>")
	bob.write("JOIN $chan")
	s.Expect("<presence type='!' from='$room/$bob' to='$phone'/>")
}

// C4.7: line ends are blanks; the change comes from the occupant.
func subjectSet(s *ircStage) {
	s.enter("$phone")
	bob := s.person("bob", "$chan")
	s.Expect("<presence from='$room/$bob'/>")
	s.Send("<message type='groupchat' id='t1' from='$phone' to='$room'><subject>one\ntwo</subject></message>")
	s.Expect("<message type='groupchat' from='$room/$me' to='$phone'><subject>one two</subject><no><body/></no></message>")
	bob.heard("TOPIC", "$chan", "one two")
}

// Joining 5: the user's away is IRC's.
func ownAway(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	s.Ignore(s.Known("<presence from='$room/$me'/>")) // shown where the network tells it
	away := func(show, status, reply string, params ...string) {
		s.Helper()
		s.Send("<presence from='$phone' to='$room/$me'>" + show + status + "</presence>")
		for {
			bob.write("PRIVMSG $me :are you there?")
			s.Expect("<message type='chat'><body>are you there?</body></message>")
			if reply == "" {
				if _, ok := bob.Take(ircclient.Command("301")); !ok {
					return
				}
				continue
			}
			if l, ok := bob.Take(ircclient.Command(reply)); ok {
				if !strings.Contains(l.Last(), params[0]) {
					s.Errorf("%s", l)
				}
				return
			}
		}
	}
	away("<show>away</show>", "<status>out for lunch</status>", "301", "out for lunch")
	away("", "", "")
}

// Joining 5: others' away is their show, in a join and later.
func othersAway(s *ircStage) {
	bob := s.person("bob", "$chan")
	bob.write("AWAY :lunch")
	s.join("$phone")
	s.Expect("<presence from='$room/$bob' to='$phone'><show>away</show></presence>")
	s.entered("$phone", "$me")
	bob.write("AWAY")
	s.Expect("<presence type='!' from='$room/$bob' to='$phone'><no><show/></no></presence>")
	bob.write("AWAY :lunch again")
	s.Expect("<presence type='!' from='$room/$bob' to='$phone'><show>away</show></presence>")
}

// leaf starts one more server of the network.
func (s *ircStage) leaf() servers.IRCServer {
	s.Helper()
	conf := servers.IRCConfig{Dir: serverstest.Dir(s.T), Name: "leaf." + s.kind + ".test", Unlimited: true, ID: "002"}
	if s.kind == inspircd {
		conf.Extra = inspircdLink("inspircd.test", s.h.links[inspircd]) + "<autoconnect period=\"1\" server=\"inspircd.test\">\n"
		return serverstest.Start(s.T, servers.NewInspircd, conf)
	}
	_, port, err := net.SplitHostPort(s.irc.Addr())
	if err != nil {
		s.Fatal(err)
	}
	conf.Extra = "[Server]\nName = ngircd.test\nHost = 127.0.0.1\nPort = " + port + "\nMyPassword = x\nPeerPassword = x\n"
	return serverstest.Start(s.T, servers.NewNgircd, conf)
}

// Joining 5: who is lost in a netsplit may be back in a moment, so that it is told to nobody but those who enter.
func netsplit(s *ircStage) {
	dave := s.person("dave", "$chan")
	leaf := s.leaf()
	bob, err := ircclient.Dial(s.ctx, leaf.Addr(), ircclient.Config{Nick: s.Known("bob$me")})
	if err != nil {
		s.Fatal(err)
	}
	defer bob.Close()
	s.Set("bob", bob.Nick())
	if err := bob.Join(s.ctx, s.Known("$chan")); err != nil {
		s.Fatal(err)
	}
	dave.heard("JOIN", "$chan")
	s.enter("$phone", "$bob", "$dave")
	if err := leaf.Kill(); err != nil {
		s.Fatal(err)
	}
	s.Logf("split: %s", dave.heard("QUIT"))
	dave.write("PRIVMSG $chan :they will be back")
	s.Expect("<message from='$room/$dave' to='$phone'><body>they will be back</body></message>")
	s.join("$desk")
	s.Expect("<presence type='unavailable' from='$room/$bob' to='$phone'><status>*leaf.*</status>" + item("*", "none") + "</presence>")
	s.entered("$desk", "$me", "$dave")
}

// C4.8: an invitation is the room's.
func invitedFromIRC(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.Send("<presence from='$phone' to='$chan-b%$server@$gw/$me'>" + inMUC + "</presence>")
	s.Expect("<presence from='$chan-b%$server@$gw/$me'/>")
	s.Expect("<message from='$chan-b%$server@$gw'><subject/></message>")
	bob.write("INVITE $me $chan")
	s.Expect("<message from='$room' to='$alice'><body>$bob invites you to $chan.</body><x " + mucUser + "><invite from='$bob%$server@$gw'/></x>" +
		"<x xmlns='jabber:x:conference' jid='$room'/></message>")
}

// C4.8: the other way, to people of the network, and to people of XMPP.
func invitingToIRC(s *ircStage) {
	bob := s.person("bob")
	s.enter("$phone")
	s.Ignore("<message type='groupchat'><body>* invited * into this channel.</body></message>") // told where the network tells it
	s.Send("<message from='$phone' to='$room'><x " + mucUser + "><invite to='$bob%$server@$gw'><reason>come in</reason></invite></x></message>")
	if l := bob.heard("INVITE", "$bob", "$chan"); l.Nick() != s.Known("$me") {
		s.Errorf("%s", l)
	}
	s.Send("<message from='$phone' to='$room'><x " + mucUser + "><invite to='$carl'><reason>come in</reason></invite></x></message>")
	s.Expect("<message from='$room' to='$carl'><x " + mucUser + "><invite from='$alice'><reason>come in</reason></invite></x></message>")
	s.Send("<message type='normal' id='i1' from='$phone' to='$room'><x " + mucUser + "><invite to='nobody-here%$server@$gw'/></x></message>")
	s.Expect("<message type='error' id='i1' from='$room' to='$phone'><error type='cancel'><item-not-found " + stanzaErr + "/></error></message>")
}
