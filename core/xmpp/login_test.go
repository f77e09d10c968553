package xmpp_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/xmpptest"
)

func TestLinkRefusedAndTaken(t *testing.T) {
	for _, c := range []struct {
		name, secret, condition string
		state                   xmpp.State
		text                    string
	}{
		{"wrong secret", "wrong", "", xmpp.Refused, "does not accept the secret"},
		{"unknown component", xmpptest.Secret, "host-unknown", xmpp.Refused, "no component"},
		{"taken component", xmpptest.Secret, "conflict", xmpp.Conflict, "kick_old"},
		{"a fault of the server", xmpptest.Secret, "internal-server-error", xmpp.Waiting, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := xmpptest.New(t)
				srv.Patience = time.Hour
				srv.Refuse(domain, c.condition)
				var changes chan xmpp.Status
				link, _ := xmpptest.Run(t, srv, domain, echoRouter(), func(cfg *xmpp.Config) {
					cfg.Dial, cfg.Secret = srv.Dial, c.secret
					changes = traced(cfg)
				})
				s := awaitState(t, link, changes, c.state)
				var ce *core.Error
				if c.text != "" && (!errors.As(s.Err, &ce) || !strings.Contains(ce.Text, c.text)) {
					t.Errorf("error %v", s.Err)
				}
				before := time.Now()
				s = awaitState(t, link, changes, c.state)
				if wait := time.Since(before); c.state != xmpp.Waiting && wait < 10*time.Second {
					t.Errorf("tried again after %v", wait)
				}
				if s.Attempts < 2 {
					t.Errorf("%d attempts", s.Attempts)
				}
				if err := link.Write(func(e *stream.Encoder) { e.Empty("message", "", "from", domain, "to", "a@b") }); err != nil {
					t.Errorf("a little is kept while the link is down: %v", err)
				}
				srv.Refuse(domain, "")
				srv.SetSecret(domain, c.secret)
				srv.Await(domain, 1) // it comes back by itself
				srv.Expect(`<message to='a@b'/>`)
			})
		})
	}
}

func TestLinkCheck(t *testing.T) {
	srv := xmpptest.New(t)
	cfg := xmpp.Config{Server: srv.Addr(), Domain: domain, Secret: xmpptest.Secret, Router: echoRouter()}
	link, err := xmpp.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := link.Check(t.Context()); err != nil {
		t.Error(err)
	}
	srv.AwaitGone(domain)
	cfg.Secret = "wrong"
	if link, err = xmpp.New(cfg); err != nil {
		t.Fatal(err)
	}
	if err := link.Check(t.Context()); core.KindOf(err) != core.Denied {
		t.Errorf("wrong secret: %v", err)
	}
}

func TestLinkKickedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := xmpptest.New(t)
		srv.Patience = time.Hour
		srv.KickOld()
		var changes chan xmpp.Status
		link := xmpptest.Start(t, srv, domain, echoRouter(), func(c *xmpp.Config) {
			c.Dial = srv.Dial
			changes = traced(c)
		})
		other := xmpptest.Start(t, srv, domain, echoRouter(), func(c *xmpp.Config) { c.Dial = srv.Dial })
		awaitState(t, link, changes, xmpp.Conflict)
		if other.Status().State != xmpp.Online {
			t.Error("the new connection is gone")
		}
	})
}

func TestNewRefuses(t *testing.T) {
	good := xmpp.Config{Server: "127.0.0.1:5347", Domain: domain, Secret: "s", Router: echoRouter()}
	for name, change := range map[string]func(*xmpp.Config){
		"plain text to elsewhere":  func(c *xmpp.Config) { c.Server = "192.0.2.1:5347" },
		"plain text to elsewhere6": func(c *xmpp.Config) { c.Server = "[2001:db8::1]:5347" },
		"no port":                  func(c *xmpp.Config) { c.Server = "localhost" },
		"no domain":                func(c *xmpp.Config) { c.Domain = "" },
		"not a domain":             func(c *xmpp.Config) { c.Domain = "a@b" },
		"upper case":               func(c *xmpp.Config) { c.Domain = "IRC.gw" },
		"a resource":               func(c *xmpp.Config) { c.Domain = "irc.gw/x" },
		"no secret":                func(c *xmpp.Config) { c.Secret = "" },
		"no router":                func(c *xmpp.Config) { c.Router = nil },
	} {
		c := good
		change(&c)
		if _, err := xmpp.New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	elsewhere := good
	elsewhere.Server, elsewhere.Insecure = "192.0.2.1:5347", true
	for _, c := range []xmpp.Config{good, elsewhere} {
		if _, err := xmpp.New(c); err != nil {
			t.Errorf("%s: %v", c.Server, err)
		}
	}
}
