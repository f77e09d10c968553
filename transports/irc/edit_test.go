package irc

import (
	"strings"
	"testing"
	"time"

	"gangway/core"
)

// correct corrects a message, or what corrected it before.
func (p *play) correct(first *core.Message, text string) *core.Message {
	p.t.Helper()
	m := &core.Message{
		Ref: first.Ref, IDs: core.IDs{ID: core.NewID()}, Origin: origin("fix"), Room: first.Room, Text: text, Replaces: first.IDs,
	}
	if _, err := p.s.Edit(p.t.Context(), m); err != nil {
		p.t.Fatalf("Edit: %v", err)
	}
	return m
}

func TestCorrectionsAreMarked(t *testing.T) {
	inRoom(t, roomCaps, func(p *play) {
		first := p.say("#chan", "tha cat")
		p.expect("PRIVMSG #chan :tha cat")
		p.barrier(1)
		reflected(t, next[*core.Message](p), first, "tha cat")
		fix := p.correct(first, "the cat")
		p.expect("PRIVMSG #chan :* the cat")
		p.barrier(2)
		got := next[*core.Message](p)
		if reflected(t, got, fix, "* the cat"); got.Replaces.Known() {
			t.Errorf("IRC saw no correction, and the user does: %+v", got)
		}
		p.correct(first, "/me purrs")
		p.expect("PRIVMSG #chan :* alice purrs")
	})
}

func TestCorrectionsBySed(t *testing.T) {
	inRoom(t, roomCaps, func(p *play) {
		p.host.Choose(core.Preferences{Own: map[string]string{editsChoice: editsSed, editsChoice + " bob%irc.test": editsRefuse}})
		first := p.say("#chan", "tha cat")
		p.expect("PRIVMSG #chan :tha cat")
		p.barrier(1)
		next[*core.Message](p)
		fix := p.correct(first, "the cat")
		p.expect("PRIVMSG #chan s/tha/the/")
		p.barrier(2)
		reflected(t, next[*core.Message](p), fix, "s/tha/the/")
		p.correct(first, "the dog") // corrections name the first message, whatever was corrected since
		p.expect("PRIVMSG #chan s/cat/dog/")
		p.barrier(3)
		next[*core.Message](p)
		p.correct(first, "something else")
		p.expect("PRIVMSG #chan :* something else")
		p.barrier(4)
		next[*core.Message](p)
		p.say("#chan", "newer")
		p.expect("PRIVMSG #chan newer")
		p.correct(first, "something newer")
		p.expect("PING gangway-5", "PRIVMSG #chan :* something newer")

		m := &core.Message{Ref: core.Ref{Account: "a1", Peer: "bob"}, Text: "x", Replaces: core.IDs{ID: "y"}}
		if _, err := p.s.Edit(t.Context(), m); core.KindOf(err) != core.Unsupported {
			t.Errorf("Edit = %v", err)
		}
	})
}

func TestChangedWord(t *testing.T) {
	for _, c := range []struct{ was, now, want string }{
		{"tha cat", "the cat", "s/tha/the/"}, {"a b c", "a b d", "s/c/d/"}, {"a b", "a b c", ""}, {"a b", "a b", ""}, {"a b", "c d", ""},
		{"a/b", "a/c", ""}, {"a b a", "a b c", ""}, {"ab b", "ab c", ""}, {"one\ntwo", "one\nthree", ""}, {"a  b", "a c b", ""}, {"", "x", ""},
	} {
		if got := changedWord(c.was, c.now); got != c.want {
			t.Errorf("changedWord(%q, %q) = %q, want %q", c.was, c.now, got, c.want)
		}
	}
}

func TestCorrectionsAreWaitedFor(t *testing.T) {
	inRoom(t, roomCaps, func(p *play) {
		p.host.Choose(core.Preferences{Own: map[string]string{editsChoice: editsHold}})
		first := p.say("#chan", "tha cat")
		p.silent(holdFor - time.Second)
		fix := p.correct(first, "the cat")
		p.expect("PRIVMSG #chan :the cat")
		p.barrier(1)
		reflected(t, next[*core.Message](p), first, "the cat")
		got := next[*core.Message](p)
		if reflected(t, got, fix, "the cat"); got.Replaces.ID != first.ID {
			t.Errorf("the correction is shown as %+v", got)
		}
		late := p.correct(first, "the dog")
		p.expect("PRIVMSG #chan :* the dog")
		p.barrier(2)
		reflected(t, next[*core.Message](p), late, "* the dog")

		began := time.Now()
		one, two := p.say("#chan", "one"), p.say("#chan", "two")
		p.expect("PRIVMSG #chan one")
		if d := time.Since(began); d != 0 {
			t.Errorf("what is followed waited %v", d)
		}
		p.barrier(3)
		reflected(t, next[*core.Message](p), one, "one")
		p.expect("PRIVMSG #chan two")
		if d := time.Since(began); d != holdFor {
			t.Errorf("the last waited %v", d)
		}
		p.barrier(4)
		reflected(t, next[*core.Message](p), two, "two")

		p.say("#chan", "last")
		p.stop()
		p.expect("PRIVMSG #chan last")
	})
}

func TestHeldIsAnsweredWhenLost(t *testing.T) {
	inRoom(t, roomCaps, func(p *play) {
		p.host.Choose(core.Preferences{Own: map[string]string{editsChoice: editsHold}})
		first := p.say("#chan", "tha cat")
		fix := p.correct(first, "the cat")
		p.conn.Close()
		p.end()
		failed(t, p, first, core.Unavailable, "lost")
		failed(t, p, fix, core.Unavailable, "lost")
	})
}

func TestLongMessagesBecomeFiles(t *testing.T) {
	long := "first line\n" + strings.Repeat("more\n", 9)
	inRoom(t, roomCaps, func(p *play) {
		p.host.Choose(core.Preferences{Own: map[string]string{pastesChoice: "5"}})
		m := p.say("#chan", long)
		line := p.line()
		_, url, ok := strings.Cut(line, "PRIVMSG #chan :first line … (10 lines) ")
		if !ok {
			t.Fatalf("said %q", line)
		}
		p.barrier(1)
		if got := next[*core.Message](p); got.ID != m.ID || !strings.HasSuffix(got.Text, url) {
			t.Errorf("reflected %+v", got)
		}
		p.say("#chan", "1\n2\n3\n4\n5")
		p.expect("PRIVMSG #chan 1", "PRIVMSG #chan 2")
	})
	inRich(t, "draft/multiline=max-bytes=4096,max-lines=100", "", func(p *play) {
		p.host.Choose(core.Preferences{Own: map[string]string{pastesChoice: "5"}})
		p.say("#chan", long)
		p.expect("@label=1 BATCH +m1 draft/multiline #chan", "@batch=m1 PRIVMSG #chan :first line")
	})
}

func TestRawCommands(t *testing.T) {
	raw := func(p *play, text string) error {
		_, err := p.s.Send(p.t.Context(), &core.Message{Ref: core.Ref{Account: "a1"}, IDs: core.IDs{ID: "m"}, Origin: origin("raw"), Text: text})
		return err
	}
	inRoom(t, roomCaps, func(p *play) {
		if err := raw(p, "WHOIS bob"); core.KindOf(err) != core.Denied {
			t.Errorf("where they are not allowed: %v", err)
		}
	})
	script(t, quickConfig+"raw_commands = true\n", core.Account{}, func(p *play) {
		p.run()
		p.register("alice")
		if err := raw(p, "/whois bob"); err != nil {
			t.Fatal(err)
		}
		p.expect("WHOIS bob")
		p.send(":irc.test 311 alice bob b b.test * :Bob", ":irc.test 318 alice bob :End of /WHOIS list.")
		for _, want := range []string{"bob b b.test * Bob", "bob End of /WHOIS list."} {
			if got := next[*core.Message](p); !got.Notice || got.Peer != "" || got.Text != want {
				t.Errorf("told %+v, want %q", got, want)
			}
		}
		p.barrier(1)
		if got := next[*core.Receipt](p); got.State != core.Delivered || got.Origin != origin("raw") {
			t.Errorf("receipt %+v", got)
		}
		p.send(":irc.test 311 alice bob b b.test * :Bob")
		p.noEvent()
		for _, bad := range []string{"", "QUIT", "hello!", "a\r\nQUIT", "NICK x"} {
			if err := raw(p, bad); err == nil || core.AsError(err).Text == "" {
				t.Errorf("%q: %v", bad, err)
			}
		}
	})
}
