//go:build integration

package integration

import (
	"strings"
	"testing"

	"gangway/integration/client"
	"gangway/integration/ircclient"
	"gangway/integration/ircv3"
)

const (
	reactionsNS = "xmlns='urn:xmpp:reactions:0'"
	retractNS   = "xmlns='urn:xmpp:message-retract:1'"
	moderateNS  = "xmlns='urn:xmpp:message-moderate:1'"
	replyNS     = "xmlns='urn:xmpp:reply:0'"
	fallbackNS  = "xmlns='urn:xmpp:fallback:0'"
	correctNS   = "xmlns='urn:xmpp:message-correct:0'"
	statesNS    = "xmlns='http://jabber.org/protocol/chatstates'"
)

func ircRichScenarios() []ircScenario {
	return []ircScenario{
		{name: "answers", play: answers},
		{name: "reactions and typing", on: []string{inspircd}, play: reactionsAndTyping},
		{name: "what the network has no means for", play: withoutMeans},
		{name: "corrections", play: corrections},
		{name: "files", play: filesAsLinks},
		{name: "as the network took it", on: []string{inspircd}, play: asTaken},
	}
}

// tagged are the capabilities of a person whose program shows tags, where the network has them.
func (s *ircStage) tagged(name string, channels ...string) *ircPerson {
	s.Helper()
	if s.kind != inspircd {
		return s.person(name, channels...)
	}
	return s.personWith(name, ircclient.Config{Caps: []string{"message-tags", "server-time", "echo-message"}}, channels...)
}

// Rich features; behaviour 26: an answer names whom it answers, without the quotation, and where the network has tags also
// the message.
func answers(s *ircStage) {
	bob := s.tagged("bob", "$chan")
	s.enter("$phone", "$bob")
	bob.write("PRIVMSG $chan :a question")
	s.Expect(groupchat("$phone", "$bob", "*", "a question", "<stanza-id "+sidNS+" by='$room' id='$asked'/>"))
	s.say("$phone", "a1", "<body>&gt; a question\nan answer</body><reply "+replyNS+" to='$room/$bob' id='$asked'/>"+
		"<fallback "+fallbackNS+" for='urn:xmpp:reply:0'><body start='0' end='13'/></fallback>")
	line := bob.heard("PRIVMSG", "$chan", "$bob: an answer")
	s.Expect(groupchat("$phone", "$me", "a1", "$bob: an answer", "<reply "+replyNS+" to='$room/$bob' id='$asked'/>"))
	if s.kind != inspircd {
		return
	}
	mine := bob.heard("PRIVMSG", "$chan", "a question")
	if mine.Tags["msgid"] == "" || line.Tags["+draft/reply"] != mine.Tags["msgid"] {
		s.Errorf("%q answers %q", line.Raw, mine.Raw)
	}
	bob.write("@+draft/reply=" + line.Tags["msgid"] + " PRIVMSG $chan :thank you")
	s.Expect(groupchat("$phone", "$bob", "*", "thank you", "<reply "+replyNS+" to='$room/$me' id='*'/>"))
}

// Rich features; behaviour 25: reactions name the stanza-id, and are whole sets; who writes is shown.
func reactionsAndTyping(s *ircStage) {
	bob := s.tagged("bob", "$chan")
	s.enter("$phone", "$bob")
	s.has("$room", true, "urn:xmpp:reactions:0", "http://jabber.org/protocol/chatstates")
	bob.write("PRIVMSG $chan :news")
	s.Expect(groupchat("$phone", "$bob", "*", "news", "<stanza-id "+sidNS+" by='$room' id='$news'/>"))
	mine := bob.heard("PRIVMSG", "$chan", "news")
	react := func(id string, emoji ...string) {
		inner := ""
		for _, e := range emoji {
			inner += "<reaction>" + e + "</reaction>"
		}
		s.say("$phone", id, "<reactions "+reactionsNS+" id='$news'>"+inner+"</reactions>")
	}
	heard := func(tag, emoji string) {
		s.Helper()
		for { // other tags are said by TAGMSG, too
			if l := bob.heard("TAGMSG", "$chan"); l.Tags[tag] == emoji && l.Tags["+draft/reply"] == mine.Tags["msgid"] {
				return
			}
		}
	}
	react("r1", "\U0001F44D", "\U0001F389")
	heard("+draft/react", "\U0001F44D")
	heard("+draft/react", "\U0001F389")
	s.Expect("<message to='$phone' from='$room/$me' type='groupchat' id='r1'><reactions " + reactionsNS + " id='$news'><reaction>\U0001F44D</reaction><reaction>\U0001F389</reaction></reactions></message>")
	react("r2", "\U0001F389")
	heard("+draft/unreact", "\U0001F44D")
	s.Expect("<message to='$phone' from='$room/$me' type='groupchat' id='r2'><reactions " + reactionsNS + " id='$news'><reaction>\U0001F389</reaction></reactions></message>")
	bob.write("@+draft/react=\U0001F600;+draft/reply=" + mine.Tags["msgid"] + " TAGMSG $chan")
	s.Expect("<message to='$phone' from='$room/$bob' type='groupchat'><reactions " + reactionsNS + " id='$news'><reaction>\U0001F600</reaction></reactions></message>")

	bob.write("@+typing=active TAGMSG $chan")
	s.Expect("<message to='$phone' from='$room/$bob' type='groupchat'><composing " + statesNS + "/></message>")
	bob.write("@+typing=done TAGMSG $chan")
	s.Expect("<message to='$phone' from='$room/$bob' type='groupchat'><paused " + statesNS + "/></message>")
	s.say("$phone", "t1", "<composing "+statesNS+"/>")
	for bob.heard("TAGMSG", "$chan").Tags["+typing"] != "active" {
		continue
	}
	s.quiet("$phone")
}

// has says which features an address must have, or must not.
func (s *ircStage) has(jid string, has bool, features ...string) {
	s.Helper()
	inner := ""
	for _, f := range features {
		inner += "<feature var='" + f + "'/>"
		if !has {
			inner = strings.Replace(inner, "<feature var='"+f+"'/>", "<no><feature var='"+f+"'/></no>", 1)
		}
	}
	s.Send("<iq type='get' id='has' from='$phone' to='" + jid + "'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>")
	s.Expect("<iq type='result' id='has' to='$phone'><query xmlns='http://jabber.org/protocol/disco#info'>" + inner + "</query></iq>")
}

// Rich features: what a network cannot carry is not offered, refused with a reason, and never said in other words.
// No Debian server takes messages back; but InspIRCd, none has tags.
func withoutMeans(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	s.say("$phone", "m1", "<body>mine</body>")
	s.Expect(groupchat("$phone", "$me", "m1", "mine", "<stanza-id "+sidNS+" by='$room' id='$mine'/>"))
	bob.write("PRIVMSG $chan :theirs")
	s.Expect(groupchat("$phone", "$bob", "*", "theirs", "<stanza-id "+sidNS+" by='$room' id='$theirs'/>"))
	s.has("$room", false, "urn:xmpp:message-retract:1", "urn:xmpp:message-moderate:1")
	s.say("$phone", "x1", "<retract "+retractNS+" id='$mine'/><body>taken back</body>")
	s.Expect(refusedStanza("message", "$room", "$phone", "x1", "cancel", "feature-not-implemented"))
	s.Send("<iq type='set' id='x2' from='$phone' to='$room'><moderate " + moderateNS + " id='$theirs'><retract " + retractNS + "/></moderate></iq>")
	s.Expect(refusedStanza("iq", "$room", "$phone", "x2", "cancel", "feature-not-implemented"))
	if s.kind != inspircd {
		s.has("$room", false, "urn:xmpp:reactions:0", "http://jabber.org/protocol/chatstates")
		s.say("$phone", "x3", "<reactions "+reactionsNS+" id='$theirs'><reaction>\U0001F44D</reaction></reactions>")
		s.Expect(refusedStanza("message", "$room", "$phone", "x3", "cancel", "feature-not-implemented"))
		s.say("$phone", "x4", "<composing "+statesNS+"/>")
	}
	s.say("$phone", "m2", "<body>last</body>")
	s.Expect(groupchat("$phone", "$me", "m2", "last", named))
	for _, want := range []string{"mine", "last"} {
		if got := bob.heard("PRIVMSG", "$chan").Last(); got != want {
			s.Errorf("heard %q, want %q", got, want)
		}
	}
	bob.notHeard("TAGMSG")
}

// Messages 6; behaviour 24: IRC knows no corrections. What is said for one the user chooses, and sees.
func corrections(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	say := func(id string) {
		s.say("$phone", id, "<body>tha end</body>")
	}
	correct := func(id, first string) {
		s.say("$phone", id, "<body>the end</body><replace "+correctNS+" id='"+first+"'/>")
	}
	both := func(id, text string) {
		s.Helper()
		bob.heard("PRIVMSG", "$chan", text)
		s.Expect(groupchat("$phone", "$me", id, text, named+"<no><replace "+correctNS+"/></no>"))
	}
	say("c1")
	both("c1", "tha end")
	correct("c2", "c1")
	both("c2", "* the end")
	s.choose("edits", "sed")
	say("c3")
	both("c3", "tha end")
	correct("c4", "c3")
	both("c4", "s/tha/the/")
	s.choose("edits", "refuse")
	say("c5")
	both("c5", "tha end")
	correct("c6", "c5")
	s.Expect(refusedStanza("message", "$room", "$phone", "c6", "cancel", "feature-not-implemented"))
	s.choose("edits", "hold")
	for try := 0; ; try++ {
		say("c7")
		correct("c8", "c7")
		text := bob.heard("PRIVMSG", "$chan").Last()
		s.Expect(groupchat("$phone", "$me", "c7", text, named))
		if text == "the end" {
			break
		}
		both("c8", "* the end") // the correction came more than three seconds later: the machine is slow
		if try == 5 {
			s.Fatal("a correction at once never comes in time")
		}
	}
	s.Expect(groupchat("$phone", "$me", "c8", "the end", "<replace "+correctNS+" id='c7'/>"))
	s.quiet("$phone")
}

// Rich features; behaviour 23: a file is where it is.
func filesAsLinks(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	const link = "https://files.test/1/cat.png"
	s.say("$phone", "f1", "<body>"+link+"</body><x xmlns='jabber:x:oob'><url>"+link+"</url></x>")
	if got := bob.heard("PRIVMSG", "$chan").Last(); got != link {
		s.Errorf("heard %q", got)
	}
	s.Expect(groupchat("$phone", "$me", "f1", link, named))
	bob.says("$phone", link)
}

// Messages 1; behaviour 40: with echo-message what comes back is what the network took, with its name for it.
func asTaken(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	bob.write("MODE $chan +S")
	s.Expect("<message to='$phone' from='$room' type='groupchat'><body>Mode $chan [+S] by $bob</body></message>")
	s.say("$phone", "e1", "<body>without *style*</body>")
	bob.heard("PRIVMSG", "$chan", "without style")
	s.Expect(groupchat("$phone", "$me", "e1", "without style", named))
}

// TestIRCRichScripted has what no server of Debian's offers on a scripted one: messages taken back by who said them and by
// moderators, several lines as one message, and only UTF-8.
func TestIRCRichScripted(t *testing.T) {
	t.Parallel()
	v := startV3(t, ircv3.Config{}, nil)
	alice := v.enter("phone") // the first, and so an operator
	dave, err := ircclient.Dial(v.ctx, v.addr, ircclient.Config{Nick: "dave", Caps: []string{
		"message-tags", "server-time", "batch", "echo-message", "draft/multiline", "draft/message-redaction",
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer dave.Close()
	if err := dave.Join(v.ctx, v3Channel); err != nil {
		t.Fatal(err)
	}
	info, err := alice.IQ(v.ctx, v3Room, "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>")
	if err != nil {
		t.Fatal(err)
	}
	for _, feature := range []string{nsReactions, nsStates, client.NSCorrect, client.NSReply, "urn:xmpp:message-retract:1", "urn:xmpp:message-moderate:1"} {
		if !strings.Contains(info.Raw, "'"+feature+"'") && !strings.Contains(info.Raw, `"`+feature+`"`) {
			t.Errorf("the room does not offer %s", feature)
		}
	}
	say := func(m client.Message) string {
		t.Helper()
		m.To, m.Type = v3Room, "groupchat"
		id, err := alice.SendMessage(m)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	heard := func(what, command string, match func(ircclient.Line) bool) ircclient.Line {
		t.Helper()
		l, err := dave.Wait(v.ctx, func(l ircclient.Line) bool { return l.Command == command && match(l) })
		if err != nil {
			t.Fatalf("%s: %v\n%v", what, err, dave.Log())
		}
		return l
	}
	stanzaID := func(st *client.Stanza) string { return st.Child(client.NSOriginID, "stanza-id").Attr("id") }
	retracted := func(from, id string) func(*client.Stanza) bool {
		return func(st *client.Stanza) bool {
			el := st.Child("urn:xmpp:message-retract:1", "retract")
			return el != nil && st.From() == from && el.Attr("id") == id
		}
	}

	say(client.Message{Body: "taken back"})
	line := heard("alice's line", "PRIVMSG", func(l ircclient.Line) bool { return l.Last() == "taken back" })
	own := stanzaID(wait(v.ctx, t, alice, "the reflection", client.MessageFrom(v3Room+"/alice", "taken back")))
	say(client.Message{Extra: "<retract " + retractNS + " id='" + own + "'/>"})
	heard("the redaction", "REDACT", func(l ircclient.Line) bool { return l.Param(1) == line.Tags["msgid"] })
	wait(v.ctx, t, alice, "that it is taken back", retracted(v3Room+"/alice", own))

	if err := dave.Privmsg(v3Channel, "spam"); err != nil {
		t.Fatal(err)
	}
	line = heard("dave's own line", "PRIVMSG", func(l ircclient.Line) bool { return l.Last() == "spam" })
	spam := stanzaID(wait(v.ctx, t, alice, "dave's line", client.MessageFrom(v3Room+"/dave", "spam")))
	if _, err := alice.IQ(v.ctx, v3Room, "set", "<moderate "+moderateNS+" id='"+spam+"'><retract "+retractNS+"/><reason>not here</reason></moderate>"); err != nil {
		t.Fatal(err)
	}
	heard("the moderation", "REDACT", func(l ircclient.Line) bool { return l.Param(1) == line.Tags["msgid"] && l.Last() == "not here" })
	moderated := wait(v.ctx, t, alice, "that it was moderated", retracted(v3Room, spam))
	if el := moderated.Child("urn:xmpp:message-retract:1", "retract"); el.Child("urn:xmpp:message-moderate:1", "moderated").Attr("by") != v3Room+"/alice" {
		t.Errorf("moderated by another: %s", moderated.Raw)
	}

	if err := dave.Privmsg(v3Channel, "of mine"); err != nil {
		t.Fatal(err)
	}
	line = heard("dave's own line", "PRIVMSG", func(l ircclient.Line) bool { return l.Last() == "of mine" })
	his := stanzaID(wait(v.ctx, t, alice, "dave's line", client.MessageFrom(v3Room+"/dave", "of mine")))
	if err := dave.Send("REDACT " + v3Channel + " " + line.Tags["msgid"]); err != nil {
		t.Fatal(err)
	}
	wait(v.ctx, t, alice, "that dave takes it back", retracted(v3Room+"/dave", his))

	id := say(client.Message{Body: "one\ntwo\nthree"})
	heard("several lines in one", "BATCH", func(l ircclient.Line) bool { return l.Param(1) == "draft/multiline" })
	wait(v.ctx, t, alice, "the one reflection", func(st *client.Stanza) bool { return st.ID() == id && st.Body() == "one\ntwo\nthree" })

	form := "<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'>" + field("x-encoding_out", "koi8-r") + "</x></query>"
	if _, err := alice.IQ(v.ctx, v3Room, "set", form); err != nil {
		t.Fatal(err)
	}
	say(client.Message{Body: "Привет"})
	heard("UTF-8, whatever was chosen", "PRIVMSG", func(l ircclient.Line) bool { return l.Last() == "Привет" })
}
