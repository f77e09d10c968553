//go:build integration

package integration

import (
	"fmt"
	"strings"
)

func ircJoinScenarios() []ircScenario {
	return []ircScenario{
		{name: "join order", play: joinOrder},
		{name: "a subject", play: joinWithSubject},
		{name: "history", play: joinWithHistory},
		{name: "queued joins", play: queuedJoins},
		{name: "a nick in use", play: nickInUse},
		{name: "several resources", play: severalResources},
		{name: "a resource that is gone", play: resourceGone},
	}
}

// Joining 1, C3.1 and 2; behaviour 34: the others with role and affiliation, oneself with 100 and 110, the subject,
// from the room itself if it is empty.
func joinOrder(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.person("dave", "$chan")
	s.person("erin", "$chan")
	bob.write("MODE $chan +v $dave")
	s.join("$phone")
	s.ExpectAll(
		"<presence from='$room/$bob' to='$phone' type='!'><x "+mucUser+"><item affiliation='admin' role='moderator' jid='$bob%$server@$gw/*@*'/></x></presence>",
		"<presence from='$room/$dave' to='$phone' type='!'><x "+mucUser+"><item affiliation='member' role='participant'/></x></presence>",
		"<presence from='$room/$erin' to='$phone' type='!'><x "+mucUser+"><item affiliation='none' role='participant'/></x></presence>",
	)
	s.Expect("<presence from='$room/$me' to='$phone' type='!'><x " + mucUser + "><item affiliation='none' role='participant'/>" +
		"<status code='100'/><status code='110'/><no><status code='210'/></no></x></presence>")
	st := s.Expect("<message type='groupchat' from='$room' to='$phone'><subject/><no><body/></no></message>")
	if text := st.ChildText("", "subject"); text != "" {
		s.Errorf("subject %q", text)
	}
	s.quiet("$phone")
}

// Joining 1, C3.1: the subject is from who set it.
func joinWithSubject(s *ircStage) {
	bob := s.person("bob", "$chan")
	bob.write("TOPIC $chan :Welcome to it")
	s.join("$phone")
	s.Expect("<presence from='$room/$bob'/>")
	s.Expect("<presence from='$room/$me'/>")
	s.Expect("<message type='groupchat' from='$room/$bob' to='$phone'><subject>Welcome to it</subject></message>")
}

// Joining 1, C5 (MUC history): between oneself and the subject, as much as was asked for, with the time of each.
func joinWithHistory(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	for i := range 3 {
		bob.write(fmt.Sprintf("PRIVMSG $chan :line %d", i))
		s.Expect(fmt.Sprintf("<message from='$room/$bob'><body>line %d</body></message>", i))
	}
	for history, lines := range map[string][]int{
		"":                          {0, 1, 2},
		"<history maxstanzas='2'/>": {1, 2},
		"<history maxstanzas='0'/>": nil,
		"<history maxchars='0'/>":   nil,
		"<history seconds='3600'/>": {0, 1, 2},
		"<history since='2001-01-01T00:00:00Z'/>": {0, 1, 2},
		"<history since='2101-01-01T00:00:00Z'/>": nil,
	} {
		s.Send("<presence from='$desk' to='$room/$me'><x xmlns='http://jabber.org/protocol/muc'>" + history + "</x></presence>")
		s.Expect("<presence from='$room/$bob' to='$desk'/>")
		s.Expect("<presence from='$room/$me' to='$desk'><x " + mucUser + "><status code='110'/></x></presence>")
		for _, i := range lines {
			s.Expect(fmt.Sprintf("<message type='groupchat' from='$room/$bob' to='$desk'><body>line %d</body>"+
				"<delay xmlns='urn:xmpp:delay' from='$room' stamp='*'/><stanza-id xmlns='urn:xmpp:sid:0' by='$room' id='*'/></message>", i))
		}
		s.Expect("<message to='$desk' from='$room' type='groupchat'><subject/></message>")
	}
}

// Joining 2, C3.4 and C2.1: joins from before the connection is up are done when it is, all under the first nick.
func queuedJoins(s *ircStage) {
	var want []string
	for i, nick := range []string{"$me", "$me", "other"} {
		room := fmt.Sprintf("$chan-%d%%$server@$gw", i)
		s.Send("<presence from='$phone' to='" + room + "/" + nick + "'>" + inMUC + "</presence>")
		status := "<no><status code='210'/></no>"
		if nick != "$me" {
			status = "<status code='210'/>"
		}
		want = append(want,
			"<presence from='"+room+"/$me' to='$phone'><x "+mucUser+"><status code='110'/>"+status+"</x></presence>",
			"<message type='groupchat' from='"+room+"' to='$phone'><subject/></message>")
	}
	s.ExpectAll(want...)
	s.quiet("$phone")
}

// Joining 2, C3.2; behaviour 41: another nick is taken, which status 210 tells, and the wanted one when it is free.
func nickInUse(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.person("dave", "$chan")
	s.Send("<presence from='$phone' to='$room/$bob'>" + inMUC + "</presence>")
	s.ExpectAll("<presence from='$room/$bob' to='$phone'><x "+mucUser+"><no><status/></no></x></presence>", "<presence from='$room/$dave' to='$phone'/>")
	s.Expect("<presence from='$room/$other' to='$phone'><x " + mucUser + "><status code='100'/><status code='110'/><status code='210'/></x></presence>")
	s.Expect("<message to='$phone'><subject/></message>")
	if other := s.Var("other"); !strings.HasPrefix(other, s.Known("$bob")) {
		s.Errorf("entered as %q, wanted %q", other, s.Known("$bob"))
	}
	bob.write("NICK $bob-away")
	s.Expect("<presence type='unavailable' from='$room/$bob' to='$phone'><x " + mucUser + "><item nick='$bob-away'/><status code='303'/></x></presence>")
	s.Expect("<presence from='$room/$bob-away' to='$phone'/>")
	s.Expect("<presence type='unavailable' from='$room/$other' to='$phone'><x " + mucUser + "><item nick='$bob'/><status code='303'/><status code='110'/></x></presence>")
	s.Expect("<presence from='$room/$bob' to='$phone'><x " + mucUser + "><status code='110'/></x></presence>")
}

// Joining 3, C3.3 and 4; behaviour 35: a second resource shares the connection, one that is in already gets everything
// again, and the last one's leave is IRC's.
func severalResources(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	bob.heard("JOIN", "$chan")
	s.enter("$desk", "$bob")
	s.enter("$phone", "$bob")
	s.Send("<presence from='$desk' to='$room/somebody'>" + inMUC + "</presence>") // another nick is ignored
	s.Expect("<presence from='$room/$bob' to='$desk'/>")
	s.Expect("<presence from='$room/$me' to='$desk'><x " + mucUser + "><status code='110'/><status code='210'/></x></presence>")
	s.Expect("<message from='$room' to='$desk'><subject/></message>")
	bob.write("PRIVMSG $chan :to both")
	s.ExpectAll("<message to='$phone'><body>to both</body></message>", "<message to='$desk'><body>to both</body></message>")
	bob.notHeard("JOIN")
	bob.notHeard("NICK")

	s.leave("$desk")
	bob.write("PRIVMSG $chan :to one")
	s.Expect("<message to='$phone'><body>to one</body></message>")
	s.quiet("$phone")
	bob.notHeard("PART")
	s.Send("<presence type='unavailable' from='$phone' to='$room/$me'><status>so long</status></presence>")
	s.Expect("<presence type='unavailable' from='$room/$me' to='$phone'><x " + mucUser + "><item affiliation='none' role='none'/><status code='110'/></x></presence>")
	if l := bob.heard("PART", "$chan"); !strings.Contains(l.Last(), "so long") && s.kind != hybrid { // within the first second it carries none
		s.Errorf("no reason: %s", l)
	}
}

// Joining 3, C3.5; behaviour 38: an error that a resource's server sends takes that resource out, and no other.
func resourceGone(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	s.enter("$desk", "$bob")
	s.Send("<message type='error' from='$desk' to='$room/$bob'><error type='cancel'><recipient-unavailable " + stanzaErr + "/></error></message>")
	ping := func(resource string) {
		s.Send("<iq type='get' id='p' from='" + resource + "' to='$room/$me'><ping xmlns='urn:xmpp:ping'/></iq>")
	}
	ping("$desk")
	s.Expect("<iq type='error' id='p' from='$room/$me' to='$desk'><error type='cancel'><not-acceptable " + stanzaErr + "/></error></iq>")
	ping("$phone")
	s.Expect("<iq type='result' id='p' from='$room/$me' to='$phone'/>")
	bob.write("PRIVMSG $chan :still there?")
	s.Expect("<message to='$phone'><body>still there?</body></message>")
	s.quiet("$phone")
	bob.notHeard("PART")
	s.Send("<presence type='error' from='$phone' to='$room/$bob'><error type='wait'><remote-server-timeout " + stanzaErr + "/></error></presence>")
	bob.heard("PART", "$chan")
}
