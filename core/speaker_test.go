package core_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"gangway/core"
)

// memRoutes is a core.Routes in memory.
type memRoutes struct {
	accounts *memAccounts
	mu       sync.Mutex
	last     map[core.Address]core.AccountID
}

func (m *memRoutes) Speaker(ctx context.Context, user core.UserID, network string, peer core.Address) (core.Account, error) {
	m.mu.Lock()
	id := m.last[peer]
	m.mu.Unlock()
	return m.accounts.find(core.Unenrolled, func(a core.Account) bool {
		return a.User == user && a.Network == network && (id == "" || a.ID == id)
	})
}

func (m *memRoutes) Went(_ context.Context, a core.Account, peer core.Address) (core.AccountID, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.last[peer]
	m.last[peer] = a.ID
	return before, nil
}

// TestSpeaker: a conversation stays with the account that it went through last, an answer goes from the address that was
// written to, and a message that comes to another address than the one before says so.
func TestSpeaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, &fakeNet{}, core.Driver{Shared: true})
		defer func() { _ = h.stop() }()
		second := core.Account{ID: "alice2", User: alice.User, Network: "fake", Realm: "other", Own: "alice@other"}
		speaks := func(when string, want core.AccountID, about ...string) {
			t.Helper()
			a, err := h.Speaker(t.Context(), alice.User, "fake", core.Target{Address: "peer"}, about...)
			if err != nil || a.ID != want {
				t.Errorf("%s: %s speaks (%v), want %s", when, a.ID, err, want)
			}
		}
		comesTo := func(a core.Account, remote core.RemoteID) {
			t.Helper()
			m := &core.Message{Ref: core.Ref{Account: a.ID, Peer: "peer"}, IDs: core.IDs{Remote: remote}, Text: "hello"}
			if err := h.net.host.Deliver(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
		speaks("one account", alice.ID)
		comesTo(alice, "r1")
		if _, err := h.Link(t.Context(), second); err != nil {
			t.Fatal(err)
		}
		speaks("the conversation goes on", alice.ID)
		comesTo(second, "r2")
		speaks("written to the other address", second.ID)
		sent := message("from the first")
		if err := h.Submit(t.Context(), alice, sent); err != nil {
			t.Fatal(err)
		}
		speaks("spoken from the first", alice.ID)
		comesTo(second, "r3")
		speaks("about a message of the first's", alice.ID, string(sent.ID))
		speaks("sent again", alice.ID, "nothing known", sent.Origin.ID)
		if _, err := h.Speaker(t.Context(), mallory, "fake", core.Target{Address: "peer"}, string(sent.ID)); kind(err) != core.Unenrolled {
			t.Errorf("somebody else speaks: %v", err)
		}
		synctest.Wait()
		var own []core.Address
		for _, m := range of[*core.Message](h.edge) {
			own = append(own, m.Own)
		}
		if len(own) != 3 || own[0] != "" || own[1] != "alice@other" || own[2] != "alice@other" {
			t.Errorf("told which address it came to: %q", own)
		}
	})
}

// TestUnlinkOne: of several accounts one can go.
func TestUnlinkOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, &fakeNet{}, core.Driver{Shared: true})
		defer func() { _ = h.stop() }()
		second, err := h.Link(t.Context(), core.Account{User: alice.User, Network: "fake", Realm: "other", Own: "alice@other"})
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Unlink(t.Context(), alice.ID); err != nil {
			t.Fatal(err)
		}
		if a, err := h.Speaker(t.Context(), alice.User, "fake", core.Target{Address: "peer"}); err != nil || a.ID != second.ID {
			t.Errorf("%v speaks: %v", a.ID, err)
		}
	})
}

// TestRenew: a session's secret can be replaced without an end of it, by its own transport only.
func TestRenew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, &fakeNet{}, core.Driver{})
		defer func() { _ = h.stop() }()
		ran := h.net.ran(alice.ID)
		if err := h.net.host.Renew(t.Context(), alice.ID, core.Secret("new")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if a, err := h.net.host.Account(t.Context(), alice.ID); err != nil || string(a.Secret) != "new" || h.net.ran(alice.ID) != ran {
			t.Errorf("%q, %v, %d runs", string(a.Secret), err, h.net.ran(alice.ID)-ran)
		}
		if err := h.net.host.Renew(t.Context(), "nobody's", nil); kind(err) != core.NotFound {
			t.Error(err)
		}
		all, err := h.net.host.AccountsOf(t.Context(), alice.User)
		if err != nil || len(all) != 1 || all[0].ID != alice.ID {
			t.Errorf("%v, %v", all, err)
		}
	})
}
