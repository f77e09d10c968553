//go:build integration

package integration

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gangway/core/xmpp/xmpptest"
	"gangway/integration/ircclient"
	"gangway/integration/servers"
	"gangway/integration/servers/serverstest"
	"gangway/integration/world"
)

const (
	biboumiDomain = "biboumi.example.org"
	commandsNS    = "http://jabber.org/protocol/commands"
)

// biboumi is Debian's, between a scripted host server and a real IRC network.
type biboumi struct {
	t    *testing.T
	xmpp *xmpptest.Server
	irc  *servers.Ngircd
	file string // its database
	cmd  *exec.Cmd
	asks int
}

// startBiboumi starts all three, with more lines in biboumi's configuration.
func startBiboumi(t *testing.T, more string) *biboumi {
	t.Helper()
	b := &biboumi{t: t, xmpp: xmpptest.New(t)}
	b.xmpp.Patience = time.Minute
	b.irc = serverstest.Start(t, servers.NewNgircd, servers.IRCConfig{Dir: serverstest.Dir(t), Unlimited: true})
	dir := serverstest.Dir(t)
	b.file = filepath.Join(dir, "biboumi.sqlite")
	_, port, err := net.SplitHostPort(b.xmpp.Addr())
	if err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(dir, "biboumi.cfg")
	text := fmt.Sprintf("hostname=%s\npassword=%s\nxmpp_server_ip=127.0.0.1\nport=%s\ndb_name=%s\nlog_level=0\nlog_file=%s/log\nidentd_port=0\n%s",
		biboumiDomain, xmpptest.Secret, port, b.file, dir, more)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b.cmd = exec.Command("/usr/bin/biboumi", conf)
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b.xmpp.Await(biboumiDomain, 1)
	return b
}

// end stops biboumi, which leaves its database behind.
func (b *biboumi) end() {
	b.t.Helper()
	if err := b.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		b.t.Fatal(err)
	}
	if err := b.cmd.Wait(); err != nil {
		b.t.Logf("biboumi ended: %v", err)
	}
}

// configure fills in the form of an address as a user would.
func (b *biboumi) configure(user, jid, fields string) {
	b.t.Helper()
	b.asks++
	b.xmpp.Send(fmt.Sprintf("<iq type='set' id='c%d' from='%s/x' to='%s'><command xmlns='%s' node='configure' action='execute'/></iq>",
		b.asks, user, jid, commandsNS))
	form := b.xmpp.Expect(fmt.Sprintf("<iq type='result' id='c%d'><command xmlns='%s' status='executing'/></iq>", b.asks, commandsNS))
	session := form.Child(commandsNS, "command").Attr("sessionid")
	b.asks++
	b.xmpp.Send(fmt.Sprintf("<iq type='set' id='c%d' from='%s/x' to='%s'><command xmlns='%s' node='configure' action='complete' sessionid='%s'>"+
		"<x xmlns='jabber:x:data' type='submit'>%s</x></command></iq>", b.asks, user, jid, commandsNS, session, fields))
	b.xmpp.Expect(fmt.Sprintf("<iq type='result' id='c%d'><command xmlns='%s' status='completed'/></iq>", b.asks, commandsNS))
}

func field(name, value string) string {
	return "<field var='" + name + "'><value>" + value + "</value></field>"
}

// talk has a user in a room and somebody on IRC say something.
func (b *biboumi) talk(ctx context.Context, user, room string, lines ...string) {
	b.t.Helper()
	bob, err := ircclient.Dial(ctx, b.irc.Addr(), ircclient.Config{Nick: "bob"})
	if err != nil {
		b.t.Fatal(err)
	}
	defer bob.Close()
	if err := bob.Join(ctx, room); err != nil {
		b.t.Fatal(err)
	}
	jid := room + "%irc.test@" + biboumiDomain
	b.xmpp.Send("<presence from='" + user + "/x' to='" + jid + "/al'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
	b.xmpp.Expect("<message type='groupchat' from='" + jid + "'><subject/></message>")
	for _, text := range lines {
		if err := bob.Privmsg(room, text); err != nil {
			b.t.Fatal(err)
		}
		b.xmpp.Expect("<message type='groupchat' from='" + jid + "/bob'><body/></message>")
	}
	b.xmpp.Send("<message type='groupchat' from='" + user + "/x' to='" + jid + "' id='mine'><body>from me</body></message>")
	b.xmpp.Expect("<message type='groupchat' from='" + jid + "/al' id='mine'><body>from me</body></message>")
}

// TestImportBiboumi has Debian's biboumi make a database, by what a user does, and takes its user over.
func TestImportBiboumi(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	b := startBiboumi(t, "")
	b.xmpp.Ignore("<message type='chat'/>")
	b.xmpp.Ignore("<presence/>")
	_, port, err := net.SplitHostPort(b.irc.Addr())
	if err != nil {
		t.Fatal(err)
	}
	const alice = "alice@example.org"
	b.configure(alice, "irc.test@"+biboumiDomain, field("ports", port)+field("address", "127.0.0.1")+field("tls_ports", "")+field("nick", "al")+
		field("realname", "Alice A.")+field("username", "ally")+field("encoding_in", "koi8-r")+field("sasl_password", "")+
		field("after_connect_commands", "PRIVMSG NickServ :identify x"))
	b.configure(alice, "#chan%irc.test@"+biboumiDomain, field("persistent", "true")+field("record_history", "false")+field("encoding_in", "latin1"))
	b.configure(alice, "#chan%irc.test@"+biboumiDomain, field("persistent", "true")+field("record_history", "true")+field("encoding_in", "latin1"))
	for _, room := range []string{slashed, local} {
		b.configure(alice, room, field("persistent", "true"))
	}
	b.configure(alice, biboumiDomain, field("record_history", "true")+field("max_history_length", "42")+field("persistent", "false"))
	b.talk(ctx, alice, "#chan", "hello", "\x01ACTION waves\x01")
	b.end()
	b.returned(ctx, b.imported(ctx))
}

// Channels whose names are escaped in addresses, as biboumi's users have them in their bookmarks.
const (
	slashed = `#a\2fb%irc.test@` + biboumiDomain
	local   = `\26local%irc.test@` + biboumiDomain
)

// returned starts the gateway in biboumi's place: who was in channels is in them again, and finds them under their addresses,
// with what was said there.
func (b *biboumi) returned(ctx context.Context, conf string) {
	b.t.Helper()
	bob, err := ircclient.Dial(ctx, b.irc.Addr(), ircclient.Config{Nick: "bob"})
	if err != nil {
		b.t.Fatal(err)
	}
	defer bob.Close()
	for _, channel := range []string{"#chan", "#a/b", "&local"} {
		if err := bob.Join(ctx, channel); err != nil {
			b.t.Fatal(err)
		}
	}
	b.xmpp.Ignore("<iq type='get'/>") // what it asks the host server
	run(ctx, b.t, &world.World{Config: conf})
	for _, channel := range []string{"#chan", "#a/b", "&local"} {
		back := func(l ircclient.Line) bool { return l.Command == "JOIN" && l.Nick() == "al" && l.Param(0) == channel }
		if _, err := bob.Wait(ctx, back); err != nil {
			b.t.Fatalf("nobody is back in %s: %v", channel, err)
		}
	}
	for room, said := range map[string][]string{"#chan%irc.test@" + biboumiDomain: {"bob hello", "bob /me waves", "al from me"}, slashed: nil, local: nil} {
		b.xmpp.Send("<presence from='alice@example.org/x' to='" + room + "/al'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
		for _, line := range said {
			nick, text, _ := strings.Cut(line, " ")
			b.xmpp.Expect("<message type='groupchat' from='" + room + "/" + nick + "'><body>" + text + "</body><delay xmlns='urn:xmpp:delay'/></message>")
		}
		b.xmpp.Expect("<message type='groupchat' from='" + room + "'><subject/></message>")
	}
}

// configuration writes that of a gateway in biboumi's place, with more lines about IRC.
func (b *biboumi) configuration(more string) (file string) {
	b.t.Helper()
	file = filepath.Join(filepath.Dir(b.file), "gangway.toml")
	text := fmt.Sprintf("[xmpp]\nserver = %q\ndomain = \"example.org\"\n[store]\nurl = \"sqlite:gangway.db\"\n[access]\nallow = [\"*@example.org\"]\n"+
		"[transport.irc]\ndomain = %q\nsecret = %q\n%s[transport.irc.network.\"irc.test\"]\naddress = \"irc://%s\"\n",
		b.xmpp.Addr(), biboumiDomain, xmpptest.Secret, more, b.irc.Addr())
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	return file
}

// imported takes the users over, twice, and looks at what came. It returns the configuration of the gateway.
func (b *biboumi) imported(ctx context.Context) (conf string) {
	b.t.Helper()
	conf = b.configuration("")
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"import", "biboumi", "--dry-run", b.file}, []string{"1 accounts, 3 persistent rooms, 0 contacts and 3 lines of history would come"}},
		{[]string{"import", "biboumi", b.file}, []string{"1 accounts, 3 persistent rooms, 0 contacts and 3 lines of history;", "the address 127.0.0.1"}},
		{[]string{"import", "biboumi", b.file}, []string{"0 accounts, 0 persistent rooms, 0 contacts and 0 lines of history; 1 accounts were here already"}},
		{[]string{"user", "export", "alice@example.org"}, []string{`"nick":"al"`, `"username":"ally"`, `"realname":"Alice A."`,
			`"encoding_in irc.test":"koi8-r"`, `"encoding_in #chan%irc.test":"latin1"`, `"record #chan%irc.test":"true"`, `"history":"42"`, "hello", "/me waves", "from me"}},
	} {
		out, err := exec.CommandContext(ctx, binary, append(c.args, "-c", conf)...).CombinedOutput()
		if err != nil {
			b.t.Fatalf("%v: %v\n%s", c.args, err, out)
		}
		for _, want := range c.want {
			if !strings.Contains(string(out), want) {
				b.t.Errorf("%v: %q is not in\n%s", c.args, want, out)
			}
		}
	}
	return conf
}

// TestImportBiboumiFixed has biboumi serve one network only: its addresses do not name it, and neither do ours.
func TestImportBiboumiFixed(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	b := startBiboumi(t, "fixed_irc_server=irc.test\n")
	b.xmpp.Ignore("<presence/>")
	const alice = "alice@example.org"
	b.configure(alice, "#50%@"+biboumiDomain, field("persistent", "true"))
	b.end()
	conf := b.configuration("fixed_network = \"irc.test\"\n")
	out, err := exec.CommandContext(ctx, binary, "import", "biboumi", b.file, "-c", conf).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "irc.test: stays in #50%\n") {
		t.Fatalf("%v\n%s", err, out)
	}
	bob, err := ircclient.Dial(ctx, b.irc.Addr(), ircclient.Config{Nick: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	defer bob.Close()
	if err := bob.Join(ctx, "#50%"); err != nil {
		t.Fatal(err)
	}
	b.xmpp.Ignore("<iq type='get'/>")
	b.xmpp.Ignore("<message type='chat'/>")
	run(ctx, t, &world.World{Config: conf})
	if _, err := bob.Wait(ctx, func(l ircclient.Line) bool { return l.Command == "JOIN" && l.Nick() == "alice" }); err != nil {
		t.Fatal(err)
	}
	b.xmpp.Send("<presence from='" + alice + "/x' to='#50%@" + biboumiDomain + "/alice'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
	b.xmpp.Expect("<message type='groupchat' from='#50%@" + biboumiDomain + "'><subject/></message>")
}
