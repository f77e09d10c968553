package irc

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"gangway/core"
)

const richCaps = "message-tags server-time batch labeled-response echo-message userhost-in-names standard-replies draft/message-redaction draft/read-marker"

// inRich plays a scenario in #chan with bob, an operator, and carol, on a network that has richCaps and more.
func inRich(t *testing.T, more, support string, scenario func(*play)) {
	t.Helper()
	script(t, quickConfig+`ping_every = "1h"`, core.Account{}, func(p *play) {
		p.join("#chan", "1")
		p.run()
		caps := strings.TrimSpace(richCaps + " " + more)
		names := strings.Fields(caps)
		for i, n := range names {
			names[i], _, _ = strings.Cut(n, "=")
		}
		p.begin(caps)
		p.grant(strings.Join(names, " "))
		p.welcome(strings.Fields(support)...)
		p.expect("JOIN #chan")
		p.send(":alice!al@host.test JOIN #chan",
			":irc.test 353 alice = #chan :alice!al@host.test @bob!b@b.test carol!c@c.test", ":irc.test 366 alice #chan :End")
		next[*core.RoomJoined](p)
		scenario(p)
	})
}

func TestReplies(t *testing.T) {
	inRich(t, "", "", func(p *play) {
		p.send("@msgid=m1;+draft/reply=m0 :bob!b@b.test PRIVMSG #chan :carol: yes")
		if m := next[*core.Message](p); m.Remote != "m1" || m.ReplyTo.Remote != "m0" || m.Text != "carol: yes" {
			t.Errorf("got %+v", m)
		}
		answer := &core.Message{
			Ref: core.Ref{Account: "a1", Peer: "#chan"}, IDs: core.IDs{ID: core.NewID()}, Origin: origin("say"), Room: true,
			Text: "bob: why?\nreally", ReplyTo: core.IDs{ID: "x", Remote: "m1"},
		}
		if _, err := p.s.Send(t.Context(), answer); err != nil {
			t.Fatal(err)
		}
		p.expect("@+draft/reply=m1;label=1 PRIVMSG #chan :bob: why?", "@label=2 PRIVMSG #chan really")
		p.send("@label=1;msgid=m2 :alice!al@host.test PRIVMSG #chan :bob: why?", "@label=2;msgid=m3 :alice!al@host.test PRIVMSG #chan really")
		if m := next[*core.Message](p); m.ReplyTo != answer.ReplyTo || m.Remote != "m2" || m.ID != answer.ID {
			t.Errorf("reflected %+v", m)
		}
		if m := next[*core.Message](p); m.ReplyTo.Known() || m.ID != "" {
			t.Errorf("reflected %+v", m)
		}
	})
	inRich(t, "", "CLIENTTAGDENY=*,-typing", func(p *play) {
		m := &core.Message{Ref: core.Ref{Account: "a1", Peer: "bob"}, Text: "hi", ReplyTo: core.IDs{Remote: "m1"}}
		if _, err := p.s.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		p.expect("@label=1 PRIVMSG bob hi")
	})
}

func TestTyping(t *testing.T) {
	inRich(t, "", "", func(p *play) {
		ref := core.Ref{Account: "a1", Peer: "#chan"}
		p.send("@+typing=active :bob!b@b.test TAGMSG #chan", "@+typing=active :bob!b@b.test TAGMSG #chan", "@+typing=active :carol!c@c TAGMSG alice")
		for _, want := range []core.Typing{{Ref: ref, Author: "bob", On: true}, {Ref: core.Ref{Account: "a1", Peer: "carol"}, On: true}} {
			if got := next[*core.Typing](p); *got != want {
				t.Errorf("got %+v", got)
			}
		}
		p.send("@+typing=done :bob!b@b.test TAGMSG #chan", "@+typing=done :bob!b@b.test TAGMSG #chan", "@msgid=m1 :carol!c@c PRIVMSG alice :hi")
		for _, want := range []core.Typing{{Ref: ref, Author: "bob"}, {Ref: core.Ref{Account: "a1", Peer: "carol"}}} {
			if got := next[*core.Typing](p); *got != want {
				t.Errorf("got %+v", got)
			}
		}
		next[*core.Message](p)
		p.send("@+typing=active :bob!b@b.test TAGMSG #chan", "@+typing=active :alice!al@host.test TAGMSG #chan", "@+typing=active :x!y@z TAGMSG #other")
		next[*core.Typing](p)
		p.noEvent()
		time.Sleep(typingLasts)
		if got := next[*core.Typing](p); got.On || got.Author != "bob" {
			t.Errorf("after a while %+v", got)
		}

		say := func(on bool) {
			if err := p.s.Typing(t.Context(), &core.Typing{Ref: ref, On: on}); err != nil {
				t.Error(err)
			}
		}
		say(true)
		p.expect("@+typing=active TAGMSG #chan")
		say(true)
		p.silent(typingEvery)
		say(true)
		p.expect("@+typing=active TAGMSG #chan")
		say(false)
		p.expect("@+typing=done TAGMSG #chan")
		if err := p.s.Typing(t.Context(), &core.Typing{Ref: core.Ref{Peer: "#other"}, On: true}); core.KindOf(err) != core.NotFound {
			t.Errorf("Typing elsewhere = %v", err)
		}
	})
	inRich(t, "", "CLIENTTAGDENY=typing", func(p *play) {
		if err := p.s.Typing(t.Context(), &core.Typing{Ref: core.Ref{Peer: "bob"}, On: true}); core.KindOf(err) != core.Unsupported {
			t.Errorf("Typing = %v", err)
		}
	})
}

func TestReactionsOnIRC(t *testing.T) {
	inRich(t, "", "", func(p *play) {
		p.send("@+draft/react=👍;+draft/reply=m1;time=2026-01-02T03:04:05.000Z :bob!b@b.test TAGMSG #chan",
			"@+draft/react=👍;+draft/reply=m1 :bob!b@b.test TAGMSG #chan", "@+draft/react=🎉;+draft/reply=m1 :bob!b@b.test TAGMSG #chan",
			"@+draft/unreact=👍;+draft/reply=m1 :bob!b@b.test TAGMSG #chan", "@+draft/react=x :bob!b@b.test TAGMSG #chan",
			"@+draft/react=❤;+draft/reply=m9 :carol!c@c TAGMSG alice")
		for _, want := range [][]string{{"👍"}, {"👍", "🎉"}, {"🎉"}} {
			if got := next[*core.Reaction](p); got.Remote != "m1" || got.Author != "bob" || !got.Room || got.Mine || !reflect.DeepEqual(got.Emoji, want) {
				t.Errorf("got %+v, want %q", got, want)
			}
		}
		if got := next[*core.Reaction](p); got.Peer != "carol" || got.Room || got.Author != "" || got.Remote != "m9" {
			t.Errorf("got %+v", got)
		}
		p.noEvent()

		react := func(emoji ...string) {
			t.Helper()
			re := &core.Reaction{Ref: core.Ref{Account: "a1", Peer: "#chan"}, IDs: core.IDs{ID: "x", Remote: "m1"}, Origin: origin("r"), Room: true, Emoji: emoji}
			if err := p.s.React(t.Context(), re); err != nil {
				t.Fatal(err)
			}
		}
		react("👍", "🎉")
		p.expect("@+draft/react=👍;+draft/reply=m1;label=1 TAGMSG #chan", "@+draft/react=🎉;+draft/reply=m1;label=2 TAGMSG #chan")
		p.send("@label=1;+draft/react=👍;+draft/reply=m1 :alice!al@host.test TAGMSG #chan")
		p.noEvent()
		p.send("@label=2;+draft/react=🎉;+draft/reply=m1 :alice!al@host.test TAGMSG #chan")
		if got := next[*core.Reaction](p); !got.Mine || got.Origin != origin("r") || len(got.Emoji) != 2 || got.ID != "x" {
			t.Errorf("reflected %+v", got)
		}
		react("🎉")
		p.expect("@+draft/unreact=👍;+draft/reply=m1;label=3 TAGMSG #chan")
		p.send("@label=3 FAIL TAGMSG CANNOT_SEND #chan :No reactions here")
		if got := next[*core.Receipt](p); got.State != core.Failed || got.Origin != origin("r") || got.Err.Text != "No reactions here" {
			t.Errorf("failed as %+v", got)
		}
		react("👍", "🎉")
		if got := next[*core.Reaction](p); len(got.Emoji) != 2 {
			t.Errorf("reflected %+v", got)
		}
		p.silent(time.Second)
		err := p.s.React(t.Context(), &core.Reaction{Ref: core.Ref{Peer: "#chan"}, Emoji: []string{"x"}})
		if core.KindOf(err) != core.NotFound {
			t.Errorf("React to what has no name = %v", err)
		}
	})
	unlabelled := "message-tags echo-message userhost-in-names"
	inRoom(t, unlabelled, func(p *play) {
		re := &core.Reaction{Ref: core.Ref{Account: "a1", Peer: "#chan"}, IDs: core.IDs{Remote: "m1"}, Origin: origin("r"), Room: true, Emoji: []string{"👍"}}
		if err := p.s.React(t.Context(), re); err != nil {
			t.Fatal(err)
		}
		p.expect("@+draft/react=👍;+draft/reply=m1 TAGMSG #chan")
		p.send("@+draft/react=👍;+draft/reply=m1 :alice!al@host.test TAGMSG #chan")
		p.barrier(1)
		if got := next[*core.Reaction](p); got.Origin != origin("r") || len(got.Emoji) != 1 {
			t.Errorf("reflected %+v", got)
		}
		p.noEvent()
	})
	inRoom(t, roomCaps, func(p *play) {
		err := p.s.React(t.Context(), &core.Reaction{Ref: core.Ref{Peer: "#chan"}, IDs: core.IDs{Remote: "m1"}, Emoji: []string{"x"}})
		if core.KindOf(err) != core.Unsupported {
			t.Errorf("React without tags = %v", err)
		}
	})
}

func TestRedaction(t *testing.T) {
	inRich(t, "", "", func(p *play) {
		p.send("@msgid=m1 :carol!c@c.test PRIVMSG #chan :one", "@msgid=m2 :carol!c@c.test PRIVMSG #chan :two")
		next[*core.Message](p)
		next[*core.Message](p)
		p.send(":carol!c@c.test REDACT #chan m1", ":bob!b@b.test REDACT #chan m2 :off topic", ":bob!b@b.test REDACT #chan m0 :long ago",
			":carol!c@c.test REDACT #chan m-1", ":carol!c@c.test REDACT alice m9", ":carol!c@c.test REDACT #other m1", ":carol!c@c.test REDACT #chan")
		for _, want := range []struct {
			remote    core.RemoteID
			author    core.Address
			moderated bool
			reason    string
		}{{"m1", "carol", false, ""}, {"m2", "bob", true, "off topic"}, {"m0", "bob", true, "long ago"}, {"m-1", "carol", false, ""}, {"m9", "", false, ""}} {
			got := next[*core.Retraction](p)
			if got.Remote != want.remote || got.Author != want.author || got.Moderated != want.moderated || got.Reason != want.reason || got.Mine {
				t.Errorf("got %+v, want %+v", got, want)
			}
		}
		p.noEvent()

		retract := func(moderated bool) *core.Retraction {
			t.Helper()
			re := &core.Retraction{Ref: core.Ref{Account: "a1", Peer: "#chan"}, IDs: core.IDs{ID: "x", Remote: "m3"}, Origin: origin("r"), Room: true, Moderated: moderated, Reason: "spam\r\nQUIT"}
			if err := p.s.Retract(t.Context(), re); err != nil {
				t.Fatal(err)
			}
			return re
		}
		retract(true)
		p.expect("@label=1 REDACT #chan m3 :spam QUIT")
		p.send("@label=1 :alice!al@host.test REDACT #chan m3 :spam QUIT")
		if got := next[*core.Retraction](p); !got.Mine || !got.Moderated || got.Origin != origin("r") || got.ID != "x" {
			t.Errorf("reflected %+v", got)
		}
		retract(false)
		p.expect("@label=2 REDACT #chan m3 :spam QUIT")
		p.send("@label=2 FAIL REDACT REDACT_FORBIDDEN #chan m3 :You are not allowed to delete this message")
		if got := next[*core.Receipt](p); got.State != core.Failed || got.Err.Kind != core.Denied || got.Err.Code != "REDACT_FORBIDDEN" {
			t.Errorf("failed as %+v", got)
		}
		p.noEvent()
	})
	inRoom(t, roomCaps, func(p *play) {
		err := p.s.Retract(t.Context(), &core.Retraction{Ref: core.Ref{Peer: "#chan"}, IDs: core.IDs{Remote: "m1"}})
		if core.KindOf(err) != core.Unsupported {
			t.Errorf("Retract without the capability = %v", err)
		}
	})
}

func TestReadMarker(t *testing.T) {
	inRich(t, "", "", func(p *play) {
		p.send("@msgid=m1;time=2026-01-02T03:04:05.678Z :bob!b@b.test PRIVMSG #chan :one")
		next[*core.Message](p)
		read := &core.Receipt{Ref: core.Ref{Account: "a1", Peer: "#chan"}, IDs: core.IDs{ID: core.IDFor("a1", "m1")}, State: core.Read}
		if err := p.s.Read(t.Context(), read); err != nil {
			t.Fatal(err)
		}
		p.expect("MARKREAD #chan timestamp=2026-01-02T03:04:05.678Z")
		p.send(":irc.test MARKREAD #chan timestamp=2026-01-02T03:04:05.678Z")
		p.noEvent()
		p.send("@msgid=m2;time=2026-01-02T03:05:00.000Z :bob!b@b.test PRIVMSG #chan :two", "@msgid=m3;time=2026-01-02T03:06:00.000Z :bob!b@b.test PRIVMSG #chan :three")
		next[*core.Message](p)
		next[*core.Message](p)
		for _, line := range []string{"timestamp=2026-01-02T03:05:30.000Z", "timestamp=2026-01-02T03:05:30.000Z", "timestamp=2026-01-02T03:04:00.000Z", "*", "timestamp=x"} {
			p.send(":irc.test MARKREAD #Chan " + line)
		}
		if got := next[*core.Receipt](p); !got.Mine || got.State != core.Read || got.Remote != "m2" || got.Peer != "#chan" {
			t.Errorf("read elsewhere %+v", got)
		}
		p.noEvent()
		if read.ID = "unknown"; p.s.Read(t.Context(), read) != nil {
			t.Error("what is long ago is an error")
		}
		p.silent(time.Second)
		p.noEvent()
	})
}

func TestStandardReplies(t *testing.T) {
	inRich(t, "", "", func(p *play) {
		m := p.say("#chan", "one")
		p.expect("@label=1 PRIVMSG #chan one")
		p.send(":irc.test BATCH +r labeled-response", "@label=1 :irc.test BATCH +q labeled-response", "@batch=q WARN PRIVMSG SLOW #chan :Slow down",
			"@batch=q;msgid=m1 :alice!al@host.test PRIVMSG #chan one", ":irc.test BATCH -q")
		if got := next[*core.Message](p); !got.Notice || got.Peer != "#chan" || got.Text != "Slow down" {
			t.Errorf("warned %+v", got)
		}
		reflected(t, next[*core.Message](p), m, "one")
		m = p.say("bob", "two")
		p.expect("@label=2 PRIVMSG bob two")
		p.send("@label=2 NOTE PRIVMSG AWAY :bob is away")
		if got := next[*core.Message](p); !got.Notice || got.Peer != "bob" {
			t.Errorf("noted %+v", got)
		}
		if got := next[*core.Receipt](p); got.ID != m.ID || got.State != core.Delivered {
			t.Errorf("receipt %+v", got)
		}
		for code, kind := range map[string]core.Kind{
			"INVALID_MSGID": core.NotFound, "INVALID_UTF8": core.Invalid, "MULTILINE_MAX_BYTES": core.TooLarge, "ACCOUNT_REQUIRED": core.Denied,
			"TEMPORARILY_UNAVAILABLE": core.Unavailable, "RATE_LIMITED": core.OverLimit, "UNKNOWN_COMMAND": core.Unsupported,
		} {
			m = p.say("bob", "three")
			label, _, _ := strings.Cut(p.line(), " ")
			p.send(label + " FAIL PRIVMSG " + code + " bob :Because")
			failed(t, p, m, kind, "Because")
		}
	})
}

func TestWhox(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.join("#chan", "1")
		p.run()
		p.begin("userhost-in-names account-notify away-notify")
		p.grant("userhost-in-names account-notify away-notify")
		p.welcome("WHOX CHANTYPES=#")
		p.expect("JOIN #chan")
		p.send(":alice!al@host.test JOIN #chan", ":irc.test 353 alice = #chan :alice!al@host.test bob!b@b.test", ":irc.test 366 alice #chan :End")
		p.expect("WHO #chan %tcuhnfa,152", "PING gangway-1")
		p.noEvent()
		p.send(":irc.test 354 alice 99 #chan b b.test bob H other", ":irc.test 354 alice 152 #chan b b.test bob G* bobacc",
			":irc.test 354 alice 152 #chan al host.test alice H 0", ":irc.test 315 alice #chan :End")
		j := next[*core.RoomJoined](p)
		want := core.Member{Nick: "bob", Address: "bob", Real: "b@b.test", Account: "bobacc", Away: true, Staff: true}
		if len(j.Members) != 1 || j.Members[0] != want || j.Self.Account != "" {
			t.Errorf("joined as %+v", j)
		}
	})
}

// TestNetsplitBatch takes what the network calls a netsplit for one, whatever the reason looks like.
func TestNetsplitBatch(t *testing.T) {
	inRich(t, "", "", func(p *play) {
		p.send(":irc.test BATCH +s netsplit one.test two.test", "@batch=s :carol!c@c.test QUIT :a split", ":irc.test BATCH -s")
		p.noEvent()
		p.send(":irc.test BATCH +j netjoin one.test two.test", "@batch=j :carol!c@c.test JOIN #chan", ":irc.test BATCH -j")
		time.Sleep(splitFor)
		p.noEvent()
		p.send(":irc.test BATCH +s netsplit one.test two.test", "@batch=s :carol!c@c.test QUIT :a split", ":irc.test BATCH -s")
		time.Sleep(splitFor)
		if got := next[*core.MemberChanged](p); got.Change != core.Went || got.Member.Nick != "carol" || got.Why != core.Quit {
			t.Errorf("got %+v", got)
		}
	})
}

func TestAwayIsShown(t *testing.T) {
	inRich(t, "", "", func(p *play) {
		set := func(show core.Show, text string) {
			t.Helper()
			if err := p.s.SetPresence(t.Context(), &core.Presence{Show: show, Text: text}); err != nil {
				t.Fatal(err)
			}
		}
		set(core.Online, "here")
		set(core.Away, "out\r\nfor lunch")
		p.expect("AWAY :out for lunch")
		set(core.Away, "out\nfor lunch")
		p.silent(time.Second)
		set(core.Busy, "")
		p.expect("AWAY Busy")
		p.conn.Close()
		p.end()
		set(core.ExtendedAway, "")
		p.run()
		p.begin("")
		p.welcome1()
		p.expect("AWAY :Away for longer", "JOIN #chan")
	})
}
