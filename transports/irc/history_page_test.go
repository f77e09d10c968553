package irc

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gopkg.in/irc.v4"

	"gangway/core"
)

// teller is a network that remembers what was said in a room.
type pastOf struct {
	lines []*irc.Message
	named bool // with msgid
	most  int  // lines of a page, whatever is asked for; of these it leaves out every nth
	skips int
}

func remembered(times []byte, named bool, most, skips int) *pastOf {
	n := &pastOf{named: named, most: most, skips: skips}
	at := time.UnixMilli(1_700_000_000_000).UTC()
	for i, step := range times {
		at = at.Add(time.Duration(step%3) * time.Millisecond)
		m := &irc.Message{Tags: irc.Tags{"time": at.Format(serverTime)}, Prefix: &irc.Prefix{Name: "bob"}, Command: "PRIVMSG", Params: []string{"#c", fmt.Sprint("line ", i)}}
		if named {
			m.Tags["msgid"] = fmt.Sprint("m", i)
		}
		n.lines = append(n.lines, m)
	}
	return n
}

// after answers CHATHISTORY AFTER.
func (n *pastOf) after(selector string, limit int) (page []*irc.Message) {
	kind, value, _ := strings.Cut(selector, "=")
	from := 0
	for i, m := range n.lines {
		if kind == "msgid" && m.Tags["msgid"] == value || kind == "timestamp" && m.Tags["time"] <= value {
			from = i + 1
		}
	}
	for i, m := range n.lines[from:] {
		if len(page) == min(limit, n.most) {
			break
		}
		if n.skips == 0 || (from+i)%n.skips != 0 {
			page = append(page, m)
		}
	}
	return page
}

// told pages through a history as a session does.
func (n *pastOf) told(t *testing.T, mark core.Mark) (all []string, turns int) {
	t.Helper()
	s := &session{link: &link{}}
	s.link.support.History = n.most
	p := &pages{mark: mark}
	for more := true; more; more = p.advance(false) {
		if p.turned > maxPages {
			t.Fatal("it does not end")
		}
		p.begin()
		p.asked = s.pageSize(p.wide)
		for _, m := range p.take(n.after(s.selector(p), p.asked)) {
			all = append(all, m.Trailing())
		}
	}
	return all, p.turned
}

func (n *pastOf) whole() (all []string) {
	for i, m := range n.lines {
		if n.skips == 0 || i%n.skips != 0 {
			all = append(all, m.Trailing())
		}
	}
	return all
}

// TestPages: whatever the times of the lines, and whether they have names or not, everything is told once.
func TestPages(t *testing.T) {
	same := make([]byte, 40)
	spread := []byte(strings.Repeat("\x01\x00\x00\x02", 30))
	for _, c := range []struct {
		name  string
		times []byte
		named bool
		most  int
		skips int
	}{
		{"named, of one moment", same, true, 7, 0},
		{"named, spread", spread, true, 7, 0},
		{"named, and some are left out", spread, true, 7, 3},
		{"nameless, one page", spread[:10], false, 100, 0},
		{"nameless, spread", spread, false, 7, 0},
		{"nameless, and some are left out", spread, false, 7, 3},
		{"nameless, of one moment", same, false, 100, 0},
		{"nothing", nil, true, 7, 0},
	} {
		n := remembered(c.times, c.named, c.most, c.skips)
		got, turns := n.told(t, core.Mark{At: time.UnixMilli(0)})
		if want := n.whole(); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: told %v in %d pages, want %v", c.name, got, turns, want)
		}
	}
}

// TestWidePage: of more lines in one moment than a usual page holds, as many are asked for as the network gives.
func TestWidePage(t *testing.T) {
	n := remembered(append(make([]byte, 150), 1, 1), false, 400, 0)
	if got, _ := n.told(t, core.Mark{At: time.UnixMilli(0)}); strings.Join(got, "\n") != strings.Join(n.whole(), "\n") {
		t.Errorf("told %d of %d", len(got), len(n.lines))
	}
}

// TestSamePageAgain is a network that does not heed what it is asked.
func TestSamePageAgain(t *testing.T) {
	n := remembered([]byte{1, 1, 1}, true, 2, 0)
	p := &pages{mark: core.Mark{At: time.UnixMilli(0)}}
	for more := true; more; more = p.advance(false) {
		if p.begin(); p.turned > 10 {
			t.Fatal("it does not end")
		}
		p.asked = 2
		p.take(n.after("timestamp=2000", 2))
	}
}

// FuzzPages: everything is told, once and in its order, as far as pages can tell moments apart.
func FuzzPages(f *testing.F) {
	f.Add([]byte{0, 1, 2, 0, 0, 0, 1}, true, byte(3), byte(0))
	f.Add([]byte{0, 0, 0, 0, 1, 0, 2}, false, byte(8), byte(2))
	f.Fuzz(func(t *testing.T, times []byte, named bool, most, skips byte) {
		if len(times) > 200 {
			times = times[:200]
		}
		alike, run := 1, 1 // the most lines in one moment
		for _, step := range times[min(1, len(times)):] {
			if run++; step%3 != 0 {
				run = 1
			}
			alike = max(alike, run)
		}
		if !named && int(most) <= alike {
			most = byte(min(alike+1, 255)) // otherwise time cannot tell them apart
		}
		n := remembered(times, named, max(int(most), 1), int(skips%5))
		if n.skips == 1 || n.skips != 0 && n.most <= n.skips {
			n.skips = 0
		}
		got, turns := n.told(t, core.Mark{At: time.UnixMilli(0)})
		if want := n.whole(); turns <= maxPages && strings.Join(got, "\n") != strings.Join(want, "\n") && len(times) < maxPages {
			t.Errorf("told %v in %d pages, want %v", got, turns, want)
		}
	})
}
