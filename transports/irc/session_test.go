package irc

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"gangway/core"
)

func TestJoinOrder(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.join("#chan", "1")
		p.run()
		p.accept()
		p.expect("CAP LS 302", "NICK alice", "USER alice 0 * alice")
		p.send(":irc.test CAP * LS * :multi-prefix userhost-in-names server-time", ":irc.test CAP * LS :extended-join unknown=1,2 away-notify")
		p.expect("CAP REQ :multi-prefix userhost-in-names server-time extended-join away-notify")
		p.silent(time.Second)
		p.send(":irc.test CAP * ACK :multi-prefix userhost-in-names server-time extended-join away-notify")
		p.expect("CAP END")
		p.send(":irc.test 001 alice :Welcome")
		p.finish("alice", "PREFIX=(qaohv)~&@%+ CHANTYPES=#")
		p.expect("JOIN #chan")
		p.send(
			":alice!al@host.test JOIN #Chan * :Alice",
			":irc.test 332 alice #Chan :the \x02topic\x02",
			":irc.test 333 alice #Chan bob!b@b.test 1700000000",
			":irc.test 353 alice = #Chan :+alice!al@host.test @+bob!b@b.test",
			":irc.test 353 alice = #Chan :carol!c@c.test ~dave!d@d.test")
		p.noEvent()
		p.send(":irc.test 366 alice #Chan :End of /NAMES list")
		j := next[*core.RoomJoined](p)
		if j.Peer != "#chan" || j.Origin != origin("1") || j.Asked != "alice" || j.Self.Nick != "alice" || j.Self.Rank != core.Voice {
			t.Errorf("joined as %+v", j)
		}
		want := []core.Member{
			{Nick: "bob", Address: "bob", Real: "b@b.test", Rank: core.Operator},
			{Nick: "carol", Address: "carol", Real: "c@c.test"},
			{Nick: "dave", Address: "dave", Real: "d@d.test", Rank: core.Owner},
		}
		if fmt.Sprint(j.Members) != fmt.Sprint(want) {
			t.Errorf("members %+v, want %+v", j.Members, want)
		}
		if j.Topic.Text != "the *topic*" || j.Topic.By != "bob" || j.Topic.At.Unix() != 1700000000 {
			t.Errorf("topic %+v", j.Topic)
		}
		if err := p.s.Join(p.t.Context(), "#CHAN", core.Join{Nick: "other", Origin: origin("2")}); err != nil {
			t.Fatal(err)
		}
		again := next[*core.RoomJoined](p)
		if again.Origin != origin("2") || again.Asked != "other" || again.Self.Nick != "alice" || len(again.Members) != 3 || again.Topic != j.Topic {
			t.Errorf("second resource got %+v", again)
		}
		p.silent(time.Second)
	})
}

func TestHostsByWho(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.join("#chan", "1")
		p.run()
		p.register("alice")
		p.expect("JOIN #chan")
		p.send(":alice!al@host.test JOIN :#chan", ":irc.test 353 alice = #chan :@alice bob", ":irc.test 366 alice #chan :End")
		p.expect("WHO #chan", "PING gangway-1")
		p.noEvent()
		p.send(":irc.test 352 alice #chan ~b b.test irc.test bob G@ :0 Bob", ":irc.test 315 alice #chan :End")
		j := next[*core.RoomJoined](p)
		if len(j.Members) != 1 || j.Members[0].Real != "~b@b.test" || !j.Members[0].Away {
			t.Errorf("members %+v", j.Members)
		}
		p.send(":irc.test PONG irc.test gangway-1")
		p.noEvent()
	})
}

func TestJoinRefused(t *testing.T) {
	for numeric, kind := range map[string]core.Kind{
		"471": core.Unavailable, "473": core.Denied, "474": core.Denied, "475": core.Denied, "477": core.Denied,
		"403": core.NotFound, "405": core.OverLimit, "437": core.Unavailable, "476": core.Invalid, "489": core.Denied,
	} {
		t.Run(numeric, func(t *testing.T) {
			script(t, quickConfig, core.Account{}, func(p *play) {
				p.join("#chan", "1")
				p.join("#chan", "2")
				p.run()
				p.register("alice")
				p.expect("JOIN #chan")
				p.send(":irc.test " + numeric + " alice #chan :Cannot join channel")
				for _, n := range []string{"1", "2"} {
					l := next[*core.RoomLeft](p)
					if l.Why != core.NotJoined || l.Origin != origin(n) || l.Err.Kind != kind || l.Err.Code != numeric ||
						!strings.Contains(l.Err.Text, "Cannot join channel") {
						t.Errorf("got %+v %+v", l, l.Err)
					}
				}
				p.expect("QUIT :Gateway disconnected")
				p.conn.Close()
				if err := p.end(); err != nil {
					t.Errorf("Run = %v", err)
				}
			})
		})
	}
}

func TestLastLeaveFinishes(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.enter("#chan")
		if err := p.s.Leave(p.t.Context(), "#chan", "bye\r\nQUIT"); err != nil {
			t.Fatal(err)
		}
		p.expect("PART #chan :bye QUIT")
		p.send(":alice!al@host.test PART #chan :bye")
		if l := next[*core.RoomLeft](p); l.Why != core.Left || l.Origin != (core.Origin{}) || l.Self.Nick != "alice" {
			t.Errorf("left as %+v", l)
		}
		p.expect("QUIT :Gateway disconnected")
		p.send("ERROR :Closing link (K-lined for leaving)")
		p.conn.Close()
		if err := p.end(); err != nil {
			t.Errorf("Run = %v", err)
		}
		p.run()
		if err := p.end(); err != nil {
			t.Errorf("Run without a purpose = %v", err)
		}
		p.noEvent()
	})
}

func TestLeaveAndJoinAgain(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.enter("#chan")
		if err := p.s.Leave(p.t.Context(), "#chan", ""); err != nil {
			t.Fatal(err)
		}
		p.expect("PART #chan")
		p.join("#chan", "2")
		p.send(":alice!al@host.test PART #chan")
		next[*core.RoomLeft](p)
		p.expect("JOIN #chan")
		p.send(":alice!al@host.test JOIN #chan", ":irc.test 353 alice = #chan :alice", ":irc.test 366 alice #chan :End")
		p.expect("WHO #chan")
		p.barrier(2)
		if j := next[*core.RoomJoined](p); j.Origin != origin("2") {
			t.Errorf("joined as %+v", j)
		}
	})
}

func TestReconnectsAndReenters(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		if err := p.s.Join(p.t.Context(), "#key", core.Join{Nick: "alice", Password: "secret", Origin: origin("1")}); err != nil {
			t.Fatal(err)
		}
		p.join("#chan", "1")
		p.run()
		p.register("alice")
		p.expect("JOIN #key,#chan secret")
		for i, room := range []string{"#key", "#chan"} {
			p.send(":alice!al@host.test JOIN "+room, ":irc.test 353 alice = "+room+" :alice bob", ":irc.test 366 alice "+room+" :End")
			p.expect("WHO " + room)
			p.barrier(i + 1)
			next[*core.RoomJoined](p)
		}
		p.join("#never", "1")
		p.expect("JOIN #never")
		p.conn.Close()
		err := p.end()
		if core.KindOf(err) != core.Unavailable || core.AsError(err).Text == "" {
			t.Errorf("Run = %v", err)
		}
		lost := map[core.Address]*core.RoomLeft{}
		for range 3 {
			l := next[*core.RoomLeft](p)
			lost[l.Peer] = l
		}
		for _, room := range []core.Address{"#key", "#chan"} {
			if l := lost[room]; l == nil || l.Why != core.Disconnected || l.Origin != (core.Origin{}) {
				t.Errorf("%s lost as %+v", room, l)
			}
		}
		if l := lost["#never"]; l == nil || l.Why != core.NotJoined || l.Origin != origin("1") {
			t.Errorf("#never lost as %+v", l)
		}

		// Between connections: a room that will come back waits, a new one fails, and so does text.
		if err := p.s.Join(p.t.Context(), "#new", core.Join{Nick: "alice"}); core.KindOf(err) != core.Unavailable {
			t.Errorf("Join = %v", err)
		}
		if _, err := p.s.Send(p.t.Context(), &core.Message{Ref: core.Ref{Peer: "bob"}, Text: "x"}); core.KindOf(err) != core.Unavailable {
			t.Errorf("Send = %v", err)
		}
		p.join("#chan", "2")
		p.run()
		p.accept()
		p.expect("CAP LS 302", "NICK alice", "USER alice 0 * alice")
		p.send(":irc.test 001 alice_ :Your nick was cut")
		p.finish("alice_")
		p.expect("JOIN #key,#chan secret")
		p.send(":alice_!al@host.test JOIN #chan", ":irc.test 353 alice_ = #chan :alice_ eve", ":irc.test 366 alice #chan :End")
		p.expect("WHO #chan")
		p.barrier(1)
		if c := next[*core.MemberChanged](p); c.Change != core.Went || c.Member.Nick != "bob" || c.Peer != "#chan" {
			t.Errorf("gone is %+v", c)
		}
		if c := next[*core.MemberChanged](p); c.Change != core.Renamed || !c.Mine || c.Old != "alice" || c.Member.Nick != "alice_" {
			t.Errorf("renamed is %+v", c)
		}
		if j := next[*core.RoomJoined](p); j.Origin != (core.Origin{}) || j.Members[0].Nick != "eve" {
			t.Errorf("back as %+v", j)
		}
		if j := next[*core.RoomJoined](p); j.Origin != origin("2") {
			t.Errorf("the new resource got %+v", j)
		}
		p.send(":irc.test 475 alice #key :Cannot join channel (+k)")
		if l := next[*core.RoomLeft](p); l.Why != core.NotJoined || l.Origin != (core.Origin{}) || l.Err.Code != "475" {
			t.Errorf("not back as %+v", l)
		}
	})
}

func TestKickedOutOfTheLastRoom(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.enter("#chan")
		p.send(":bob!b@b.test KICK #chan alice :go away")
		if l := next[*core.RoomLeft](p); l.Why != core.Kicked || l.By != "bob" || l.Reason != "go away" || l.Self.Nick != "alice" {
			t.Errorf("left as %+v", l)
		}
		p.expect("QUIT :Gateway disconnected")
		p.conn.Close()
		if err := p.end(); err != nil {
			t.Errorf("Run = %v", err)
		}
	})
}

func TestStopping(t *testing.T) {
	script(t, quickConfig+"flood_burst = 3\n"+`ping_every = "1h"`, core.Account{}, func(p *play) {
		p.s.net.interval = time.Second
		p.enter("#chan")
		first := p.say("#chan", "one")
		p.say("#chan", "two")
		p.stop()
		p.expect("PRIVMSG #chan one", "PRIVMSG #chan two", "PING gangway-2", "QUIT :Gateway disconnected")
		p.send(":irc.test PONG irc.test gangway-2", "ERROR :Closing link")
		p.conn.Close()
		p.end()
		if m := next[*core.Message](p); m.ID != first.ID || !m.Mine {
			t.Errorf("reflection %+v", m)
		}
		next[*core.Message](p)
		p.noEvent() // the edge tells its clients itself
	})
}

func TestStoppingDoesNotWaitForever(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.enter("#chan")
		m := p.say("#chan", "one")
		p.expect("PRIVMSG #chan one")
		p.stop()
		began := time.Now()
		p.end()
		if d := time.Since(began); d > drainWithin {
			t.Errorf("took %v", d)
		}
		if r := next[*core.Receipt](p); r.ID != m.ID || r.State != core.Failed || r.Err.Kind != core.Uncertain {
			t.Errorf("receipt %+v", r)
		}
	})
}

func TestLingersForPrivateTalk(t *testing.T) {
	script(t, quickConfig+`ping_every = "1h"`, core.Account{}, func(p *play) {
		p.say("bob", "hello")
		p.run()
		p.register("alice")
		p.expect("PRIVMSG bob hello")
		p.barrier(1)
		if r := next[*core.Receipt](p); r.State != core.Delivered {
			t.Errorf("receipt %+v", r)
		}
		began := time.Now()
		time.Sleep(5 * time.Minute)
		p.send(":bob!b@b PRIVMSG alice :hi")
		next[*core.Message](p)
		if line := func() string {
			select {
			case l := <-p.lines:
				return l
			case <-time.After(time.Hour):
				return ""
			}
		}(); line != "QUIT :Gateway disconnected" || time.Since(began) != 15*time.Minute {
			t.Errorf("%q after %v", line, time.Since(began))
		}
	})
}

func TestFloodControl(t *testing.T) {
	script(t, quickConfig+"flood_burst = 3\nqueue = 9\n"+`ping_every = "1h"`, core.Account{}, func(p *play) {
		p.s.net.interval = 2 * time.Second
		p.run()
		p.register("alice")
		p.say("bob", "1\n2\n3\n4\n5\n6\n7\n8")
		_, err := p.s.Send(context.Background(), &core.Message{Ref: core.Ref{Peer: "bob"}, Text: "a\nb\nc\nd\ne\nf\ng\nh\ni"})
		if core.KindOf(err) != core.OverLimit {
			t.Errorf("Send to a full queue = %v", err)
		}
		_, err = p.s.Send(context.Background(), &core.Message{Ref: core.Ref{Peer: "bob"}, Text: strings.Repeat("x\n", 10)})
		if core.KindOf(err) != core.TooLarge {
			t.Errorf("Send of too many lines = %v", err)
		}
		began := time.Now()
		var at []time.Duration
		for i := 1; i <= 4; i++ {
			p.expect(fmt.Sprint("PRIVMSG bob ", i))
			at = append(at, time.Since(began))
		}
		if fmt.Sprint(at) != "[0s 0s 0s 2s]" {
			t.Errorf("lines at %v", at)
		}
		if n := p.s.Report().Waiting; n != 4 {
			t.Errorf("%d lines wait", n)
		}
		p.expect("PING gangway-1")
		p.send("PING urgent")
		p.expect("PONG urgent")
		if d := time.Since(began); d != 2*time.Second {
			t.Errorf("PONG after %v", d)
		}
		p.expect("PRIVMSG bob 5")
		if d := time.Since(began); d != 6*time.Second { // the barrier has cost as much as a line
			t.Errorf("fifth line after %v", d)
		}
	})
}

func TestOverlongAndBrokenLines(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.enter("#chan")
		p.send(":bob!b@b PRIVMSG #chan :" + strings.Repeat("x", 20_000))
		if m := next[*core.Message](p); !m.Notice || m.Peer != "" {
			t.Errorf("got %+v", m)
		}
		p.send(":bob!b@b PRIVMSG #chan :" + strings.Repeat("x", 600))
		next[*core.Message](p)
		p.send("@a=b ", " ", ":", "::", ":x", "@", "@a", "\x00", ":bob!b@b \x00PRIVMSG", "JOIN", "MODE", "NICK", "KICK #chan",
			":x!y@z JOIN", ":x NICK", ":a!b@c MODE #chan", ":a!b@c TOPIC #chan", "353", "366", "352", "433", "301", "333", "005", "470",
			"CAP", "BATCH", "AUTHENTICATE", "PONG", "ACK", "FAIL", "PRIVMSG", "NOTICE x", "INVITE", "QUIT")
		p.send(":bob!b@b PRIVMSG #chan :a\x00b\x07c\xe9")
		for {
			m, ok := p.event().(*core.Message)
			if ok && m.Author == "bob" {
				if m.Text != "abcé" {
					t.Errorf("text %q", m.Text)
				}
				break
			}
		}
	})
}

func TestUnaskedRooms(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.enter("#chan")
		p.join("#full", "2")
		p.expect("JOIN #full")
		p.send(":irc.test 470 alice #full ##full :Forwarding to another channel")
		if l := next[*core.RoomLeft](p); l.Why != core.NotJoined || !strings.Contains(l.Err.Text, "##full") {
			t.Errorf("left as %+v", l)
		}
		p.expect("PART ##full")
		p.send(":alice!al@h JOIN #pushed", ":irc.test 353 alice = #pushed :alice x", ":irc.test 366 alice #pushed :End")
		p.expect("WHO #pushed")
		p.barrier(2)
		if in := next[*core.Invited](p); in.Peer != "#pushed" || in.By != "" {
			t.Errorf("invited %+v", in) // the user is told, and may join
		}
		p.send(":x!y@z QUIT", ":alice!al@h JOIN ##full", ":irc.test 353 alice = ##full :alice x", ":irc.test 366 alice ##full :End", ":alice!al@h PART ##full")
		p.noEvent()
		if len(p.s.rooms) != 2 {
			t.Errorf("rooms %v", p.s.rooms)
		}
		p.join("#pushed", "3")
		if j := next[*core.RoomJoined](p); j.Origin != origin("3") || len(j.Members) != 0 {
			t.Errorf("joined as %+v", j)
		}
	})
}
