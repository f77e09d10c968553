package irc

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"gangway/core"
	"gangway/core/transporttest"
	"gangway/transports/irc/ident"
)

func TestWebIRC(t *testing.T) {
	config := "networks = [\"irc.test\"]\nwebirc_host = \"users.example.org\"\nsource_prefix = \"2001:db8:1:2::/64\"\n" +
		"[network.\"irc.test\"]\nwebirc = \"pa55\""
	script(t, config, core.Account{}, func(p *play) {
		known, err := p.s.t.Identify(t.Context(), "alice@example.test")
		if err != nil || len(known) != 3 {
			t.Fatal(known, err)
		}
		p.join("#chan", "1")
		p.run()
		p.accept()
		line := p.line()
		start := "WEBIRC pa55 gangway " + known[2] + " " + known[1]
		if !strings.HasPrefix(line, start) {
			t.Errorf("%q, want %q...", line, start)
		}
		if told := netip.MustParseAddr(strings.Fields(line)[4]); p.dialled[0].source != told {
			t.Errorf("comes from %v, tells %v", p.dialled[0].source, told)
		}
		p.expect("CAP LS 302")
	})
}

func TestWebIRCWithoutAPrefix(t *testing.T) {
	script(t, "[network.\"irc.test\"]\nwebirc = \"pa55\"", core.Account{}, func(p *play) {
		p.join("#chan", "1")
		p.run()
		p.accept()
		f := strings.Fields(p.line())
		if len(f) != 5 || f[3] != f[4] || !netip.MustParseAddr(f[4]).IsPrivate() || p.dialled[0].source.IsValid() {
			t.Errorf("%q from %v", f, p.dialled[0].source)
		}
	})
}

func TestAddressesOfUsers(t *testing.T) {
	for _, prefix := range []string{"2001:db8::/32", "2001:db8:1:2::/64", "2001:db8:1:2:3::/81"} {
		p, seen := netip.MustParsePrefix(prefix), map[netip.Addr]bool{}
		for i := range 200 {
			a := addressIn(p, []byte("key"), core.UserID(fmt.Sprint("user", i)))
			if !p.Contains(a) || seen[a] || a != addressIn(p, []byte("key"), core.UserID(fmt.Sprint("user", i))) {
				t.Fatalf("%s: %v", prefix, a)
			}
			seen[a] = true
		}
	}
}

func TestIdentityConfig(t *testing.T) {
	for _, text := range []string{
		`source_prefix = "10.0.0.0/8"`, `source_prefix = "2001:db8::1/64"`, `source_prefix = "2001:db8::/16"`, `source_prefix = "2001:db8::/127"`,
		`source_prefix = "fe80::/64"`, `source_prefix = "x"`, `ident = "113"`, `webirc_host = "no host"`, "[network.\"irc.test\"]\nwebirc = \"two words\"",
	} {
		if _, err := newTransport(transporttest.NewHost(t), settingsOf("networks = [\"*\"]\n"+text)); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

// TestIdentdKnowsOurConnections has the network ask, as the first thing, whose a connection is.
func TestIdentdKnowsOurConnections(t *testing.T) {
	irc, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer irc.Close()
	tr := transportOf(t, "ident = \"127.0.0.1:0\"\n[network.\"irc.test\"]\naddress = \"irc://"+irc.Addr().String()+"\"")
	identd, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() { ended <- tr.identity.words.Run(ctx, identd) }()
	s, err := tr.Open(core.Account{ID: "a1", User: "alice@example.test", Realm: "irc.test"})
	if err != nil {
		t.Fatal(err)
	}
	go func() { ended <- s.Run(ctx) }()
	conn, err := irc.Accept()
	if err != nil {
		t.Fatal(err)
	}
	query := fmt.Sprintf("%d, %d\r\n", conn.RemoteAddr().(*net.TCPAddr).Port, conn.LocalAddr().(*net.TCPAddr).Port)
	ask := func() string {
		c, err := net.Dial("tcp", identd.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprint(c, query)
		line, err := bufio.NewReader(c).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return line
	}
	key, err := tr.secret(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := ask(); !strings.HasSuffix(got, " : USERID : UNIX : "+ident.Word(key, "alice@example.test")+"\r\n") {
		t.Errorf("answered %q", got)
	}
	conn.Close()
	cancel()
	for range 2 {
		<-ended
	}
}

// TestNoIPv6 has a network that an IPv6 address cannot reach: it is reached from the gateway's own.
func TestNoIPv6(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := dial(t.Context(), &network{address: l.Addr().String(), source: netip.MustParseAddr("2001:db8::1")})
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}
