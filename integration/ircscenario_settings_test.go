//go:build integration

package integration

import (
	"fmt"
	"strings"

	"gangway/integration/ircclient"
)

const adHoc = "xmlns='http://jabber.org/protocol/commands'"

func ircSettingScenarios() []ircScenario {
	return []ircScenario{
		{name: "settings of a room, a network and everywhere", play: settingsByPlace},
		{name: "the form of who is no operator", play: formOfMember},
		{name: "staying in all rooms", play: stayingEverywhere},
		{name: "the gateway is the network", on: []string{ngircd, inspircd}, play: gatewayIsNetwork},
		{name: "the most available client", on: []string{ngircd, inspircd}, play: mostAvailable},
	}
}

// told says something to the gateway and returns what it answers.
func (s *ircStage) told(text, answer string) {
	s.Helper()
	s.Send("<message type='chat' id='t' from='$phone' to='$gw'><body>" + text + "</body></message>")
	s.Expect("<message type='chat' from='$gw' to='$alice'><body>" + answer + "</body></message>")
}

// form fills in the form of an address.
func (s *ircStage) form(jid string, answers ...string) {
	s.Helper()
	s.Send("<iq type='set' id='f1' from='$phone' to='" + jid + "'><command " + adHoc + " node='configure'/></iq>")
	st := s.Expect("<iq type='result' id='f1' from='" + jid + "' to='$phone'><command " + adHoc + " node='configure' status='executing'/></iq>")
	session := st.Child("http://jabber.org/protocol/commands", "command").Attr("sessionid")
	fields := ""
	for i := 0; i < len(answers); i += 2 {
		fields += "<field var='" + answers[i] + "'><value>" + answers[i+1] + "</value></field>"
	}
	s.Send("<iq type='set' id='f2' from='$phone' to='" + jid + "'><command " + adHoc + " node='configure' sessionid='" + session +
		"' action='complete'><x xmlns='jabber:x:data' type='submit'>" + fields + "</x></command></iq>")
	s.Expect("<iq type='result' id='f2' from='" + jid + "' to='$phone'><command " + adHoc + " status='completed'><note type='info'>Your choices are kept.*</note></command></iq>")
}

// Preferences: what is chosen for a room, a person, the network and everywhere, by form and by chat, holds there and is
// inherited.
func settingsByPlace(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	said := func(id, body, heard string) {
		s.Helper()
		s.Send("<message type='groupchat' id='" + id + "' from='$phone' to='$room'><body>" + body + "</body></message>")
		bob.heard("PRIVMSG", "$chan", heard)
		s.Expect("<message type='groupchat' id='" + id + "' from='$room/$me' to='$phone'/>")
	}
	said("s1", "*now*", "\x02now\x02")
	s.told("settings formats no", "everywhere: formats = false (*)")
	said("s2", "*now*", "*now*")
	s.form("$server@$gw", "formats", "true", "edits", "inherit")
	said("s3", "*now*", "\x02now\x02")
	s.form("$room", "formats", "false")
	said("s4", "*now*", "*now*")
	s.told("settings $room", "What holds for $chan%$server:*formats = false (*")
	s.told("settings $chan%$server formats inherit", "$chan%$server: formats = true, as on $server (*)")
	said("s5", "*now*", "\x02now\x02")
	s.Ignore(s.Known("<presence from='$bob%$server@$gw/gateway'/>"))
	s.form("$bob%$server@$gw", "encoding_out", "latin1")
	s.Send("<message type='chat' id='p1' from='$phone' to='$bob%$server@$gw'><body>café</body></message>")
	bob.heard("PRIVMSG", "$bob", "caf\xe9")
}

// Compatibility 5; behaviour 48: everybody in a room chooses what concerns themselves, and reads what the room is like.
func formOfMember(s *ircStage) {
	s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	s.Send("<iq type='get' id='o1' from='$phone' to='$room'><query " + mucOwner + "/></iq>")
	s.Expect("<iq type='result' id='o1' from='$room' to='$phone'><query " + mucOwner + "><x xmlns='jabber:x:data' type='form'>" +
		"<field var='muc#roomconfig_persistentroom'><value>0</value></field><field var='x-edits'/><field var='x-encoding_in'/>" +
		"<field type='fixed'><value>Only who has a voice may speak: no</value></field></x></query></iq>")
	s.choose("edits", "refuse")
	s.Send("<message type='groupchat' id='e1' from='$phone' to='$room'><body>tha cat</body></message>")
	s.Expect("<message type='groupchat' id='e1' from='$room/$me' to='$phone'/>")
	s.Send("<message type='groupchat' id='e2' from='$phone' to='$room'><body>the cat</body><replace xmlns='urn:xmpp:message-correct:0' id='e1'/></message>")
	s.Expect("<message type='error' id='e2' from='$room' to='$phone'><error type='cancel'/></message>")
}

// Model 4: who chose to stay in all rooms stays in this one, until they choose otherwise.
func stayingEverywhere(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	s.told("settings persistent yes", "everywhere: persistent = true (*)")
	s.leave("$phone")
	s.told("settings persistent", "persistent = true (*")
	bob.notHeard("PART", "$chan")
	s.enter("$phone", "$bob")
	s.leave("$phone")
	s.told("settings persistent inherit", "everywhere: persistent = false, as usual (*)")
	bob.heard("PART", "$chan")
}

// Model 2, Joining 6: with a fixed network the gateway lists its channels, has its form, and needs no name of it to register.
func gatewayIsNetwork(s *ircStage) {
	s.Set("gw", s.kind+".gw")
	s.Set("room", s.Known("$chan@$gw"))
	s.Ignore("<presence from='" + s.kind + ".gw'/>")
	s.Ignore("<message type='chat' from='$server@$gw*'/>") // what the server says besides
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	s.Send("<iq type='get' id='l1' from='$phone' to='$gw'><query " + discoItems + "/></iq>")
	st := s.Expect("<iq type='result' id='l1' from='$gw' to='$phone'><query " + discoItems + "/></iq>")
	if listed := fmt.Sprint(st); !strings.Contains(listed, s.Known("'$room'")) {
		s.Errorf("%s is not in %s", s.Known("$room"), listed)
	}
	s.Send("<iq type='get' id='l2' from='$phone' to='$room'><query " + discoInfo + "/></iq>")
	s.Expect("<iq type='result' id='l2' from='$room' to='$phone'><query " + discoInfo + "><identity category='conference' type='text'/></query></iq>")
	s.Send("<message type='groupchat' id='m1' from='$phone' to='$room'><body>hello</body></message>")
	bob.heard("PRIVMSG", "$chan", "hello")
	s.Expect("<message type='groupchat' id='m1' from='$room/$me' to='$phone'/>")
	s.form("$gw", "formats", "false")
	s.Ignore("<message type='chat' from='" + s.kind + ".gw'/>")
	s.Send("<iq type='set' id='r1' from='$phone' to='$gw'><query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'>" +
		"<field var='nick'><value>$me-x</value></field></x></query></iq>")
	s.Expect("<presence type='unavailable' from='$room/$me' to='$phone'/>") // the account has changed
	s.Expect("<iq type='result' id='r1' from='$gw' to='$phone'/>")
	s.Set("me", s.Known("$me-x"))
	s.enter("$phone", "$bob")
}

// Joining 9; behaviours 35 and 36: a join says how available a client is, and of several the most available one counts.
func mostAvailable(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.Send("<presence from='$phone' to='$room/$me'>" + inMUC + "<show>away</show><status>Lunch</status></presence>")
	s.entered("$phone", "$me", "$bob")
	away := func(want bool) {
		s.Helper()
		for s.ctx.Err() == nil { // it takes a moment
			bob.write("WHOIS $me")
			if _, away := bob.Take(ircclient.Command("301")); away == want {
				return
			}
		}
		s.Fatalf("never seen as away: %v", want)
	}
	away(true)
	s.join("$desk")
	s.entered("$desk", "$me", "$bob")
	away(false)
	s.Send("<presence from='$desk' to='$room/$me'><show>xa</show></presence>")
	away(true)
	s.Send("<presence from='$phone' to='$room/$me'/>")
	away(false)
}
