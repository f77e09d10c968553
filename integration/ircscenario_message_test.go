//go:build integration

package integration

// Which scenario shows what of the messages, the identity and the one writer of the IRC transport. On: n ngIRCd, i InspIRCd,
// h ircd-hybrid, s the scripted server. Those without a test's name are of TestIRCScenarios.
//
//	Messages
//	one's own comes back: id, origin-id, forged stanza-id, occupant-id   a message comes back                      n i h
//	as the network took it (echo-message, labeled-response)              as the network took it                    i
//	  without them, as it was sent                                       a long line; styles and colours           n h
//	not joined: not-acceptable                                           from outside                              n i h
//	512 bytes less the prefix, on words and characters                   a long line                               n i h
//	several lines in order, the first keeps the id                       several lines                             n i h
//	draft/multiline                                                      TestIRCRichScripted                       s
//	pastes become files, by preference                                   TestIRCGuard/a paste                      n i h
//	flood control, and how much waits                                    TestIRCGuard/pace                         i h
//	ACTION is /me                                                        an action                                 n i h
//	CTCP answered, DCC dropped                                           CTCP; DCC                                 n i h
//	NOTICE shown and never answered, "[#chan]" to the room               notices                                   n i h
//	colours and styles both ways, by preference                          styles and colours                        n i h
//	what is not UTF-8; the user's encodings                              encodings                                 n i h
//	UTF8ONLY                                                             TestIRCRichScripted                       s
//	private: one address a person, within the room, receipts, errors     in private; in private, within the room   n i h
//	corrections: mark, sed, hold, refuse                                 corrections                               n i h
//	answers, with +draft/reply or "nick: "                               answers                                   n i h
//	reactions, typing                                                    reactions and typing; TestIRCRich         i
//	redaction and moderation                                             TestIRCRichScripted                       s
//	what the network cannot carry is refused and not offered             what the network has no means for         n i h
//	files as links                                                       files                                     n i h
//
//	biboumi, stanza by stanza, 1, 2, 4 and 6
//	\26 and XEP-0106                                                     an ampersand                              n
//	what the network says, without no-copy and private                   raw commands                              n i h
//	other users of the gateway                                           other users of the gateway                n i h
//	MODE shown; /mode                                                    modes                                     n i h
//	topics of one line, from who set them                                topics                                    n i h
//	INVITE both ways, and to a JID outside                               invitations                               n i h
//	private messages as since biboumi 10                                 in private                                n i h
//
//	Identity and accountability, one writer
//	TLS verified, pinned, never less                                     TestIRCGuard/a verified network; a network that
//	                                                                     cannot be verified; a fingerprint         n i h
//	                                                                     no TLS where it must be                   n h
//	networks allowed, no private addresses, ports of IRC                 TestIRCGuard/networks and ports           n i h
//	raw commands only where allowed                                      raw commands; TestIRCGuard/no raw commands n i h
//	a K-line stops the session and is told                               TestIRCGuard/banned from the network      n i h
//	one command is one line, whatever field a stanza has                 TestIRCGuard/no line in a line            n i
//
// Not here: SASL and CertFP are in irc_accounts_test.go and irc_sasl_test.go; identd, WEBIRC and source addresses, and whose
// a word is, in irc_identity_test.go; staggered reconnects in the tests of package core and in integration/load. "&"
// channels only ngIRCd has. Empty lines are nothing that IRC can say without draft/multiline.

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"gangway/integration/ircclient"
)

const (
	sidNS      = "xmlns='urn:xmpp:sid:0'"
	occupantNS = "xmlns='urn:xmpp:occupant-id:0'"
)

func ircMessageScenarios() []ircScenario {
	return append(append(ircPrivateScenarios(), ircRichScenarios()...), []ircScenario{
		{name: "a message comes back", play: comesBack},
		{name: "other users of the gateway", play: otherUsers},
		{name: "from outside", play: speaksFromOutside},
		{name: "a long line", play: longLine},
		{name: "several lines", play: severalLines},
		{name: "an action", play: action},
		{name: "CTCP", play: ctcp},
		{name: "DCC", play: dcc},
		{name: "notices", play: notices},
		{name: "styles and colours", play: styles},
		{name: "topics", play: topics},
		{name: "modes", play: modes},
		{name: "invitations", play: invitations},
		{name: "an ampersand", on: []string{ngircd}, play: ampersand},
	}...)
}

// say has a resource say something to everybody.
func (s *ircStage) say(from, id, inner string) {
	s.Helper()
	s.Send("<message from='" + from + "' to='$room' type='groupchat' id='" + id + "'>" + inner + "</message>")
}

// named is what names a message in a room, and its author.
const named = "<stanza-id " + sidNS + " by='$room' id='*'/><occupant-id " + occupantNS + " id='*'/>"

// groupchat is what a resource is shown of something said in the room.
func groupchat(to, nick, id, body, more string) string {
	return "<message to='" + to + "' from='$room/" + nick + "' type='groupchat' id='" + id + "'><body>" + body + "</body>" + more + "</message>"
}

// says has somebody say a word, and the resource see nothing before it.
func (p *ircPerson) says(resource, word string) {
	p.s.Helper()
	p.write("PRIVMSG $chan :" + word)
	p.s.Expect(groupchat(resource, p.Nick(), "*", word, named))
}

// of matches what somebody says to this person.
func (p *ircPerson) of(nick string) func(ircclient.Line) bool {
	return func(l ircclient.Line) bool {
		return (l.Command == "NOTICE" || l.Command == "PRIVMSG") && l.Nick() == p.s.Known(nick) && strings.EqualFold(l.Param(0), p.Nick())
	}
}

// answered waits for what somebody says to this person.
func (p *ircPerson) answered(nick string) string {
	p.s.Helper()
	ctx, cancel := context.WithTimeout(p.s.ctx, ircPatience)
	defer cancel()
	l, err := p.Wait(ctx, p.of(nick))
	if err != nil {
		p.s.Fatalf("%v\n%v", err, p.Log())
	}
	return l.Last()
}

// opped has somebody give the user the rank of an operator.
func (p *ircPerson) opped() {
	p.s.Helper()
	p.write("MODE $chan +o $me")
	p.s.Expect("<message to='$phone' from='$room' type='groupchat'><body>Mode $chan [+o $me] by " + p.Nick() + "</body></message>")
	p.s.Expect("<presence to='$phone' from='$room/$me' type='!'><x " + mucUser + "><item affiliation='admin' role='moderator'/><status code='110'/></x></presence>")
}

// Messages 1; behaviour 40; compatibility 4: one's own comes back to all resources under its id, with its origin-id, a
// stanza-id of ours and no other of that name, and an occupant-id.
func comesBack(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	s.enter("$desk", "$bob")
	own := "<stanza-id " + sidNS + " by='$room' id='$sid'/><occupant-id " + occupantNS + " id='$occupant'/>" +
		"<no><stanza-id " + sidNS + " id='forged'/></no>"
	s.say("$phone", "m1", "<body>hello</body><origin-id "+sidNS+" id='o1'/><stanza-id "+sidNS+" by='$room' id='forged'/>"+
		"<stanza-id "+sidNS+" by='server.example' id='theirs'/>")
	bob.heard("PRIVMSG", "$chan", "hello")
	own += "<origin-id " + sidNS + " id='o1'/><stanza-id " + sidNS + " by='server.example' id='theirs'/>"
	s.ExpectAll(groupchat("$phone", "$me", "m1", "hello", own), groupchat("$desk", "$me", "m1", "hello", own))
	s.Send("<message from='$desk' to='$room' type='groupchat'><body>no name</body></message>")
	bob.heard("PRIVMSG", "$chan", "no name")
	own = "<stanza-id " + sidNS + " by='$room' id='$other'/><occupant-id " + occupantNS + " id='$occupant'/>"
	s.ExpectAll(groupchat("$phone", "$me", "$given", "no name", own), groupchat("$desk", "$me", "$given", "no name", own))
	if s.Var("sid") == s.Var("other") {
		s.Errorf("two messages have the stanza-id %s", s.Var("sid"))
	}
	s.quiet("$phone")
}

// Compatibility 4: who uses the gateway too sees it over their own connection, under names of their own.
func otherUsers(s *ircStage) {
	s.enter("$phone")
	s.Send("<presence from='$carlphone' to='$room/$carlnick'>" + inMUC + "</presence>")
	s.ExpectAll(
		"<presence to='$phone' from='$room/$carlnick' type='!'/>",
		"<presence to='$carlphone' from='$room/$me' type='!'/>",
		"<presence to='$carlphone' from='$room/$carlnick' type='!'><x "+mucUser+"><status code='110'/></x></presence>",
		"<message to='$carlphone' type='groupchat' from='$room*'><subject/></message>",
	)
	s.say("$phone", "a1", "<body>to you all</body>")
	s.ExpectAll(
		groupchat("$phone", "$me", "a1", "to you all", "<stanza-id "+sidNS+" by='$room' id='$mine'/>"),
		groupchat("$carlphone", "$me", "$theirs", "to you all", "<stanza-id "+sidNS+" by='$room' id='$theirs'/>"),
	)
	if s.Var("mine") == s.Var("theirs") {
		s.Error("both have it under the same stanza-id")
	}
	s.say("$carlphone", "c1", "<body>to you too</body>")
	s.ExpectAll(groupchat("$carlphone", "$carlnick", "c1", "to you too", named), groupchat("$phone", "$carlnick", "*", "to you too", named))
}

// Messages 1; compatibility 4: who has not joined says nothing.
func speaksFromOutside(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	s.say("$desk", "n1", "<body>from outside</body>")
	s.Expect("<message to='$desk' from='$room' type='error' id='n1'><error type='modify'><not-acceptable " + stanzaErr + "/><text " + stanzaErr + "/></error></message>")
	s.say("$phone", "n2", "<body>from inside</body>")
	bob.heard("PRIVMSG", "$chan", "from inside")
	bob.notHeard("PRIVMSG", "$chan", "from outside")
}

// Messages 2: what is longer than a line becomes several, between words or at least between characters, none of which
// the network cuts. The first keeps the id.
func longLine(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	text := strings.Repeat("many grünkohl words ", 30) + strings.Repeat("字", 220) + strings.Repeat(" \U0001F469\u200d\U0001F680", 60) + " end"
	s.say("$phone", "l1", "<body>"+text+"</body><origin-id "+sidNS+" id='o1'/>")
	var heard []string
	for joined := ""; joined != strings.ReplaceAll(text, " ", ""); joined = strings.ReplaceAll(strings.Join(heard, ""), " ", "") {
		l := bob.heard("PRIVMSG", "$chan")
		if n := len(l.Raw) + len("\r\n"); n > 512 {
			s.Fatalf("a line of %d bytes: %q", n, l.Raw)
		}
		if !utf8.ValidString(l.Last()) {
			s.Fatalf("cut within a character: %q", l.Last())
		}
		heard = append(heard, l.Last())
	}
	if len(heard) < 4 {
		s.Errorf("%d lines", len(heard))
	}
	words := strings.Fields(text)
	for _, line := range heard {
		for word := range strings.FieldsSeq(line) {
			if !slices.Contains(words, word) && strings.Trim(word, "字") != "" {
				s.Errorf("the word %q is part of one", word)
			}
		}
	}
	s.Expect(groupchat("$phone", "$me", "l1", heard[0], named+"<origin-id "+sidNS+" id='o1'/>"))
	for _, line := range heard[1:] {
		s.Expect(groupchat("$phone", "$me", "*", line, named+"<no><origin-id "+sidNS+"/></no>"))
	}
	s.quiet("$phone")
}

// Messages 2; compatibility 4: each line is a message, in order; empty ones are none.
func severalLines(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	var lines []string
	for i := range 20 {
		lines = append(lines, fmt.Sprintf("line %d", i))
	}
	s.say("$phone", "s1", "<body>"+strings.Join(lines, "\n\n")+"</body>")
	for i, line := range lines {
		id := "*"
		if i == 0 {
			id = "s1"
		}
		if got := bob.heard("PRIVMSG", "$chan").Last(); got != line {
			s.Fatalf("heard %q, want %q", got, line)
		}
		s.Expect(groupchat("$phone", "$me", id, line, named))
	}
	s.quiet("$phone")
}

// Messages 3; compatibility 4; behaviour 48: ACTION is /me, both ways.
func action(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	bob.write("PRIVMSG $chan :\x01ACTION waves\x01")
	s.Expect(groupchat("$phone", "$bob", "*", "/me waves", named))
	s.say("$phone", "a1", "<body>/me waves back</body>")
	bob.heard("PRIVMSG", "$chan", "\x01ACTION waves back\x01")
	s.Expect(groupchat("$phone", "$me", "a1", "/me waves back", named))
}

// Messages 3: the gateway answers what programs ask programs, and the user sees nothing of it.
func ctcp(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	for _, ask := range []string{"VERSION", "PING 12 34", "TIME", "CLIENTINFO"} {
		bob.write("PRIVMSG $me :\x01" + ask + "\x01")
		if ask == "VERSION" { // is the user's client's to say, if it says it in time
			s.Expect("<iq type='get' id='$ask' from='$them' to='$phone'><query xmlns='jabber:iq:version'/></iq>")
			s.Send("<iq type='result' id='$ask' from='$phone' to='$them'><query xmlns='jabber:iq:version'><name>Client</name><version>1</version></query></iq>")
		}
		got := strings.Trim(bob.answered("$me"), "\x01")
		if word, _, _ := strings.Cut(ask, " "); !strings.HasPrefix(got, word+" ") || ask == "PING 12 34" && got != ask {
			s.Errorf("%s was answered with %q", ask, got)
		}
	}
	bob.write("NOTICE $me :\x01VERSION of bob's\x01") // an answer to what nobody asked
	bob.says("$phone", "after")
}

// Messages 3: DCC leads past the gateway. It is not carried, and the user told.
func dcc(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	bob.write("PRIVMSG $me :\x01DCC SEND file 2130706433 1 2\x01")
	s.Expect("<message to='$alice' type='chat' from='$bob%$server@$gw*'><body>*DCC*</body><no><body>*2130706433*</body></no></message>")
	bob.write("PRIVMSG $chan :\x01PING 5\x01") // a channel's are answered to who asks
	if got := bob.answered("$me"); got != "\x01PING 5\x01" {
		s.Errorf("answered with %q", got)
	}
	bob.says("$phone", "after")
}

// Messages 3; compatibility 4: a NOTICE is shown as one, and never answered; of services' "[#chan]" the room is told.
func notices(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	bob.write("NOTICE $chan :careful", "NOTICE $me :in private", "NOTICE $me :[$chan] welcome", "NOTICE $me :\x01PING 1\x01")
	s.Expect(groupchat("$phone", "$bob", "*", "[notice] careful", named))
	s.Expect("<message to='$alice' type='chat' from='$bob%$server@$gw*'><body>in private</body><no><request xmlns='urn:xmpp:receipts'/></no></message>")
	s.Expect(groupchat("$phone", "$bob", "*", "[notice] [$chan] welcome", named))
	bob.says("$phone", "after")
	if l, ok := bob.Take(bob.of("$me")); ok {
		s.Errorf("answered with %q", l.Raw)
	}
}

// Messages 4: what IRC styles is styled as XEP-0393 has it, colours go, and back; the user may choose to have it as typed.
func styles(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	bob.write("PRIVMSG $chan :\x02bold\x02 \x1ditalic\x1d \x1egone\x1e \x11code\x11 \x0304,12red\x03 \x1funder\x1f")
	s.Expect(groupchat("$phone", "$bob", "*", "*bold* _italic_ ~gone~ `code` red under", named))
	s.say("$phone", "f1", "<body>*bold* and _italic_, 2*3*4</body>")
	bob.heard("PRIVMSG", "$chan", "\x02bold\x02 and \x1ditalic\x1d, 2*3*4")
	s.Expect(groupchat("$phone", "$me", "f1", "*bold* and _italic_, 2*3*4", named))
	s.choose("formats", "0")
	s.say("$phone", "f2", "<body>*bold* as typed</body>")
	bob.heard("PRIVMSG", "$chan", "*bold* as typed")
	s.Expect(groupchat("$phone", "$me", "f2", "*bold* as typed", named))
}

// Compatibility 4: a topic has one line, and comes back from who set it.
func topics(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	bob.opped()
	bob.write("TOPIC $chan :of bob's")
	s.Expect("<message to='$phone' from='$room/$bob' type='groupchat'><subject>of bob's</subject><no><body/></no></message>")
	s.say("$phone", "t1", "<subject>two\nlines\r\nor three</subject>")
	bob.heard("TOPIC", "$chan", "two lines or three")
	s.Expect("<message to='$phone' from='$room/$me' type='groupchat'><subject>two lines or three</subject></message>")
	s.say("$phone", "t2", "<subject/>")
	bob.heard("TOPIC", "$chan", "")
	s.Expect("<message to='$phone' from='$room/$me' type='groupchat'><subject/></message>")
}

// Compatibility 4: a MODE is told in the room, and seen on the members; "/mode" writes one.
func modes(s *ircStage) {
	bob := s.person("bob", "$chan")
	dave := s.person("dave", "$chan")
	s.enter("$phone", "$bob", "$dave")
	bob.write("MODE $chan +v $dave")
	s.Expect("<message to='$phone' from='$room' type='groupchat'><body>Mode $chan [+v $dave] by $bob</body></message>")
	s.Expect("<presence to='$phone' from='$room/$dave' type='!'><x " + mucUser + "><item affiliation='member' role='participant'/></x></presence>")
	s.say("$phone", "o0", "<body>/mode +v $bob</body>")
	s.Expect("<message to='$phone' from='$room' type='error' id='o0'><error type='auth'><forbidden " + stanzaErr + "/><text " + stanzaErr + "/></error></message>")
	bob.opped()
	s.say("$phone", "o1", "<body>/mode -v $dave</body>")
	dave.heard("MODE", "$chan", "-v", "$dave")
	s.Expect("<message to='$phone' from='$room' type='groupchat'><body>Mode $chan [-v $dave] by $me</body></message>")
	s.Expect("<presence to='$phone' from='$room/$dave' type='!'><x " + mucUser + "><item affiliation='none' role='participant'/></x></presence>")
	bob.notHeard("PRIVMSG", "$chan")
	s.quiet("$phone")
}

// Compatibility 4: INVITE is a mediated invitation, both ways; who is not of this network is invited by the room.
func invitations(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	bob.opped()
	dave := s.person("dave")
	s.Send("<message from='$phone' to='$room'><x " + mucUser + "><invite to='$dave%$server@$gw'/></x></message>")
	dave.heard("INVITE", "$dave", "$chan")
	if s.kind != ngircd { // invite-notify
		s.Expect("<message to='$phone' from='$room' type='groupchat'><body>$me invited $dave into this channel.</body></message>")
	}
	s.Send("<message from='$phone' to='$room'><x " + mucUser + "><invite to='$carl'><reason>come</reason></invite></x></message>")
	s.Expect("<message to='$carl' from='$room'><x " + mucUser + "><invite from='$alice'><reason>come</reason></invite></x></message>")

	s.Set("elsewhere", s.Known("#else$me%$server@$gw"))
	if err := dave.Join(s.ctx, s.Known("#else$me")); err != nil {
		s.Fatal(err)
	}
	dave.write("INVITE $me #else$me")
	s.Expect("<message to='$alice' from='$elsewhere'><x " + mucUser + "><invite from='$dave%$server@$gw'/></x></message>")
}

// An address may have any of XEP-0106's escapes, and comes back as it was written.
func ampersand(s *ircStage) {
	s.Set("room", s.Known(`\26local$me%$server@$gw`))
	bob := s.person("bob")
	if err := bob.Join(s.ctx, s.Known("&local$me")); err != nil {
		s.Fatal(err)
	}
	s.enter("$phone", "$bob")
	s.say("$phone", "a1", "<body>hello</body>")
	bob.heard("PRIVMSG", s.Known("&local$me"), "hello")
	s.Expect(groupchat("$phone", "$me", "a1", "hello", named))
}

// choose has the user choose something for the room, in its form.
func (s *ircStage) choose(name, value string) {
	s.Helper()
	s.Send("<iq type='set' id='choose' from='$phone' to='$room'><query " + mucOwner + "><x xmlns='jabber:x:data' type='submit'>" +
		"<field var='x-" + name + "'><value>" + value + "</value></field></x></query></iq>")
	s.Expect("<iq type='result' id='choose' from='$room' to='$phone'/>")
}
