package core_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
)

// A dead letter that is tried again and fails again is told again: the first failure's receipt is not the second's.
func TestSecondFailureOfARevivedLetterIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &fakeNet{send: func(*core.Message, int) (core.Taken, error) {
			return core.Taken{}, core.E(core.NotFound, "fake", "No such address.")
		}}
		h := newHall(t, net, core.Driver{})
		defer h.stop()
		if err := h.Submit(t.Context(), alice, message("hello")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		h.queue.revive()
		synctest.Wait()
		if got := of[*core.Receipt](h.edge); len(got) != 2 || got[1].State != core.Failed {
			t.Errorf("receipts: %+v", got)
		}
	})
}

// A client that sends a failed message again under its old id gets it sent, not swallowed as a repetition.
func TestFailedMessageMayBeSubmittedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &fakeNet{send: func(m *core.Message, n int) (core.Taken, error) {
			if n <= 2 {
				return core.Taken{}, core.E(core.NotFound, "fake", "No such address.")
			}
			return core.Taken{Remote: "r", State: core.Accepted}, nil
		}}
		h := newHall(t, net, core.Driver{})
		defer h.stop()
		for range 5 { // fails, fails, is taken, and is taken before
			m := message("hello")
			if err := h.Submit(t.Context(), alice, m); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if n := len(net.sends()); n != 3 {
			t.Errorf("sent %d times, want 3", n)
		}
	})
}

// Where a duplicate costs, a repetition of a failed message may be the client's own doing: it is refused in words.
func TestFailedCostlyMessageIsNotSentAgainByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &costlyNet{fakeNet: &fakeNet{}, reconcile: func(int) (core.Taken, error) {
			return core.Taken{}, core.E(core.Uncertain, "fake", "Nobody knows.")
		}}
		net.send = func(*core.Message, int) (core.Taken, error) {
			return core.Taken{}, core.E(core.Uncertain, "fake", "Nobody knows.")
		}
		h := net.hall(t)
		defer h.stop()
		if err := h.Submit(t.Context(), alice, message("hello")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if err := h.Submit(t.Context(), alice, message("hello")); kind(err) != core.Uncertain {
			t.Errorf("Submit = %v", err)
		}
		synctest.Wait()
		if n := len(net.sends()); n != 1 {
			t.Errorf("sent %d times", n)
		}
	})
}

// A provider whose list cannot be read, ever, does not hold its lane and its sender in suspense for ever.
func TestUncertainMessageIsGivenUpWhenItsTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &costlyNet{fakeNet: &fakeNet{}, reconcile: func(int) (core.Taken, error) {
			return core.Taken{}, &core.Error{Kind: core.Uncertain, After: 30 * time.Second, Text: "Nobody knows."}
		}}
		net.send = func(*core.Message, int) (core.Taken, error) {
			return core.Taken{}, core.E(core.Uncertain, "fake", "Nobody knows.")
		}
		h := net.hall(t)
		defer h.stop()
		if err := h.Submit(t.Context(), alice, message("hello")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(59 * time.Minute)
		synctest.Wait()
		if waiting, dead, _ := h.queue.counts(); waiting != 1 || dead != 0 {
			t.Errorf("within its time: waiting %d, dead %d", waiting, dead)
		}
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		got := of[*core.Receipt](h.edge)
		waiting, dead, _ := h.queue.counts()
		if waiting != 0 || dead != 1 || len(got) != 1 || got[0].State != core.Failed || got[0].Err.Kind != core.Uncertain {
			t.Errorf("after its time: waiting %d, dead %d, receipts %+v", waiting, dead, got)
		}
		if n := len(net.sends()); n != 1 {
			t.Errorf("sent %d times", n)
		}
	})
}

// After a long time away the list is still looked at twice before an uncertain message is given up.
func TestUncertainMessageOverdueAtTheFirstLookIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &costlyNet{fakeNet: &fakeNet{}, reconcile: func(n int) (core.Taken, error) {
			if n == 1 {
				return core.Taken{}, &core.Error{Kind: core.Uncertain, After: 30 * time.Second}
			}
			return core.Taken{Remote: "r", State: core.Accepted}, nil
		}}
		h := net.hall(t)
		defer h.stop()
		m := message("hello")
		it := &core.Item{Network: "fake", User: alice.User, Lane: "l", Event: m, Queued: time.Now().Add(-3 * time.Hour),
			Expires: time.Now().Add(-time.Hour), Begun: time.Now().Add(-2 * time.Hour)}
		if err := h.queue.Put(t.Context(), it); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		waiting, dead, began := h.queue.counts()
		if waiting != 0 || dead != 0 || began != 0 || net.asked != 2 {
			t.Errorf("waiting %d, dead %d, begun %d, asked %d", waiting, dead, began, net.asked)
		}
	})
}

// What a refused session still says about itself does not take away why it was refused.
func TestRefusalKeepsItsReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &fakeNet{run: func(context.Context, core.Account, int) error {
			return core.E(core.Denied, "fake", "Wrong password.")
		}}
		h := newHall(t, net, core.Driver{})
		defer h.stop()
		synctest.Wait()
		late := &core.Status{Ref: core.Ref{Account: alice.ID}, Link: core.Connected}
		if err := net.host.Deliver(t.Context(), late); err != nil {
			t.Fatal(err)
		}
		err := h.With(t.Context(), alice, func(core.Session) error { return nil })
		if kind(err) != core.Denied || core.AsError(err).Text != "Wrong password." {
			t.Errorf("With = %v", err)
		}
	})
}

// An attempt that comes in the middle of an unenrolment leaves no session behind.
func TestUnenrolLeavesNoSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := 0
		net := &fakeNet{run: func(ctx context.Context, a core.Account, _ int) error {
			<-ctx.Done()
			if a.ID == alice.ID {
				ended++
			}
			return nil
		}}
		h := newHall(t, net, core.Driver{})
		defer h.stop()
		h.accounts.onUnlink = func() {
			if err := h.With(t.Context(), alice, func(core.Session) error { return nil }); err != nil {
				t.Error(err)
			}
			synctest.Wait()
		}
		if err := h.Unenroll(t.Context(), alice.User, "fake"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := net.ran(alice.ID); n != 2 || ended != 2 {
			t.Errorf("%d runs, %d ended", n, ended)
		}
		if st := h.Status(alice.ID); st.Link != core.Closed {
			t.Errorf("still %v", st.Link)
		}
	})
}

// A session that takes its time to end does not report its end over its successor's state.
func TestReplacedSessionEndsInSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &fakeNet{}
		net.run = func(ctx context.Context, a core.Account, _ int) error {
			_ = net.host.Deliver(ctx, &core.Status{Ref: core.Ref{Account: a.ID}, Link: core.Connected})
			<-ctx.Done()
			time.Sleep(time.Second) // saying goodbye
			return nil
		}
		h := newHall(t, net, core.Driver{})
		defer h.stop()
		if _, err := h.Link(t.Context(), alice); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		var last *core.Status
		for _, st := range of[*core.Status](h.edge) {
			if st.Account == alice.ID {
				last = st
			}
		}
		if last == nil || last.Link != core.Connected {
			t.Errorf("the last status shown is %+v", last)
		}
	})
}

// What is in hand when the gateway stops is finished: cut off, an SMS would be uncertain and a mail would go twice.
func TestStoppingFinishesWhatIsInHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &fakeNet{send: func(m *core.Message, _ int) (core.Taken, error) {
			time.Sleep(3 * time.Second)
			return core.Taken{Remote: "r", State: core.Accepted}, nil
		}}
		h := newHall(t, net, core.Driver{})
		if err := h.Submit(t.Context(), alice, message("hello")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if err := h.stop(); err != nil {
			t.Fatal(err)
		}
		if waiting, dead, _ := h.queue.counts(); waiting != 0 || dead != 0 {
			t.Errorf("waiting %d, dead %d", waiting, dead)
		}
	})
}
