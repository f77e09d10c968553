package core_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
)

// A bucket holds a minute's worth and is filled evenly; what is over is refused in words and is not sent.
func TestSubmitLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, &fakeNet{}, core.Driver{Lane: core.Stored})
		defer h.stop()
		h.access.Store(closed(func(a *core.Access) { a.Limits.Messages = 6 }))
		say := func(i int) error { return h.Submit(t.Context(), alice, message(fmt.Sprint(i))) }
		for i := range 6 {
			if err := say(i); err != nil {
				t.Fatal(err)
			}
		}
		err := say(6)
		if kind(err) != core.OverLimit || core.AsError(err).After != 10*time.Second || !strings.Contains(core.AsError(err).Sentence(), "10 seconds") {
			t.Errorf("one too many: %v", err)
		}
		if err := h.Submit(t.Context(), bob, &core.Message{Ref: core.Ref{Account: bob.ID, Peer: "p"}, IDs: core.IDs{ID: core.NewID()}, Text: "x"}); err != nil {
			t.Errorf("somebody else: %v", err)
		}
		time.Sleep(10 * time.Second)
		if err := say(7); err != nil {
			t.Errorf("ten seconds later: %v", err)
		}
		if err := say(8); kind(err) != core.OverLimit {
			t.Errorf("and one more: %v", err)
		}
		_, _ = h.people.ChangePerson(t.Context(), alice.User, func(p *core.Person) error {
			p.Standing = core.Registered
			return nil
		})
		if _, err := h.Allow(t.Context(), alice.User, 600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if err := say(9); err != nil {
			t.Errorf("with a limit of their own: %v", err)
		}
		synctest.Wait()
		if n := len(h.net.sends()); n != 9 {
			t.Errorf("%d were sent", n)
		}
	})
}

// Another limit is in force at once, for who has used up the one before as well.
func TestLimitChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, &fakeNet{}, core.Driver{Lane: core.Stored})
		defer h.stop()
		limit := func(n int) { h.access.Store(closed(func(a *core.Access) { a.Limits.Messages = n })) }
		i := 0
		say := func(n int) (taken int) {
			for range n {
				i++
				if err := h.Submit(t.Context(), alice, message(fmt.Sprint(i))); err == nil {
					taken++
				} else if kind(err) != core.OverLimit {
					t.Fatal(err)
				}
			}
			return taken
		}
		for _, step := range []struct{ limit, said, taken int }{{1, 2, 1}, {100, 120, 99}, {10, 1, 0}, {0, 5, 5}, {101, 2, 1}} {
			limit(step.limit)
			if got := say(step.said); got != step.taken {
				t.Errorf("of %d at %d a minute %d were taken, want %d", step.said, step.limit, got, step.taken)
			}
		}
		limit(10)
		time.Sleep(6 * time.Second)
		if got := say(2); got != 1 {
			t.Errorf("with less, %d were taken after the time that one needs", got)
		}
	})
}

func TestSuspend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, &fakeNet{}, core.Driver{Lane: core.Stored})
		defer h.stop()
		if h.Status(alice.ID).Link == core.Closed {
			t.Fatal("no session to begin with")
		}
		later := message("later")
		h.net.mu.Lock()
		h.net.send = func(*core.Message, int) (core.Taken, error) { return core.Taken{}, errAway }
		h.net.mu.Unlock()
		if err := h.Submit(t.Context(), alice, later); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if _, err := h.Suspend(t.Context(), alice.User, "too much spam"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := h.edge.heard(alice.User); len(got) != 1 || !strings.Contains(got[0], "suspended: too much spam. Ask") {
			t.Errorf("alice hears %q", got)
		}
		if s := h.Status(alice.ID).Link; s != core.Closed {
			t.Errorf("her session is %v", s)
		}
		for what, err := range map[string]error{
			"submit":  h.Submit(t.Context(), alice, message("x")),
			"session": h.With(t.Context(), alice, func(core.Session) error { return nil }),
			"deliver": h.net.host.Deliver(t.Context(), &core.Message{Ref: core.Ref{Account: alice.ID, Peer: "p"}, Text: "x"}),
		} {
			if kind(err) != core.Denied || core.AsError(err).Sentence() == "" {
				t.Errorf("%s: %v", what, err)
			}
		}
		if err := h.net.host.Deliver(t.Context(), &core.Presence{Ref: core.Ref{Account: alice.ID, Peer: "p"}}); err != nil {
			t.Errorf("presence is dropped: %v", err)
		}
		if err := h.net.host.Deliver(t.Context(), &core.Message{Ref: core.Ref{Account: bob.ID, Peer: "p"}, Text: "x"}); err != nil {
			t.Errorf("bob: %v", err)
		}
		sent := len(h.net.sends())
		time.Sleep(10 * time.Minute) // her queued message's next attempt
		if n := len(h.net.sends()); n != sent {
			t.Error("what she had queued was attempted")
		}
		failed := of[*core.Receipt](h.edge)
		if len(failed) != 1 || failed[0].ID != later.ID || failed[0].State != core.Failed || !strings.Contains(failed[0].Err.Sentence(), "suspended") {
			t.Errorf("receipts: %+v", failed)
		}
		if _, err := h.Resume(t.Context(), alice.User); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if s := h.Status(alice.ID).Link; s == core.Closed {
			t.Error("her session is not back")
		}
		if err := h.Submit(t.Context(), alice, message("y")); err != nil {
			t.Error(err)
		}
		if _, err := h.Resume(t.Context(), alice.User); kind(err) != core.Invalid {
			t.Errorf("resumed twice: %v", err)
		}
		h.access.Store(closed(func(a *core.Access) { a.Admins = append(a.Admins, bob.User) }))
		if _, err := h.Suspend(t.Context(), bob.User, ""); kind(err) != core.Invalid {
			t.Errorf("an administrator: %v", err)
		}
	})
}

func TestChoices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &fakeNet{}
		h := newHall(t, net, core.Driver{Lane: core.Stored, Session: (*chattySession)(nil)})
		defer h.stop()
		h.choices.choose(core.Preferences{HideTyping: true, HideRead: true, NoReceipts: true}, "eve")
		m := message("1")
		m.Receipt = true
		ref := m.Ref
		for _, e := range []core.Event{m, &core.Typing{Ref: ref, On: true}, &core.Receipt{Ref: ref, IDs: core.IDs{ID: "x"}, State: core.Read}} {
			if err := h.Submit(t.Context(), alice, e); err != nil {
				t.Errorf("%T: %v", e, err)
			}
		}
		synctest.Wait()
		if sends := net.sends(); len(sends) != 1 || sends[0].Receipt || !m.Receipt {
			t.Errorf("sent %+v; the caller's is changed: %v", sends, !m.Receipt)
		}
		from := func(peer core.Address) core.Ref { return core.Ref{Account: alice.ID, Peer: peer} }
		for _, c := range []struct {
			e    core.Event
			want core.Kind // 255: nil
		}{
			{&core.Message{Ref: from("eve"), Text: "x"}, core.Denied},
			{&core.Reaction{Ref: from("eve"), Emoji: []string{"x"}}, core.Denied},
			{&core.Retraction{Ref: from("eve")}, core.Denied},
			{&core.Typing{Ref: from("eve")}, 255},
			{&core.Presence{Ref: from("eve")}, 255},
			{&core.Message{Ref: from("eve"), Room: true, Text: "x"}, 255},
			{&core.Message{Ref: from("eve"), Mine: true, Text: "x"}, 255},
			{&core.Message{Ref: from("adam"), Text: "x"}, 255},
		} {
			if err := net.host.Deliver(t.Context(), c.e); kind(err) != c.want {
				t.Errorf("%T: %v, want %v", c.e, err, c.want)
			}
		}
		synctest.Wait()
		if n := len(of[*core.Typing](h.edge)) + len(of[*core.Presence](h.edge)); n != 0 {
			t.Errorf("%d of a blocked correspondent were shown", n)
		}
		if n := len(of[*core.Message](h.edge)); n != 3 {
			t.Errorf("%d messages were shown", n)
		}
	})
}

// chattySession can tell that the user is writing and has read, and fails if it is asked to.
type chattySession struct{ *fakeSession }

func (chattySession) Typing(context.Context, *core.Typing) error { panic("typing") }
func (chattySession) Read(context.Context, *core.Receipt) error  { panic("read") }
