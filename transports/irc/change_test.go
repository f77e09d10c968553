package irc

import (
	"context"
	"strings"
	"testing"
	"time"

	"gangway/core"
)

// inRoom plays a scenario in #chan with bob, an operator, and carol, on a network with all ranks.
func inRoom(t *testing.T, caps string, scenario func(*play)) {
	t.Helper()
	script(t, quickConfig+`ping_every = "1h"`, core.Account{}, func(p *play) {
		p.join("#chan", "1")
		p.run()
		p.registerWith(caps)
		p.send(":irc.test 005 alice PREFIX=(qaohv)~&@%+ MODES=2 CHANMODES=beI,k,l,imnpst :are supported")
		p.expect("JOIN #chan")
		p.send(":alice!al@host.test JOIN #chan * :Alice",
			":irc.test 353 alice = #chan :@alice!al@host.test @bob!b@b.test carol!c@c.test",
			":irc.test 366 alice #chan :End of /NAMES list")
		next[*core.RoomJoined](p)
		scenario(p)
	})
}

const roomCaps = "userhost-in-names extended-join away-notify account-notify chghost"

func TestChangesOfMembers(t *testing.T) {
	carol := core.Member{Nick: "carol", Address: "carol", Real: "c@c.test"}
	with := func(change func(*core.Member)) core.Member {
		m := carol
		change(&m)
		return m
	}
	for name, c := range map[string]struct {
		line string
		want core.MemberChanged
	}{
		"join": {":Dave!d@d.test JOIN #chan dave_acc :Dave", core.MemberChanged{Change: core.Came,
			Member: core.Member{Nick: "Dave", Address: "dave", Real: "d@d.test", Account: "dave_acc", Person: "account dave_acc"}}},
		"join without account": {":Dave!d@d.test JOIN #chan * :Dave", core.MemberChanged{Change: core.Came,
			Member: core.Member{Nick: "Dave", Address: "dave", Real: "d@d.test"}}},
		"part": {":carol!c@c.test PART #chan :bye", core.MemberChanged{Change: core.Went, Member: carol, Why: core.Left, Reason: "bye"}},
		"bare": {":carol!c@c.test PART #chan", core.MemberChanged{Change: core.Went, Member: carol, Why: core.Left}},
		"quit": {":carol!c@c.test QUIT :bye", core.MemberChanged{Change: core.Went, Member: carol, Why: core.Quit, Reason: "bye"}},
		"kick": {":bob!b@b.test KICK #chan CAROL :out", core.MemberChanged{Change: core.Went, Member: carol, Why: core.Kicked, By: "bob", Reason: "out"}},
		"nick": {":carol!c@c.test NICK :Carol2", core.MemberChanged{Change: core.Renamed, Old: "carol",
			Member: with(func(m *core.Member) { m.Nick, m.Address, m.Person = "Carol2", "carol2", "carol" })}},
		"away":    {":carol!c@c.test AWAY :lunch", core.MemberChanged{Change: core.Updated, Member: with(func(m *core.Member) { m.Away = true })}},
		"account": {":carol!c@c.test ACCOUNT cc", core.MemberChanged{Change: core.Updated, Member: with(func(m *core.Member) { m.Account = "cc" })}},
		"chghost": {":carol!c@c.test CHGHOST u new.test", core.MemberChanged{Change: core.Updated, Member: with(func(m *core.Member) { m.Real = "u@new.test" })}},
		"own nick": {":alice!al@host.test NICK Alice2", core.MemberChanged{Change: core.Renamed, Old: "alice", Mine: true,
			Member: core.Member{Nick: "Alice2", Address: "alice2", Real: "al@host.test", Rank: core.Operator, Person: "alice"}}},
		"own away": {":alice!al@host.test AWAY :x", core.MemberChanged{Change: core.Updated, Mine: true,
			Member: core.Member{Nick: "alice", Address: "alice", Real: "al@host.test", Rank: core.Operator, Away: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			inRoom(t, roomCaps, func(p *play) {
				p.send(c.line)
				c.want.Ref = core.Ref{Account: "a1", Peer: "#chan"}
				if got := next[*core.MemberChanged](p); *got != c.want {
					t.Errorf("got  %+v\nwant %+v", *got, c.want)
				}
				p.send(":carol!c@c.test AWAY", ":stranger!x@y QUIT :never seen", ":stranger!x@y NICK other", ":stranger!x@y PART #chan",
					":bob!b@b.test KICK #chan stranger :x", ":x!y@z JOIN #elsewhere", ":carol!c@c.test CHGHOST u")
				p.send(":irc.test NOTICE alice :end")
				for {
					if m, ok := p.event().(*core.Message); ok && m.Text == "end" {
						break
					}
				}
			})
		})
	}
}

func TestModes(t *testing.T) {
	inRoom(t, roomCaps, func(p *play) {
		p.send(":bob!b@b.test MODE #chan +kvl-o+b key carol 5 alice *!*@bad")
		m := next[*core.Message](p)
		if !m.Room || !m.Notice || m.Author != "" || m.Text != "Mode #chan [+kvl-o+b key carol 5 alice *!*@bad] by bob" {
			t.Errorf("told as %+v", m)
		}
		got := map[string]core.Rank{}
		for range 2 {
			c := next[*core.MemberChanged](p)
			if c.Change != core.Updated || c.By != "bob" || c.Mine != (c.Member.Nick == "alice") {
				t.Errorf("changed %+v", c)
			}
			got[c.Member.Nick] = c.Member.Rank
		}
		if got["carol"] != core.Voice || got["alice"] != core.Plain {
			t.Errorf("ranks %v", got)
		}
		if c := next[*core.SettingsChanged](p); c.Peer != "#chan" || c.Settings != nil {
			t.Errorf("settings %+v", c) // they were never asked for
		}
		p.send(":bob!b@b.test MODE #chan +q carol")
		next[*core.Message](p)
		if c := next[*core.MemberChanged](p); c.Member.Rank != core.Owner {
			t.Errorf("changed %+v", c)
		}
		p.send(":bob!b@b.test MODE #chan +v carol", ":alice MODE alice +i")
		next[*core.Message](p)
		p.noEvent()
	})
}

func TestTopic(t *testing.T) {
	inRoom(t, roomCaps, func(p *play) {
		p.send(":bob!b@b.test TOPIC #Chan :new \x034topic")
		c := next[*core.TopicChanged](p)
		if c.Peer != "#chan" || c.Topic.Text != "new topic" || c.Topic.By != "bob" || c.Topic.At.IsZero() {
			t.Errorf("topic %+v", c)
		}
		if err := p.s.SetTopic(p.t.Context(), "#chan", "two\nlines", origin("t")); err != nil {
			t.Fatal(err)
		}
		p.expect("TOPIC #chan :two lines")
		p.send(":irc.test 482 alice #chan :You're not channel operator")
		r := next[*core.Receipt](p)
		if r.Peer != "#chan" || r.Origin != origin("t") || r.State != core.Failed || r.Err.Kind != core.Denied || r.Err.Text != "#chan: You're not channel operator" {
			t.Errorf("receipt %+v %v", r, r.Err)
		}
		p.barrier(1)
		if err := p.s.SetTopic(p.t.Context(), "#chan", "", origin("t")); err != nil {
			t.Fatal(err)
		}
		p.expect("TOPIC #chan :")
		p.send(":alice!al@host.test TOPIC #chan :")
		if c := next[*core.TopicChanged](p); c.Topic.Text != "" || c.Topic.By != "alice" {
			t.Errorf("topic %+v", c)
		}
		p.barrier(2)
		p.noEvent()
	})
}

func TestRename(t *testing.T) {
	inRoom(t, roomCaps, func(p *play) {
		if err := p.s.Rename(p.t.Context(), "#chan", "bob", origin("n")); err != nil {
			t.Fatal(err)
		}
		p.expect("NICK bob")
		p.send(":irc.test 433 alice bob :Nickname is already in use")
		if r := next[*core.Receipt](p); r.Origin != origin("n") || r.State != core.Failed || r.Err.Code != "433" {
			t.Errorf("receipt %+v", r)
		}
		p.barrier(1)
		if err := p.s.Rename(p.t.Context(), "#chan", "al", origin("n")); err != nil {
			t.Fatal(err)
		}
		p.expect("NICK al")
		p.send(":alice!al@host.test NICK al")
		p.barrier(2)
		if c := next[*core.MemberChanged](p); !c.Mine || c.Member.Nick != "al" {
			t.Errorf("changed %+v", c)
		}
		p.noEvent()
		for _, nick := range []string{"two words", "", "#chan", strings.Repeat("x", 31)} {
			if err := p.s.Rename(p.t.Context(), "#chan", nick, core.Origin{}); err == nil || core.KindOf(err) != core.Invalid {
				t.Errorf("Rename to %q = %v", nick, err)
			}
		}
	})
}

func TestKickAndRank(t *testing.T) {
	for _, caps := range []string{roomCaps, roomCaps + " batch labeled-response"} {
		labels := strings.Contains(caps, "labeled")
		inRoom(t, caps, func(p *play) {
			n := 0
			// perform runs an operation, expects its lines, answers with reply, and returns the operation's error.
			perform := func(operation func(context.Context) error, reply string, lines ...string) error {
				t.Helper()
				done := make(chan error, 1)
				go func() { done <- operation(p.t.Context()) }()
				for _, line := range lines {
					n++
					label := ""
					if labels {
						label = "@label=" + string(rune('0'+n)) + " "
					}
					p.expect(label + line)
					if labels {
						p.send(strings.TrimSpace(label + reply))
					} else if reply != "ACK" {
						p.send(reply)
					}
				}
				if !labels && len(lines) > 0 {
					if token := p.line(); strings.HasPrefix(token, "PING ") {
						p.send("PONG " + strings.TrimPrefix(token, "PING "))
					}
				}
				select {
				case err := <-done:
					return err
				case <-time.After(time.Minute):
					t.Fatal("does not return")
				}
				return nil
			}
			kick := func(ctx context.Context) error { return p.s.Kick(ctx, "#chan", "carol", "be nice") }
			rank := func(nick string, r core.Rank) func(context.Context) error {
				return func(ctx context.Context) error { return p.s.SetRank(ctx, "#chan", nick, r) }
			}
			err := perform(kick, ":irc.test 482 alice #chan :You're not channel operator", "KICK #chan carol :be nice")
			if core.KindOf(err) != core.Denied || core.AsError(err).Code != "482" {
				t.Errorf("Kick = %v", err)
			}
			if err := perform(kick, "ACK", "KICK #chan carol :be nice"); err != nil {
				t.Errorf("Kick = %v", err)
			}
			if err := perform(rank("carol", core.Operator), "ACK", "MODE #chan +o carol"); err != nil {
				t.Errorf("SetRank = %v", err)
			}
			if err := perform(rank("bob", core.Voice), "ACK", "MODE #chan +v-o bob bob"); err != nil {
				t.Errorf("SetRank = %v", err)
			}
			if err := perform(rank("bob", core.Plain), "ACK", "MODE #chan -o bob"); err != nil {
				t.Errorf("SetRank = %v", err)
			}
			if err := perform(rank("stranger", core.Voice), "ACK"); core.KindOf(err) != core.NotFound {
				t.Errorf("SetRank of nobody = %v", err)
			}
			if err := p.s.Kick(p.t.Context(), "#other", "bob", ""); core.KindOf(err) != core.NotFound {
				t.Errorf("Kick elsewhere = %v", err)
			}
			p.noEvent()
		})
	}
}

// TestRefusalsFindTheirCommands has several commands under way at once, without labels.
func TestRefusalsFindTheirCommands(t *testing.T) {
	inRoom(t, roomCaps, func(p *play) {
		m := p.say("#chan", "text")
		if err := p.s.SetTopic(p.t.Context(), "#chan", "one", origin("1")); err != nil {
			t.Fatal(err)
		}
		if err := p.s.SetTopic(p.t.Context(), "#chan", "two", origin("2")); err != nil {
			t.Fatal(err)
		}
		kicked := make(chan error, 1)
		go func() { kicked <- p.s.Kick(p.t.Context(), "#chan", "bob", "") }()
		for range 4 {
			for strings.HasPrefix(p.line(), "PING") {
			}
		}
		p.send(":alice!al@host.test TOPIC #chan one", ":irc.test 482 alice #chan :not two")
		next[*core.TopicChanged](p)
		if r := next[*core.Receipt](p); r.Origin != origin("2") || !strings.Contains(r.Err.Text, "not two") {
			t.Errorf("receipt %+v", r)
		}
		p.send(":irc.test 482 alice #chan :no kick")
		if err := <-kicked; core.KindOf(err) != core.Denied || !strings.Contains(core.AsError(err).Text, "no kick") {
			t.Errorf("Kick = %v", err)
		}
		p.noEvent()
		p.send(":irc.test 404 alice #chan :no text")
		failed(t, p, m, core.Denied, "no text")
		p.noEvent()
	})
}

// TestLabelledRename is how InspIRCd 3 shows it: as said by the new nick.
func TestLabelledRename(t *testing.T) {
	inRoom(t, roomCaps+" batch labeled-response", func(p *play) {
		if err := p.s.Rename(p.t.Context(), "#chan", "al", origin("n")); err != nil {
			t.Fatal(err)
		}
		p.expect("@label=1 NICK al")
		p.send("@label=1 :al!al@host.test NICK :al")
		if c := next[*core.MemberChanged](p); !c.Mine || c.Old != "alice" || c.Member.Nick != "al" {
			t.Errorf("changed %+v", c)
		}
		p.noEvent()
	})
}

func TestLateRefusalIsANotice(t *testing.T) {
	inRoom(t, roomCaps, func(p *play) {
		ctx, cancel := context.WithTimeout(p.t.Context(), time.Second)
		defer cancel()
		if err := p.s.Kick(ctx, "#chan", "bob", ""); core.KindOf(err) != core.Unavailable {
			t.Errorf("Kick = %v", err)
		}
		p.expect("KICK #chan bob")
		p.send(":irc.test 482 alice #chan :You're not channel operator")
		if m := next[*core.Message](p); m.Peer != "#chan" || !m.Room || !m.Notice || m.Text != "#chan: You're not channel operator" {
			t.Errorf("told as %+v", m)
		}
	})
}

func TestCasemappingOfTheNetwork(t *testing.T) {
	script(t, quickConfig, core.Account{}, func(p *play) {
		p.join("#a[b]", "1")
		p.run()
		p.register("alice", "CASEMAPPING=ascii")
		p.expect("JOIN #a[b]")
		p.send(":alice!a@b JOIN #a{b}", ":irc.test 366 alice #a{b} :End")
		p.noEvent() // another channel here
		p.send(":alice!a@b JOIN #A[B]", ":irc.test 366 alice #A[B] :End")
		p.expect("WHO #a{b}")
		p.expect("PING gangway-1", "WHO #A[B]", "PING gangway-2")
		p.send("PONG gangway-1", "PONG gangway-2")
		if in := next[*core.Invited](p); in.Peer != "#a{b}" {
			t.Errorf("invited %+v", in)
		}
		if j := next[*core.RoomJoined](p); j.Peer != "#a[b]" {
			t.Errorf("joined %+v", j)
		}
		p.noEvent()
	})
}

func TestNetsplitOfManyIsLinear(t *testing.T) {
	inRoom(t, roomCaps, func(p *play) {
		const n = 5000
		for i := range n {
			p.send(":m" + itoa(i) + "!u@h JOIN #chan * :x")
		}
		for i := range n {
			p.send(":m" + itoa(i) + "!u@h QUIT :a.net b.net")
		}
		p.send(":irc.test NOTICE alice :end")
		p.host.WaitMessage("end")
		if got := len(p.s.room("#chan").members); got != 2 {
			t.Errorf("%d members stay", got)
		}
	})
}

func itoa(i int) string {
	return string([]byte{byte('a' + i/676%26), byte('a' + i/26%26), byte('a' + i%26)}) + string(rune('0'+i/17576))
}

// TestModeCommand has a user write "/mode" in a room.
func TestModeCommand(t *testing.T) {
	inRich(t, "", "", func(p *play) {
		p.say("#chan", "/Mode  +v-o carol  bob")
		label, line, _ := strings.Cut(p.line(), " ")
		if line != "MODE #chan +v-o carol bob" {
			t.Errorf("wrote %q", line)
		}
		p.send(label + " :alice!a@b MODE #chan +v-o carol bob")
		if m := next[*core.Message](p); m.Mine || m.Text != "Mode #chan [+v-o carol bob] by alice" {
			t.Errorf("told %+v", m)
		}
		next[*core.MemberChanged](p)
		next[*core.MemberChanged](p)
		p.noEvent()

		m := p.say("#chan", "/mode +v bob")
		label, _, _ = strings.Cut(p.line(), " ")
		p.send(label + " :irc.test 482 alice #chan :You're not channel operator")
		if r := next[*core.Receipt](p); r.Origin != m.Origin || r.State != core.Failed || r.Err.Kind != core.Denied {
			t.Errorf("receipt %+v", r)
		}
		for _, text := range []string{"/mode", "/mode bob"} {
			m := &core.Message{Ref: core.Ref{Peer: "#chan"}, Room: true, Text: text}
			if _, err := p.s.Send(p.t.Context(), m); core.KindOf(err) != core.Invalid {
				t.Errorf("%q: %v", text, err)
			}
		}
		for _, text := range []string{"/moderate", "/mode +v bob\nand so on"} {
			p.say("#chan", text)
			if _, line, _ := strings.Cut(p.line(), " "); !strings.HasPrefix(line, "PRIVMSG #chan ") {
				t.Errorf("%q: wrote %q", text, line)
			}
		}
	})
	inRich(t, "", "", func(p *play) {
		p.say("#chan", "/mode +b :x")
		if r := next[*core.Receipt](p); r.State != core.Failed || r.Err.Kind != core.Invalid {
			t.Errorf("receipt %+v", r)
		}
	})
}
