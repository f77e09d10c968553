//go:build integration

package integration

// Which scenario shows what of rooms and connections. On: n ngIRCd, i InspIRCd, h ircd-hybrid, s the scripted server; all are of
// TestIRCScenarios, where no test is named.
//
//	Model
//	1  one connection a network, one nick; the first join begins it,     one connection; queued joins              n i h
//	     the last leave ends it
//	   it survives the XMPP link, and comes back by itself               TestIRCServerRestart, TestIRCCut, TestIRCComesBackByItself,
//	                                                                     TestXMPPRestartKeepsIRC                   s n
//	2  #chan%host, nick%host, host, #chan%host/Nick                      addresses                                 n i h
//	   fixed_network                                                     a domain of one network                   n i h
//	   XEP-0106                                                          escaped channels (n i h); a colon in a channel (i);
//	                                                                     a local channel (n)
//	3  a persistent room, and its archive                                a persistent room; the archive            n i h
//	4  the network's own words, raw commands                             raw commands (see the messages)           n i h
//
//	Joining, presence, roles
//	1  order, role and affiliation, real addresses, 100 and 110          join order                                n i h
//	   history, subject, also an empty one                               history; a subject                        n i h
//	2  queued joins, the first nick, 210                                 queued joins; one connection              n i h
//	   433, alternates, keeping the nick                                 a nick in use                             n i h
//	3  joining again, a second resource, the last leave                  several resources                         n i h
//	   a delivery error                                                  a resource that is gone                   n i h
//	4  +o +h +v; +q +a                                                   ranks (n i h); ranks of the highest (n i: hybrid has none)
//	   muc#admin, refusals                                               giving ranks; what is refused             n i h
//	   +b as outcasts, read and set                                      outcasts                                  n i h
//	   i k l m n s t as configuration, both ways                         configuring                               n i h
//	   refusals by +k +i +b +l +R                                        entering ...                              n i h
//	5  kicks, with 110 to both resources                                 kicked; kicking                           n i h
//	   nicks; a nick that is taken                                       another's nick; one's own nick; a nick that is taken   n i h
//	   leaving, quitting                                                 leaving and quitting                      n i h
//	   netsplits                                                         a netsplit                                n i
//	   AWAY                                                              away (n i h); others who are away (i h: ngIRCd tells nobody)
//	6  LIST in pages                                                     the list of channels                      n i h
//	   disco#info                                                        what the gateway is; what a room is       n i h
//
//	biboumi, stanza by stanza
//	1  all of it                                                         addresses; escaped channels; two names of a server ...
//	2  failures to resolve and to connect                                a network that cannot be reached          n i h
//	   a K-line                                                          banned from the network                   n i
//	   subscriptions to the server and to the gateway                    the server as a contact; the gateway as a contact      n i h
//	3  see Joining
//	5  kicks, affiliations, nicks                                        see Joining
//	   self-ping                                                         self-ping                                 n i h
//	   version, of others and of oneself                                 another's version; one's own version      n i h
//	   disco; commands of an occupant                                    what ... is; commands of an occupant      n i h
//	   RSM of LIST; MAM; MUC history                                     the list of channels; the archive; history             n i h
//
// Otherwise than biboumi: a network that cannot be reached is wait/remote-server-timeout, as everything that may work later;
// a nick that is taken is told to the resource that asked; an invitation is from nick%host. Not here: a list that is not
// complete yet (package disco), mass joins (package muc), and 332 when the gateway ends (TestStopAndStart): the scenarios share one
// gateway, which none of them may stop.

import (
	"slices"
	"strings"

	"gangway/core/xmpp/stream"
	"gangway/integration/ircclient"
)

// ircRoomScenarios are those of rooms and of the connection. Each says in its comment what of the rules it is about:
// "Model", "Joining" and "C1" to "C5" are the sections of the list of what biboumi's users rely on.
func ircRoomScenarios() []ircScenario {
	return slices.Concat(ircConnectionScenarios(), ircJoinScenarios(), ircRankScenarios(), ircChangeScenarios(), ircAskScenarios())
}

func ircConnectionScenarios() []ircScenario {
	return []ircScenario{
		{name: "addresses", play: addresses},
		{name: "escaped channels", play: escapedChannels},
		{name: "a colon in a channel", on: []string{inspircd}, play: colonChannel}, // the others allow none
		{name: "a local channel", on: []string{ngircd}, play: localChannel},        // the others have none
		{name: "a domain of one network", play: fixedNetwork},
		{name: "two names of a server", play: twoNames},
		{name: "one connection", play: oneConnection},
		{name: "a persistent room", play: persistentRoom},
		{name: "a network that cannot be reached", play: unreachable},
		{name: "banned from the network", on: []string{ngircd, inspircd}, play: banned}, // hybrid exempts whom it does not slow down
		{name: "the server as a contact", play: serverContact},
		{name: "the gateway as a contact", play: gatewayContact},
	}
}

// Model 2, C1: a nick in its own spelling as occupant, in lower case as a person; the item's jid has user and host.
func addresses(s *ircStage) {
	nick := "BoB" + s.Known("$me")
	s.personWith("bob", ircclient.Config{Nick: nick, User: "bobby"}, "$chan")
	s.Set("lower", strings.ToLower(nick))
	s.join("$phone")
	s.Expect("<presence from='$room/$bob' to='$phone'><x " + mucUser + "><item affiliation='admin' role='moderator' jid='$lower%$server@$gw/*bobby@*'/></x></presence>")
	s.entered("$phone", "$me")
}

// Model 2, C1: what no JID can hold is escaped (XEP-0106), and the same spelling comes back.
func escapedChannels(s *ircStage) {
	for escaped, plain := range map[string]string{`\40`: "@", `\2f`: "/"} {
		channel := s.Known("$chan")
		s.Set("chan", channel+plain+"x")
		s.Set("room", channel+escaped+"x%"+s.Known("$server@$gw"))
		bob := s.person("bob", "$chan")
		s.enter("$phone", "$bob")
		bob.write("PRIVMSG $chan :hello")
		s.Expect("<message type='groupchat' from='$room/$bob'><body>hello</body></message>")
		s.Send("<message type='groupchat' id='m1' from='$phone' to='$room'><body>hi</body></message>")
		s.Expect("<message type='groupchat' id='m1' from='$room/$me'><body>hi</body></message>")
		bob.heard("PRIVMSG", "$chan", "hi")
		s.leave("$phone")
		bob.heard("PART", "$chan")
		if err := bob.Close(); err != nil {
			s.Fatal(err)
		}
		s.Set("chan", channel)
	}
}

// C1: \3a.
func colonChannel(s *ircStage) {
	s.Set("chan", s.Known("$chan")+":x")
	s.Set("room", strings.Replace(s.Known("$chan"), ":", `\3a`, 1)+"%"+s.Known("$server@$gw"))
	s.person("bob", "$chan")
	s.enter("$phone", "$bob")
}

// C1: \26.
func localChannel(s *ircStage) {
	s.Set("chan", "&"+s.Known("$me"))
	s.Set("room", s.Known(`\26$me%$server@$gw`))
	s.person("bob", "$chan")
	s.enter("$phone", "$bob")
}

// Model 2, C1: with a fixed network a channel and a nick need no more, and "%" is an ordinary character.
func fixedNetwork(s *ircStage) {
	s.Set("gw", s.kind+".gw")
	s.Ignore("<message type='chat' from='" + s.kind + ".gw'/>") // the network says what the gateway is asked
	s.Ignore("<presence from='" + s.kind + ".gw'/>")
	for _, channel := range []string{s.Known("$chan"), s.Known("$chan") + "%x"} {
		s.Set("chan", channel)
		s.Set("room", channel+"@"+s.Known("$gw"))
		bob := s.person("bob", "$chan")
		s.join("$phone")
		s.Expect("<presence from='$room/$bob' to='$phone'><x " + mucUser + "><item jid='$bob@$gw/*@*'/></x></presence>")
		s.entered("$phone", "$me")
		s.Ignore(s.Known("<presence from='$bob@$gw/gateway'/>")) // whom one writes to is watched where the network lets us
		s.Send("<message type='chat' id='p1' from='$phone' to='$bob@$gw'><body>psst</body></message>")
		bob.heard("PRIVMSG", "$bob", "psst")
		bob.write("PRIVMSG $me :pssst")
		s.Expect("<message type='chat' from='$bob@$gw*' to='$alice'><body>pssst</body></message>")
		s.leave("$phone")
		bob.heard("PART", "$chan")
		if err := bob.Close(); err != nil {
			s.Fatal(err)
		}
	}
}

// C1: two names are two connections, wherever they lead.
func twoNames(s *ircStage) {
	s.enter("$phone")
	s.Ignore("<message type='chat' from='" + s.Known("again.$server@$gw") + "'/>")
	s.Set("again", s.Known("$chan%again.$server@$gw"))
	s.Set("two", s.Known("$me")+"b")
	s.Send("<presence from='$phone' to='$again/$two'>" + inMUC + "</presence>")
	s.ExpectAll(
		"<presence from='$room/$two' to='$phone'/>", // as the first connection sees it
		"<presence from='$again/$me' to='$phone'/>",
		"<presence from='$again/$two' to='$phone'><x "+mucUser+"><status code='110'/></x></presence>",
		"<message type='groupchat' from='$again' to='$phone'><subject/></message>",
	)
}

// Model 1, C2: all rooms of a network share a connection, whose nick is that of the first; it begins with the first and
// ends with the last.
func oneConnection(s *ircStage) {
	bob := s.person("bob", "$chan", "$chan-b")
	s.enter("$phone", "$bob")
	bob.heard("JOIN", "$chan")
	first := s.Known("$room")
	s.Set("room", s.Known("$chan-b%$server@$gw"))
	s.Send("<presence from='$phone' to='$room/other'>" + inMUC + "</presence>")
	s.Expect("<presence from='$room/$bob' to='$phone'/>")
	s.Expect("<presence from='$room/$me' to='$phone'><x " + mucUser + "><status code='110'/><status code='210'/></x></presence>")
	s.Expect("<message type='groupchat' from='$room'><subject/></message>")
	if l := bob.heard("JOIN", "$chan-b"); !strings.EqualFold(l.Nick(), s.Known("$me")) {
		s.Errorf("another connection: %s", l)
	}
	s.leave("$phone")
	bob.heard("PART", "$chan-b")
	bob.notHeard("QUIT")
	s.Set("room", first)
	s.leave("$phone")
	for gone := false; !gone; {
		bob.write("ISON $me")
		gone = strings.TrimSpace(bob.heard("303").Last()) == ""
	}
	// The next first join begins another, under its own nick.
	s.Set("me", s.Known("$me")+"new")
	s.enter("$phone", "$bob")
}

// Model 3: what a user marks persistent stays joined when their last resource leaves, and what is said is kept.
func persistentRoom(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	persist := func(value string) {
		s.Send("<iq type='set' id='c" + value + "' from='$phone' to='$room'><query " + mucOwner + "><x xmlns='jabber:x:data' type='submit'>" +
			"<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>" +
			"<field var='muc#roomconfig_persistentroom'><value>" + value + "</value></field></x></query></iq>")
		s.Expect("<iq type='result' id='c" + value + "' from='$room' to='$phone'/>")
	}
	persist("1")
	s.leave("$phone")
	bob.write("PRIVMSG $chan :while nobody is there")
	bob.notHeard("PART")
	bob.notHeard("QUIT")
	s.archived("$desk", "while nobody is there")
	s.Send("<presence from='$desk' to='$room/$me'>" + inMUC + "</presence>")
	s.Expect("<presence from='$room/$bob' to='$desk'/>")
	s.Expect("<presence from='$room/$me' to='$desk'><x " + mucUser + "><status code='110'/></x></presence>")
	s.Expect("<message from='$room/$bob' to='$desk' type='groupchat'><body>while nobody is there</body><delay xmlns='urn:xmpp:delay'/></message>")
	s.Expect("<message from='$room' to='$desk' type='groupchat'><subject/></message>")
	s.enter("$phone", "$bob")
	persist("0")
	s.leave("$phone")
	s.leave("$desk")
	bob.heard("PART", "$chan")
}

// archived asks the archive until it holds a line.
func (s *ircStage) archived(resource, text string) {
	s.Helper()
	for found := false; !found; {
		s.Send("<iq type='set' id='archived' from='" + resource + "' to='$room'><query " + mamQuery + "/></iq>")
		for st := s.Next(); st.Kind != stream.IQ; st = s.Next() {
			m := st.Child("urn:xmpp:mam:2", "result").Child("urn:xmpp:forward:0", "forwarded").Child("jabber:client", "message")
			found = found || m.ChildText("jabber:client", "body") == text
		}
	}
}

// C2: presence of type error from the occupant that was to be, with <x/> and the reason.
func unreachable(s *ircStage) {
	for _, server := range []string{"closed.test", "nowhere.invalid"} {
		s.Set("room", s.Known("$chan%"+server+"@$gw"))
		s.Ignore("<message type='chat' from='" + server + "@irc.gw'/>")
		s.Send("<presence id='j1' from='$phone' to='$room/$me'>" + inMUC + "</presence>")
		s.Expect("<presence type='error' id='j1' from='$room/$me' to='$phone'>" + inMUC +
			"<error type='wait'><remote-server-timeout " + stanzaErr + "/><text " + stanzaErr + ">*" + server + "*</text></error></presence>")
	}
}

// C2; Identity: a ban from the network is told in its own words, and ends the session.
func banned(s *ircStage) {
	oper := s.person("bob")
	oper.write("OPER oper oper")
	oper.heard("381")
	if s.kind == ngircd {
		oper.write("KLINE *!*$me@* 600 :No robots today")
	} else {
		oper.write("KLINE *$me@* 600 :No robots today")
	}
	s.join("$phone")
	s.ExpectAll(
		"<presence type='error' from='$room/$me' to='$phone'>"+inMUC+"<error><text "+stanzaErr+">*No robots today*</text></error></presence>",
		"<message type='chat' from='$gw' to='$alice'><body>*No robots today*</body></message>",
	)
	s.Send("<iq type='get' id='p1' from='$phone' to='$room/$me'><ping xmlns='urn:xmpp:ping'/></iq>")
	s.Expect("<iq type='error' id='p1'><error><not-acceptable " + stanzaErr + "/></error></iq>")
}

// C2: who subscribes to the server sees whether there is a connection.
func serverContact(s *ircStage) {
	s.Send("<presence type='subscribe' id='s1' from='$alice' to='$server@$gw'/>")
	s.Expect("<presence type='subscribed' id='s1' from='$server@$gw' to='$alice'/>")
	s.Expect("<presence type='unavailable' from='$server@$gw/gateway' to='$alice'/>")
	s.Expect("<presence type='subscribe' from='$server@$gw' to='$alice'/>")
	s.Send("<presence from='$phone' to='$server@$gw'/>")
	s.join("$phone")
	s.ExpectAll(
		"<presence type='!' from='$server@$gw/gateway' to='$alice'/>",
		"<presence type='!' from='$room/$me' to='$phone'/>",
		"<message type='groupchat' from='$room' to='$phone'><subject/></message>",
	)
	s.leave("$phone")
	s.Expect("<presence type='unavailable' from='$server@$gw/gateway' to='$alice'/>")
}

// C2: a subscription to the gateway is accepted, with its presence, and asked for in turn.
func gatewayContact(s *ircStage) {
	s.Set("gw", s.kind+".gw") // what irc.gw says of itself is left out elsewhere
	s.Send("<presence type='subscribe' id='s1' from='$alice' to='$gw'/>")
	s.Expect("<presence type='subscribed' id='s1' from='$gw' to='$alice'/>")
	s.Expect("<presence type='!' from='$gw' to='$alice'><c xmlns='http://jabber.org/protocol/caps'/></presence>")
	s.Expect("<presence type='subscribe' from='$gw' to='$alice'/>")
}

// leave has a resource leave the channel, which it is told at once.
func (s *ircStage) leave(resource string) {
	s.Helper()
	s.Send("<presence type='unavailable' from='" + resource + "' to='$room/$me'/>")
	s.Expect("<presence type='unavailable' from='$room/$me' to='" + resource + "'><x " + mucUser + "><item role='none'/><status code='110'/></x></presence>")
}
