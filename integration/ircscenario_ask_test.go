//go:build integration

package integration

import (
	"fmt"
	"strconv"
	"strings"

	"gangway/core/xmpp/stream"
)

const (
	discoInfo  = "xmlns='http://jabber.org/protocol/disco#info'"
	discoItems = "xmlns='http://jabber.org/protocol/disco#items'"
	rsm        = "xmlns='http://jabber.org/protocol/rsm'"
	mamQuery   = "xmlns='urn:xmpp:mam:2'"
)

func ircAskScenarios() []ircScenario {
	return []ircScenario{
		{name: "the list of channels", play: listOfChannels},
		{name: "what the gateway is", play: infoOfGateway},
		{name: "what a room is", play: infoOfRoom},
		{name: "self-ping", play: selfPing},
		{name: "another's version", play: versionOfAnother},
		{name: "one's own version", play: ownVersion},
		{name: "commands of an occupant", play: commandsOfOccupant},
		{name: "the archive", play: archivePages},
	}
}

// Joining 6, C5.6: LIST, in pages: first, after, before, none but the count, and a place that is not there.
func listOfChannels(s *ircStage) {
	s.person("bob", "$chan", "$chan-b", "$chan-c")
	s.enter("$phone", "$bob")
	ask := func(id, set string) {
		s.Send("<iq type='get' id='" + id + "' from='$phone' to='$server@$gw'><query " + discoItems + "><set " + rsm + ">" + set + "</set></query></iq>")
	}
	ask("l0", "<max>0</max>")
	st := s.Expect("<iq type='result' id='l0' from='$server@$gw' to='$phone'><query " + discoItems + "><no><item/></no><set " + rsm + "><count>$count</count><no><first/></no></set></query></iq>")
	_ = st
	count, err := strconv.Atoi(s.Var("count"))
	if err != nil || count < 3 {
		s.Fatalf("%q channels", s.Var("count"))
	}
	ask("l1", "<max>2</max>")
	s.Expect("<iq type='result' id='l1'><query " + discoItems + "><item jid='$one'/><item jid='$two'/><set " + rsm + "><first index='0'>$one</first><last>$two</last><count>$count</count></set></query></iq>")
	ask("l2", "<max>"+s.Var("count")+"</max><after>$two</after>")
	rest := s.Expect("<iq type='result' id='l2'><query " + discoItems + "><set " + rsm + "><first index='2'>$three</first><last>$last</last><count>$count</count></set></query></iq>")
	s.isListed(rest, count-2)
	ask("l3", "<max>1</max><before>$three</before>")
	s.Expect("<iq type='result' id='l3'><query " + discoItems + "><item jid='$two'/><set " + rsm + "><first index='1'>$two</first><last>$two</last></set></query></iq>")
	ask("l4", "<max>1</max><before/>")
	s.Expect("<iq type='result' id='l4'><query " + discoItems + "><item jid='$last'/></query></iq>")
	ask("l5", "<max>1</max><after>#nowhere%$server@$gw</after>")
	s.Expect("<iq type='error' id='l5'><error type='cancel'><item-not-found " + stanzaErr + "/></error></iq>")
}

// isListed checks how many items there are, and that each is a channel's address.
func (s *ircStage) isListed(st *stream.Stanza, want int) {
	s.Helper()
	n := 0
	for el := range st.Child("http://jabber.org/protocol/disco#items", "query").Children() {
		if el.Local() != "item" {
			continue
		}
		n++
		if jid := el.Attr("jid"); !strings.HasSuffix(jid, s.Known("%$server@$gw")) || jid[0] != '#' && jid[0] != '\\' && jid[0] != '+' {
			s.Errorf("listed as %q", jid)
		}
	}
	if n != want {
		s.Errorf("%d items, want %d", n, want)
	}
}

// C5.5; behaviour 1: a gateway, and a place of rooms.
func infoOfGateway(s *ircStage) {
	s.Send("<iq type='get' id='i1' from='$phone' to='$gw'><query " + discoInfo + "/></iq>")
	s.Expect("<iq type='result' id='i1' from='$gw' to='$phone'><query " + discoInfo + "><identity category='gateway' type='irc'/><identity category='conference' type='text'/>" +
		"<feature var='http://jabber.org/protocol/muc'/><feature var='jabber:iq:version'/><feature var='urn:xmpp:ping'/><feature var='http://jabber.org/protocol/commands'/></query></iq>")
	s.Send("<iq type='get' id='i2' from='$phone' to='$server@$gw'><query " + discoInfo + "/></iq>")
	s.Expect("<iq type='result' id='i2' from='$server@$gw' to='$phone'><query " + discoInfo + "><identity category='*' type='*'/></query></iq>")
	s.Send("<iq type='get' id='v1' from='$phone' to='$gw'><query xmlns='jabber:iq:version'/></iq>")
	s.Expect("<iq type='result' id='v1' from='$gw' to='$phone'><query xmlns='jabber:iq:version'><name>*</name><version>*</version></query></iq>")
}

// Joining 6, C5.5; behaviour 44: its own name; how many are in, and what they talk about, to who is in.
func infoOfRoom(s *ircStage) {
	bob := s.person("bob", "$chan")
	bob.write("TOPIC $chan :about things", "MODE $chan +m")
	ask := func(id, node string) {
		s.Send("<iq type='get' id='" + id + "' from='$phone' to='$room'><query " + discoInfo + node + "/></iq>")
	}
	const features = "<feature var='http://jabber.org/protocol/muc'/><feature var='urn:xmpp:mam:2'/><feature var='urn:xmpp:sid:0'/>" +
		"<feature var='urn:xmpp:occupant-id:0'/><feature var='urn:xmpp:ping'/><feature var='muc_nonanonymous'/>"
	ask("i1", "")
	s.Expect("<iq type='result' id='i1' from='$room' to='$phone'><query " + discoInfo + "><identity category='conference' type='text' name='$chan on $server'/>" + features +
		"<x xmlns='jabber:x:data'><no><field var='muc#roominfo_occupants'/></no></x></query></iq>")
	s.enter("$phone", "$bob")
	ask("i2", "")
	s.Expect("<iq type='result' id='i2'><query " + discoInfo + "><identity category='conference' type='text' name='$chan on $server'/>" + features +
		"<feature var='muc_moderated'/><x xmlns='jabber:x:data' type='result'><field var='muc#roominfo_occupants'><value>2</value></field>" +
		"<field var='muc#roominfo_subject'><value>about things</value></field></x></query></iq>")
	ask("i3", " node='http://jabber.org/protocol/muc#traffic'")
	s.Expect("<iq type='result' id='i3'><query " + discoInfo + " node='http://jabber.org/protocol/muc#traffic'/></iq>")
	s.Send("<iq type='get' id='i4' from='$phone' to='$room'><query " + discoItems + "/></iq>")
	s.Expect("<iq type='result' id='i4'><query " + discoItems + "><item jid='$room/$bob'/><item jid='$room/$me'/></query></iq>")
	s.Send("<iq type='get' id='i5' from='$carlphone' to='$room'><query " + discoItems + "/></iq>")
	s.Expect("<iq type='result' id='i5' to='$carlphone'><query " + discoItems + "><no><item/></no></query></iq>")
}

// C5.4; behaviour 37: from the occupant, honest at once.
func selfPing(s *ircStage) {
	bob := s.person("bob", "$chan")
	ping := func(from, nick string) {
		s.Send("<iq type='get' id='p1' from='" + from + "' to='$room/" + nick + "'><ping xmlns='urn:xmpp:ping'/></iq>")
	}
	const no = "<error type='cancel'><not-acceptable " + stanzaErr + "/></error>"
	ping("$phone", "$me")
	s.Expect("<iq type='error' id='p1' from='$room/$me' to='$phone'>" + no + "</iq>")
	s.enter("$phone", "$bob")
	ping("$phone", "$me")
	s.Expect("<iq type='result' id='p1' from='$room/$me' to='$phone'/>")
	ping("$desk", "$me")
	s.Expect("<iq type='error' id='p1' from='$room/$me' to='$desk'>" + no + "</iq>")
	bob.write("KICK $chan $me")
	s.Expect("<presence type='unavailable' from='$room/$me' to='$phone'/>")
	ping("$phone", "$me")
	s.Expect("<iq type='error' id='p1' from='$room/$me' to='$phone'>" + no + "</iq>")
}

// C5.4: asked by CTCP, of an occupant and of a person.
func versionOfAnother(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	for id, jid := range map[string]string{"v1": "$room/$bob", "v2": "$bob%$server@$gw"} {
		s.Send("<iq type='get' id='" + id + "' from='$phone' to='" + jid + "'><query xmlns='jabber:iq:version'/></iq>")
		bob.heard("PRIVMSG", "$bob", "\x01VERSION\x01")
		bob.write("NOTICE $me :\x01VERSION Knitter 7 of " + id + "\x01")
		s.Expect("<iq type='result' id='" + id + "' from='" + jid + "' to='$phone'><query xmlns='jabber:iq:version'><name>Knitter 7 of " + id + "</name><version/></query></iq>")
	}
}

// C5.4: who asks one's own is told what a resource says that it is.
func ownVersion(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	for {
		bob.write("PRIVMSG $me :\x01VERSION\x01")
		s.saysVersion("result", "<query xmlns='jabber:iq:version'><name>Prism</name><version>3.1</version><os>Hurd</os></query>")
		words := bob.heard("NOTICE", "$bob").Last()
		if strings.HasPrefix(words, "\x01VERSION Prism") && strings.Contains(words, "3.1") && strings.Contains(words, "Hurd") {
			return
		}
		s.Logf("the answer was too late: %q", words) // the gateway waits for a few seconds
	}
}

// saysVersion has the phone answer somebody who asks what it is.
func (s *ircStage) saysVersion(kind, inner string) {
	s.Helper()
	s.Expect("<iq type='get' id='$query' from='$bob%$server@$gw/$where' to='$phone'><query xmlns='jabber:iq:version'/></iq>")
	s.Send("<iq type='" + kind + "' id='$query' from='$phone' to='$bob%$server@$gw/$where'>" + inner + "</iq>")
	s.Unset("query")
	s.Unset("where")
}

// C5.5: occupants have no commands.
func commandsOfOccupant(s *ircStage) {
	s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	s.Send("<iq type='get' id='c1' from='$phone' to='$room/$bob'><query " + discoItems + " node='http://jabber.org/protocol/commands'/></iq>")
	s.Expect("<iq type='error' id='c1' from='$room/$bob' to='$phone'><error type='cancel'><feature-not-implemented " + stanzaErr + "/></error></iq>")
	s.Send("<iq type='set' id='c2' from='$phone' to='$room/$bob'><command xmlns='http://jabber.org/protocol/commands' node='x' action='execute'/></iq>")
	s.Expect("<iq type='error' id='c2' from='$room/$bob' to='$phone'><error type='cancel'/></iq>")
}

// Model 3, C5.7; behaviour 45: pages forth and back, their end, ids that are those of the live messages.
func archivePages(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	for i := range 5 {
		bob.write(fmt.Sprintf("PRIVMSG $chan :line %d", i))
		s.Expect(fmt.Sprintf("<message from='$room/$bob' to='$phone'><body>line %d</body><stanza-id xmlns='urn:xmpp:sid:0' by='$room' id='$id%[1]d'/></message>", i))
	}
	ask := func(id, set string, fields ...string) {
		form := "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>"
		for i := 0; i < len(fields); i += 2 {
			form += "<field var='" + fields[i] + "'><value>" + fields[i+1] + "</value></field>"
		}
		s.Send("<iq type='set' id='" + id + "' from='$phone' to='$room'><query " + mamQuery + " queryid='q'>" + form + "</x><set " + rsm + ">" + set + "</set></query></iq>")
	}
	results := func(id, complete string, lines ...int) {
		s.Helper()
		for _, i := range lines {
			s.Expect(fmt.Sprintf("<message from='$room' to='$phone'><result "+mamQuery+" queryid='q' id='$id%[1]d'><forwarded xmlns='urn:xmpp:forward:0'>"+
				"<delay xmlns='urn:xmpp:delay' stamp='*'/><message xmlns='jabber:client' from='$room/$bob' type='groupchat'><body>line %[1]d</body></message></forwarded></result></message>", i))
		}
		s.Expect("<iq type='result' id='" + id + "' from='$room' to='$phone'><fin " + mamQuery + complete + "/></iq>")
	}
	ask("a1", "<max>2</max>")
	results("a1", "", 0, 1)
	ask("a2", "<max>2</max><after>$id1</after>")
	results("a2", "", 2, 3)
	ask("a3", "<max>2</max><after>$id3</after>")
	results("a3", " complete='true'", 4)
	ask("a4", "<max>2</max><before/>")
	results("a4", "", 3, 4)
	ask("a5", "<max>9</max><before>$id3</before>")
	results("a5", " complete='true'", 0, 1, 2)
	ask("a6", "", "start", "2001-01-01T00:00:00Z", "end", "2101-01-01T00:00:00Z")
	results("a6", " complete='true'", 0, 1, 2, 3, 4)
	ask("a7", "", "start", "2101-01-01T00:00:00Z")
	results("a7", " complete='true'")
	ask("a8", "<after>no-such-id</after>")
	s.Expect("<iq type='error' id='a8' from='$room' to='$phone'><error type='cancel'><item-not-found " + stanzaErr + "/></error></iq>")
}
