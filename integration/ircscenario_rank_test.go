//go:build integration

package integration

import (
	"strings"
)

func ircRankScenarios() []ircScenario {
	return []ircScenario{
		{name: "ranks", play: ranks},
		{name: "ranks of the highest", on: []string{ngircd, inspircd}, play: highestRanks}, // hybrid has @%+
		{name: "giving ranks", play: givingRanks},
		{name: "what is refused", play: adminRefused},
		{name: "outcasts", play: outcasts},
		{name: "configuring", play: configuring},
		{name: "entering with a key", play: enteringWithKey},
		{name: "entering by invitation", play: enteringInvited},
		{name: "entering banned", play: enteringBanned},
		{name: "entering a full room", play: enteringFull},
		{name: "entering unregistered", play: enteringUnregistered},
	}
}

func item(affiliation, role string) string {
	return "<x " + mucUser + "><item affiliation='" + affiliation + "' role='" + role + "'/></x>"
}

// moded expects what a change of modes looks like to a resource: words from the room, and the presence of who is
// changed.
func (s *ircStage) moded(resource, modes, by, nick, affiliation, role string) {
	s.Helper()
	s.Expect("<message type='groupchat' from='$room' to='" + resource + "'><body>Mode $chan [" + modes + "] by " + by + "</body></message>")
	s.Expect("<presence type='!' from='$room/" + nick + "' to='" + resource + "'>" + item(affiliation, role) + "</presence>")
}

// Joining 4, C3.3 and C4.6: modes that others give, as roles and affiliations.
func ranks(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.person("dave", "$chan")
	s.enter("$phone", "$bob", "$dave")
	bob.write("MODE $chan +v $dave")
	s.moded("$phone", "+v $dave", "$bob", "$dave", "member", "participant")
	bob.write("MODE $chan +h $dave")
	s.moded("$phone", "+h $dave", "$bob", "$dave", "member", "moderator")
	bob.write("MODE $chan +o $dave")
	s.moded("$phone", "+o $dave", "$bob", "$dave", "admin", "moderator")
	bob.write("MODE $chan -o $dave")
	s.moded("$phone", "-o $dave", "$bob", "$dave", "member", "moderator")
	bob.write("MODE $chan -h $dave")
	s.moded("$phone", "-h $dave", "$bob", "$dave", "member", "participant")
	bob.write("MODE $chan -v $dave")
	s.moded("$phone", "-v $dave", "$bob", "$dave", "none", "participant")
	bob.write("MODE $chan +v $me")
	s.Expect("<message type='groupchat' from='$room' to='$phone'><body>Mode $chan [+v $me] by $bob</body></message>")
	s.Expect("<presence from='$room/$me' to='$phone'><x " + mucUser + "><item affiliation='member' role='participant'/><status code='110'/></x></presence>")
}

// Joining 4, C3.3: +q and +a, which an operator of the network may give.
func highestRanks(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.person("dave", "$chan")
	bob.write("OPER oper oper")
	bob.heard("381")
	mode := "MODE"
	if s.kind == inspircd {
		mode = "SAMODE"
	}
	s.enter("$phone", "$bob", "$dave")
	bob.write(mode + " $chan +q $dave")
	s.moded("$phone", "+q $dave", "*", "$dave", "owner", "moderator")
	bob.write(mode + " $chan +a $bob")
	s.moded("$phone", "+a $bob", "*", "$bob", "owner", "moderator")
	s.enter("$desk", "$bob", "$dave")
	s.Send("<iq type='get' id='o1' from='$desk' to='$room'><query " + mucAdmin + "><item affiliation='owner'/></query></iq>")
	s.Expect("<iq type='result' id='o1'><query " + mucAdmin + "><item affiliation='owner' role='moderator' nick='$bob'/><item affiliation='owner' nick='$dave'/></query></iq>")
}

// admin asks for a change by muc#admin.
func (s *ircStage) admin(id, from, attrs, reason string) {
	s.Helper()
	if reason != "" {
		reason = "<reason>" + reason + "</reason>"
	}
	s.Send("<iq type='set' id='" + id + "' from='" + from + "' to='$room'><query " + mucAdmin + "><item " + attrs + ">" + reason + "</item></query></iq>")
}

// Joining 4, C5.2; behaviour 48: what muc#admin gives is a mode, and where one is taken for another, it is one command.
func givingRanks(s *ircStage) {
	s.enter("$phone")
	bob := s.person("bob", "$chan")
	s.Expect("<presence from='$room/$bob' to='$phone'>" + item("none", "participant") + "</presence>")
	for _, c := range []struct{ attrs, modes, affiliation, role string }{
		{"affiliation='admin'", "+o $bob", "admin", "moderator"},
		{"affiliation='member' role='participant'", "+v-o $bob $bob", "member", "participant"},
		{"affiliation='none'", "-v $bob", "none", "participant"},
		{"role='moderator'", "+o $bob", "admin", "moderator"},
		{"role='visitor'", "-o $bob", "none", "participant"},
	} {
		s.admin("a1", "$phone", "nick='$bob' "+c.attrs, "")
		s.ExpectAll(
			"<iq type='result' id='a1' from='$room' to='$phone'/>",
			"<message type='groupchat' from='$room' to='$phone'><body>Mode $chan ["+c.modes+"] by $me</body></message>",
			"<presence from='$room/$bob' to='$phone'>"+item(c.affiliation, c.role)+"</presence>",
		)
		bob.heard("MODE", append([]string{"$chan"}, strings.Fields(c.modes)...)...)
	}
	bob.write("MODE $chan +v $me") // who is no operator may not
}

// C5.2: nobody of that name, and no right to do so, in the network's words.
func adminRefused(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	s.admin("a1", "$phone", "nick='nobody' affiliation='admin'", "")
	s.Expect("<iq type='error' id='a1' from='$room' to='$phone'><error type='cancel'><item-not-found " + stanzaErr + "/><text " + stanzaErr + ">*nobody*</text></error></iq>")
	s.person("dave", "$chan")
	s.Expect("<presence from='$room/$dave'/>")
	// A ban is two commands, each of which is refused. The second refusal, if it comes later, is told in the room.
	s.Ignore("<message type='groupchat' from='$room'><body>*operator*</body></message>")
	for id, attrs := range map[string]string{"a2": "affiliation='admin'", "a3": "role='none'", "a4": "affiliation='outcast'"} {
		s.admin(id, "$phone", "nick='$dave' "+attrs, "")
		s.Expect("<iq type='error' id='" + id + "' from='$room' to='$phone'><error type='auth'><forbidden " + stanzaErr + "/><text " + stanzaErr + ">*</text></error></iq>")
	}
	bob.notHeard("KICK")
	if s.kind == ngircd { // the others have it from the beginning
		bob.write("MODE $chan +t")
		s.Expect("<message from='$room'><body>Mode $chan [+t] by $bob</body></message>")
		s.Expect("<message from='$room'><x " + mucUser + "><status code='104'/></x></message>")
	}
	s.Send("<message type='groupchat' id='t1' from='$phone' to='$room'><subject>Mine</subject></message>")
	s.Expect("<message type='error' id='t1' from='$room' to='$phone'><error type='auth'><forbidden " + stanzaErr + "/></error></message>")
}

// Joining 4: +b is a list of outcasts, which can be read, added to and taken from.
func outcasts(s *ircStage) {
	s.enter("$phone")
	bob := s.personWith("bob", ircUser("bobby"), "$chan")
	dave := s.person("dave", "$chan")
	s.Expect("<presence from='$room/$bob' to='$phone'/>")
	s.Expect("<presence from='$room/$dave' to='$phone'/>")
	s.Send("<iq type='get' id='l0' from='$phone' to='$room'><query " + mucAdmin + "><item affiliation='outcast'/></query></iq>")
	s.Expect("<iq type='result' id='l0'><query " + mucAdmin + "><no><item/></no></query></iq>")

	s.admin("b1", "$phone", "jid='*!*bad\\40*.example%$server@$gw' affiliation='outcast'", "")
	s.ExpectAll("<iq type='result' id='b1'/>", "<message from='$room'><body>Mode $chan [+b *!*bad@*.example] by $me</body></message>")
	s.admin("b2", "$phone", "nick='$dave' affiliation='outcast'", "Enough")
	s.ExpectAll(
		"<iq type='result' id='b2'/>",
		"<message from='$room'><body>Mode $chan [+b $mask] by $me</body></message>",
		"<presence type='unavailable' from='$room/$dave' to='$phone'><x "+mucUser+"><item affiliation='outcast' role='none'><actor nick='$me'/><reason>Enough</reason></item>"+
			"<status code='301'/></x></presence>",
	)
	if l := dave.heard("KICK", "$chan", "$dave"); l.Last() != "Enough" {
		s.Errorf("%s", l)
	}
	s.Send("<iq type='get' id='l1' from='$phone' to='$room'><query " + mucAdmin + "><item affiliation='outcast'/></query></iq>")
	s.Expect("<iq type='result' id='l1'><query " + mucAdmin + "><item affiliation='outcast' jid='$first'/><item affiliation='outcast' jid='$second'/></query></iq>")
	for i, jid := range []string{s.Var("first"), s.Var("second")} {
		id := []string{"u1", "u2"}[i]
		s.admin(id, "$phone", "jid='"+strings.NewReplacer("'", "&apos;", "&", "&amp;").Replace(jid)+"' affiliation='none'", "")
		s.ExpectAll("<iq type='result' id='"+id+"'/>", "<message from='$room'><body>Mode $chan [-b *] by $me</body></message>")
	}
	s.Send("<iq type='get' id='l2' from='$phone' to='$room'><query " + mucAdmin + "><item affiliation='outcast'/></query></iq>")
	s.Expect("<iq type='result' id='l2'><query " + mucAdmin + "><no><item/></no></query></iq>")
	bob.heard("MODE", "$chan", "-b")
}

// roomConfig are fields of a room's form, as name and value.
func roomConfig(fields ...string) string {
	all := "<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>"
	for i := 0; i < len(fields); i += 2 {
		name := fields[i]
		if !strings.HasPrefix(name, "x-") { // which are our own
			name = "muc#roomconfig_" + name
		}
		all += "<field var='" + name + "'><value>" + fields[i+1] + "</value></field>"
	}
	return all
}

// Joining 4; behaviour 48: i, k, l, m, n, s and t are the room's configuration, both ways.
func configuring(s *ircStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	bob.write("MODE $chan +o $me")
	s.Expect("<message from='$room'/>")
	s.Expect("<presence from='$room/$me'/>")
	bob.write("MODE $chan -nst")
	if s.kind != ngircd { // which does not have these from the beginning
		s.Expect("<message from='$room'><body>Mode $chan [-nt] by $bob</body></message>")
	}
	s.Ignore("<message type='groupchat'><x " + mucUser + "><status code='104'/></x></message>")
	s.Ignore(s.Known("<message type='groupchat'><body>Mode * by $me</body></message>"))
	configure := func(id string, fields ...string) {
		s.Helper()
		s.Send("<iq type='set' id='" + id + "' from='$phone' to='$room'><query " + mucOwner + "><x xmlns='jabber:x:data' type='submit'>" + roomConfig(fields...) + "</x></query></iq>")
		s.Expect("<iq type='result' id='" + id + "' from='$room' to='$phone'/>")
	}
	shows := func(id string, fields ...string) {
		s.Helper()
		s.Send("<iq type='get' id='" + id + "' from='$phone' to='$room'><query " + mucOwner + "/></iq>")
		s.Expect("<iq type='result' id='" + id + "' from='$room' to='$phone'><query " + mucOwner + "><x xmlns='jabber:x:data' type='form'>" + roomConfig(fields...) + "</x></query></iq>")
	}
	all := []string{
		"membersonly", "1", "moderatedroom", "1", "publicroom", "0", "changesubject", "0",
		"passwordprotectedroom", "1", "roomsecret", "sesame", "maxusers", "23", "x-inside", "1",
	}
	configure("c1", all...)
	shows("f1", all...)
	modes := ""
	for !strings.Contains(modes, "l") || !strings.Contains(modes, "k") || !strings.Contains(modes, "t") {
		l := bob.heard("MODE", "$chan")
		if strings.HasPrefix(l.Param(1), "+") && l.Param(1) != "+o" {
			modes += l.Param(1)
		}
	}
	for _, mode := range "imnstkl" {
		if !strings.ContainsRune(modes, mode) {
			s.Errorf("+%c is not in %s", mode, modes)
		}
	}
	none := []string{"membersonly", "0", "moderatedroom", "0", "publicroom", "1", "changesubject", "1", "passwordprotectedroom", "0", "maxusers", "none", "x-inside", "0"}
	configure("c2", none...)
	shows("f2", none...)
	bob.write("MODE $chan +mtl 5")
	s.Expect("<message from='$room'><body>Mode $chan [+mtl 5] by $bob</body></message>")
	shows("f3", "membersonly", "0", "moderatedroom", "1", "changesubject", "0", "maxusers", "5")
}

// refusedTo expects a refusal in the network's words.
func (s *ircStage) refusedTo(resource, kind, condition string) {
	s.Helper()
	s.Expect("<presence type='error' from='$room/$me' to='" + resource + "'>" + inMUC +
		"<error type='" + kind + "'><" + condition + " " + stanzaErr + "/><text " + stanzaErr + ">*</text></error></presence>")
}

// Joining 4, C3.6: +k.
func enteringWithKey(s *ircStage) {
	bob := s.person("bob", "$chan")
	bob.write("MODE $chan +k sesame")
	try := func(password string) {
		s.Send("<presence from='$desk' to='$room/$me'><x xmlns='http://jabber.org/protocol/muc'><password>" + password + "</password></x></presence>")
	}
	try("")
	s.refusedTo("$desk", "auth", "not-authorized")
	try("open")
	s.refusedTo("$desk", "auth", "not-authorized")
	try("sesame")
	s.entered("$desk", "$me", "$bob")
}

// Joining 4: +i.
func enteringInvited(s *ircStage) {
	bob := s.person("bob", "$chan")
	bob.write("MODE $chan +i")
	s.join("$phone")
	s.refusedTo("$phone", "auth", "registration-required")
	s.Send("<presence from='$phone' to='$chan-b%$server@$gw/$me'>" + inMUC + "</presence>") // to be there to be invited
	s.Expect("<presence from='$chan-b%$server@$gw/$me'/>")
	s.Expect("<message from='$chan-b%$server@$gw'><subject/></message>")
	bob.write("INVITE $me $chan")
	s.Expect("<message from='$room' to='$alice'><x " + mucUser + "><invite/></x></message>")
	s.enter("$phone", "$bob")
}

// Joining 4: +b.
func enteringBanned(s *ircStage) {
	bob := s.person("bob", "$chan")
	bob.write("MODE $chan +b $me!*@*")
	s.join("$phone")
	s.refusedTo("$phone", "auth", "forbidden")
	bob.write("MODE $chan -b $me!*@*")
	s.enter("$phone", "$bob")
}

// Joining 4: +l.
func enteringFull(s *ircStage) {
	bob := s.person("bob", "$chan")
	bob.write("MODE $chan +l 1")
	s.join("$phone")
	s.refusedTo("$phone", "wait", "service-unavailable")
	bob.write("MODE $chan -l")
	s.enter("$phone", "$bob")
}

// Joining 4: +r, which these servers spell +R.
func enteringUnregistered(s *ircStage) {
	bob := s.person("bob", "$chan")
	bob.write("MODE $chan +R")
	bob.heard("MODE", "$chan", "+R")
	s.join("$phone")
	s.refusedTo("$phone", "auth", "registration-required")
	bob.write("MODE $chan -R")
	s.enter("$phone", "$bob")
}
