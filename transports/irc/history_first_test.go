package irc

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
)

// enters is a session on its way into #chan for the first time.
func enters(t *testing.T, config, support string, scenario func(p *play, ref core.Ref)) {
	t.Helper()
	script(t, quickConfig+config+`
ping_every = "1h"`, core.Account{}, func(p *play) {
		p.join("#chan", "1")
		p.connects(support)
		p.expect("JOIN #chan")
		p.send(":alice!al@host.test JOIN #chan")
		scenario(p, core.Ref{Account: "a1", Peer: "#chan"})
	})
}

func (p *play) connects(support string) {
	p.t.Helper()
	caps := historyCaps + " labeled-response"
	p.run()
	p.begin(caps)
	p.grant(caps)
	p.welcome(support)
}

// TestFirstEntry has the latest of what was said before kept, in as many pages as the network wants, and shown to nobody.
func TestFirstEntry(t *testing.T) {
	enters(t, `backfill = 5`, "CHATHISTORY=3", func(p *play, ref core.Ref) {
		p.expect("@label=1 CHATHISTORY LATEST #chan * 3")
		p.names()
		p.noEvent()
		p.history("@label=1 ", 7, 9)
		p.expect("@label=2 CHATHISTORY BEFORE #chan msgid=m7 2")
		p.history("@label=2 ", 5, 6)
		if j := next[*core.RoomJoined](p); j.Origin != origin("1") {
			t.Errorf("joined as %+v", j)
		}
		p.noEvent()
		var kept []string
		for _, m := range p.host.Recalled(ref) {
			kept = append(kept, m.Text)
		}
		if got := strings.Join(kept, ", "); got != "line 5, line 6, line 7, line 8, line 9" {
			t.Errorf("kept %s", got)
		}
		if p.host.Open(ref) {
			t.Error("the gap is still open")
		}
	})
}

// TestFirstEntryLeavesAMark: what is said after it is asked for, though nothing was said before.
func TestFirstEntryLeavesAMark(t *testing.T) {
	for name, answer := range map[string][]string{
		"nothing was said": {"@label=1 :irc.test BATCH +n chathistory #chan", ":irc.test BATCH -n"},
		"not allowed":      {"@label=1 FAIL CHATHISTORY INVALID_TARGET LATEST #chan :Messages could not be retrieved"},
	} {
		t.Run(name, func(t *testing.T) {
			enters(t, "", "CHATHISTORY=50", func(p *play, ref core.Ref) {
				entered := time.Now()
				p.expect("@label=1 CHATHISTORY LATEST #chan * 50")
				p.names()
				p.send(answer...)
				next[*core.RoomJoined](p)
				p.conn.Close()
				p.end()
				next[*core.RoomLeft](p)
				time.Sleep(time.Hour)
				p.connects("CHATHISTORY=50")
				p.line() // CHATHISTORY TARGETS
				p.send("@label=1 :irc.test BATCH +t draft/chathistory-targets", ":irc.test BATCH -t")
				p.expect("JOIN #chan")
				p.send(":alice!al@host.test JOIN #chan")
				p.names()
				mark := entered.Add(-30 * time.Second).UTC().Format(serverTime)
				p.expect("@label=2 CHATHISTORY AFTER #chan timestamp=" + mark + " 50")
			})
		})
	}
}

// TestKilledOnFirstEntry: the mark is there before the network has answered.
func TestKilledOnFirstEntry(t *testing.T) {
	enters(t, "", "CHATHISTORY=50", func(p *play, ref core.Ref) {
		p.expect("@label=1 CHATHISTORY LATEST #chan * 50")
		synctest.Wait()
		if mark, err := p.host.History().Since(t.Context(), ref); err != nil || !p.host.Open(ref) || mark.At.IsZero() {
			t.Errorf("the mark is %+v, %v", mark, err)
		}
	})
}

func TestNoBackfill(t *testing.T) {
	enters(t, `backfill = 0`, "CHATHISTORY=50", func(p *play, ref core.Ref) {
		p.names()
		next[*core.RoomJoined](p)
		p.silent(time.Minute)
		if mark, err := p.host.History().Since(t.Context(), ref); err != nil || mark.At.IsZero() {
			t.Errorf("the mark is %+v, %v", mark, err)
		}
	})
}

// TestLiveBeforeItsHistory: a line that is told live and then again with the history is known by then, although the
// network has no names for what is said.
func TestLiveBeforeItsHistory(t *testing.T) {
	enters(t, "", "CHATHISTORY=50 MSGREFTYPES=timestamp", func(p *play, ref core.Ref) {
		p.expect("@label=1 CHATHISTORY LATEST #chan * 50")
		said := "time=" + time.Now().UTC().Format(serverTime) + " :bob!b@b.test PRIVMSG #chan :hello"
		p.send("@"+said, "@label=1 :irc.test BATCH +h chathistory #chan", "@batch=h;"+said, ":irc.test BATCH -h")
		p.names()
		if m := next[*core.Message](p); m.Text != "hello" || m.Past {
			t.Errorf("said %+v", m)
		}
		next[*core.RoomJoined](p)
		if kept := p.host.Recalled(ref); len(kept) != 0 {
			t.Errorf("kept again: %+v", kept)
		}
	})
}

// TestBouncerJoins is soju: who connects is in their rooms at once, and asked for nothing.
func TestBouncerJoins(t *testing.T) {
	script(t, quickConfig+`ping_every = "1h"`, core.Account{}, func(p *play) {
		ref := core.Ref{Account: "a1", Peer: "#chan"}
		p.host.Keep(&core.Message{Ref: ref, IDs: core.IDs{ID: "i"}, Room: true, Author: "bob", Text: "one", At: time.Now().Add(-time.Hour)})
		p.join("#chan", "1")
		p.run()
		caps := historyCaps + " labeled-response"
		p.begin(caps)
		p.grant(caps)
		p.expect("CAP END")
		p.send(":irc.test 001 alice :Welcome", ":irc.test 005 alice CHATHISTORY=1000 MSGREFTYPES=timestamp BOUNCER_NETID=3 :are supported by this server",
			":irc.test 422 alice :No MOTD", ":alice!al@host.test JOIN #chan", ":irc.test 353 alice = #chan :alice!al@host.test bob!b@b.test",
			":irc.test 366 alice #chan :End", ":alice!al@host.test JOIN #other", ":irc.test 353 alice = #other :alice!al@host.test", ":irc.test 366 alice #other :End")
		p.status()
		line := p.line()
		if line == "JOIN #chan" { // the host was quicker than the bouncer
			line = p.line()
		}
		if want := "@label=1 CHATHISTORY AFTER #chan timestamp="; !strings.HasPrefix(line, want) {
			t.Fatalf("asked %q", line)
		}
		for next[*core.Invited](p).Peer != "#other" {
			t.Error("not told of the other room")
		}
		p.noEvent()
		p.history("@label=1 ", 2, 2)
		if m := next[*core.Message](p); !m.Past || m.Text != "line 2" {
			t.Errorf("filled with %+v", m)
		}
		line = p.line()
		if want := "@label=2 CHATHISTORY AFTER #chan timestamp="; !strings.HasPrefix(line, want) {
			t.Fatalf("asked %q", line)
		}
		p.history("@label=2 ", 2, 2)
		if line, want := p.line(), "@label=3 CHATHISTORY AFTER #chan timestamp="; !strings.HasPrefix(line, want) {
			t.Fatalf("asked %q", line)
		}
		p.noMore("@label=3 ")
		if j := next[*core.RoomJoined](p); len(j.Members) != 1 {
			t.Errorf("joined as %+v", j)
		}
		p.join("#other", "2")
		p.expect("@label=4 CHATHISTORY LATEST #other * 100")
		p.noEvent()
		p.send("@label=4 :irc.test BATCH +h chathistory #other", ":irc.test BATCH -h")
		if j := next[*core.RoomJoined](p); j.Peer != "#other" || j.Origin != origin("2") {
			t.Errorf("joined as %+v", j)
		}
	})
}
