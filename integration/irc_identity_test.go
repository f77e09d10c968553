//go:build integration

package integration

import (
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"gangway/integration/ircclient"
	"gangway/integration/servers"
	"gangway/integration/servers/serverstest"
	"gangway/integration/world"
)

// TestIRCIdentity has real servers tell the gateway's users apart: by its identd, by an address of each user's own, and
// by WEBIRC.
func TestIRCIdentity(t *testing.T) {
	t.Parallel()
	asking := servers.IRCConfig{Dir: serverstest.Dir(t), Name: "ident.test", Unlimited: true, Ident: true}
	irc := `ident = "127.0.0.1:113"`
	site, err := servers.NewSite()
	if err == nil {
		t.Cleanup(func() {
			if err := site.Close(); err != nil {
				t.Error(err)
			}
		})
		asking.Site = site
		irc = fmt.Sprintf("ident = \"[::]:113\"\nsource_prefix = %q", site.Users)
	}
	asks := serverstest.Start(t, servers.NewInspircd, asking)
	believes := serverstest.Start(t, servers.NewInspircd, servers.IRCConfig{
		Dir: serverstest.Dir(t), Name: "webirc.test", Unlimited: true,
		Extra: `<module name="cgiirc"><cgihost type="webirc" mask="127.0.0.1" password="believe-me">`,
	})
	names := serverstest.Start(t, servers.NewNgircd, servers.IRCConfig{
		Dir: serverstest.Dir(t), Name: "names.test", Unlimited: true, Extra: "[Options]\n\tDNS = yes\n\tWebircPassword = believe-me\n",
	})
	networks := fmt.Sprintf("\n[transport.irc.network.\"ident.test\"]\naddress = \"irc://%s\"\n", asks.Addr())
	networks += fmt.Sprintf("[transport.irc.network.\"webirc.test\"]\naddress = \"irc://%s\"\nwebirc = \"believe-me\"\n", believes.Addr())
	networks += fmt.Sprintf("[transport.irc.network.\"names.test\"]\naddress = \"irc://%s\"\nwebirc = \"believe-me\"\n", names.Addr())
	if site != nil {
		networks += fmt.Sprintf("[transport.irc.network.\"six.test\"]\naddress = \"irc://%s\"\n", asks.Addr6())
	}
	w, ctx := start(t, world.Options{IRC: irc + "\nwebirc_host = \"users.example.test\"", Extra: networks})
	s := newStage(ctx, t, w, world.Usual)

	t.Run("identd", func(t *testing.T) {
		one, two := s.seen(t, asks.SideAddr(), "ident.test"), s.seen(t, asks.SideAddr(), "ident.test")
		if one.user == two.user || one.host != two.host {
			t.Errorf("seen as %+v and %+v", one, two)
		}
		s.belongs(t, one.jid, one.user)
		s.belongs(t, two.jid, two.user)
	})
	t.Run("WEBIRC", func(t *testing.T) {
		one, two := s.seen(t, believes.Addr(), "webirc.test"), s.seen(t, believes.Addr(), "webirc.test")
		for _, one := range []sight{one, two} {
			// InspIRCd takes no gateway's word for a name, but for an address.
			if addr, err := netip.ParseAddr(one.host); err != nil || addr.IsLoopback() {
				t.Errorf("seen as %+v", one)
			}
			s.belongs(t, one.jid, one.host)
		}
		if one.host == two.host {
			t.Errorf("both are seen as %s", one.host)
		}
	})
	t.Run("WEBIRC with a name", func(t *testing.T) {
		one := s.seen(t, names.Addr(), "names.test")
		word, domain, _ := strings.Cut(one.host, ".")
		if domain != "users.example.test" {
			t.Errorf("seen as %+v", one)
		}
		s.belongs(t, one.jid, word)
	})
	t.Run("an address of one's own", func(t *testing.T) {
		if site == nil {
			t.Logf("there is no network on which it could be shown: %v", err)
			return
		}
		one, two := s.seen(t, asks.SideAddr(), "six.test"), s.seen(t, asks.SideAddr(), "six.test")
		for _, one := range []sight{one, two} {
			s.belongs(t, one.jid, one.user)
			if addr, err := netip.ParseAddr(one.host); err != nil || !site.Users.Contains(addr) {
				t.Errorf("%+v does not come from %v", one, site.Users)
			}
		}
		if one.host == two.host {
			t.Errorf("both come from %s", one.host)
		}
	})
}

// sight is how IRC sees somebody.
type sight struct{ jid, user, host string }

// seen has somebody new enter a channel, and returns how they look from there.
func (s *stage) seen(t *testing.T, addr, network string) sight {
	t.Helper()
	sub := *s
	sub.T = t
	p := sub.newPerson()
	dave, err := ircclient.Dial(s.ctx, addr, ircclient.Config{Nick: "dave-" + p.name, User: "dave"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dave.Close() })
	channel := "#of-" + p.name
	if err := dave.Join(s.ctx, channel); err != nil {
		t.Fatal(err)
	}
	p.enter(channel+"%"+network+"@"+world.IRC, p.name)
	ctx, cancel := context.WithTimeout(s.ctx, 30*time.Second)
	defer cancel()
	l, err := dave.Wait(ctx, func(l ircclient.Line) bool { return l.Command == "JOIN" && l.Nick() == p.name })
	if err != nil {
		t.Fatal(err)
	}
	_, mask, _ := strings.Cut(l.Source, "!")
	user, host, _ := strings.Cut(mask, "@")
	return sight{p.Bare(), user, host}
}

// belongs: an administrator learns from what IRC sees whose it is.
func (s *stage) belongs(t *testing.T, jid, seen string) {
	t.Helper()
	out, err := exec.CommandContext(s.ctx, binary, "user", "ident", seen, "-c", s.Config).CombinedOutput()
	if err != nil || !strings.Contains(string(out), jid) {
		t.Errorf("%s of %s belongs to %q, %v", seen, jid, out, err)
	}
}
