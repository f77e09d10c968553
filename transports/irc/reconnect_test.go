package irc

import (
	"strings"
	"testing"
	"time"

	"gangway/core"
)

// TestBannedWhileConnected stops the session, and tells the user in the network's own words what happened.
func TestBannedWhileConnected(t *testing.T) {
	for name, lines := range map[string][]string{
		"k-line": {"ERROR :Closing Link: alice[host.test] (K-lined: spam)"},
		"g-line": {"ERROR :Closing link: (al@host.test) [G-Lined: spam]"},
		"z-line": {":irc.test 465 alice :You are banned from this server: spam", "ERROR :Closing link: (al@host.test) [Z-lined]"},
		"kill":   {":irc.test KILL alice :spam", "ERROR :Closing Link: irc.test (Killed (oper (spam)))"},
	} {
		t.Run(name, func(t *testing.T) {
			inRoom(t, roomCaps, func(p *play) {
				p.send(lines...)
				p.conn.Close()
				err := p.end()
				want := core.Denied
				if name == "kill" {
					want = core.Unavailable // that is no ban: one may come back
				}
				if core.KindOf(err) != want || !strings.Contains(core.AsError(err).Text, "spam") {
					t.Errorf("Run = %v", err)
				}
				l := next[*core.RoomLeft](p)
				if want == core.Denied && (l.Why != core.NotJoined || l.Err == nil || l.Err.Text != core.AsError(err).Text) {
					t.Errorf("left as %+v %+v", l, l.Err)
				}
				if want != core.Denied && l.Why != core.Disconnected {
					t.Errorf("left as %+v", l)
				}
			})
		})
	}
}

// TestRejoinAfterARestart comes back to all rooms in few lines after the server was restarted: keys first, everybody is
// told who went, and what was asked for meanwhile is answered.
func TestRejoinAfterARestart(t *testing.T) {
	script(t, quickConfig+`ping_every = "1h"`, core.Account{}, func(p *play) {
		rooms := []string{"#a", "#b", "#c", "#d", "#e"}
		for _, r := range rooms {
			p.join(r, "1")
		}
		enterAll := func(member string) {
			p.expect("JOIN #a,#b,#c,#d,#e")
			for i, r := range rooms {
				p.send(":alice!al@host.test JOIN "+r, ":irc.test 353 alice = "+r+" :alice "+member, ":irc.test 366 alice "+r+" :End")
				p.expect("WHO " + r)
				p.barrier(i + 1)
			}
		}
		p.run()
		p.register("alice")
		enterAll("bob")
		for range rooms {
			next[*core.RoomJoined](p)
		}
		p.send("ERROR :Closing Link: alice (Server shutting down)")
		p.conn.Close()
		if err := p.end(); core.KindOf(err) != core.Unavailable || !strings.Contains(core.AsError(err).Text, "shutting down") {
			t.Errorf("Run = %v", err)
		}
		for range rooms {
			if l := next[*core.RoomLeft](p); l.Why != core.Disconnected {
				t.Errorf("left as %+v", l)
			}
		}
		p.join("#a", "2") // while there is no connection
		p.run()
		p.register("alice")
		if _, err := p.s.Send(t.Context(), &core.Message{Ref: core.Ref{Account: "a1", Peer: "#b"}, Room: true, Text: "too soon"}); core.KindOf(err) != core.Unavailable {
			t.Errorf("said before the room is entered again: %v", err) // the user is shown to be in it
		}
		enterAll("carol")
		seen := map[core.Address]int{}
		for range 2*len(rooms) + 1 {
			switch e := p.event().(type) {
			case *core.MemberChanged:
				if e.Change != core.Went || e.Member.Nick != "bob" {
					t.Errorf("changed %+v", e)
				}
			case *core.RoomJoined:
				if seen[e.Peer]++; len(e.Members) != 1 || e.Members[0].Nick != "carol" || e.Origin != (core.Origin{}) && e.Origin != origin("2") {
					t.Errorf("back as %+v", e)
				}
			default:
				t.Errorf("unexpected %T", e)
			}
		}
		if seen["#a"] != 2 || len(seen) != len(rooms) {
			t.Errorf("back in %v", seen)
		}
		p.noEvent()
	})
}

// TestSilentNetworkIsLeft has a cut cable: nothing comes, not even an end.
func TestSilentNetworkIsLeft(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.enter("#chan")
		m := p.say("#chan", "anybody?")
		p.expect("PRIVMSG #chan anybody?", "PING gangway-2")
		began := time.Now()
		err := p.end()
		if core.KindOf(err) != core.Unavailable {
			t.Errorf("Run = %v", err)
		}
		if d := time.Since(began); d > 4*time.Minute {
			t.Errorf("found out after %v", d)
		}
		failed(t, p, m, core.Uncertain, "did not say")
		if l := next[*core.RoomLeft](p); l.Why != core.Disconnected {
			t.Errorf("left as %+v", l)
		}
	})
}

// TestNothingIsTakenAfterTheEnd says something to a session that was stopped: it is refused, as nobody would say it.
func TestNothingIsTakenAfterTheEnd(t *testing.T) {
	inRoom(t, roomCaps, func(p *play) {
		p.stop()
		p.expect("QUIT :Gateway disconnected")
		p.conn.Close()
		_ = p.end() // however it ended
		for _, peer := range []core.Address{"dave", "#room"} {
			m := &core.Message{Ref: core.Ref{Account: p.s.account.ID, Peer: peer}, IDs: core.IDs{ID: core.NewID()}, Text: "late"}
			if _, err := p.s.Send(t.Context(), m); core.KindOf(err) != core.Unavailable {
				t.Errorf("to %s: %v", peer, err)
			}
		}
	})
}
