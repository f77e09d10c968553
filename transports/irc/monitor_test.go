package irc

import (
	"testing"
	"time"

	"gangway/core"
)

// TestKeepNick takes the wanted nick back when it is free: as MONITOR says it, or found out by ISON.
func TestKeepNick(t *testing.T) {
	for _, support := range []string{"MONITOR=100", "CHANTYPES=#"} {
		script(t, quickConfig+"ping_every = \"1h\"\n", core.Account{}, func(p *play) {
			p.join("#chan", "1")
			p.run()
			p.begin()
			p.send(":irc.test 433 * alice :In use")
			p.expect("NICK alice_")
			p.send(":irc.test 001 alice_ :Welcome")
			p.finish("alice_", support)
			p.expect("JOIN #chan")
			if support == "MONITOR=100" {
				p.expect("MONITOR + alice")
			}
			p.send(":alice_!al@h JOIN #chan", ":irc.test 353 alice_ = #chan :alice_", ":irc.test 366 alice_ #chan :End")
			p.expect("WHO #chan")
			p.barrier(1)
			began := time.Now()
			if support == "MONITOR=100" {
				p.send(":irc.test 730 alice_ :alice!x@y")
				p.silent(time.Second)
				p.send(":irc.test 731 alice_ :alice")
			} else {
				p.expect("ISON alice")
				p.send(":irc.test 303 alice_ :Alice")
				p.expect("ISON alice")
				if d := time.Since(began); d != 2*keepEvery {
					t.Errorf("asked after %v", d)
				}
				p.send(":irc.test 303 alice_ :")
			}
			p.expect("NICK alice")
			p.send(":alice_!al@h NICK alice")
			p.silent(10 * time.Second)
		})
	}
}

// TestContactsAreWatched shows when those come and go whom the user has written to.
func TestContactsAreWatched(t *testing.T) {
	script(t, quickConfig+"ping_every = \"1h\"\n", core.Account{}, func(p *play) {
		p.run()
		p.begin("echo-message away-notify")
		p.grant("echo-message away-notify")
		p.welcome("MONITOR=2")
		for _, peer := range []core.Address{"bob", "carol", "dave"} {
			p.say(peer, "hi")
			p.expect("MONITOR + "+string(peer), "PRIVMSG "+string(peer)+" hi")
			p.send(":alice!a@b PRIVMSG " + string(peer) + " hi")
			next[*core.Receipt](p)
		}
		p.send(":irc.test 730 alice :Bob!b@b.test,eve", ":irc.test 731 alice :carol", ":bob!b@c AWAY :lunch", ":bob!b@c AWAY")
		for _, want := range []core.Presence{
			{Ref: core.Ref{Account: "a1", Peer: "bob"}}, {Ref: core.Ref{Account: "a1", Peer: "carol"}, Show: core.Offline},
			{Ref: core.Ref{Account: "a1", Peer: "bob"}, Show: core.Away, Text: "lunch"}, {Ref: core.Ref{Account: "a1", Peer: "bob"}},
		} {
			if got := next[*core.Presence](p); *got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		}
		p.noEvent()
		p.join("#chan", "1")
		p.expect("JOIN #chan")
		p.let("#chan")
		p.conn.Close()
		p.end()
		p.seen = len(p.host.Events())
		p.run()
		p.begin()
		p.send(":irc.test 421 * CAP :Unknown command", ":irc.test 001 alice :Welcome")
		p.finish("alice", "MONITOR=2")
		p.expect("MONITOR + carol,dave", "JOIN #chan")
	})
}
