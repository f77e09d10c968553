package mapping

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/store"
)

const (
	benchAccounts = 1000
	benchContacts = 1000 // of each account
)

// BenchmarkLookUp asks a table of 1,000,000 contacts and its 1,000 accounts. The table is built once, which takes
// most of the time.
func BenchmarkLookUp(b *testing.B) {
	m, accounts := bigMap(b)
	ctx := context.Background()
	one := func(name string, ask func(i int) error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			used := cpu(b)
			for i := 0; b.Loop(); i++ {
				if err := ask(i * 7919); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpu(b)-used)/float64(b.N), "cpu-ns/op")
		})
	}
	missed := func(err error) error {
		if core.KindOf(err) == core.NotFound || core.KindOf(err) == core.Unenrolled {
			return nil
		}
		return err
	}
	account := func(i int) core.Account { return accounts[i%benchAccounts] }
	one("contact/hit", func(i int) error {
		_, err := m.Contact(ctx, account(i).ID, contactAddress(i%benchContacts))
		return err
	})
	one("contact/miss", func(i int) error {
		_, err := m.Contact(ctx, account(i).ID, contactAddress(benchContacts+i))
		return missed(err)
	})
	one("contact/alias", func(i int) error {
		_, err := m.ContactByAlias(ctx, account(i).ID, "boss")
		return err
	})
	one("account/cached", func(i int) error { _, err := m.Account(ctx, account(i).ID); return err })
	one("account-of-user/cached", func(i int) error {
		_, err := m.AccountOf(ctx, account(i).User, "email", "")
		return err
	})
	one("account-of-user/unenrolled", func(i int) error {
		_, err := m.AccountOf(ctx, "nobody@example.org", "email", "")
		return missed(err)
	})
	one("owner/cached", func(i int) error { _, err := m.Owner(ctx, "email", account(i).Own, ""); return err })
	one("owner/nobody", func(i int) error { _, err := m.Owner(ctx, "email", "nobody@gw.example", ""); return missed(err) })
	m.cache = newCache(0) // keeps one account at a time
	one("account/uncached", func(i int) error { _, err := m.Account(ctx, account(i).ID); return err })
	one("account-of-user/uncached", func(i int) error {
		_, err := m.AccountOf(ctx, account(i).User, "email", "")
		return err
	})
	one("owner/uncached", func(i int) error { _, err := m.Owner(ctx, "email", account(i).Own, ""); return err })
}

// BenchmarkPerMessage is what is asked for every message, chat state and presence, of an account that blocks nobody and
// of one that blocks a hundred.
func BenchmarkPerMessage(b *testing.B) {
	m, _ := newMap(b)
	ctx := b.Context()
	plain := link(b, m, core.Account{User: alice, Network: "email", Own: "alice@gw.example"})
	picky := link(b, m, core.Account{User: bob, Network: "email", Own: "bob@gw.example"})
	err := m.db.Write(ctx, func(tx *store.Tx) error {
		for i := range 100 {
			address := Fold(string(contactAddress(i)))
			if _, err := tx.Exec(ctx, blockContact, string(picky.ID), address, address, 1, 0); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	peer := contactAddress(1000)
	for name, ask := range map[string]func() error{
		"person":       func() error { _, err := m.Person(ctx, alice); return err },
		"preferences":  func() error { _, err := m.Preferences(ctx, alice, "email"); return err },
		"blocked/none": func() error { _, err := m.Blocked(ctx, plain.ID, peer); return err },
		"blocked/100":  func() error { _, err := m.Blocked(ctx, picky.ID, peer); return err },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := ask(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// cpu is what the process has used so far: on a busy machine it says more than the clock on the wall.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func contactAddress(i int) core.Address {
	return core.Address(fmt.Sprintf("Person.%06d@example.com", i))
}

func bigMap(b *testing.B) (*Map, []core.Account) {
	b.Helper()
	path := filepath.Join(b.TempDir(), "gangway.db")
	m, err := Open(b.Context(), openDB(b, path), NewSealer(testKey(b, "a")), Options{})
	if err != nil {
		b.Fatal(err)
	}
	accounts := make([]core.Account, benchAccounts)
	for i := range accounts {
		accounts[i] = link(b, m, core.Account{User: core.UserID(fmt.Sprintf("user%d@example.org", i)), Network: "email",
			Own: core.Address(fmt.Sprintf("user%d@gw.example", i)), Secret: []byte("password"), Options: map[string]string{"trim": "off"}})
		fillContacts(b, m, accounts[i].ID)
	}
	if info, err := os.Stat(path); err == nil {
		b.Logf("%d contacts, %d MiB", benchAccounts*benchContacts, info.Size()>>20)
	}
	return m, accounts
}

func fillContacts(b *testing.B, m *Map, id core.AccountID) {
	b.Helper()
	err := m.db.Write(b.Context(), func(tx *store.Tx) error {
		for j := range benchContacts {
			address, alias := contactAddress(j), ""
			if j == 0 {
				alias = "boss"
			}
			_, err := tx.Exec(b.Context(), upsertContact, string(id), Fold(string(address)), string(address),
				fmt.Sprintf("Person %d", j), alias, alias, 0, 0)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkJournal measures what a message costs the ledger from Put to Settle, 256 of them to a transaction, the
// commit included.
func BenchmarkJournal(b *testing.B) {
	m, _ := newMap(b)
	b.ReportAllocs()
	used := cpu(b)
	for b.Loop() {
		err := m.db.Write(b.Context(), func(tx *store.Tx) error {
			for range 256 {
				msg := submitted(core.NewID())
				it := &core.Item{Direction: core.ToNetwork, Event: msg}
				if err := m.Put(b.Context(), tx, it); err != nil {
					return err
				}
				v := core.Verdict{Outcome: core.Done, Taken: core.Taken{Remote: core.RemoteID(msg.ID), State: core.Accepted}}
				if err := m.Settle(b.Context(), tx, it, v); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/256, "ns/message")
	b.ReportMetric(float64(cpu(b)-used)/float64(b.N)/256, "cpu-ns/message")
}

func BenchmarkEscape(b *testing.B) {
	for name, text := range map[string]string{"plain": "+15551234567", "mail": "alice.liddell@example.com"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				local, err := LocalPart(text)
				if err != nil || AddressText(local) != text {
					b.Fatal(local, err)
				}
			}
		})
	}
}
