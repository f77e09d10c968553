//go:build integration

package integration

import (
	"strings"

	"gangway/core/xmpp/stream"
)

const receiptNS = "xmlns='urn:xmpp:receipts'"

func ircPrivateScenarios() []ircScenario {
	return []ircScenario{
		{name: "in private", play: inPrivate},
		{name: "in private, within the room", play: withinTheRoom},
		{name: "raw commands", play: rawCommands},
		{name: "encodings", play: encodings},
	}
}

// chatFrom is what a user is told in private, by their bare address: a person has one address, whatever room they were
// met in, and their words no muc#user, carbons' private or no-copy, which biboumi had before its version 10.
func chatFrom(from, body, more string) string {
	return "<message to='$alice' type='chat' from='" + from + "*' id='*'><body>" + body + "</body>" + more +
		"<no><x " + mucUser + "/></no><no><private xmlns='urn:xmpp:carbons:2'/></no><no><no-copy xmlns='urn:xmpp:hints'/></no></message>"
}

// withoutPresence leaves out that people who were written to are there, which networks tell sooner or later or not.
func (s *ircStage) withoutPresence() { s.Ignore("<presence from='*@irc.gw/gateway'/>") }

// refusedStanza is an error on a stanza.
func refusedStanza(kind, from, to, id, typ, condition string) string {
	return "<" + kind + " to='" + to + "' from='" + from + "' type='error' id='" + id + "'><error type='" + typ + "'><" + condition + " " + stanzaErr + "/>" +
		"<text " + stanzaErr + "/></error></" + kind + ">"
}

// Messages 5; compatibility 4 and 6; behaviours 22, 28, 43: a person has one address, in lower case.
func inPrivate(s *ircStage) {
	bob := s.person("bob")
	s.enter("$phone")
	s.withoutPresence()
	s.Set("them", s.Known("$bob%$server@$gw"))
	bob.write("PRIVMSG $me :hello")
	s.Expect(chatFrom("$them", "hello", ""))
	s.Send("<message from='$phone' to='$them' type='chat' id='p1'><body>and to you</body><request " + receiptNS + "/></message>")
	if got := bob.answered("$me"); got != "and to you" {
		s.Errorf("heard %q", got)
	}
	s.Expect("<message to='$phone' from='$them*'><received " + receiptNS + " id='p1'/></message>")
	s.Set("loud", strings.ToUpper(s.Known("$bob"))+s.Known("%$server@$gw"))
	s.Send("<message from='$desk' to='$loud' type='chat' id='p2'><body>LOUD</body></message>")
	if got := bob.answered("$me"); got != "LOUD" {
		s.Errorf("heard %q", got)
	}
	bob.write("PRIVMSG $me :\x01ACTION whispers\x01")
	s.Expect(chatFrom("$them", "/me whispers", ""))
	s.Send("<message from='$phone' to='nobody$me%$server@$gw' type='chat' id='p3'><body>is there somebody?</body></message>")
	s.Expect(refusedStanza("message", "nobody$me%$server@$gw*", "$phone", "p3", "cancel", "item-not-found"))
	s.quiet("$phone")
}

// Messages 5; compatibility 4; behaviour 43: what is sent to a member goes to the person, the receipt and the error come
// from where it was sent to, and the answer from the person's own address.
func withinTheRoom(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	s.withoutPresence()
	private := func(from, to, id string) {
		s.Send("<message from='" + from + "' to='$room/" + to + "' type='chat' id='" + id + "'><body>psst</body><x " + mucUser + "/><request " + receiptNS + "/></message>")
	}
	private("$phone", "$bob", "w1")
	if got := bob.answered("$me"); got != "psst" {
		s.Errorf("heard %q", got)
	}
	s.Expect("<message to='$phone' from='$room/$bob' type='chat'><received " + receiptNS + " id='w1'/><x " + mucUser + "/></message>")
	bob.write("PRIVMSG $me :what is it?")
	s.Expect(chatFrom("$bob%$server@$gw", "what is it?", ""))
	private("$phone", "nobody$me", "w2")
	s.Expect(refusedStanza("message", "$room/nobody$me", "$phone", "w2", "cancel", "item-not-found"))
	private("$desk", "$bob", "w3")
	s.Expect(refusedStanza("message", "*", "$desk", "w3", "modify", "not-acceptable"))
	bob.says("$phone", "after")
}

// Model 4; compatibility 2: where the administrator allows it, what is written to the network is a command of IRC's, and
// what the network says is told by it, to the bare address as all is, and kept by the user's server: biboumi's no-copy
// and private went with its full addresses.
func rawCommands(s *ircStage) {
	s.person("bob")
	s.Set("net", s.Known("again.$server@$gw"))
	told := func(word string) {
		s.Helper()
		for {
			st := s.Next()
			if st.Kind == stream.Message && st.Type == "chat" && strings.Contains(st.Body(), s.Known(word)) {
				if st.To != s.Known("$alice") || !strings.HasPrefix(st.From, s.Known("$net")) || st.Child("urn:xmpp:hints", "no-copy") != nil {
					s.Errorf("told %v", st)
				}
				return
			}
		}
	}
	s.Send("<message from='$phone' to='$net' type='chat' id='r1'><body>/whois $bob</body></message>")
	told("$bob")
	told("End of")
	for line, condition := range map[string]string{
		"NOTACOMMAND x": "feature-not-implemented", "QUIT": "not-authorized", "nick other": "not-authorized", "hello!": "bad-request",
		"PRIVMSG x :y\nQUIT": "bad-request",
	} {
		s.Send("<message from='$phone' to='$net' type='chat' id='refused'><body>" + line + "</body></message>")
		st := s.Next()
		for st.ID != "refused" {
			st = s.Next()
		}
		if e := st.Child("", "error"); st.Type != "error" || e.Child("urn:ietf:params:xml:ns:xmpp-stanzas", condition) == nil {
			s.Errorf("%q: %v, want %s", line, st, condition)
		}
	}
}

// Messages 4: what is not UTF-8 is Windows-1252, or what the user chose, who may write in another encoding too.
func encodings(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	if err := bob.SendRaw(s.Known("PRIVMSG $chan :caf\xe9 \x80\r\nPRIVMSG $chan :café €\r\n")); err != nil {
		s.Fatal(err)
	}
	s.Expect(groupchat("$phone", "$bob", "*", "café €", named))
	s.Expect(groupchat("$phone", "$bob", "*", "café €", named))
	s.choose("encoding_in", "koi8-r")
	s.choose("encoding_out", "koi8-r")
	const hello = "\xf0\xd2\xc9\xd7\xc5\xd4"
	s.say("$phone", "e1", "<body>Привет</body>")
	bob.heard("PRIVMSG", "$chan", hello)
	s.Expect(groupchat("$phone", "$me", "e1", "Привет", named))
	if err := bob.SendRaw(s.Known("PRIVMSG $chan :" + hello + "\r\n")); err != nil {
		s.Fatal(err)
	}
	s.Expect(groupchat("$phone", "$bob", "*", "Привет", named))
}
