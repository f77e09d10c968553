package core_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
)

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
