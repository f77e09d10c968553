package irc

import (
	"testing"

	"gangway/core"
)

// TestSTS is told in plain to use TLS, does so, and never goes back.
func TestSTS(t *testing.T) {
	config := quickConfig + "[network.\"irc.test\"]\naddress = \"irc://irc.test:6667\"\n"
	script(t, config, core.Account{}, func(p *play) {
		p.join("#chan", "1")
		p.run()
		p.begin("sts=port=6697 echo-message")
		p.expect("QUIT")
		p.conn.Close()
		p.begin("sts=duration=1000,port=9 echo-message") // the port says nothing in TLS
		p.grant("echo-message")
		p.welcome()
		p.expect("JOIN #chan")
		p.let("#chan")
		next[*core.RoomJoined](p)
		if n := p.dialled[0]; n.tls != nil || n.address != "irc.test:6667" {
			t.Errorf("first went to %s with %v", n.address, n.tls)
		}
		if n := p.dialled[1]; n.tls == nil || n.tls.ServerName != "irc.test" || n.address != "irc.test:6697" || n.tls.InsecureSkipVerify {
			t.Errorf("then went to %s with %v", n.address, n.tls)
		}
		p.noEvent() // nobody hears of it
		p.conn.Close()
		p.end()
		for range p.host.Events()[p.seen:] {
			p.seen++
		}
		if kept, err := p.host.Notes().Get(t.Context(), stsKey("irc.test")); err != nil || string(kept) != "6697" {
			t.Errorf("kept %q, %v", kept, err)
		}
		p.run()
		p.begin("sts=duration=0")
		p.welcome()
		p.expect("JOIN #chan")
		if n := p.dialled[2]; n.tls == nil || n.address != "irc.test:6697" {
			t.Errorf("the next time went to %s with %v", n.address, n.tls)
		}
		p.conn.Close()
		p.end()
		if _, err := p.host.Notes().Get(t.Context(), stsKey("irc.test")); core.KindOf(err) != core.NotFound {
			t.Errorf("a policy that ended is kept: %v", err)
		}
	})
}

// TestSTSWithoutPort is no policy where it is read in plain, and one that lasts no time is none in TLS.
func TestSTSWithoutPort(t *testing.T) {
	for _, value := range []string{"sts", "sts=duration=1000", "sts=port=0", "sts=port=99999999"} {
		script(t, quickConfig+"[network.\"irc.test\"]\naddress = \"irc://irc.test:6667\"\n", core.Account{}, func(p *play) {
			p.run()
			p.begin(value)
			p.expect("CAP END")
		})
	}
}

// TestSTSUpgradeFails ends the try: plain is no way out.
func TestSTSUpgradeFails(t *testing.T) {
	script(t, quickConfig+"[network.\"irc.test\"]\naddress = \"irc://irc.test:6667\"\n", core.Account{}, func(p *play) {
		p.run()
		p.begin("sts=port=6697")
		p.expect("QUIT")
		p.conn.Close()
		p.accept()
		p.expect("CAP LS 302", "NICK alice", "USER alice 0 * alice")
		p.conn.Close()
		if err := p.end(); core.KindOf(err) != core.Unavailable || upgradeOf(err) != "" {
			t.Errorf("Run = %v", err)
		}
		if len(p.dialled) != 2 {
			t.Errorf("dialled %d times", len(p.dialled))
		}
	})
}
