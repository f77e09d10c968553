package irc

import (
	"strings"
	"testing"

	"gangway/core"
)

func TestMultilineOut(t *testing.T) {
	inRich(t, "draft/multiline=max-bytes=1000,max-lines=5", "", func(p *play) {
		long := strings.Repeat("word ", 100)
		m := p.say("#chan", "one\n\n"+long+"\nlast")
		var lines []string
		for range 7 {
			lines = append(lines, p.line())
		}
		want := "@label=1 BATCH +m1 draft/multiline #chan"
		if lines[0] != want || lines[1] != "@batch=m1 PRIVMSG #chan one" || lines[6] != "BATCH -m1" || lines[2] != "@batch=m1 PRIVMSG #chan :" ||
			!strings.HasPrefix(lines[3], "@batch=m1 PRIVMSG #chan :word") || !strings.HasPrefix(lines[4], "@batch=m1;draft/multiline-concat PRIVMSG #chan :word") {
			t.Fatalf("wrote %q", lines)
		}
		var whole strings.Builder
		for _, line := range lines[3:5] {
			_, text, _ := strings.Cut(line, "#chan :")
			whole.WriteString(text)
		}
		if whole.String() != strings.TrimRight(long, " ") {
			t.Errorf("joined it is %q", whole.String())
		}
		p.noEvent()
		p.send("PING x")
		p.expect("PONG x")
		p.send("@label=1;msgid=m9 :alice!al@host.test BATCH +e draft/multiline #chan", "@batch=e :alice!al@host.test PRIVMSG #chan one",
			echoed(lines[2]), echoed(lines[3]), echoed(lines[4]), "@batch=e :alice!al@host.test PRIVMSG #chan last", ":irc.test BATCH -e")
		got := next[*core.Message](p)
		reflected(t, got, m, "one\n\n"+strings.TrimRight(long, " ")+"\nlast")
		if got.Remote != "m9" {
			t.Errorf("named %q", got.Remote)
		}
		m = p.say("#chan", "a\nb")
		p.expect("@label=2 BATCH +m2 draft/multiline #chan", "@batch=m2 PRIVMSG #chan a", "@batch=m2 PRIVMSG #chan b", "BATCH -m2")
		p.send("@label=2 FAIL BATCH MULTILINE_MAX_LINES 1 :Too many lines")
		failed(t, p, m, core.TooLarge, "Too many lines")
		p.say("#chan", "1\n2\n3\n4\n5\n6")
		p.expect("@label=3 PRIVMSG #chan 1")
	})
}

func TestMultilineIn(t *testing.T) {
	inRich(t, "draft/multiline", "", func(p *play) {
		p.send("@msgid=m1;time=2026-01-02T03:04:05.678Z :bob!b@b.test BATCH +1 draft/multiline #chan", "@batch=1 :bob!b@b.test PRIVMSG #chan :\x02one\x02",
			"@batch=1 :bob!b@b.test PRIVMSG #chan :", "@batch=1 :bob!b@b.test PRIVMSG #chan :two ", "@batch=1;draft/multiline-concat :bob!b@b.test PRIVMSG #chan :more",
			":carol!c@c.test PRIVMSG #chan :meanwhile", ":irc.test BATCH -1", ":x BATCH +2 draft/multiline #chan", ":x BATCH -2")
		if m := next[*core.Message](p); m.Text != "meanwhile" {
			t.Errorf("got %+v", m)
		}
		if m := next[*core.Message](p); m.Text != "*one*\n\ntwo more" || m.Remote != "m1" || m.Author != "bob" || m.At.UnixMilli() != 1767323045678 {
			t.Errorf("got %+v", m)
		}
		p.noEvent()
	})
}

// echoed is a line of ours in a batch, as the network sends it on in batch e.
func echoed(line string) string {
	tags, rest, _ := strings.Cut(line, " ")
	return strings.Replace(tags, "batch=m1", "batch=e", 1) + " :alice!al@host.test " + rest
}
