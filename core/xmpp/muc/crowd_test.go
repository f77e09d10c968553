package muc

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
)

// word is a change in one: "+a" came, "-a" went, "~a" is different, "a>b" has another nick; "+a:2" is another person.
func word(s string) *core.MemberChanged {
	e := &core.MemberChanged{Ref: ref, Change: map[byte]core.Change{'+': core.Came, '-': core.Went, '~': core.Updated}[s[0]]}
	if old, nick, ok := strings.Cut(s, ">"); ok {
		e.Change, e.Old, e.Member.Nick = core.Renamed, old, nick
		return e
	}
	e.Member.Nick, e.Member.Person, _ = strings.Cut(s[1:], ":")
	e.Member.Away = e.Change == core.Updated
	return e
}

func unword(e *core.MemberChanged) string {
	if e.Change == core.Renamed {
		return e.Old + ">" + e.Member.Nick
	}
	s := map[core.Change]string{core.Came: "+", core.Went: "-", core.Updated: "~"}[e.Change] + e.Member.Nick
	if e.Member.Person != "" {
		s += ":" + e.Member.Person
	}
	return s
}

func unwords(all []*core.MemberChanged) string {
	var words []string
	for _, e := range all {
		words = append(words, unword(e))
	}
	return strings.Join(words, " ")
}

// fullCrowd is a crowd that shows nothing at once.
func fullCrowd(now time.Time) *crowd { return &crowd{spent: crowdBurst, at: now} }

// Behaviour 42: of what is held back, the least is shown that makes what clients see true.
func TestCrowdMerges42(t *testing.T) {
	now := time.Now()
	for _, c := range []struct{ in, at, out string }{
		{"+a +b -c", "", "+a +b -c"},
		{"+a -a", "", ""},
		{"+a -a +a", "", "+a"},
		{"+a ~a", "", "~a"},
		{"-a +a", "", ""},
		{"-a +a ~a", "", "~a"},
		{"-a +a:2", "", "-a +a:2"},
		{"-a +a:2 -a:2", "", "-a"},
		{"-a:1 +a:2 -a:2 +a:1", "", ""},
		{"~a ~a -a", "", "-a"},
		{"+a b>c", "b>c", "+a"},
		{"+a a>b", "", "+b"},
		{"+a a>b -b", "", ""},
		{"~a a>b", "~a a>b", ""},
		{"-b a>b", "-b a>b", ""},
		{"-b +a a>b", "+a -b a>b", ""},
	} {
		crowd := fullCrowd(now)
		var at []*core.MemberChanged
		for in := range strings.FieldsSeq(c.in) {
			at = append(at, crowd.take(word(in), now)...)
		}
		if got := unwords(at); got != c.at {
			t.Errorf("%q shows %q at once, want %q", c.in, got, c.at)
		}
		if got := unwords(crowd.all()); got != c.out {
			t.Errorf("%q shows %q, want %q", c.in, got, c.out)
		}
	}
}

// Behaviour 42: a flood is shown at a pace, in its order.
func TestCrowdPace42(t *testing.T) {
	now := time.Now()
	var c crowd
	var got []*core.MemberChanged
	for i := range 200 {
		got = append(got, c.take(word(fmt.Sprint("+n", i)), now)...)
	}
	if len(got) != crowdBurst {
		t.Fatalf("%d are shown at once, want %d", len(got), crowdBurst)
	}
	for tick := 1; len(c.held) > 0; tick++ {
		more := c.due(now.Add(time.Duration(tick) * crowdTick))
		if want := int(crowdRate * crowdTick.Seconds()); len(more) != want {
			t.Fatalf("%d are shown in a tick, want %d", len(more), want)
		}
		got = append(got, more...)
	}
	for i, e := range got {
		if e.Member.Nick != fmt.Sprint("n", i) {
			t.Fatalf("%s is shown as number %d", e.Member.Nick, i)
		}
	}
	if more := c.take(word("+z"), now.Add(time.Minute)); len(more) != 1 {
		t.Error("a flood that is over still holds back")
	}
}

// Who comes and goes in a flood leaves nothing behind, and a flood without end is bounded.
func TestCrowdBounded42(t *testing.T) {
	now := time.Now()
	c := fullCrowd(now)
	for i := range 3 * maxCrowd {
		c.take(word(fmt.Sprint("+n", i)), now)
		c.take(word(fmt.Sprint("-n", i)), now)
	}
	if len(c.held) != 0 || len(c.order) > 2*crowdBurst {
		t.Errorf("%d are held, %d in order", len(c.held), len(c.order))
	}
	shown := 0
	for i := range 2 * maxCrowd {
		shown += len(c.take(word(fmt.Sprint("+n", i)), now))
	}
	if len(c.held) != maxCrowd || shown != maxCrowd {
		t.Errorf("%d are held, %d were shown", len(c.held), shown)
	}
}

// flood stops the clock and makes so many members come at once, and expects those who are shown at once.
func (s *stage) flood(n int) {
	s.t.Helper()
	now := time.Now()
	s.rooms.now = func() time.Time { return now }
	for i := range n {
		s.show(&core.MemberChanged{Ref: ref, Change: core.Came, Member: core.Member{Nick: fmt.Sprint("n", i)}})
	}
	for i := range crowdBurst {
		s.Expect(fmt.Sprintf("<presence type='!' from='%s/n%d'/>", channel, i))
	}
	s.quiet()
}

// Behaviour 42: who is held back is shown before they speak, and to a client that joins like everybody else.
func TestCrowd42(t *testing.T) {
	s := open(t)
	s.enter(phone)
	s.flood(crowdBurst + 10)
	nick := func(i int) string { return fmt.Sprint("n", crowdBurst+i) }
	came := func(i int) string {
		return "<presence type='!' from='" + channel + "/" + nick(i) + "' to='" + phone + "'/>"
	}
	s.show(&core.Message{Ref: ref, IDs: core.IDs{ID: "m"}, Room: true, Author: core.Address(nick(3)), Text: "x"})
	s.Expect(came(3))
	s.Expect("<message from='" + channel + "/" + nick(3) + "'/>")
	s.show(&core.Typing{Ref: ref, Author: core.Address(nick(4)), On: true})
	s.Expect(came(4))
	s.Expect("<message from='" + channel + "/" + nick(4) + "'/>")
	s.show(&core.TopicChanged{Ref: ref, Topic: core.Topic{Text: "T", By: nick(5)}})
	s.Expect(came(5))
	s.Expect("<message><subject>T</subject></message>")
	for i := range 2 {
		s.show(&core.MemberChanged{Ref: ref, Change: core.Went, Member: core.Member{Nick: nick(i)}})
	}
	s.show(&core.MemberChanged{Ref: ref, Change: core.Updated, Mine: true, Member: core.Member{Nick: "me", Rank: core.Voice}})
	s.Expect("<presence from='" + channel + "/me'/>")
	s.quiet()
	o := s.ask(desk, "j2")
	s.show(&core.RoomJoined{Ref: ref, Origin: o, Self: core.Member{Nick: "me"}, Asked: "me"})
	for _, i := range []int{2, 6, 7, 8, 9} {
		s.Expect(came(i))
	}
	s.Expect("<presence from='" + channel + "/me' to='" + desk + "'/>")
	s.Expect("<message to='" + desk + "'><body>x</body></message>")
	s.Expect("<message to='" + desk + "'><subject/></message>")
	s.quiet()
}

// Behaviour 42: what is held back is shown by and by; of a room that one is out of, nothing is.
func TestCrowdReleased42(t *testing.T) {
	s := open(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.rooms.Run(ctx) }()
	s.enter(phone)
	s.show(&core.MemberChanged{Ref: ref, Change: core.Came, Member: core.Member{Nick: "first"}})
	s.Expect("<presence from='" + channel + "/first'/>")
	a := edgetest.Account()
	a.Realm = "net"
	err := s.d.InTurn(ref.Account, func(enc *stream.Encoder) {
		for i := range crowdBurst + 2 {
			e := &core.MemberChanged{Ref: ref, Change: core.Came, Member: core.Member{Nick: fmt.Sprint("n", i)}}
			if err := s.rooms.Render(ctx, enc, s.d, a, e); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for range crowdBurst + 2 {
		got = append(got, s.Expect("<presence type='!'/>").From)
	}
	if slices.Sort(got); len(slices.Compact(got)) != crowdBurst+2 {
		t.Errorf("shown are %v", got)
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	s.show(&core.RoomLeft{Ref: ref, Why: core.Kicked})
	s.Expect("<presence type='unavailable' from='" + channel + "/me'/>")
	s.rooms.releaseAll()
	s.quiet()
	if n := len(s.rooms.busy); n != 0 {
		t.Errorf("%d rooms hold something back", n)
	}
}
