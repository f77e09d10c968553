package irc

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gangway/core"
)

const missedCaps = historyCaps + " labeled-response echo-message"

// wasAbsent is a session that has heard of bob in private, has lost its connection for an hour, and asks who has written.
func wasAbsent(t *testing.T, scenario func(p *play, heard time.Time)) {
	t.Helper()
	script(t, quickConfig+`ping_every = "1h"
linger = "10h"`, core.Account{}, func(p *play) {
		p.back("")
		heard := time.Now()
		p.send("@msgid=p1;time=" + stampOf(heard) + " :bob!b@b.test PRIVMSG alice :hi")
		if m := next[*core.Message](p); m.Past || m.Text != "hi" {
			t.Errorf("told %+v", m)
		}
		scenario(p, heard)
	})
}

func stampOf(at time.Time) string { return at.UTC().Format(serverTime) }

// back connects.
func (p *play) back(asked string) {
	p.t.Helper()
	p.s.ran = false // as in another life of the program
	p.run()
	p.begin(missedCaps)
	p.grant(missedCaps)
	p.welcome("CHATHISTORY=3")
	if asked != "" {
		p.asked(asked)
	}
}

// away ends the connection for an hour.
func (p *play) away() {
	p.t.Helper()
	p.conn.Close()
	p.end()
	time.Sleep(time.Hour)
}

func (p *play) asked(want string) {
	p.t.Helper()
	if line := p.line(); !strings.HasPrefix(line, want) {
		p.t.Fatalf("asked %q, want %q", line, want)
	}
}

func (p *play) targets(label int, targets ...string) {
	p.t.Helper()
	p.send(fmt.Sprintf("@label=%d :irc.test BATCH +t draft/chathistory-targets", label))
	for _, nick := range targets {
		p.send("@batch=t :irc.test CHATHISTORY TARGETS " + nick + " " + stampOf(time.Now()))
	}
	p.send(":irc.test BATCH -t")
}

// conversation answers with lines: "msgid seconds-ago author target text".
func (p *play) conversation(label int, nick string, lines ...string) {
	p.t.Helper()
	p.send(fmt.Sprintf("@label=%d :irc.test BATCH +h chathistory %s", label, nick))
	for _, line := range lines {
		f := strings.SplitN(line, " ", 5)
		ago, err := time.ParseDuration(f[1])
		if err != nil {
			p.t.Fatal(err)
		}
		tags := "batch=h;time=" + stampOf(time.Now().Add(-ago))
		if f[0] != "-" {
			tags += ";msgid=" + f[0]
		}
		p.send(fmt.Sprintf("@%s :%s!x@%s.test PRIVMSG %s :%s", tags, f[2], f[2], f[3], f[4]))
	}
	p.send(":irc.test BATCH -h")
}

// missed expects private messages of the past: "peer: text", of one's own ones "> peer: text".
func (p *play) missed(want ...string) {
	p.t.Helper()
	for _, w := range want {
		m := next[*core.Message](p)
		got := string(m.Peer) + ": " + m.Text
		if m.Mine {
			got = "> " + got
		}
		if got != w || !m.Past || time.Since(m.At) < time.Second || m.Room {
			p.t.Errorf("told %s at %v (past: %v), want %s", got, m.At, m.Past, w)
		}
	}
	p.noEvent()
}

// TestMissedPrivately: everybody who has written is asked for, a page at a time, and what they said is told once, with
// its time; what the user has already is not.
func TestMissedPrivately(t *testing.T) {
	wasAbsent(t, func(p *play, heard time.Time) {
		p.say("bob", "hello bob")
		p.expect("@label=1 PRIVMSG bob :hello bob")
		p.send("@label=1;msgid=p2;time=" + stampOf(time.Now()) + " :alice!al@host.test PRIVMSG bob :hello bob")
		next[*core.Receipt](p)
		p.away()
		since := stampOf(heard.Add(-skew))
		p.back("@label=1 CHATHISTORY TARGETS timestamp=" + since + " timestamp=")
		p.send("@msgid=p9;time=" + stampOf(time.Now()) + " :carol!c@c.test PRIVMSG alice :now") // live, before it is told
		if m := next[*core.Message](p); m.Past {
			t.Errorf("told %+v", m)
		}
		p.targets(1, "bob", "#chan", "carol")
		p.expect("@label=2 CHATHISTORY AFTER bob timestamp=" + since + " 3")
		p.conversation(2, "bob", "p1 1h bob alice hi", "p2 1h alice bob hello bob", "p3 50m bob alice are you there?")
		p.missed("bob: are you there?")
		p.expect("@label=3 CHATHISTORY AFTER bob msgid=p3 3")
		p.conversation(3, "bob", "p4 40m alice bob from elsewhere")
		p.missed("> bob: from elsewhere")
		p.expect("@label=4 CHATHISTORY AFTER bob msgid=p4 3")
		p.conversation(4, "bob")
		p.expect("@label=5 CHATHISTORY AFTER carol timestamp=" + since + " 3")
		p.conversation(5, "carol", "p8 30m carol alice before", "p9 0s carol alice now")
		p.missed("carol: before")
		p.expect("@label=6 CHATHISTORY AFTER carol msgid=p9 3")
		p.conversation(6, "carol")
		last := time.Now()
		p.away()
		p.back("@label=1 CHATHISTORY TARGETS timestamp=" + stampOf(last.Add(-skew)) + " timestamp=")
	})
}

// TestMissedOnceWhenCutShort: what was told before the connection was lost again is not told again, and the rest is.
func TestMissedOnceWhenCutShort(t *testing.T) {
	wasAbsent(t, func(p *play, heard time.Time) {
		p.away()
		since := "CHATHISTORY TARGETS timestamp=" + stampOf(heard.Add(-skew)) + " timestamp="
		p.back("@label=1 " + since)
		p.targets(1, "bob", "carol")
		p.asked("@label=2 CHATHISTORY AFTER bob ")
		p.conversation(2, "bob", "p3 10m bob alice one", "- 9m bob alice nameless")
		p.missed("bob: one", "bob: nameless")
		p.away()
		p.back("@label=1 " + since)
		p.targets(1, "carol", "bob")
		p.asked("@label=2 CHATHISTORY AFTER carol ")
		p.conversation(2, "carol", "p2 80m carol alice long ago")
		p.missed("carol: long ago")
		p.asked("@label=3 CHATHISTORY AFTER carol ")
		p.conversation(3, "carol")
		p.asked("@label=4 CHATHISTORY AFTER bob ")
		p.conversation(4, "bob", "p3 70m bob alice one", "- 69m bob alice nameless", "- 69m bob alice nameless")
		p.missed("bob: nameless") // said twice
	})
}

// TestSeenBefore reads the note as it was written by earlier versions, and no nonsense.
func TestSeenBefore(t *testing.T) {
	if s := decodeSeen([]byte("2026-01-02T03:04:05.000Z")); s.At.Hour() != 3 {
		t.Errorf("%+v", s)
	}
	for _, note := range []string{"", "nonsense", `{"at":7}`, `[]`} {
		if s := decodeSeen([]byte(note)); !s.At.IsZero() || s.Lines != nil {
			t.Errorf("%q: %+v", note, s)
		}
	}
}

// TestSeenIsBounded: of too much the network is asked for the end only.
func TestSeenIsBounded(t *testing.T) {
	start := time.UnixMilli(1_700_000_000_000)
	s := seen{At: start}
	for i := range 2 * maxSeen {
		s.add(newSeenLine("", "bob", false, fmt.Sprint(i), start.Add(time.Duration(i)*time.Millisecond), false))
	}
	s.settle()
	if len(s.Lines) != maxSeen || !s.from().Equal(start.Add((maxSeen-1)*time.Millisecond)) {
		t.Errorf("%d lines, from %v", len(s.Lines), s.from())
	}
}
