package irc

import (
	"strings"
	"testing"

	"gangway/core"
)

// TestBouncerNetwork finds a bouncer's network by its name, and binds to it before anything else is done.
func TestBouncerNetwork(t *testing.T) {
	caps := "batch soju.im/bouncer-networks"
	networks := func(p *play) {
		p.send(":irc.test BATCH +n soju.im/bouncer-networks", "@batch=n :irc.test BOUNCER NETWORK 41 name=OFTC;state=connected",
			"@batch=n :irc.test BOUNCER NETWORK 42 name=Libera\\sChat;state=connected", ":irc.test BATCH -n")
	}
	script(t, quickConfig, core.Account{Options: map[string]string{optionBouncer: "libera chat"}}, func(p *play) {
		p.join("#chan", "1")
		p.run()
		p.begin(caps)
		p.grant(caps)
		p.welcome1()
		p.expect("BOUNCER LISTNETWORKS")
		networks(p)
		p.expect("QUIT")
		p.conn.Close()
		p.begin(caps)
		p.grant(caps)
		p.expect("BOUNCER BIND 42", "CAP END")
		p.send(":irc.test 001 alice :Welcome", ":irc.test 422 alice :No MOTD")
		p.expect("JOIN #chan")
		p.status()
		p.noEvent()
	})
	script(t, quickConfig, core.Account{Options: map[string]string{optionBouncer: "undernet"}}, func(p *play) {
		p.run()
		p.begin(caps)
		p.grant(caps)
		p.welcome1()
		p.expect("BOUNCER LISTNETWORKS")
		networks(p)
		p.expect("QUIT")
		p.conn.Close()
		if err := p.end(); core.KindOf(err) != core.Denied || !strings.Contains(core.AsError(err).Text, "OFTC, Libera Chat") {
			t.Errorf("Run = %v", err)
		}
	})
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.run()
		p.begin(caps)
		p.grant(caps)
		p.welcome()
		p.expect("BOUNCER LISTNETWORKS")
		networks(p)
		if m := next[*core.Message](p); !m.Notice || !strings.Contains(m.Text, "OFTC, Libera Chat") {
			t.Errorf("told %+v", m)
		}
	})
}

// TestBoundByLogin is a bouncer whose user has chosen the network by the name that they log in with: soju's "user/network".
func TestBoundByLogin(t *testing.T) {
	caps := "batch soju.im/bouncer-networks"
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.join("#chan", "1")
		p.run()
		p.begin(caps)
		p.grant(caps)
		p.welcome("BOUNCER_NETID=7")
		p.expect("JOIN #chan")
		p.noEvent()
	})
}

// TestBindRefused: an id that was told once is looked for again, one that the user has given is not.
func TestBindRefused(t *testing.T) {
	caps := "batch soju.im/bouncer-networks"
	refused := ":irc.test FAIL BOUNCER INVALID_NETID BIND 42 :Network not found"
	script(t, quickConfig, core.Account{Options: map[string]string{optionBouncer: "libera"}}, func(p *play) {
		p.s.behind.id = "42"
		p.run()
		p.begin(caps)
		p.grant(caps)
		p.expect("BOUNCER BIND 42", "CAP END")
		p.send(refused, ":irc.test 001 alice :Welcome", ":irc.test 422 alice :No MOTD")
		p.expect("BOUNCER LISTNETWORKS")
		p.noEvent()
	})
	script(t, quickConfig, core.Account{Options: map[string]string{optionBouncer: "42"}}, func(p *play) {
		p.run()
		p.begin(caps)
		p.grant(caps)
		p.expect("BOUNCER BIND 42", "CAP END")
		p.send(refused)
		p.expect("QUIT")
		p.conn.Close()
		if err := p.end(); core.KindOf(err) != core.Denied || !strings.Contains(core.AsError(err).Text, "Network not found") {
			t.Errorf("Run = %v", err)
		}
	})
}
