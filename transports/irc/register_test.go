package irc

import (
	"strings"
	"testing"
	"time"

	"gangway/core"
)

func TestKeepalive(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.enter("#chan")
		began := time.Now()
		p.expect("PING gangway")
		if d := time.Since(began); d != 90*time.Second {
			t.Errorf("pinged after %v", d)
		}
		p.send(":irc.test PONG irc.test gangway")
		p.expect("PING gangway")
		err := p.end()
		if core.KindOf(err) != core.Unavailable || !strings.Contains(core.AsError(err).Text, "stopped answering") {
			t.Errorf("Run = %v", err)
		}
	})
}

func TestAnswersPing(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.run()
		p.accept()
		p.expect("CAP LS 302", "NICK alice", "USER alice 0 * alice")
		p.send("PING :a b c")
		p.expect("PONG :a b c")
	})
}

func TestRegistrationEnds(t *testing.T) {
	for name, c := range map[string]struct {
		line string
		kind core.Kind
	}{
		"banned":      {":irc.test 465 * :You are banned from this server", core.Denied},
		"k-line":      {"ERROR :Closing Link: (K-Lined: spam)", core.Denied},
		"throttled":   {"ERROR :Trying to reconnect too fast.", core.Unavailable},
		"plain error": {"ERROR :Closing Link: (Server shutting down)", core.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			script(t, quickConfig, core.Account{}, func(p *play) {
				p.join("#chan", "1")
				p.run()
				p.accept()
				p.expect("CAP LS 302", "NICK alice", "USER alice 0 * alice")
				p.send(c.line)
				p.conn.Close()
				err := p.end()
				if core.KindOf(err) != c.kind || core.AsError(err).Text == "" {
					t.Errorf("Run = %v", err)
				}
				if l := next[*core.RoomLeft](p); l.Why != core.NotJoined || l.Origin != origin("1") || l.Err.Text != core.AsError(err).Text {
					t.Errorf("left as %+v", l)
				}
				p.run()
				if err := p.end(); err != nil {
					t.Errorf("Run without a purpose = %v", err)
				}
			})
		})
	}
	t.Run("silence", func(t *testing.T) {
		script(t, quickConfig, core.Account{}, func(p *play) {
			p.run()
			p.accept()
			if err := p.end(); core.KindOf(err) != core.Unavailable {
				t.Errorf("Run = %v", err)
			}
		})
	})
}

func TestSASL(t *testing.T) {
	account := core.Account{Secret: []byte("pa55"), Options: map[string]string{"login": "al", "nick": "alice"}}
	for _, numeric := range []string{"903", "904"} {
		t.Run(numeric, func(t *testing.T) {
			script(t, quickConfig, account, func(p *play) {
				p.run()
				p.accept()
				p.expect("CAP LS 302", "NICK alice", "USER alice 0 * alice")
				p.send(":irc.test CAP * LS :sasl=EXTERNAL,PLAIN")
				p.expect("CAP REQ sasl")
				p.send(":irc.test CAP alice ACK :sasl ")
				p.expect("AUTHENTICATE PLAIN")
				p.send("AUTHENTICATE +")
				p.expect("AUTHENTICATE AGFsAHBhNTU=")
				p.send(":irc.test " + numeric + " alice :SASL authentication")
				if numeric == "903" {
					p.expect("CAP END")
					return
				}
				p.expect("QUIT")
				p.conn.Close()
				if err := p.end(); core.KindOf(err) != core.Denied {
					t.Errorf("Run = %v", err)
				}
			})
		})
	}
}

func TestNoSASLIsSaid(t *testing.T) {
	script(t, quickConfig, core.Account{Secret: []byte("x")}, func(p *play) {
		p.run()
		p.accept()
		p.expect("CAP LS 302", "NICK alice", "USER alice 0 * alice")
		p.send(":irc.test CAP * LS :", ":irc.test 001 alice :Welcome", ":irc.test 376 alice :End of MOTD")
		p.expect("CAP END")
		if m := next[*core.Message](p); !m.Notice || m.Peer != "" || !strings.Contains(m.Text, "without") {
			t.Errorf("got %+v", m)
		}
		p.status()
	})
}

func TestNickInUse(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.join("#chan", "1")
		p.run()
		p.accept()
		p.expect("CAP LS 302", "NICK alice", "USER alice 0 * alice")
		p.send(":irc.test 433 * alice :Nickname is already in use")
		p.expect("NICK alice_")
		p.send(":irc.test 433 * alice_ :Nickname is already in use")
		p.expect("NICK alice__")
		p.send(":irc.test 001 alice__ :Welcome")
		p.finish("alice__")
		p.expect("JOIN #chan")
		p.send(":alice__!al@h JOIN #chan", ":irc.test 353 alice__ = #chan :alice__ alice", ":irc.test 366 alice__ #chan :End")
		p.expect("WHO #chan")
		p.barrier(1)
		if j := next[*core.RoomJoined](p); j.Asked != "alice" || j.Self.Nick != "alice__" {
			t.Errorf("joined as %+v", j)
		}
		p.send(":alice!x@y QUIT :gone")
		next[*core.MemberChanged](p)
		p.expect("NICK alice")
		p.send(":alice__!al@h NICK :alice")
		if c := next[*core.MemberChanged](p); c.Change != core.Renamed || !c.Mine || c.Old != "alice__" || c.Member.Nick != "alice" {
			t.Errorf("renamed as %+v", c)
		}
	})
}

func TestNoNickWillDo(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.run()
		p.accept()
		p.expect("CAP LS 302", "NICK alice", "USER alice 0 * alice")
		for range maxNickTries {
			p.send(":irc.test 432 * x :Erroneous nickname")
			if line := p.line(); !strings.HasPrefix(line, "NICK ") {
				t.Fatalf("got %q", line)
			}
		}
		p.send(":irc.test 432 * x :Erroneous nickname")
		p.expect("QUIT")
		p.conn.Close()
		if err := p.end(); core.KindOf(err) != core.Unavailable {
			t.Errorf("Run = %v", err)
		}
	})
}
