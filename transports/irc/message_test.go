package irc

import (
	"strings"
	"testing"
	"time"

	"gangway/core"
)

const echoCaps = "batch labeled-response echo-message message-tags server-time userhost-in-names"

func reflected(t *testing.T, got, sent *core.Message, text string) {
	t.Helper()
	if got.Ref != sent.Ref || got.ID != sent.ID || got.Origin != sent.Origin || !got.Mine || !got.Room || got.Text != text || got.Author != "alice" {
		t.Errorf("reflected as %+v, want %q of %+v", got, text, sent)
	}
}

func failed(t *testing.T, p *play, sent *core.Message, kind core.Kind, words string) {
	t.Helper()
	r := next[*core.Receipt](p)
	if r.Ref != sent.Ref || r.ID != sent.ID || r.Origin != sent.Origin || r.State != core.Failed || r.Err.Kind != kind || !strings.Contains(r.Err.Text, words) {
		t.Errorf("receipt %+v %+v, want a failure: %s", r, r.Err, words)
	}
}

func TestReflectionByBarrier(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.enter("#Chan")
		m := p.say("#chan", "hello")
		p.expect("PRIVMSG #Chan hello")
		p.noEvent()
		p.barrier(2)
		reflected(t, next[*core.Message](p), m, "hello")

		m = p.say("#chan", "no")
		p.expect("PRIVMSG #Chan no")
		p.send(":irc.test 404 alice #CHAN :Cannot send to channel")
		failed(t, p, m, core.Denied, "Cannot send to channel")
		p.barrier(3)
		p.noEvent()
	})
}

func TestSeveralLinesKeepTheFirstID(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.enter("#chan")
		m := p.say("#chan", "/me waves\n\n/me is text\r\n  three ")
		p.expect("PRIVMSG #chan :\x01ACTION waves\x01", "PRIVMSG #chan :/me is text", "PRIVMSG #chan :  three")
		p.barrier(2)
		reflected(t, next[*core.Message](p), m, "/me waves")
		for _, text := range []string{"/me is text", "  three"} {
			if got := next[*core.Message](p); got.ID != "" || got.Origin != (core.Origin{}) || got.Text != text || !got.Mine {
				t.Errorf("reflected as %+v", got)
			}
		}
	})
}

func TestReflectionByLabel(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.join("#chan", "1")
		p.run()
		p.registerWith(echoCaps)
		p.expect("JOIN #chan")
		p.let("#chan")
		next[*core.RoomJoined](p)

		m := p.say("#chan", "one")
		p.expect("@label=1 PRIVMSG #chan one")
		p.send("@label=1;msgid=m1;time=2026-11-24T10:00:00.000Z :alice!a@b PRIVMSG #chan :\x02one\x02 cut")
		got := next[*core.Message](p)
		reflected(t, got, m, "*one* cut")
		if got.Remote != "m1" || !got.At.Equal(time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)) {
			t.Errorf("named %q at %v", got.Remote, got.At)
		}

		m = p.say("#chan", "two")
		p.expect("@label=2 PRIVMSG #chan two")
		p.send("@label=2 FAIL PRIVMSG SPAM #chan :You talk too much")
		failed(t, p, m, core.Denied, "You talk too much")

		m = p.say("bob", "three")
		p.expect("@label=3 PRIVMSG bob three")
		p.send(":irc.test BATCH +x labeled-response", "@label=3 :irc.test BATCH +r labeled-response",
			"@batch=r :irc.test 301 alice bob :gone fishing", "@batch=r :alice!a@b PRIVMSG bob :three", ":irc.test BATCH -r")
		if away := next[*core.Presence](p); away.Peer != "bob" || away.Show != core.Away || away.Text != "gone fishing" {
			t.Errorf("away is %+v", away)
		}
		if r := next[*core.Receipt](p); r.ID != m.ID || r.State != core.Delivered {
			t.Errorf("receipt %+v", r)
		}

		m = p.say("bob", "four")
		p.expect("@label=4 PRIVMSG bob four")
		p.send("@label=4 :irc.test 301 alice bob :gone fishing")
		if r := next[*core.Receipt](p); r.ID != m.ID || r.State != core.Delivered {
			t.Errorf("receipt %+v", r)
		}

		m = p.say("bob", "five")
		p.expect("@label=5 PRIVMSG bob five")
		p.send("@label=5 ACK", "@label=5 ACK")
		if r := next[*core.Receipt](p); r.ID != m.ID || r.State != core.Delivered {
			t.Errorf("receipt %+v", r)
		}

		p.send(":alice!a@b PRIVMSG #chan :said elsewhere", ":alice!a@b PRIVMSG bob :privately")
		if got := next[*core.Message](p); !got.Mine || !got.Room || got.ID != "" {
			t.Errorf("got %+v", got)
		}
		if got := next[*core.Message](p); !got.Mine || got.Room || got.Peer != "bob" {
			t.Errorf("got %+v", got)
		}
		p.noEvent()
	})
}

func TestReflectionByEchoAlone(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.join("#chan", "1")
		p.run()
		p.registerWith("echo-message userhost-in-names")
		p.expect("JOIN #chan")
		p.let("#chan")
		next[*core.RoomJoined](p)
		one, two := p.say("#chan", "one"), p.say("#chan", "two")
		p.expect("PRIVMSG #chan one", "PRIVMSG #chan two")
		p.send(":alice!a@b PRIVMSG #chan :stripped", ":alice!a@b PRIVMSG #chan :two")
		reflected(t, next[*core.Message](p), one, "stripped")
		reflected(t, next[*core.Message](p), two, "two")
		three := p.say("#chan", "three")
		p.expect("PRIVMSG #chan three")
		began := time.Now()
		for range 3 { // kept alive meanwhile
			select {
			case <-p.lines:
				p.send(":irc.test PONG irc.test gangway")
			case <-time.After(answerWithin):
			}
		}
		failed(t, p, three, core.Uncertain, "did not say")
		if d := time.Since(began); d > 5*answerWithin {
			t.Errorf("after %v", d)
		}
	})
}

func TestPrivateMessages(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.run()
		p.register("alice")
		m := p.say("bob", "one\ntwo")
		p.expect("PRIVMSG bob one", "PRIVMSG bob two")
		p.barrier(1)
		if r := next[*core.Receipt](p); r.ID != m.ID || r.Origin != m.Origin || r.State != core.Delivered {
			t.Errorf("receipt %+v", r)
		}
		m = p.say("nobody", "one\ntwo")
		p.expect("PRIVMSG nobody one", "PRIVMSG nobody two")
		p.send(":irc.test 401 alice Nobody :No such nick/channel", ":irc.test 401 alice Nobody :No such nick/channel")
		p.barrier(2)
		failed(t, p, m, core.NotFound, "Nobody: No such nick/channel")
		p.noEvent()
		p.conn.Close()
		p.end()
	})
}

func TestNotSendable(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.enter("#chan")
		for _, c := range []struct {
			peer core.Address
			text string
			kind core.Kind
		}{
			{"#other", "x", core.NotFound}, {"bob", " \x01\n\t", core.Invalid}, {"", "x", core.Denied},
			{"bob smith", "x", core.Invalid}, {"bob,carol", "x", core.Invalid}, {"$$*.test", "x", core.Invalid},
			{"#a\nQUIT", "x", core.Invalid}, {"#a,#b", "x", core.Invalid},
		} {
			_, err := p.s.Send(p.t.Context(), &core.Message{Ref: core.Ref{Peer: c.peer}, Text: c.text})
			if err == nil || core.KindOf(err) != c.kind || core.AsError(err).Text == "" {
				t.Errorf("Send to %q = %v", c.peer, err)
			}
		}
		p.silent(time.Second)
	})
}

func TestUnansweredWhenLost(t *testing.T) {
	script(t, quickConfig+"flood_burst = 4\n"+`ping_every = "1h"`, core.Account{}, func(p *play) {
		p.s.net.interval = time.Minute
		p.enter("#chan")
		written, queued := p.say("#chan", "written"), p.say("bob", "queued")
		p.expect("PRIVMSG #chan written")
		p.conn.Close()
		p.end()
		failed(t, p, written, core.Uncertain, "before the network said")
		failed(t, p, queued, core.Unavailable, "lost")
		next[*core.RoomLeft](p)
	})
}

func TestIncoming(t *testing.T) {
	for name, c := range map[string]struct {
		line string
		want core.Message
	}{
		"room":          {":Bob!b@c PRIVMSG #CHAN :hi", core.Message{Ref: core.Ref{Peer: "#chan"}, Room: true, Author: "Bob", Text: "hi"}},
		"action":        {":Bob!b@c PRIVMSG #chan :\x01ACTION waves\x01", core.Message{Ref: core.Ref{Peer: "#chan"}, Room: true, Author: "Bob", Text: "/me waves"}},
		"status":        {":Bob!b@c PRIVMSG @#chan :psst", core.Message{Ref: core.Ref{Peer: "#chan"}, Room: true, Author: "Bob", Text: "[@] psst"}},
		"private":       {":Bob!b@c PRIVMSG Alice :hi", core.Message{Ref: core.Ref{Peer: "bob"}, Text: "hi"}},
		"notice":        {":Bob!b@c NOTICE alice :hi", core.Message{Ref: core.Ref{Peer: "bob"}, Text: "hi", Notice: true}},
		"room notice":   {":Bob!b@c NOTICE #chan :hi", core.Message{Ref: core.Ref{Peer: "#chan"}, Room: true, Author: "Bob", Text: "hi", Notice: true}},
		"services":      {":ChanServ!s@c NOTICE alice :[#Chan] Welcome", core.Message{Ref: core.Ref{Peer: "#chan"}, Room: true, Author: "ChanServ", Text: "[#Chan] Welcome", Notice: true}},
		"other room":    {":ChanServ!s@c NOTICE alice :[#else] Welcome", core.Message{Ref: core.Ref{Peer: "chanserv"}, Text: "[#else] Welcome", Notice: true}},
		"server":        {":irc.test NOTICE alice :Restart soon", core.Message{Text: "Restart soon", Notice: true}},
		"no prefix":     {"NOTICE alice :Restart soon", core.Message{Text: "Restart soon", Notice: true}},
		"wallops":       {":oper!o@p WALLOPS :Restart soon", core.Message{Text: "Restart soon", Notice: true}},
		"unknown error": {":irc.test 481 alice :Permission Denied", core.Message{Text: "Permission Denied", Notice: true}},
		"warning":       {":irc.test WARN * CODE :Careful", core.Message{Text: "Careful", Notice: true}},
		"dcc":           {":Bob!b@c PRIVMSG alice :\x01DCC SEND x 1 2\x01", core.Message{Ref: core.Ref{Peer: "bob"}, Notice: true, Text: "Bob wanted to send you something directly (DCC), which the gateway cannot pass on."}},
		"tags":          {"@msgid=x\\:y;time=2026-01-02T03:04:05.678Z :Bob!b@c PRIVMSG alice :hi", core.Message{Ref: core.Ref{Peer: "bob"}, IDs: core.IDs{Remote: "x;y"}, Text: "hi"}},
		"windows-1252":  {":Bob!b@c PRIVMSG alice :caf\xe9 \x80", core.Message{Ref: core.Ref{Peer: "bob"}, Text: "café €"}},
	} {
		t.Run(name, func(t *testing.T) {
			script(t, quickConfig, core.Account{}, func(p *play) {
				p.join("#chan", "1")
				p.run()
				p.register("alice", "STATUSMSG=@+ CHANTYPES=#")
				p.expect("JOIN #chan")
				p.let("#chan")
				next[*core.RoomJoined](p)
				p.send(c.line)
				m := next[*core.Message](p)
				if name == "tags" && m.At.UnixMilli() != 1767323045678 {
					t.Errorf("said at %v", m.At)
				}
				c.want.Account, c.want.At = "a1", m.At
				if m.At.IsZero() {
					t.Log("without a time")
				}
				if got := *m; got.Ref != c.want.Ref || got.IDs != c.want.IDs || got.Room != c.want.Room || got.Author != c.want.Author ||
					got.Text != c.want.Text || got.Notice != c.want.Notice || got.Mine {
					t.Errorf("got %+v, want %+v", got, c.want)
				}
				p.noEvent()
			})
		})
	}
}

func TestNoiseIsLeftOut(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.run()
		p.accept()
		p.send(":irc.test NOTICE * :*** Looking up your hostname", ":irc.test 001 alice :Hi", ":irc.test 002 alice :Your host",
			":irc.test 251 alice :There are", ":irc.test 375 alice :- MOTD", ":irc.test 372 alice :- noise", ":irc.test 376 alice :End",
			":bob!b@c NOTICE alice :\x01VERSION mIRC\x01", ":bob!b@c PRIVMSG alice :\x02\x02", ":bob!b@c PRIVMSG alice :\x01UNKNOWN\x01",
			":x!y@z INVITE bob #chan")
		p.status()
		p.noEvent()
	})
}

func TestCTCP(t *testing.T) {
	script(t, quickConfig+`version = "Gangway 1"`, core.Account{}, func(p *play) {
		p.run()
		p.register("alice")
		p.send(":bob!b@c PRIVMSG alice :\x01VERSION\x01")
		p.expect("NOTICE bob :\x01VERSION Gangway 1\x01")
		p.send(":bob!b@c PRIVMSG alice :\x01ping 12\x0234\x01")
		p.expect("NOTICE bob :\x01PING 1234\x01")
		p.send(":bob!b@c PRIVMSG alice :\x01CLIENTINFO")
		p.expect("NOTICE bob :\x01CLIENTINFO ACTION CLIENTINFO PING TIME VERSION\x01")
		p.send(":bob!b@c PRIVMSG alice :\x01TIME\x01")
		if line := p.line(); !strings.HasPrefix(line, "NOTICE bob :\x01TIME ") {
			t.Errorf("got %q", line)
		}
		p.send(":bob!b@c PRIVMSG alice :\x01VERSION\x01")
		p.silent(9 * time.Second)
		time.Sleep(2 * time.Second)
		p.send(":bob!b@c PRIVMSG alice :\x01VERSION\x01")
		p.expect("NOTICE bob :\x01VERSION Gangway 1\x01")
		p.noEvent()
	})
}
