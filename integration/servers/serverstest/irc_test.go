//go:build integration

package serverstest_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"gangway/integration/ircclient"
	"gangway/integration/servers"
	"gangway/integration/servers/serverstest"
)

func TestNgircd(t *testing.T) {
	s := serverstest.Start(t, servers.NewNgircd, servers.IRCConfig{Dir: serverstest.Dir(t), Unlimited: true})
	testNetwork(t, s, ircclient.Config{TLS: s.ClientTLS()})
}

func TestInspircd(t *testing.T) {
	s := serverstest.Start(t, servers.NewInspircd, servers.IRCConfig{Dir: serverstest.Dir(t), Unlimited: true})
	testNetwork(t, s, ircclient.Config{TLS: s.ClientTLS()})
	t.Run("ircv3", func(t *testing.T) { ircv3(t, s) })
}

func TestHybrid(t *testing.T) {
	s := serverstest.Start(t, servers.NewHybrid, servers.IRCConfig{Dir: serverstest.Dir(t), Unlimited: true})
	testNetwork(t, s, ircclient.Config{TLS: s.ClientTLS()})
}

func testNetwork(t *testing.T, s servers.IRCServer, secure ircclient.Config) {
	t.Run("talk", func(t *testing.T) { chat(t, s, secure) })
	t.Run("authority", func(t *testing.T) {
		conf := secure
		conf.Nick, conf.TLS = "stranger", nil
		other, err := servers.NewCA()
		if err != nil {
			t.Fatal(err)
		}
		conf.TLS = other.Client(servers.DefaultIRCName)
		if _, err := ircclient.Dial(deadline(t), s.TLSAddr(), conf); err == nil {
			t.Fatal("the certificate verifies against any authority")
		}
	})
	t.Run("killed", func(t *testing.T) {
		c := irc(t, s.Addr(), ircclient.Config{Nick: "gone"})
		if err := s.Kill(); err != nil {
			t.Fatal(err)
		}
		<-c.Done()
		if _, err := net.Dial("tcp", s.Addr()); err == nil {
			t.Fatal("somebody still listens")
		}
		if err := s.Start(deadline(t)); err != nil {
			t.Fatal(err)
		}
		chat(t, s, secure)
	})
}

func irc(t *testing.T, addr string, conf ircclient.Config) *ircclient.Client {
	t.Helper()
	c, err := ircclient.Dial(deadline(t), addr, conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // the server may have been killed
	return c
}

// chat lets a plain and a TLS connection talk in a channel and in private.
func chat(t *testing.T, s servers.IRCServer, secure ircclient.Config) {
	secure.Nick = "bob"
	alice, bob := irc(t, s.Addr(), ircclient.Config{Nick: "alice"}), irc(t, s.TLSAddr(), secure)
	for _, c := range []*ircclient.Client{alice, bob} {
		if err := c.Join(deadline(t), "#chan"); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 30 { // more than flood control would pass at once
		if err := alice.Privmsg("#chan", fmt.Sprint("line ", i)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 30 {
		if _, err := bob.Wait(deadline(t), ircclient.Said("alice", "#chan", fmt.Sprint("line ", i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := bob.Privmsg("alice", "psst: ünï"); err != nil {
		t.Fatal(err)
	}
	if _, err := alice.Wait(deadline(t), ircclient.Said("bob", "alice", "psst: ünï")); err != nil {
		t.Fatal(err)
	}
	if err := bob.Sync(deadline(t)); err != nil {
		t.Fatal(err)
	}
	if err := bob.Send("OPER " + servers.OperName + " " + servers.OperPassword); err != nil {
		t.Fatal(err)
	}
	if _, err := bob.Wait(deadline(t), ircclient.Command("381")); err != nil {
		t.Fatal(err)
	}
	if _, err := ircclient.Dial(deadline(t), s.Addr(), ircclient.Config{Nick: "alice"}); err == nil || !strings.Contains(err.Error(), "433") {
		t.Fatalf("a nick in use: %v", err)
	}
}

func ircv3(t *testing.T, s servers.IRCServer) {
	want := []string{
		"account-notify", "account-tag", "away-notify", "batch", "cap-notify", "chghost", "echo-message", "extended-join",
		"invite-notify", "labeled-response", "message-tags", "multi-prefix", "server-time", "setname", "userhost-in-names",
	}
	c := irc(t, s.Addr(), ircclient.Config{Nick: "v3", Caps: want})
	if err := c.Join(deadline(t), "#v3"); err != nil {
		t.Fatal(err)
	}
	if err := c.Send("@label=l1 PRIVMSG #v3 :echo"); err != nil {
		t.Fatal(err)
	}
	l, err := c.Wait(deadline(t), ircclient.Said("v3", "#v3", "echo"))
	if err != nil {
		t.Fatal(err)
	}
	if l.Tags["label"] != "l1" || l.Tags["time"] == "" {
		t.Fatalf("tags %v", l.Tags)
	}
}

func TestIRCPassword(t *testing.T) {
	s := serverstest.Start(t, servers.NewNgircd, servers.IRCConfig{Dir: serverstest.Dir(t), Password: "open"})
	irc(t, s.Addr(), ircclient.Config{Nick: "al", Pass: "open"})
	if _, err := ircclient.Dial(deadline(t), s.Addr(), ircclient.Config{Nick: "bo", Pass: "wrong"}); err == nil {
		t.Fatal("a wrong password is accepted")
	}
}
