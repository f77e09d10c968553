package mapping

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/store"
)

func stand(t testing.TB, m *Map, user core.UserID, s core.Standing) core.Person {
	t.Helper()
	p, err := m.ChangePerson(t.Context(), user, func(p *core.Person) error { p.Standing = s; return nil })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func standing(t testing.TB, m *Map, user core.UserID) core.Standing {
	t.Helper()
	p, err := m.Person(t.Context(), user)
	if err != nil || p.User != user {
		t.Fatalf("%+v, %v", p, err)
	}
	return p.Standing
}

func TestPerson(t *testing.T) {
	m, clock := newMap(t)
	if s := standing(t, m, alice); s != core.Stranger {
		t.Errorf("nobody yet: %v", s)
	}
	first := stand(t, m, alice, core.Pending)
	clock.pass(time.Hour)
	second := stand(t, m, alice, core.Registered)
	if second.Since != first.Since || second.Changed.Sub(first.Changed) != time.Hour {
		t.Errorf("since %v and %v, changed %v and %v", first.Since, second.Since, first.Changed, second.Changed)
	}
	if s := standing(t, m, alice); s != core.Registered { // the stranger who was remembered is forgotten
		t.Errorf("%v", s)
	}
	refused := errors.New("no")
	_, err := m.ChangePerson(t.Context(), alice, func(p *core.Person) error { p.Standing = core.Suspended; return refused })
	if !errors.Is(err, refused) || standing(t, m, alice) != core.Registered {
		t.Errorf("a change that was refused: %v", err)
	}
	stand(t, m, bob, core.Suspended)
	all, err := m.People(t.Context(), core.PeopleFilter{})
	if err != nil || len(all) != 2 || all[0].User != alice {
		t.Errorf("%v, %v", all, err)
	}
	some, err := m.People(t.Context(), core.PeopleFilter{Standing: core.Suspended})
	if err != nil || len(some) != 1 || some[0].User != bob {
		t.Errorf("%v, %v", some, err)
	}
	stand(t, m, bob, core.Stranger)
	if n := count(t, m, "people", "user_id = 'bob@example.org'"); n != 0 {
		t.Error("a stranger has a row")
	}
}

// An account lets in who waits for it, and not who is suspended.
func TestLinkRegisters(t *testing.T) {
	for before, after := range map[core.Standing]core.Standing{
		core.Stranger: core.Registered, core.Pending: core.Registered, core.Registered: core.Registered, core.Suspended: core.Suspended,
	} {
		m, _ := newMap(t)
		if before != core.Stranger {
			stand(t, m, alice, before)
		}
		if standing(t, m, alice) != before { // into memory
			t.Fatal("not remembered")
		}
		link(t, m, core.Account{User: alice, Network: "irc", Realm: "r"})
		if s := standing(t, m, alice); s != after {
			t.Errorf("%v becomes %v, want %v", before, s, after)
		}
	}
}

func TestPendingIsBounded(t *testing.T) {
	m, clock := newMap(t)
	err := m.db.Write(t.Context(), func(tx *store.Tx) error {
		for i := range maxPending {
			_, err := tx.Exec(t.Context(), upsertPerson, fmt.Sprintf("u%d@example.org", i), 1, 1, millis(clock.now()), "", "", "", "", 0)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.ChangePerson(t.Context(), alice, func(p *core.Person) error { p.Standing = core.Pending; return nil })
	wantKind(t, "one request too many", err, core.OverLimit)
	stand(t, m, bob, core.Registered)
	if standing(t, m, "u1@example.org") != core.Pending {
		t.Fatal("not pending")
	}
	clock.pass(waitFor + time.Hour)
	if n, err := m.Sweep(t.Context()); err != nil || n != maxPending {
		t.Errorf("%d swept, %v", n, err)
	}
	if standing(t, m, "u1@example.org") != core.Stranger || standing(t, m, bob) != core.Registered {
		t.Error("swept wrongly")
	}
	stand(t, m, alice, core.Pending)
}

func TestPreferences(t *testing.T) {
	m, _ := newMap(t)
	ctx := t.Context()
	if p, err := m.Preferences(ctx, alice, "irc"); err != nil || p.HideTyping || p.Own != nil {
		t.Errorf("%+v, %v", p, err)
	}
	wantKind(t, "of a stranger", m.SetPreferences(ctx, alice, "irc", core.Preferences{HideRead: true}), core.Unenrolled)
	a := link(t, m, core.Account{User: alice, Network: "irc", Realm: "r"})
	other := link(t, m, core.Account{User: alice, Network: "irc", Realm: "s"})
	want := core.Preferences{HideTyping: true, Language: "de", Own: map[string]string{"trim": "off"}}
	if err := m.SetPreferences(ctx, alice, "irc", want); err != nil {
		t.Fatal(err)
	}
	for range 2 { // from the table, and from memory
		got, err := m.Preferences(ctx, alice, "irc")
		if err != nil || !got.HideTyping || got.Language != "de" || got.Own["trim"] != "off" {
			t.Errorf("%+v, %v", got, err)
		}
		got.Own["trim"] = "mine"
	}
	if p, err := m.Preferences(ctx, alice, "email"); err != nil || p.HideTyping {
		t.Errorf("another network: %+v, %v", p, err)
	}
	if err := m.Unlink(ctx, a.ID); err != nil {
		t.Fatal(err)
	}
	if p, _ := m.Preferences(ctx, alice, "irc"); !p.HideTyping {
		t.Error("gone with the first of two accounts")
	}
	if err := m.Unlink(ctx, other.ID); err != nil {
		t.Fatal(err)
	}
	if p, _ := m.Preferences(ctx, alice, "irc"); p.HideTyping || count(t, m, "preferences", "1") != 0 {
		t.Error("not gone with the last account")
	}
	long := core.Preferences{Own: map[string]string{"x": string(make([]byte, maxChosen))}}
	wantKind(t, "too long", m.SetPreferences(ctx, alice, "irc", long), core.TooLarge)
}

func TestBlocked(t *testing.T) {
	m, _ := newMap(t)
	ctx := t.Context()
	a := link(t, m, core.Account{User: alice, Network: "email", Own: "alice@gw.example"})
	is := func(peer core.Address, want bool) {
		t.Helper()
		if got, err := m.Blocked(ctx, a.ID, peer); err != nil || got != want {
			t.Errorf("%s blocked: %v, %v", peer, got, err)
		}
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	is("eve@x.example", false)
	do(m.Block(ctx, a.ID, "Eve@x.example", true))
	is("eVE@X.example", true)
	is("adam@x.example", false)
	do(m.PutContact(ctx, Contact{Account: a.ID, Address: "adam@x.example", Blocked: true}))
	is("adam@x.example", true)
	do(m.PutContact(ctx, Contact{Account: a.ID, Address: "adam@x.example"}))
	is("adam@x.example", false)
	do(m.RemoveContact(ctx, a.ID, "eve@x.example"))
	is("eve@x.example", false)
	is("", false)
	do(m.db.Write(ctx, func(tx *store.Tx) error { // more than are kept in memory
		for i := range blockedMost + 1 {
			address := fmt.Sprintf("p%d@x.example", i)
			if _, err := tx.Exec(ctx, blockContact, string(a.ID), address, address, 1, 0); err != nil {
				return err
			}
		}
		return nil
	}))
	do(m.Block(ctx, a.ID, core.Address(fmt.Sprintf("p%d@x.example", blockedMost+1)), true))
	is("P0@x.example", true)
	is(core.Address(fmt.Sprintf("p%d@x.example", blockedMost+1)), true)
	is("q@x.example", false)
	list, err := m.BlockedContacts(ctx, a.ID, "")
	if err != nil || len(list) != blockedMost+2 {
		t.Errorf("%d listed, %v", len(list), err)
	}
	do(m.Unlink(ctx, a.ID))
	is("p0@x.example", false)
}

// What a person is asked for every message costs no look into the database.
func TestHotAnswersAreRemembered(t *testing.T) {
	m, _ := newMap(t)
	a := link(t, m, core.Account{User: alice, Network: "email", Own: "alice@gw.example"})
	gone, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range 2 {
		_, err := m.Person(gone, alice)
		_, err2 := m.Preferences(gone, alice, "email")
		_, err3 := m.Blocked(gone, a.ID, "eve@x.example")
		if err := errors.Join(err, err2, err3); err != nil {
			t.Fatal(err)
		}
		cancel() // the second time round a query would fail
	}
	if _, err := m.Person(gone, bob); err == nil {
		t.Error("a look into the database does not notice that the context is over")
	}
}

func TestMemoDoesNotKeepWhatIsOld(t *testing.T) {
	m := newMemo[int, string](8)
	_, _, before := m.get(1)
	m.forget(1)
	m.fill(before, 1, "old")
	if _, ok, _ := m.get(1); ok {
		t.Error("an answer from before the write was kept")
	}
	for i := range 100 {
		_, _, now := m.get(i)
		m.fill(now, i, "new")
	}
	if n := len(m.answers); n > 8 {
		t.Errorf("%d answers kept of 8", n)
	}
}

// The tables of people find those who have accounts already.
func TestMigratePeople(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.db")
	db := openDB(t, path)
	m, err := Open(t.Context(), db, NewSealer(testKey(t, "a")), Options{})
	if err != nil {
		t.Fatal(err)
	}
	link(t, m, core.Account{User: alice, Network: "irc", Realm: "r"})
	err = db.Write(t.Context(), func(tx *store.Tx) error {
		for _, q := range []string{
			"DROP TABLE people", "DROP TABLE preferences", "DROP TABLE invites", "DROP INDEX contacts_blocked",
			"ALTER TABLE contacts DROP COLUMN listed", "ALTER TABLE contacts DROP COLUMN used", "ALTER TABLE contacts DROP COLUMN welcome", "DROP TABLE requests", "DROP TABLE aliases", "ALTER TABLE messages DROP COLUMN changed", "ALTER TABLE messages DROP COLUMN whole", "ALTER TABLE messages DROP COLUMN parts", "DELETE FROM schema_mapping WHERE version_id > 1",
		} {
			if _, err := tx.Exec(t.Context(), q); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if m, err = Open(t.Context(), db, NewSealer(testKey(t, "a")), Options{}); err != nil {
		t.Fatal(err)
	}
	if s := standing(t, m, alice); s != core.Registered {
		t.Errorf("who has an account is %v", s)
	}
}
