package irc

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gangway/core"
)

const historyCaps = "message-tags server-time batch userhost-in-names draft/chathistory"

// remembers is a session that had heard m1 in #chan in an earlier life, on its way into it again.
func remembers(t *testing.T, caps string, support string, scenario func(p *play, ref core.Ref, heard time.Time)) {
	t.Helper()
	script(t, quickConfig+`ping_every = "1h"`, core.Account{}, func(p *play) {
		ref, heard := core.Ref{Account: "a1", Peer: "#chan"}, time.Now().Add(-time.Hour)
		p.host.Keep(&core.Message{Ref: ref, IDs: core.IDs{ID: core.IDFor("a1", "m1"), Remote: "m1"}, Room: true, Author: "bob", Text: "one", At: heard})
		p.join("#chan", "1")
		p.run()
		p.begin(caps)
		p.grant(caps)
		p.welcome(support)
		p.expect("JOIN #chan")
		if p.s.link.fills() && !p.host.Open(ref) {
			t.Error("the gap was not opened before JOIN")
		}
		p.send(":alice!al@host.test JOIN #chan")
		scenario(p, ref, heard)
	})
}

// history is a page of messages from one number to another, as a network tells it.
func (p *play) history(tags string, from, to int) {
	p.send(tags + ":irc.test BATCH +h chathistory #chan")
	for i := from; i <= to; i++ {
		at := time.Now().Add(-time.Hour + time.Duration(i)*time.Second).UTC().Format(serverTime)
		p.send(fmt.Sprintf("@batch=h;msgid=m%d;time=%s :bob!b@b.test PRIVMSG #chan :line %d", i, at, i))
	}
	p.send(":irc.test BATCH -h")
}

// noMore is a page with nothing in it.
func (p *play) noMore(tags string) {
	p.send(tags+":irc.test BATCH +n chathistory #chan", ":irc.test BATCH -n")
}

func (p *play) names() {
	p.send(":irc.test 353 alice = #chan :alice!al@host.test bob!b@b.test", ":irc.test 366 alice #chan :End")
}

// TestGapIsFilledBeforeTheRoomIsShown has a room shown when its history is whole: nothing missing, nothing twice.
func TestGapIsFilledBeforeTheRoomIsShown(t *testing.T) {
	remembers(t, historyCaps, "CHATHISTORY=3", func(p *play, ref core.Ref, heard time.Time) {
		p.expect("CHATHISTORY AFTER #chan msgid=m1 3")
		p.names()
		p.noEvent()
		p.history("", 2, 4)
		p.barrier(1)
		p.expect("CHATHISTORY AFTER #chan msgid=m4 3")
		for i := 2; i <= 4; i++ {
			m := next[*core.Message](p)
			if !m.Past || m.Remote != core.RemoteID(fmt.Sprint("m", i)) || m.Author != "bob" || m.Text != fmt.Sprint("line ", i) || !m.Room {
				t.Errorf("filled with %+v", m)
			}
		}
		p.noEvent()
		p.send(":irc.test BATCH +h chathistory #chan", "@batch=h;msgid=m4;time=2026-01-01T00:00:00.000Z :bob!b@b.test PRIVMSG #chan :line 4",
			"@batch=h;msgid=m5;time=2026-01-02T00:00:00.000Z :alice!a@b PRIVMSG #chan :\x01ACTION waves\x01", ":irc.test BATCH -h")
		p.barrier(2)
		if m := next[*core.Message](p); !m.Past || !m.Mine || m.Text != "/me waves" {
			t.Errorf("filled with %+v", m)
		}
		p.expect("CHATHISTORY AFTER #chan msgid=m5 3")
		p.noMore("")
		p.barrier(3)
		if j := next[*core.RoomJoined](p); len(j.Members) != 1 || j.Origin != origin("1") {
			t.Errorf("joined as %+v", j)
		}
		p.noEvent()
		if p.host.Open(ref) {
			t.Error("the gap is still open")
		}
	})
}

func TestForgottenNameInHistory(t *testing.T) {
	remembers(t, historyCaps+" labeled-response", "CHATHISTORY=100", func(p *play, ref core.Ref, heard time.Time) {
		p.expect("@label=1 CHATHISTORY AFTER #chan msgid=m1 100")
		p.names()
		p.send("@label=1 FAIL CHATHISTORY INVALID_MSGREFTYPE AFTER :unknown")
		line := p.line()
		if want := "@label=2 CHATHISTORY AFTER #chan timestamp="; len(line) < len(want) || line[:len(want)] != want {
			t.Fatalf("asked %q", line)
		}
		p.history("@label=2 ", 1, 2)
		if m := next[*core.Message](p); m.Remote != "m2" || !m.Past {
			t.Errorf("filled with %+v", m)
		}
		if line, want := p.line(), "@label=3 CHATHISTORY AFTER #chan timestamp="; !strings.HasPrefix(line, want) {
			t.Fatalf("asked %q", line) // it has forgotten names
		}
		p.noMore("@label=3 ")
		next[*core.RoomJoined](p)
		if p.host.Open(ref) {
			t.Error("the gap is still open")
		}
	})
}

// TestSlowHistory shows the room after a while, and fills the gap behind what is said meanwhile.
func TestSlowHistory(t *testing.T) {
	remembers(t, historyCaps+" labeled-response", "CHATHISTORY=100", func(p *play, ref core.Ref, heard time.Time) {
		p.expect("@label=1 CHATHISTORY AFTER #chan msgid=m1 100")
		p.names()
		p.noEvent()
		time.Sleep(fillWithin)
		next[*core.RoomJoined](p)
		p.send("@msgid=m9 :bob!b@b.test PRIVMSG #chan :live")
		if m := next[*core.Message](p); m.Past || m.Text != "live" {
			t.Errorf("said %+v", m)
		}
		p.history("@label=1 ", 2, 2)
		if m := next[*core.Message](p); !m.Past || m.Remote != "m2" {
			t.Errorf("filled with %+v", m)
		}
		p.expect("@label=2 CHATHISTORY AFTER #chan msgid=m2 100")
		p.noMore("@label=2 ")
		p.noEvent()
		if p.host.Open(ref) {
			t.Error("the gap is still open")
		}
	})
}

// TestGapStaysOpen has the connection end in the middle.
func TestGapStaysOpen(t *testing.T) {
	remembers(t, historyCaps, "CHATHISTORY=2", func(p *play, ref core.Ref, heard time.Time) {
		p.expect("CHATHISTORY AFTER #chan msgid=m1 2")
		p.names()
		p.history("", 2, 3)
		p.barrier(1)
		p.expect("CHATHISTORY AFTER #chan msgid=m3 2")
		next[*core.Message](p)
		next[*core.Message](p)
		p.conn.Close()
		p.end()
		if !p.host.Open(ref) {
			t.Error("the gap was closed")
		}
		if mark, err := p.host.History().Since(t.Context(), ref); err != nil || mark.Remote != "m3" {
			t.Errorf("goes on at %+v, %v", mark, err)
		}
	})
}

// TestGapFollowsAReconnect fills what was said while the connection was lost.
func TestGapFollowsAReconnect(t *testing.T) {
	remembers(t, historyCaps+" labeled-response", "CHATHISTORY=100", func(p *play, ref core.Ref, heard time.Time) {
		p.expect("@label=1 CHATHISTORY AFTER #chan msgid=m1 100")
		p.names()
		p.send("@label=1 :irc.test BATCH +h chathistory #chan", ":irc.test BATCH -h")
		next[*core.RoomJoined](p)
		p.send("@msgid=m2 :bob!b@b.test PRIVMSG #chan :live")
		next[*core.Message](p)
		p.conn.Close()
		p.end()
		next[*core.RoomLeft](p)
		p.run()
		p.begin(historyCaps + " labeled-response")
		p.grant(historyCaps + " labeled-response")
		p.welcome("CHATHISTORY=100")
		p.line() // CHATHISTORY TARGETS
		p.expect("JOIN #chan")
		p.send(":alice!al@host.test JOIN #chan")
		p.names()
		p.expect("@label=2 CHATHISTORY AFTER #chan msgid=m2 100")
		p.history("@label=2 ", 3, 3)
		if m := next[*core.Message](p); !m.Past || m.Remote != "m3" {
			t.Errorf("filled with %+v", m)
		}
		p.expect("@label=3 CHATHISTORY AFTER #chan msgid=m3 100")
		p.noMore("@label=3 ")
		if j := next[*core.RoomJoined](p); j.Origin != (core.Origin{}) {
			t.Errorf("back as %+v", j)
		}
	})
}

func TestZNCPlayback(t *testing.T) {
	caps := "message-tags server-time batch userhost-in-names znc.in/playback znc.in/self-message"
	remembers(t, caps, "CHANTYPES=#", func(p *play, ref core.Ref, heard time.Time) {
		line := p.line()
		if want := "PRIVMSG *playback :Play #chan "; len(line) < len(want) || line[:len(want)] != want {
			t.Fatalf("asked %q", line)
		}
		p.names()
		p.send(":znc.in BATCH +p znc.in/playback #chan", "@batch=p;time=2026-01-02T03:04:05.000Z :bob!b@b.test PRIVMSG #chan :while you were away",
			":znc.in BATCH -p")
		p.barrier(1)
		if m := next[*core.Message](p); !m.Past || m.Text != "while you were away" || m.At.Year() != 2026 {
			t.Errorf("filled with %+v", m)
		}
		next[*core.RoomJoined](p)
		if p.host.Open(ref) {
			t.Error("the gap is still open")
		}
	})
}

// TestZNCBuffers is a ZNC without the module for playback: it tells its buffers unasked, when somebody attaches.
func TestZNCBuffers(t *testing.T) {
	caps := "message-tags server-time batch userhost-in-names znc.in/self-message"
	remembers(t, caps, "CHANTYPES=#", func(p *play, ref core.Ref, heard time.Time) {
		p.names()
		p.send(":znc.in BATCH +p znc.in/playback #chan", "@batch=p;time=2026-01-02T03:04:05.000Z :bob!b@b.test PRIVMSG #chan :while you were away",
			":znc.in BATCH -p", ":znc.in BATCH +q znc.in/playback carol", "@batch=q;time=2026-01-02T03:04:06.000Z :carol!c@c PRIVMSG alice :psst", ":znc.in BATCH -q")
		var room, private bool
		for range 3 {
			switch e := p.event().(type) {
			case *core.RoomJoined:
			case *core.Message:
				room = room || e.Past && e.Peer == "#chan" && e.Text == "while you were away"
				private = private || e.Peer == "carol" && e.Text == "psst" && e.At.Year() == 2026
			}
		}
		if !room || !private {
			t.Errorf("told %v, %v", room, private)
		}
		if p.host.Open(ref) {
			t.Error("the gap is still open")
		}
	})
}
