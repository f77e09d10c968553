package irc

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
)

// waited runs an operation, expects its lines, plays what the network says to it, and returns its error.
func (p *play) waited(operation func(context.Context) error, lines []string, replies ...string) error {
	p.t.Helper()
	done := make(chan error, 1)
	go func() { done <- operation(p.t.Context()) }()
	p.expect(lines...)
	p.send(replies...)
	if len(lines) > 0 {
		if line := p.line(); len(line) > 5 && line[:5] == "PING " {
			p.send("PONG " + line[5:])
		} else {
			p.t.Fatalf("line %q, want a barrier", line)
		}
	}
	select {
	case err := <-done:
		return err
	case <-time.After(time.Minute):
		p.t.Fatal("does not return")
	}
	return nil
}

func TestInvitations(t *testing.T) {
	inRoom(t, roomCaps, func(p *play) {
		invite := func(ctx context.Context) error { return p.s.Invite(ctx, "#chan", "dave") }
		if err := p.waited(invite, []string{"INVITE dave #chan"}, ":irc.test 341 alice dave #chan"); err != nil {
			t.Errorf("Invite = %v", err)
		}
		if err := p.waited(invite, []string{"INVITE dave #chan"}, ":irc.test 443 alice dave #chan :is already on channel"); core.AsError(err).Code != "443" {
			t.Errorf("Invite = %v", err)
		}
		if err := p.s.Invite(p.t.Context(), "#other", "dave"); core.KindOf(err) != core.NotFound {
			t.Errorf("Invite to where we are not = %v", err)
		}
		p.send(":Bob!b@b.test INVITE alice :#Secret", ":Bob!b@b.test INVITE carol #chan", ":Bob!b@b.test INVITE alice nothing")
		want := core.Invited{Ref: core.Ref{Account: "a1", Peer: "#secret"}, By: "bob", Nick: "Bob"}
		if got := next[*core.Invited](p); *got != want {
			t.Errorf("got %+v", got)
		}
		if got := next[*core.Message](p); !got.Notice || got.Peer != "#chan" || got.Text != "Bob invited carol into this channel." {
			t.Errorf("got %+v", got)
		}
		p.noEvent()
	})
}

func TestBans(t *testing.T) {
	inRoom(t, roomCaps, func(p *play) {
		var bans []core.Ban
		list := func(ctx context.Context) (err error) { bans, err = p.s.Bans(ctx, "#chan"); return err }
		err := p.waited(list, []string{"MODE #chan +b"},
			":irc.test 367 alice #chan *!*@bad.test bob!b@b.test 1767323045", ":irc.test 367 alice #chan x!*@*", ":irc.test 368 alice #chan :End")
		want := []core.Ban{{Mask: "*!*@bad.test", By: "bob", At: time.Unix(1767323045, 0)}, {Mask: "x!*@*"}}
		if err != nil || !reflect.DeepEqual(bans, want) {
			t.Errorf("Bans = %+v, %v", bans, err)
		}
		p.send(":irc.test 367 alice #chan late!*@*") // nobody asked
		ban := func(who string) func(context.Context) error {
			return func(ctx context.Context) error { return p.s.Ban(ctx, "#chan", who, "out") }
		}
		// A member is banned by host and removed, and seen to be so.
		err = p.waited(ban("Carol"), []string{"MODE #chan +b *!*@c.test", "KICK #chan carol out"},
			":alice!al@host.test MODE #chan +b *!*@c.test", ":alice!al@host.test KICK #chan carol :out")
		if err != nil {
			t.Errorf("Ban = %v", err)
		}
		next[*core.Message](p)
		if c := next[*core.MemberChanged](p); c.Change != core.Went || c.Why != core.Banned || c.By != "alice" || c.Member.Nick != "carol" {
			t.Errorf("changed %+v", c)
		}
		if err := p.waited(ban("dave"), []string{"MODE #chan +b dave!*@*"}); err != nil {
			t.Errorf("Ban = %v", err)
		}
		if err := p.waited(ban("*!*@x.test"), []string{"MODE #chan +b *!*@x.test"}, ":irc.test 482 alice #chan :You're not channel operator"); core.KindOf(err) != core.Denied {
			t.Errorf("Ban = %v", err)
		}
		unban := func(ctx context.Context) error { return p.s.Unban(ctx, "#chan", "*!*@x.test") }
		if err := p.waited(unban, []string{"MODE #chan -b *!*@x.test"}); err != nil {
			t.Errorf("Unban = %v", err)
		}
		for _, mask := range []string{"a b!*@*", "-x!*@*", "*!*@a,b"} {
			if err := ban(mask)(p.t.Context()); core.KindOf(err) != core.Invalid {
				t.Errorf("Ban of %q = %v", mask, err)
			}
		}
		p.noEvent()
	})
}

func TestSettings(t *testing.T) {
	inRoom(t, roomCaps, func(p *play) {
		var got core.Settings
		ask := func(ctx context.Context) (err error) { got, err = p.s.Settings(ctx, "#chan"); return err }
		want := core.Settings{TopicLocked: true, Hidden: true, Inside: true, Password: "k", Limit: 9}
		if err := p.waited(ask, []string{"MODE #chan"}, ":irc.test 324 alice #chan +ntskl k 9"); err != nil || got != want {
			t.Errorf("Settings = %+v, %v", got, err)
		}
		if err := ask(p.t.Context()); err != nil || got != want { // known now
			t.Errorf("Settings = %+v, %v", got, err)
		}
		change := func(ctx context.Context) error {
			return p.s.Configure(ctx, "#chan", core.Settings{Moderated: true, Password: "new", MembersOnly: true, Inside: true})
		}
		err := p.waited(change, []string{"MODE #chan -t+m", "MODE #chan +i-s", "MODE #chan -p-k k", "MODE #chan +k-l new"},
			":alice!al@host.test MODE #chan -t+m", ":alice!al@host.test MODE #chan +i-s", ":alice!al@host.test MODE #chan -k+k k new",
			":alice!al@host.test MODE #chan -l")
		if err != nil {
			t.Errorf("Configure = %v", err)
		}
		for range 4 {
			next[*core.Message](p)
			if c := next[*core.SettingsChanged](p); c.Settings == nil {
				t.Errorf("settings %+v", c)
			}
		}
		want = core.Settings{Moderated: true, Password: "new", MembersOnly: true, Inside: true}
		if err := ask(p.t.Context()); err != nil || got != want {
			t.Errorf("Settings = %+v, %v", got, err)
		}
		if j, err := p.s.Snapshot("#chan"); err != nil || j.Settings == nil || *j.Settings != want || len(j.Members) != 2 {
			t.Errorf("Snapshot = %+v, %v", j, err)
		}
		open := func(ctx context.Context) error {
			return p.s.Configure(ctx, "#chan", core.Settings{Moderated: true, Password: "new", MembersOnly: true})
		}
		if err := p.waited(open, []string{"MODE #chan -n"}, ":alice!al@host.test MODE #chan -n"); err != nil {
			t.Errorf("Configure = %v", err)
		}
		if _, err := p.s.Snapshot("#other"); core.KindOf(err) != core.NotFound {
			t.Errorf("Snapshot of another = %v", err)
		}
		if err := p.s.Configure(p.t.Context(), "#chan", core.Settings{Password: "a b"}); core.KindOf(err) != core.Invalid {
			t.Errorf("Configure = %v", err)
		}
	})
}

// A netsplit of 1,000 whose members all come back is told to nobody; who does not come back is told once.
func TestNetsplit(t *testing.T) {
	const many = 1000
	inRoom(t, roomCaps, func(p *play) {
		for i := range many {
			p.send(fmt.Sprintf(":n%d!u@far.test JOIN #chan * :x", i))
		}
		synctest.Wait()
		if p.seen += many; len(p.host.Events()) != p.seen {
			t.Fatalf("%d events, want %d", len(p.host.Events()), p.seen)
		}
		p.send(":n7!u@far.test AWAY :lunch", ":bob!b@b.test MODE #chan +o n8")
		next[*core.MemberChanged](p)
		next[*core.Message](p)
		next[*core.MemberChanged](p)
		for i := range many {
			p.send(fmt.Sprintf(":n%d!u@far.test QUIT :hub.irc.test leaf.irc.test", i))
		}
		p.noEvent()
		time.Sleep(10 * time.Second)
		for i := range many - 2 {
			p.send(fmt.Sprintf(":n%d!u@far.test JOIN #chan * :x", i))
		}
		p.send(":bob!b@b.test MODE #chan +v n9") // has another rank than before
		next[*core.Message](p)
		p.send(":other!u@elsewhere.test NICK n998") // nobody who is in
		p.send(":n999!somebody@else.test JOIN #chan * :x")
		gone, came := next[*core.MemberChanged](p), next[*core.MemberChanged](p)
		if gone.Change != core.Went || gone.Member.Real != "u@far.test" || came.Change != core.Came || came.Member.Real != "somebody@else.test" {
			t.Errorf("another under the same nick: %+v, %+v", gone, came)
		}
		p.noEvent()
		time.Sleep(settleFor + time.Second)
		// n8 has lost their rank, and n9 has got one.
		for _, want := range []core.Member{
			{Nick: "n8", Address: "n8", Real: "u@far.test"}, {Nick: "n9", Address: "n9", Real: "u@far.test", Rank: core.Voice},
		} {
			if c := next[*core.MemberChanged](p); c.Change != core.Updated || c.Member != want {
				t.Errorf("changed %+v, want %+v", c, want)
			}
		}
		p.noEvent()
		time.Sleep(splitFor)
		if c := next[*core.MemberChanged](p); c.Change != core.Went || c.Why != core.Quit || c.Member.Nick != "n998" {
			t.Errorf("changed %+v", c)
		}
		p.noEvent()
	})
}

// Who joins meanwhile is shown the room as it is, and a connection that is lost settles everything.
func TestNetsplitEnds(t *testing.T) {
	inRoom(t, roomCaps, func(p *play) {
		p.send(":carol!c@c.test QUIT :*.net *.split")
		p.noEvent()
		p.join("#chan", "2")
		if c := next[*core.MemberChanged](p); c.Change != core.Went || c.Member.Nick != "carol" {
			t.Errorf("changed %+v", c)
		}
		if j := next[*core.RoomJoined](p); len(j.Members) != 1 {
			t.Errorf("joined %+v", j)
		}
		p.send(":bob!b@b.test QUIT :a.irc.test b.irc.test")
		p.noEvent()
		p.conn.Close()
		p.end()
		if c := next[*core.MemberChanged](p); c.Change != core.Went || c.Member.Nick != "bob" {
			t.Errorf("changed %+v", c)
		}
		next[*core.RoomLeft](p)
	})
}

func TestIsSplit(t *testing.T) {
	for reason, want := range map[string]bool{
		"hub.irc.test leaf.irc.test": true, "*.net *.split": true, "a.b.c d-1.e.f": true,
		"": false, "bye": false, "see you.": false, "a.b": false, "a.b c.d e.f": false, "http://a.test b.test": false, "same.test same.test": false,
		"Ping timeout: 240 seconds": false, "a.b  c.d": false,
	} {
		if got := isSplit(reason); got != want {
			t.Errorf("isSplit(%q) = %v", reason, got)
		}
	}
}

// Whoever takes a nick that another member is still known by is somebody else.
func TestPersons(t *testing.T) {
	inRoom(t, roomCaps, func(p *play) {
		said := func(nick string) string {
			t.Helper()
			p.send(":" + nick + "!u@h PRIVMSG #chan :x")
			return next[*core.Message](p).Person
		}
		if got := said("carol"); got != "" {
			t.Errorf("person %q", got)
		}
		p.send(":carol!c@c.test NICK :carol2")
		next[*core.MemberChanged](p)
		if got := said("carol2"); got != "carol" {
			t.Errorf("person %q", got)
		}
		if got := said("carol"); got == "" || got == "carol" {
			t.Errorf("outside person %q", got)
		}
		p.send(":carol!new@c.test JOIN #chan * :x")
		other := next[*core.MemberChanged](p).Member.Person
		if other == "" || other == "carol" || said("carol") != other {
			t.Errorf("person %q", other)
		}
		p.send(":carol!new@c.test PART #chan", ":carol2!c@c.test PART #chan", ":carol!c@c.test JOIN #chan * :x")
		next[*core.MemberChanged](p)
		next[*core.MemberChanged](p)
		if got := next[*core.MemberChanged](p).Member.Person; got != "" {
			t.Errorf("person %q", got)
		}
	})
}

func TestStaff(t *testing.T) {
	inWho(t, func(j *core.RoomJoined) {
		if !j.Members[0].Staff || j.Self.Staff {
			t.Errorf("joined %+v", j)
		}
	})
}

// inWho enters a room whose member bob is an operator of the network.
func inWho(t *testing.T, look func(*core.RoomJoined)) {
	t.Helper()
	script(t, quickConfig+`ping_every = "1h"`, core.Account{}, func(p *play) {
		p.join("#chan", "1")
		p.run()
		p.register("alice")
		p.expect("JOIN #chan")
		p.send(":alice!al@host.test JOIN #chan", ":irc.test 353 alice = #chan :alice bob", ":irc.test 366 alice #chan :End")
		p.expect("WHO #chan")
		p.send(":irc.test 352 alice #chan b b.test irc.test bob H*@ :0 Bob", ":irc.test 352 alice #chan al host.test irc.test alice H :0 A",
			":irc.test 315 alice #chan :End")
		p.barrier(1)
		look(next[*core.RoomJoined](p))
	})
}

// What InspIRCd says of the connection itself is noise; what a server says otherwise is not.
func TestConnectionNotices(t *testing.T) {
	inRoom(t, roomCaps, func(p *play) {
		p.send(":irc.test NOTICE alice :*** You are connected to irc.test using TLS (SSL) cipher 'TLS1.3-ECDHE'",
			":irc.test NOTICE alice :*** Restart soon")
		if m := next[*core.Message](p); m.Text != "*** Restart soon" {
			t.Errorf("told %q", m.Text)
		}
		p.noEvent()
	})
}

func TestRoomList(t *testing.T) {
	inRoom(t, roomCaps, func(p *play) {
		var got []core.Listed
		var all bool
		list := func(ctx context.Context) (err error) { got, all, err = p.s.RoomList(ctx); return err }
		want := []core.Listed{{Room: "#chan", Members: 3, Topic: "red topic"}, {Room: "#other", Members: 20}}
		err := p.waited(list, []string{"LIST"}, ":irc.test 321 alice Channel :Users  Name", ":irc.test 322 alice #Chan 3 :\x034red\x0f topic",
			":irc.test 322 alice #other 20 :", ":irc.test 322 alice * 7 :hidden", ":irc.test 323 alice :End of /LIST")
		if err != nil || !all || !reflect.DeepEqual(got, want) {
			t.Errorf("RoomList = %+v, %v, %v", got, all, err)
		}
		if err := list(p.t.Context()); err != nil || !all || !reflect.DeepEqual(got, want) { // without asking again
			t.Errorf("RoomList = %+v, %v, %v", got, all, err)
		}
		time.Sleep(listFresh)
		err = p.waited(list, []string{"LIST"}, ":irc.test 322 alice #chan 3 :")
		if err != nil || all || len(got) != 1 { // without an end: as far as it has come
			t.Errorf("RoomList = %+v, %v, %v", got, all, err)
		}
		time.Sleep(listFresh)
		if err := p.waited(list, []string{"LIST"}); core.KindOf(err) != core.Unavailable {
			t.Errorf("RoomList without a beginning = %v", err)
		}
	})
}
