//go:build integration

package serverstest_test

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"gangway/integration/ircclient"
	"gangway/integration/servers"
	"gangway/integration/servers/serverstest"
)

// TestServices: accounts are made on both servers, and last when the services are killed.
func TestServices(t *testing.T) {
	conf := servers.IRCConfig{Unlimited: true, Services: true}
	for _, start := range []func() servers.IRCServer{
		func() servers.IRCServer { return serverstest.Start(t, servers.NewInspircd, conf) },
		func() servers.IRCServer { return serverstest.Start(t, servers.NewNgircd, conf) },
	} {
		conf.Dir = serverstest.Dir(t)
		network := start()
		t.Run(network.Name(), func(t *testing.T) {
			services := serverstest.Start(t, servers.NewAtheme, servers.ServicesConfig{Dir: serverstest.Dir(t), Uplink: network})
			alice := irc(t, network.Addr(), ircclient.Config{Nick: "alice"})
			tell(t, alice, "REGISTER sesame alice@example.test", "alice")
			if err := services.Stop(); err != nil {
				t.Fatal(err)
			}
			if err := services.Start(deadline(t)); err != nil {
				t.Fatal(err)
			}
			tell(t, irc(t, network.Addr(), ircclient.Config{Nick: "bob"}), "IDENTIFY alice sesame", "You are now identified for \x02alice\x02")
		})
	}
}

// tell says something to NickServ and waits for the answer.
func tell(t *testing.T, c *ircclient.Client, command, want string) {
	t.Helper()
	if err := c.Privmsg("NickServ", command); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Wait(deadline(t), func(l ircclient.Line) bool {
		return l.Command == "NOTICE" && l.Nick() == "NickServ" && strings.Contains(l.Last(), want)
	}); err != nil {
		t.Fatalf("%v: %v", err, c.Log())
	}
}

// TestSite: a line that is cut is silent, and what was said meanwhile comes through when it is mended.
func TestSite(t *testing.T) {
	site, err := servers.NewSite()
	if errors.Is(err, syscall.EPERM) {
		t.Logf("nothing is cut here, and tests use a relay instead: %v", err)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := site.Close(); err != nil {
			t.Error(err)
		}
	})
	s := serverstest.Start(t, servers.NewInspircd, servers.IRCConfig{Dir: serverstest.Dir(t), Unlimited: true, Site: site})
	near, far, six := irc(t, s.Addr(), ircclient.Config{Nick: "near"}), irc(t, s.SideAddr(), ircclient.Config{Nick: "far"}), irc(t, s.Addr6(), ircclient.Config{Nick: "six"})
	if err := site.Pull(); err != nil {
		t.Fatal(err)
	}
	if err := near.Privmsg("far", "hello"); err != nil {
		t.Fatal(err)
	}
	if err := far.Sync(deadline(t)); err != nil {
		t.Fatal(err)
	}
	if l, ok := far.Take(ircclient.Said("near", "far", "hello")); ok {
		t.Fatalf("through a line that is cut: %s", l.Raw)
	}
	if err := site.Plug(); err != nil {
		t.Fatal(err)
	}
	if _, err := far.Wait(deadline(t), ircclient.Said("near", "far", "hello")); err != nil {
		t.Fatal(err)
	}
	if err := six.Sync(deadline(t)); err != nil {
		t.Fatal(err)
	}
}
