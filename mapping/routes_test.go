package mapping

import (
	"testing"

	"gangway/core"
)

// TestSpeaker: a conversation stays with the account that it went through last, also across a restart; without one the
// chosen account speaks, else the oldest.
func TestSpeaker(t *testing.T) {
	ctx := t.Context()
	m, _ := newMap(t)
	m.opts.Shared = []string{"email"}
	link := func(realm string, own core.Address) core.Account {
		t.Helper()
		a, err := m.Link(ctx, core.Account{User: "u@x", Network: "email", Realm: realm, Own: own})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	speaks := func(when string, peer core.Address, want core.Account) {
		t.Helper()
		got, err := m.Speaker(ctx, "u@x", "email", peer)
		if err != nil || got.ID != want.ID {
			t.Errorf("%s: %q speaks (%v), want %q", when, got.Own, err, want.Own)
		}
	}
	went := func(a core.Account, peer core.Address, want core.AccountID) {
		t.Helper()
		if before, err := m.Went(ctx, a, peer); err != nil || before != want {
			t.Errorf("went through %q: %q before (%v), want %q", a.Own, before, err, want)
		}
	}

	if _, err := m.Speaker(ctx, "u@x", "email", "p@x"); core.KindOf(err) != core.Unenrolled {
		t.Errorf("nobody speaks: %v", err)
	}
	first := link("box@a", "box@a")
	if a, err := m.AccountOf(ctx, "u@x", "email", ""); err != nil || a.ID != first.ID {
		t.Errorf("no realm: %v, %v", a.Own, err)
	}
	went(first, "early@x", "")
	if _, err := m.Contact(ctx, first.ID, "early@x"); core.KindOf(err) != core.NotFound {
		t.Errorf("one account, and a row: %v", err)
	}
	if _, err := m.Meet(ctx, first.ID, "met@x", ""); err != nil {
		t.Fatal(err)
	}
	second := link("", "u@gw")
	if a, err := m.AccountOf(ctx, "u@x", "email", ""); err != nil || a.ID != second.ID {
		t.Errorf("no realm: %v, %v", a.Own, err)
	}
	if err := m.SetPreferences(ctx, "u@x", "email", core.Preferences{Account: second.ID}); err != nil {
		t.Fatal(err)
	}
	speaks("chosen", "new@x", second)
	speaks("met before there was another", "met@x", first)

	went(second, "p@x", "")
	speaks("through the second", "P@x", second)
	went(first, "p@x", second.ID)
	speaks("through the first", "p@X", first)
	went(first, "p@x", first.ID)
	went(second, "p@x", first.ID)
	speaks("through the second again", "p@x", second)
	went(first, "p@x", second.ID)

	fresh, err := Open(ctx, m.db, m.sealer, m.opts)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := fresh.Speaker(ctx, "u@x", "email", "p@x"); err != nil || a.ID != first.ID {
		t.Errorf("after a restart: %v, %v", a.Own, err)
	}
	if err := m.Unlink(ctx, first.ID); err != nil {
		t.Fatal(err)
	}
	speaks("the other is gone", "p@x", second)
	if _, err := m.Speaker(ctx, "other@x", "email", "p@x"); core.KindOf(err) != core.Unenrolled {
		t.Errorf("somebody else's conversation: %v", err)
	}
}

// TestOneRealmIsNotAnother: where accounts are not shared, none stands for another realm.
func TestOneRealmIsNotAnother(t *testing.T) {
	m, _ := newMap(t)
	if _, err := m.Link(t.Context(), core.Account{User: "u@x", Network: "irc", Realm: "irc.a"}); err != nil {
		t.Fatal(err)
	}
	if _, err := m.AccountOf(t.Context(), "u@x", "irc", ""); core.KindOf(err) != core.Unenrolled {
		t.Error(err)
	}
}
