package mapping

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/store"
)

func TestLink(t *testing.T) {
	m, c := newMap(t)
	a := link(t, m, core.Account{User: alice, Network: "email", Own: "Alice@gw.example", Secret: []byte("one")})
	if a.ID == "" || !a.Created.Equal(c.at) {
		t.Fatalf("%+v", a)
	}
	c.pass(time.Hour)
	a.Name, a.Secret = "Alice L.", nil
	a.Created = time.Time{}
	b := link(t, m, a)
	if b.ID != a.ID || !b.Created.Equal(c.at.Add(-time.Hour)) {
		t.Errorf("changed: %+v", b)
	}
	got, err := m.Account(t.Context(), a.ID)
	if err != nil || got.Name != "Alice L." || got.Secret != nil {
		t.Errorf("%+v, %v", got, err)
	}

	_, err = m.Link(t.Context(), core.Account{Network: "email"})
	wantKind(t, "no user", err, core.Invalid)
	_, err = m.Link(t.Context(), core.Account{User: alice})
	wantKind(t, "no network", err, core.Invalid)
	_, err = m.Link(t.Context(), core.Account{ID: "gone", User: alice, Network: "email"})
	wantKind(t, "an account that is gone", err, core.NotFound)
	a.User = bob
	_, err = m.Link(t.Context(), a)
	wantKind(t, "another user", err, core.Invalid)
}

func TestAccountOf(t *testing.T) {
	m, c := newMap(t)
	_, err := m.AccountOf(t.Context(), alice, "irc", "irc.libera.chat")
	wantKind(t, "nobody", err, core.Unenrolled)
	oldest := link(t, m, core.Account{User: alice, Network: "irc", Realm: "irc.libera.chat", Own: "alice"})
	c.pass(time.Second)
	second := link(t, m, core.Account{User: alice, Network: "irc", Realm: "irc.libera.chat", Own: "alice2"})
	link(t, m, core.Account{User: alice, Network: "irc", Realm: "irc.oftc.net", Own: "alice"})
	link(t, m, core.Account{User: bob, Network: "irc", Realm: "irc.libera.chat", Own: "bob"})
	for range 2 { // from the database, then from the cache
		if got, err := m.AccountOf(t.Context(), alice, "irc", "irc.libera.chat"); err != nil || got.ID != oldest.ID {
			t.Errorf("got %+v, %v; want the oldest", got, err)
		}
	}
	if err := m.Unlink(t.Context(), oldest.ID); err != nil {
		t.Fatal(err)
	}
	if got, err := m.AccountOf(t.Context(), alice, "irc", "irc.libera.chat"); err != nil || got.ID != second.ID {
		t.Errorf("got %+v, %v; want the second", got, err)
	}
	all, err := m.Accounts(t.Context(), "irc")
	if err != nil || len(all) != 3 || !slices.ContainsFunc(all, func(a core.Account) bool { return a.ID == second.ID }) {
		t.Errorf("%+v, %v", all, err)
	}
	mine, err := m.AccountsOf(t.Context(), alice)
	if err != nil || len(mine) != 2 {
		t.Errorf("%+v, %v", mine, err)
	}
	if users, err := m.Users(t.Context()); err != nil || fmt.Sprint(users) != "[alice@example.org bob@example.org]" {
		t.Errorf("%v, %v", users, err)
	}
}

func TestUnlinkTakesEverything(t *testing.T) {
	m, _ := newMap(t)
	a := link(t, m, core.Account{User: alice, Network: "sms", Own: "+15550100001"})
	other := link(t, m, core.Account{User: bob, Network: "sms", Own: "+15550100002"})
	for _, id := range []core.AccountID{a.ID, other.ID} {
		if err := m.PutContact(t.Context(), Contact{Account: id, Address: "+15550100009", Alias: "x"}); err != nil {
			t.Fatal(err)
		}
		err := m.db.Write(t.Context(), func(tx *store.Tx) error {
			for i := range slice + 5 {
				e := &core.Message{Ref: core.Ref{Account: id}, IDs: core.IDs{Remote: core.RemoteID(fmt.Sprint(i))}}
				if err := m.Put(t.Context(), tx, &core.Item{Direction: core.ToXMPP, Event: e}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Unlink(t.Context(), a.ID); err != nil {
		t.Fatal(err)
	}
	wantKind(t, "unlink again", m.Unlink(t.Context(), a.ID), core.NotFound)
	_, err := m.Account(t.Context(), a.ID)
	wantKind(t, "account", err, core.NotFound)
	_, err = m.AccountOf(t.Context(), alice, "sms", "")
	wantKind(t, "account of", err, core.Unenrolled)
	_, err = m.Owner(t.Context(), "sms", "+15550100001", "")
	wantKind(t, "owner", err, core.NotFound)
	_, err = m.Contact(t.Context(), a.ID, "+15550100009")
	wantKind(t, "contact", err, core.NotFound)
	wantKind(t, "a contact of an account that is gone", m.PutContact(t.Context(), Contact{Account: a.ID, Address: "x"}), core.NotFound)
	if n := count(t, m, "messages", "account = '"+string(a.ID)+"'"); n != 0 {
		t.Errorf("%d messages are left", n)
	}
	if n := count(t, m, "messages", "account = '"+string(other.ID)+"'"); n != slice+5 {
		t.Errorf("%d messages of another user are left", n)
	}
	if _, err := m.ContactByAlias(t.Context(), other.ID, "X"); err != nil {
		t.Errorf("another user's contact: %v", err)
	}
}

func count(t testing.TB, m *Map, table, where string) (n int) {
	t.Helper()
	err := m.db.Read(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(t.Context(), "SELECT count(*) FROM "+table+" WHERE "+where).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// What is handed out may be changed by who got it, and changes nothing for others.
func TestAccountsAreCopies(t *testing.T) {
	m, _ := newMap(t)
	given := core.Account{User: alice, Network: "email", Secret: []byte("secret"), Options: map[string]string{"k": "v"}}
	a := link(t, m, given)
	a.Secret[0], a.Options["k"] = 'X', "X"
	for range 3 {
		got, err := m.Account(t.Context(), a.ID)
		if err != nil || string(got.Secret) != "secret" || got.Options["k"] != "v" {
			t.Fatalf("%q %v %v", got.Secret, got.Options, err)
		}
		got.Secret[0], got.Options["k"] = 'X', "X"
	}
	if string(given.Secret) != "secret" {
		t.Error("the caller's secret was changed")
	}
}

func TestTheCacheIsBounded(t *testing.T) {
	m, _ := newMap(t)
	m.cache = newCache(16)
	var ids []core.AccountID
	for i := range 100 {
		a := link(t, m, core.Account{User: core.UserID(fmt.Sprintf("u%d@example.org", i)), Network: "sms", Own: core.Address(fmt.Sprintf("+1555%07d", i))})
		ids = append(ids, a.ID)
	}
	for range 2 {
		for i, id := range ids {
			user := core.UserID(fmt.Sprintf("u%d@example.org", i))
			a, err := m.Account(t.Context(), id)
			b, err2 := m.AccountOf(t.Context(), user, "sms", "")
			c, err3 := m.Owner(t.Context(), "sms", a.Own, "")
			if err != nil || err2 != nil || err3 != nil || a.User != user || b.ID != id || c.ID != id {
				t.Fatalf("%v %v %v", err, err2, err3)
			}
		}
	}
	if a, b, c := len(m.cache.byID), len(m.cache.byUser), len(m.cache.byOwn); a > 16 || b > 16 || c > 16 || a == 0 {
		t.Errorf("the cache holds %d, %d, %d of 16", a, b, c)
	}
}

// Whoever asks after a write has returned gets what it wrote, however many ask at the same time.
func TestTheCacheIsNeverBehind(t *testing.T) {
	m, _ := newMap(t)
	a := link(t, m, core.Account{User: alice, Network: "irc", Realm: "r", Own: "nick0"})
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				_, _ = m.Account(t.Context(), a.ID)
				_, _ = m.AccountOf(t.Context(), alice, "irc", "r")
				_, _ = m.Owner(t.Context(), "irc", "nick0", "")
				_, _ = m.Owner(t.Context(), "irc", "nick1", "")
			}
		})
	}
	for i := range 30 {
		a.Name, a.Own = fmt.Sprint(i), core.Address(fmt.Sprintf("nick%d", i%2))
		link(t, m, a)
		got, err := m.Account(t.Context(), a.ID)
		if err != nil || got.Name != a.Name {
			t.Fatalf("round %d: %+v, %v", i, got, err)
		}
		if got, err := m.AccountOf(t.Context(), alice, "irc", "r"); err != nil || got.Name != a.Name {
			t.Fatalf("round %d: of user: %+v, %v", i, got, err)
		}
		if got, err := m.Owner(t.Context(), "irc", a.Own, ""); err != nil || got.Name != a.Name {
			t.Fatalf("round %d: owner: %+v, %v", i, got, err)
		}
		if _, err := m.Owner(t.Context(), "irc", core.Address(fmt.Sprintf("nick%d", (i+1)%2)), ""); core.KindOf(err) != core.NotFound {
			t.Fatalf("round %d: the address before still has an owner: %v", i, err)
		}
	}
	close(stop)
	readers.Wait()
}

// A secret that does not open costs its account only what needs the secret.
func TestDamagedSecret(t *testing.T) {
	m, _ := newMap(t)
	a := link(t, m, core.Account{User: alice, Network: "email", Own: "a@gw", Secret: []byte("secret")})
	b := link(t, m, core.Account{User: bob, Network: "email", Own: "b@gw", Secret: []byte("secret")})
	// A thief of rows: another account's sealed secret does not open.
	err := m.db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), "UPDATE accounts SET secret = (SELECT secret FROM accounts WHERE id = ?) WHERE id = ?", string(b.ID), string(a.ID))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Account(t.Context(), a.ID)
	wantKind(t, "a secret from another row", err, core.Internal)
	if _, err := m.Account(t.Context(), b.ID); err != nil {
		t.Error(err)
	}
	a.Secret = []byte("again")
	link(t, m, a)
	if got, err := m.Account(t.Context(), a.ID); err != nil || string(got.Secret) != "again" {
		t.Errorf("linked again: %v", err)
	}
}
