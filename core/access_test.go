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
