//go:build integration

package integration

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gangway/core/xmpp/xmpptest"
	"gangway/integration/servers"
	"gangway/integration/servers/serverstest"
)

// TestIRCGuard plays what the administrator and the gateway keep users and networks from, on servers with their usual
// limits.
func TestIRCGuard(t *testing.T) {
	t.Parallel()
	h := openGuardedHouse(t)
	all := []string{ngircd, inspircd, hybrid}
	for _, sc := range []struct {
		name string
		on   []string
		play func(*guardedStage)
	}{
		{"no TLS where it must be", []string{ngircd, hybrid}, withoutTLS}, // which takes long where the server says nothing
		{"pace", []string{inspircd, hybrid}, pace},                        // they would end a connection that writes faster
		{"no line in a line", []string{ngircd, inspircd}, oneLine},
		{"a paste", all, paste},
		{"a verified network", all, verified},
		{"a network that cannot be verified", all, unverified},
		{"a fingerprint", all, pinned},
		{"networks and ports", all, allowedNetworks},
		{"no raw commands", all, noRawCommands},
		{"banned from the network", all, networkBan},
	} {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			for _, kind := range sc.on {
				t.Run(kind, func(t *testing.T) {
					t.Parallel()
					sc.play(h.stage(t, kind))
				})
			}
		})
	}
}

// guarded is what a guarded house has besides: what the gateway has written to each network, by its kind.
type guarded struct {
	ircHouse
	taps map[string]*cable
}

// openGuardedHouse starts the servers, and the program with, by kind: KIND.test, written to through a tap;
// slow.KIND.test, of which the gateway expects that it takes little at a time; tls.KIND.test
// with TLS, verified; self.KIND.test, the same server of an authority that nobody knows; and bare.KIND.test, which is
// to have TLS, and has none. any.gw is for all public networks.
func openGuardedHouse(t *testing.T) *guarded {
	t.Helper()
	dir := serverstest.Dir(t)
	h := &guarded{taps: map[string]*cable{}}
	h.xmpp, h.irc = xmpptest.New(t), map[string]servers.IRCServer{}
	h.xmpp.Patience = ircPatience
	at := func(kind string) servers.IRCConfig {
		return servers.IRCConfig{Dir: filepath.Join(dir, kind), Name: kind + ".test"}
	}
	h.irc[ngircd] = serverstest.Start(t, servers.NewNgircd, at(ngircd))
	h.irc[inspircd] = serverstest.Start(t, servers.NewInspircd, at(inspircd))
	h.irc[hybrid] = serverstest.Start(t, servers.NewHybrid, at(hybrid))
	addrs := [2]string{}
	for i := range addrs {
		var err error
		if addrs[i], err = servers.FreeAddr(); err != nil {
			t.Fatal(err)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "[xmpp]\nserver = %q\ndomain = %q\n[store]\nurl = \"sqlite:%s/gangway.db\"\n[access]\nallow = [\"*@example.org\"]\n"+
		"[limits]\nmessages = 0\nregistrations = 0\ndomain_registrations = 0\n[web]\nlisten = %q\nhooks = %q\npublic_url = \"http://%[5]s\"\n[log]\nlevel = \"debug\"\n",
		h.xmpp.Addr(), xmpptest.Host, dir, addrs[0], addrs[1])
	fmt.Fprintf(&b, "[transport.any]\ndriver = \"irc\"\ndomain = \"any.gw\"\nsecret = %q\nnetworks = [\"*\"]\n", xmpptest.Secret)
	fmt.Fprintf(&b, "[transport.irc]\ndomain = \"irc.gw\"\nsecret = %q\nnetworks = [\"nowhere.invalid\"]\n", xmpptest.Secret)
	for kind, s := range h.irc {
		ca, err := s.CAFile()
		if err != nil {
			t.Fatal(err)
		}
		h.taps[kind] = newCable(t.Context(), t, s.Addr())
		network := func(name, address, more string) {
			fmt.Fprintf(&b, "[transport.irc.network.%q]\naddress = %q\n%s", name, address, more)
		}
		network(kind+".test", "irc://"+h.taps[kind].listener.Addr().String(), "flood_burst = 20\nflood_interval = \"200ms\"\n")
		network("slow."+kind+".test", "irc://"+s.Addr(), "flood_burst = 5\nflood_interval = \"1s\"\n")
		network("tls."+kind+".test", "ircs://"+s.TLSAddr(), fmt.Sprintf("ca = %q\n", ca))
		network("self."+kind+".test", "ircs://"+s.TLSAddr(), "")
		network("bare."+kind+".test", "ircs://"+h.taps[kind].listener.Addr().String(), fmt.Sprintf("ca = %q\n", ca))
	}
	file := filepath.Join(dir, "gangway.toml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	gw := serverstest.Start(t, servers.NewGangway, servers.GangwayConfig{Dir: dir, Binary: binary, Config: file, Web: addrs[0]})
	h.log = gw.Logs()[0]
	return h
}

// stage is one whose $room is on the network that has the tap.
func (h *guarded) stage(t *testing.T, kind string) *guardedStage {
	t.Helper()
	s := &guardedStage{h.ircHouse.stage(t, kind), h, h.taps[kind]}
	for _, domain := range []string{"irc.gw", "any.gw"} { // which tell of the account, whenever there is time
		s.Ignore("<presence from='" + domain + "'/>")
		s.Ignore("<message type='chat' from='" + domain + "'/>")
	}
	return s
}

type guardedStage struct {
	*ircStage
	house *guarded
	tap   *cable
}

// on has the scenario go on in the same channel of another network.
func (s *guardedStage) on(network string) {
	s.Set("room", s.Known("$chan%"+network+".$server@$gw"))
	s.Ignore("<message type='chat' from='" + network + "." + s.kind + ".test@irc.gw*'/>")
}

// refusedEntry expects that a resource cannot enter, for a reason in which a word stands.
func (s *guardedStage) refusedEntry(condition, word string) {
	s.Helper()
	s.join("$phone")
	s.Expect("<presence to='$phone' from='$room/$me' type='error'>" + inMUC + "<error><" + condition + " " + stanzaErr + "/>" +
		"<text " + stanzaErr + ">*" + word + "*</text></error></presence>")
}

// Identity: TLS is verified.
func verified(s *guardedStage) {
	s.on("tls")
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	bob.says("$phone", "safe")
}

// Identity: who cannot prove their name is not spoken to, and the user told why; whoever asks again hears it again.
func unverified(s *guardedStage) {
	s.on("self")
	s.refusedEntry("remote-server-timeout", "certificate")
	bob := s.person("bob")
	bob.write("WHOIS $me")
	bob.heard("401", "$bob", "$me")
}

// Identity: a fingerprint that the user knows is all that counts.
func pinned(s *guardedStage) {
	s.on("self")
	pin := s.fingerprint()
	enrol := func(pin string) {
		s.Helper()
		const command = "<command xmlns='http://jabber.org/protocol/commands' node='jabber:iq:register'"
		turn := func(status, rest string) {
			s.Helper()
			s.Send("<iq type='set' id='turn' from='$phone' to='$gw'>" + command + rest + "</command></iq>")
			st := s.Next()
			for st.ID != "turn" { // the old session may end before this is told, or after
				st = s.Next()
			}
			el := st.Child("http://jabber.org/protocol/commands", "command")
			if el.Attr("status") != status {
				s.Fatalf("received %v, want it %s", st, status)
			}
			s.Set("session", el.Attr("sessionid"))
		}
		answer := func(fields ...string) string {
			return " action='next' sessionid='$session'><x xmlns='jabber:x:data' type='submit'>" + strings.Join(fields, "") + "</x>"
		}
		turn("executing", " action='execute'>")
		turn("executing", answer(field("network", "self.$server"), field("nick", "$me"), field("more", "1")))
		turn("completed", answer(field("fingerprint", pin)))
	}
	enrol(pin)
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	bob.says("$phone", "safe")
	s.Ignore("<presence from='#*' type='unavailable'/>")
	enrol(strings.Repeat("00", sha256.Size))
	s.refusedEntry("remote-server-timeout", "certificate")
}

// fingerprint is that of the server's certificate.
func (s *guardedStage) fingerprint() string {
	s.Helper()
	conn, err := tls.Dial("tcp", s.irc.TLSAddr(), s.irc.ClientTLS())
	if err != nil {
		s.Fatal(err)
	}
	defer conn.Close()
	sum := sha256.Sum256(conn.ConnectionState().PeerCertificates[0].Raw)
	return hex.EncodeToString(sum[:])
}

// Identity: where TLS is to be, nothing is said without.
func withoutTLS(s *guardedStage) {
	s.on("bare")
	s.refusedEntry("remote-server-timeout", "")
	if said := s.tap.lines(s.Known("$me")); len(said) > 0 {
		s.Errorf("said %q", said)
	}
}

// Identity: networks are those that the administrator has named, or public ones, at the ports of IRC.
func allowedNetworks(s *guardedStage) {
	refused := func(room string) {
		s.Helper()
		s.Set("room", s.Known(room))
		s.join("$phone")
		s.Expect("<presence to='$phone' from='$room/$me' type='error'><error><text " + stanzaErr + ">*connect*</text></error></presence>")
	}
	refused("$chan%irc.example.org@$gw")
	refused("$chan%localhost@any.gw")
	refused("$chan%127.0.0.1@any.gw")
	s.Send("<iq type='set' id='g1' from='$phone' to='$gw'><query xmlns='jabber:iq:gateway'><prompt>irc://$server:22/$chan</prompt></query></iq>")
	s.Expect("<iq type='error' id='g1' to='$phone'><error><text " + stanzaErr + ">*port*</text></error></iq>")
}

// Model 4: without raw_commands the network takes none.
func noRawCommands(s *guardedStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	s.Send("<message from='$phone' to='$server@$gw' type='chat' id='r1'><body>PRIVMSG $bob :raw</body></message>")
	s.Expect(refusedStanza("message", "$server@$gw*", "$phone", "r1", "auth", "not-authorized"))
	bob.says("$phone", "after")
	if l, ok := bob.Take(bob.of("$me")); ok {
		s.Errorf("heard %q", l.Raw)
	}
}

// Messages 2: a message of many lines becomes a file, where the user wants that.
func paste(s *guardedStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	s.choose("pastes", "5")
	text := strings.Repeat("one of many lines\n", 7) + "the last"
	s.say("$phone", "l1", "<body>"+text+"</body>")
	got := bob.heard("PRIVMSG", "$chan").Last()
	link := got[strings.LastIndexByte(got, ' ')+1:]
	if !strings.HasPrefix(got, "one of many lines … (8 lines) http://") {
		s.Fatalf("heard %q", got)
	}
	if file, _ := fetch(s.ctx, s.T, link); string(file) != text {
		s.Errorf("the file is %q", file)
	}
	s.Expect(groupchat("$phone", "$me", "l1", got, named))
	s.say("$phone", "l2", "<body>one\ntwo</body>")
	bob.heard("PRIVMSG", "$chan", "one")
	bob.heard("PRIVMSG", "$chan", "two")
}

// Messages 2: what is said fast is written as slowly as the network bears, in order, and the user can see how much waits.
func pace(s *guardedStage) {
	const n = 10
	s.on("slow")
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	began := time.Now()
	for i := range n {
		s.say("$phone", fmt.Sprint("l", i), fmt.Sprintf("<body>line %d</body>", i))
	}
	const command = "<command xmlns='http://jabber.org/protocol/commands' node='status'"
	s.Send("<iq type='set' id='status' from='$phone' to='$gw'>" + command + " action='execute'/></iq>")
	told := ""
	for i := 0; i < n; {
		st := s.Next()
		switch {
		case st.ID == "status":
			for el := range st.Child("http://jabber.org/protocol/commands", "command").Children() {
				told += el.Text()
			}
		case st.ID != fmt.Sprint("l", i) || st.Body() != fmt.Sprintf("line %d", i):
			s.Fatalf("received %v, want line %d", st, i)
		default:
			i++
		}
	}
	// Five lines go at once, and entering has cost some.
	if d := time.Since(began); d < (n-5)*time.Second {
		s.Errorf("%d lines in %v", n, d)
	}
	if !strings.Contains(told, "takes only a few at a time") {
		s.Errorf("the status is %q", told)
	}
	for i := range n {
		if got := bob.heard("PRIVMSG", "$chan").Last(); got != fmt.Sprintf("line %d", i) {
			s.Errorf("heard %q, want line %d", got, i)
		}
	}
}

// Identity; behaviour 53: a network that bans the user is not asked again and again, and the user is told.
func networkBan(s *guardedStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	bob.write("OPER oper oper")
	bob.heard("381")
	switch s.kind {
	case ngircd:
		bob.write("KLINE *!*$me@* 600 :go away", "KILL $me :go away")
	case inspircd:
		bob.write("KLINE *$me@127.0.0.1 10m :go away")
	default:
		bob.write("KLINE 10 *$me@127.0.0.1 :go away")
	}
	st := s.Next()
	for st.Type != "unavailable" || st.From != s.Known("$room/$me") { // what the network says first
		st = s.Next()
	}
	if x := st.Child("http://jabber.org/protocol/muc#user", "x"); !strings.Contains(st.ChildText("", "status"), "go away") || x == nil {
		s.Errorf("gone: %v", st)
	}
	s.join("$phone")
	st = s.Next()
	for st.Type != "error" || st.From != s.Known("$room/$me") {
		st = s.Next()
	}
	if text := st.Child("", "error").ChildText("urn:ietf:params:xml:ns:xmpp-stanzas", "text"); !strings.Contains(text, "go away") {
		s.Errorf("refused: %v", st)
	}
}

// One writer: whatever stands in a stanza, one command stays one line, and no field becomes two.
func oneLine(s *guardedStage) {
	bob := s.person("bob", "$chan")
	s.enter("$phone", "$bob")
	bob.write("MODE $chan +o $me")
	s.Ignore("<message type='error'/>")
	const evil = "x&#13;&#10;QUIT :gone&#10;PART $chan"
	to := func(jid string) string { return " from='$phone' to='" + jid + "'" }
	admin := func(item, reason string) string {
		return "<iq type='set' id='evil'" + to("$room") + "><query " + mucAdmin + "><item " + item + "><reason>" + reason + "</reason></item></query></iq>"
	}
	config := func(name string) string {
		return "<iq type='set' id='evil'" + to("$room") + "><query " + mucOwner + "><x xmlns='jabber:x:data' type='submit'>" + field(name, evil) +
			field("muc#roomconfig_passwordprotectedroom", "1") + "</x></query></iq>"
	}
	for _, stanza := range []string{
		"<presence" + to("$room/"+evil) + "/>",
		"<presence" + to("$room/$me") + "><show>away</show><status>" + evil + "</status></presence>",
		"<presence" + to("#"+evil+"%$server@$gw/$me") + ">" + inMUC + "</presence>",
		"<presence" + to("#key$me%$server@$gw/$me") + "><x xmlns='http://jabber.org/protocol/muc'><password>" + evil + "</password></x></presence>",
		"<message" + to("$room") + " type='groupchat' id='evil1'><body>" + evil + "</body></message>",
		"<message" + to("$room") + " type='groupchat' id='evil2'><body>/me " + evil + "</body></message>",
		"<message" + to("$room") + " type='groupchat' id='evil3'><body>/mode +b " + evil + "</body></message>",
		"<message" + to("$room") + " type='groupchat' id='evil4'><subject>" + evil + "</subject></message>",
		"<message" + to("$room") + " type='groupchat' id='evil5'><body>x</body><replace " + correctNS + " id='evil1'/></message>",
		"<message" + to("$room") + " type='groupchat' id='evil6'><reactions " + reactionsNS + " id='" + evil + "'><reaction>" + evil + "</reaction></reactions></message>",
		"<message" + to("$room") + " type='groupchat' id='evil7'><body>y</body><reply " + replyNS + " id='" + evil + "' to='" + evil + "'/></message>",
		"<message" + to("$room") + " type='groupchat' id='evil8'><retract " + retractNS + " id='" + evil + "'/></message>",
		"<message" + to("$room/$bob") + " type='chat' id='evil9'><body>" + evil + "</body></message>",
		"<message" + to("$bob%$server@$gw") + " type='chat' id='evil10'><body>" + evil + "</body></message>",
		"<message" + to(evil+"%$server@$gw") + " type='chat' id='evil11'><body>x</body></message>",
		"<message" + to("$server@$gw") + " type='chat' id='evil12'><body>" + evil + "</body></message>",
		"<message" + to("$room") + " id='evil13'><x " + mucUser + "><invite to='" + evil + "%$server@$gw'><reason>" + evil + "</reason></invite></x></message>",
		admin("nick='nobody' role='none'", evil), admin("nick='"+evil+"' role='none'", "x"),
		admin("jid='"+evil+"%$server@$gw' affiliation='outcast'", evil), admin("nick='"+evil+"' affiliation='admin'", ""),
		config("muc#roomconfig_roomsecret"), config("muc#roomconfig_maxusers"), config("x-edits"),
		"<iq type='set' id='evil'" + to("$gw") + "><query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'>" + field("network", "$server") +
			field("nick", evil) + field("login", evil) + field("password", evil) + field("unlogged", "") + field("realname", evil) + field("username", evil) +
			field("commands", evil) + field("alternates", evil) + "</x></query></iq>",
		"<iq type='get' id='evil'" + to("$room/"+evil) + "><query xmlns='jabber:iq:version'/></iq>",
		"<presence type='unavailable'" + to("#key$me%$server@$gw/$me") + "><status>" + evil + "</status></presence>",
	} {
		s.house.xmpp.Raw("irc.gw", s.Known(stanza))
	}
	s.say("$phone", "end", "<body>still here</body>")
	for st := s.Next(); st.ID != "end"; st = s.Next() {
		if st.Type == "unavailable" && st.From == s.Known("$room/$me") {
			s.Fatalf("gone: %v", st)
		}
	}
	bob.heard("PRIVMSG", "$chan", "still here")
	may := []string{"CAP", "NICK", "USER", "JOIN", "WHO", "MODE", "AWAY", "PRIVMSG", "TOPIC", "TAGMSG", "INVITE", "KICK", "PART", "PING", "PONG", "MONITOR", "ISON", "NOTICE", "REDACT"}
	for _, line := range s.tap.lines(s.Known("$me")) {
		words := strings.Fields(line)
		if strings.HasPrefix(line, "@") {
			words = words[1:]
		}
		if !slices.Contains(may, words[0]) || words[0] == "PART" && words[1] == s.Known("$chan") {
			s.Errorf("wrote %q", line)
		}
	}
}
