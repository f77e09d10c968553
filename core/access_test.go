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

// closed is an access policy with nobody on the allow-list but alice.
func closed(change func(*core.Access)) *core.Access {
	a := &core.Access{
		Allow:  func(u core.UserID) bool { return u == alice.User },
		Admins: []core.UserID{"admin@example.test"},
		Domain: func(u core.UserID) string { return string(u[strings.IndexByte(string(u), '@')+1:]) },
	}
	change(a)
	return a
}

// enrolling is a network on which an account is linked by one answer.
type enrolling struct{ *fakeNet }

func (enrolling) Enroll(_ context.Context, _ core.UserID, _ *core.Account, answers map[string]string) (core.Step, error) {
	if answers["nick"] == "" {
		return core.Step{Fields: []core.Field{{Name: "nick"}}}, nil
	}
	return core.Step{Done: true, Link: &core.Account{Own: core.Address(answers["nick"])}}, nil
}

func newEnrolling(t *testing.T, access *core.Access) *hall {
	t.Helper()
	net := &fakeNet{}
	d := net.driver(core.Driver{Lane: core.Stored})
	d.New = func(h core.Host, _ core.Decoder) (core.Transport, error) {
		net.host = h
		return enrolling{net}, nil
	}
	h := newHallOf(t, net, d)
	h.access.Store(access)
	return h
}

// names are the names of a step's fields.
func names(s core.Step) (all []string) {
	for _, f := range s.Fields {
		all = append(all, f.Name)
	}
	return all
}

func TestAdmit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newEnrolling(t, closed(func(*core.Access) {}))
		defer h.stop()
		for _, c := range []struct {
			user     core.UserID
			standing core.Standing
			approve  bool
			invites  bool
			want     string // in the refusal; empty: none
		}{
			{alice.User, core.Stranger, false, false, ""},
			{"admin@example.test", core.Stranger, false, false, ""},
			{"eve@example.test", core.Registered, false, false, ""},
			{"eve@example.test", core.Stranger, false, false, "not open to your address"},
			{"eve@example.test", core.Stranger, false, true, "invitation"},
			{"eve@example.test", core.Stranger, true, true, "to ask to be let in"},
			{"eve@example.test", core.Pending, true, true, "has not decided yet"},
			{"eve@example.test", core.Suspended, true, true, "suspended: spam. Ask"},
			{alice.User, core.Suspended, false, false, "suspended: spam. Ask"},
			{alice.User, core.Pending, false, false, ""}, // on the allow-list meanwhile
		} {
			h.access.Store(closed(func(a *core.Access) { a.Approve, a.Invites = c.approve, c.invites }))
			_, _ = h.people.ChangePerson(t.Context(), c.user, func(p *core.Person) error {
				*p = core.Person{User: c.user, Standing: c.standing, Note: "spam"}
				return nil
			})
			err := h.Admit(t.Context(), c.user)
			if h.Allowed(c.user) != (err == nil) {
				t.Error("Allowed and Admit differ")
			}
			if c.want == "" && err == nil {
				continue
			}
			if kind(err) != core.Denied || !strings.Contains(core.AsError(err).Sentence(), c.want) || c.want == "" {
				t.Errorf("%s %v approve=%v invites=%v: %v", c.user, c.standing, c.approve, c.invites, err)
			}
		}
	})
}

// A stranger comes in with an invitation, and goes on to the network's own steps.
func TestEnrollByInvitation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newEnrolling(t, closed(func(a *core.Access) { a.Invites = true }))
		defer h.stop()
		h.people.invites["token"] = 1
		const eve = core.UserID("eve@example.test")
		enroll := func(user core.UserID, answers map[string]string) core.Step {
			t.Helper()
			s, err := h.Enroll(t.Context(), user, "fake", answers)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		if s := enroll(eve, nil); s.Done || fmt.Sprint(names(s)) != "[invite]" || !s.Fields[0].Required {
			t.Errorf("first: %+v", s)
		}
		if s := enroll(eve, map[string]string{"nick": "eve"}); fmt.Sprint(names(s)) != "[invite]" {
			t.Errorf("past the invitation: %+v", s)
		}
		if s := enroll(eve, map[string]string{"invite": "wrong"}); fmt.Sprint(names(s)) != "[invite]" || !strings.HasPrefix(s.Text, "That is no invitation") {
			t.Errorf("a wrong one: %+v", s)
		}
		answers := map[string]string{"invite": " token\n"}
		if s := enroll(eve, answers); fmt.Sprint(names(s)) != "[nick]" {
			t.Errorf("with it: %+v", s)
		}
		answers["nick"] = "eve" // a door gives all answers so far
		if s := enroll(eve, answers); !s.Done || s.Link == nil || s.Link.User != eve {
			t.Errorf("at last: %+v", s)
		}
		if s := enroll(mallory, map[string]string{"invite": "token"}); s.Done || h.Allowed(mallory) {
			t.Errorf("used up: %+v", s)
		}
	})
}

// A stranger asks, the administrators are told, and the stranger hears what they decided.
func TestEnrollByApproval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newEnrolling(t, closed(func(a *core.Access) { a.Approve = true }))
		defer h.stop()
		const eve, adam, admin = core.UserID("eve@example.test"), core.UserID("adam@example.test"), core.UserID("admin@example.test")
		for _, user := range []core.UserID{eve, adam} {
			s, err := h.Enroll(t.Context(), user, "fake", nil)
			if err != nil || fmt.Sprint(names(s)) != "[note]" {
				t.Fatalf("%+v, %v", s, err)
			}
			s, err = h.Enroll(t.Context(), user, "fake", map[string]string{"note": "It is\nme\u0000" + strings.Repeat("x", 1000)})
			if err != nil || !s.Done || s.Link != nil {
				t.Fatalf("%+v, %v", s, err)
			}
			heard := h.edge.heard(admin)
			if len(heard) != 1 || !strings.Contains(heard[0], string(user)) || !strings.Contains(heard[0], "They say: It is me") || len(heard[0]) > 600 {
				t.Errorf("the administrator hears %q", heard)
			}
			if _, err := h.Enroll(t.Context(), user, "fake", map[string]string{"note": "again"}); kind(err) != core.Denied {
				t.Errorf("asked twice: %v", err)
			}
			if len(h.edge.heard(admin)) != 0 {
				t.Error("told twice")
			}
		}
		if p, err := h.Approve(t.Context(), eve); err != nil || p.Standing != core.Registered || p.Note != "" {
			t.Errorf("%+v, %v", p, err)
		}
		if got := h.edge.heard(eve); len(got) != 1 || !strings.Contains(got[0], "let in") {
			t.Errorf("eve hears %q", got)
		}
		if s, err := h.Enroll(t.Context(), eve, "fake", nil); err != nil || fmt.Sprint(names(s)) != "[nick]" {
			t.Errorf("%+v, %v", s, err)
		}
		if err := h.Reject(t.Context(), adam); err != nil {
			t.Error(err)
		}
		if got := h.edge.heard(adam); len(got) != 1 || !strings.Contains(got[0], "declined") {
			t.Errorf("adam hears %q", got)
		}
		if kind(h.Reject(t.Context(), adam)) != core.NotFound {
			t.Error("rejected twice")
		}
	})
}

func TestEnrollLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newEnrolling(t, closed(func(a *core.Access) {
			a.Invites = true
			a.Limits = core.Limits{Registrations: 3, DomainRegistrations: 5}
		}))
		defer h.stop()
		try := func(user core.UserID) error {
			_, err := h.Enroll(t.Context(), user, "fake", map[string]string{"invite": "guess"})
			return err
		}
		for i := range 4 {
			err := try("eve@bad.test")
			if (i < 3) != (err == nil) {
				t.Errorf("attempt %d: %v", i, err)
			}
			if i == 3 && (kind(err) != core.OverLimit || core.AsError(err).After <= 0) {
				t.Errorf("%v", err)
			}
		}
		for i := range 3 {
			if err := try(core.UserID(fmt.Sprintf("u%d@bad.test", i))); (i < 2) != (err == nil) {
				t.Errorf("user %d of the domain: %v", i, err)
			}
		}
		if err := try("u@good.test"); err != nil {
			t.Errorf("another domain: %v", err)
		}
		if _, err := h.Enroll(t.Context(), "eve@bad.test", "fake", nil); err != nil {
			t.Errorf("to look at the form: %v", err)
		}
		time.Sleep(time.Hour)
		if err := try("eve@bad.test"); err != nil {
			t.Errorf("an hour later: %v", err)
		}
	})
}

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

func TestMoveAndErase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, &fakeNet{}, core.Driver{Lane: core.Stored})
		defer h.stop()
		const neu = core.UserID("alice@new.test")
		if err := h.Move(t.Context(), alice.User, neu); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for _, user := range []core.UserID{alice.User, neu} {
			if got := h.edge.heard(user); len(got) != 1 || !strings.Contains(got[0], "belong") {
				t.Errorf("%s hears %q", user, got)
			}
		}
		if h.Status(alice.ID).Link == core.Closed || h.net.ran(alice.ID) != 2 {
			t.Errorf("the session is %v after %d runs", h.Status(alice.ID).Link, h.net.ran(alice.ID))
		}
		if kind(h.Move(t.Context(), alice.User, neu)) != core.NotFound {
			t.Error("moved twice")
		}
		if err := h.Erase(t.Context(), neu); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if h.Status(alice.ID).Link != core.Closed {
			t.Error("the session of who was erased goes on")
		}
		want := "[move alice@example.test alice@new.test erase alice@new.test]"
		if got := fmt.Sprint(h.people.kept.orders); got != want {
			t.Errorf("keepers: %s", got)
		}
	})
}

func TestAnnounce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, &fakeNet{}, core.Driver{Lane: core.Stored})
		defer h.stop()
		second := alice
		second.ID = "alice2"
		h.accounts.all = append(h.accounts.all, second)
		if _, err := h.Suspend(t.Context(), bob.User, ""); err != nil {
			t.Fatal(err)
		}
		h.edge.heard(bob.User)
		n, err := h.Announce(t.Context(), "fake", "Back at noon.")
		if err != nil || n != 1 {
			t.Errorf("%d told, %v", n, err)
		}
		if got := h.edge.heard(alice.User); len(got) != 1 || got[0] != "Back at noon." {
			t.Errorf("alice hears %q", got)
		}
		if got := h.edge.heard(bob.User); len(got) != 0 {
			t.Errorf("bob is suspended and hears %q", got)
		}
		if _, err := h.Announce(t.Context(), "pigeon", "x"); kind(err) != core.NotFound {
			t.Error(err)
		}
	})
}

// What the gateway says itself waits on disk while the link is down, and is said once.
func TestNoticesWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, &fakeNet{}, core.Driver{Lane: core.Stored})
		defer h.stop()
		h.edge.refuse(core.E(core.Unavailable, "edge", ""))
		if _, err := h.Announce(t.Context(), "fake", "Back at noon."); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Suspend(t.Context(), bob.User, ""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if got := h.edge.heard(bob.User); len(got) != 0 {
			t.Errorf("bob hears %q over a link that is down", got)
		}
		h.edge.refuse(nil)
		time.Sleep(time.Hour)
		if got := h.edge.heard(bob.User); len(got) != 2 || !strings.Contains(fmt.Sprint(got), "Back at noon.") || !strings.Contains(fmt.Sprint(got), "suspended") {
			t.Errorf("bob hears %q", got)
		}
	})
}

// An announcement is spread over time.
func TestAnnouncePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, &fakeNet{}, core.Driver{Lane: core.Stored})
		defer h.stop()
		for i := range 1000 {
			h.accounts.all = append(h.accounts.all, core.Account{
				ID: core.AccountID(fmt.Sprint(i)), User: core.UserID(fmt.Sprintf("%d@example.test", i)), Network: "fake",
			})
		}
		if n, err := h.Announce(t.Context(), "fake", "x"); err != nil || n != 1002 {
			t.Errorf("%d told, %v", n, err)
		}
		said := func() int {
			synctest.Wait()
			h.edge.mu.Lock()
			defer h.edge.mu.Unlock()
			return len(h.edge.said)
		}
		time.Sleep(time.Second - time.Millisecond)
		if n := said(); n != 200 {
			t.Errorf("%d in the first second", n)
		}
		time.Sleep(5 * time.Second)
		if n := said(); n != 1002 {
			t.Errorf("%d in all", n)
		}
	})
}
