package core_test

import (
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
)

// slowNet takes its time to open alice's session.
type slowNet struct {
	*fakeNet
	opened chan struct{}
	opens  int
}

func (s *slowNet) Open(a core.Account) (core.Session, error) {
	if a.ID == alice.ID {
		s.opens++
		<-s.opened
	}
	return s.fakeNet.Open(a)
}

func newSlow(t *testing.T) (*hall, *slowNet) {
	t.Helper()
	net := &slowNet{fakeNet: &fakeNet{}, opened: make(chan struct{})}
	d := net.driver(core.Driver{Lane: core.Live})
	d.New = func(h core.Host, _ core.Decoder) (core.Transport, error) {
		net.host = h
		return net, nil
	}
	return newHallOf(t, net.fakeNet, d), net
}

func use(core.Session) error { return nil }

// A transport that takes its time over one session holds up no other, and is asked once.
func TestOpenIsOutsideTheLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, net := newSlow(t)
		defer h.stop()
		done := make(chan error, 3)
		for range 3 {
			go func() { done <- h.With(t.Context(), alice, use) }()
		}
		synctest.Wait()
		if err := h.With(t.Context(), bob, use); err != nil {
			t.Error(err)
		}
		close(net.opened)
		for range 3 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if net.opens != 1 {
			t.Errorf("asked %d times", net.opens)
		}
	})
}

// A session that was asked for before its account was stopped is not used afterwards.
func TestStopWhileOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, net := newSlow(t)
		defer h.stop()
		done := make(chan error, 1)
		go func() { done <- h.With(t.Context(), alice, use) }()
		synctest.Wait()
		if err := h.Unenroll(t.Context(), alice.User, "fake"); err != nil {
			t.Fatal(err)
		}
		close(net.opened)
		if err := <-done; kind(err) != core.Unavailable {
			t.Errorf("err = %v", err)
		}
		time.Sleep(time.Minute)
		if s := h.Status(alice.ID).Link; s != core.Closed || net.ran(alice.ID) != 0 {
			t.Errorf("the session of an account that is gone is %v", s)
		}
	})
}

// TestNoSessionAfterTheEnd asks for a session of a gateway that has stopped: there is nobody to run it.
func TestNoSessionAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, &fakeNet{}, core.Driver{Lane: core.Live})
		if err := h.stop(); err != nil {
			t.Fatal(err)
		}
		err := h.Submit(t.Context(), alice, message("late"))
		if core.KindOf(err) != core.Unavailable || len(h.net.sends()) != 0 {
			t.Errorf("taken: %v", err)
		}
	})
}
