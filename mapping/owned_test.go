package mapping

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"gangway/core"
)

func TestOwner(t *testing.T) {
	m, _ := newMap(t)
	a := link(t, m, core.Account{User: alice, Network: "email", Own: "Alice@gw.example"})
	for range 2 {
		for _, spelling := range []core.Address{"Alice@gw.example", "alice@GW.example"} {
			if got, err := m.Owner(t.Context(), "email", spelling, "x@example.com"); err != nil || got.ID != a.ID {
				t.Errorf("owner of %s: %+v, %v", spelling, got, err)
			}
		}
	}
	_, err := m.Owner(t.Context(), "sms", "alice@gw.example", "")
	wantKind(t, "another network", err, core.NotFound)
	_, err = m.Owner(t.Context(), "email", "", "")
	wantKind(t, "no address", err, core.NotFound)

	link(t, m, core.Account{User: alice, Network: "irc", Realm: "one", Own: "nick"})
	if _, err := m.Owner(t.Context(), "irc", "nick", ""); err != nil {
		t.Error(err)
	}
	link(t, m, core.Account{User: bob, Network: "irc", Realm: "two", Own: "Nick"})
	_, err = m.Owner(t.Context(), "irc", "nick", "")
	wantKind(t, "one nick in two realms", err, core.NotFound)
}

func TestClaims(t *testing.T) {
	m, c := newMap(t)
	first := link(t, m, core.Account{User: alice, Network: "email", Own: "Sales@gw.example"})
	_, err := m.Link(t.Context(), core.Account{User: bob, Network: "email", Own: "sales@gw.example"})
	wantKind(t, "somebody else's", err, core.Invalid)
	_, err = m.Link(t.Context(), core.Account{User: alice, Network: "email", Own: "sales@gw.example"})
	wantKind(t, "one's own again", err, core.Invalid)
	if all, _ := m.AccountsOf(t.Context(), bob); len(all) != 0 {
		t.Errorf("a refused link left an account: %+v", all)
	}

	first.Own = "sales@GW.example" // the same address, spelt otherwise
	link(t, m, first)
	if got, _ := m.Owner(t.Context(), "email", "sales@gw.example", ""); got.Own != "sales@GW.example" {
		t.Errorf("the new spelling was not kept: %+v", got)
	}

	first.Own = "info@gw.example"
	link(t, m, first)
	_, err = m.Owner(t.Context(), "email", "sales@gw.example", "")
	wantKind(t, "an address that was given up", err, core.NotFound)
	c.pass(1000 * day)
	_, err = m.Link(t.Context(), core.Account{User: bob, Network: "email", Own: "sales@gw.example"})
	wantKind(t, "a retired alias", err, core.Invalid)
	first.Own = "sales@gw.example"
	link(t, m, first) // its last owner may have it back

	nick := link(t, m, core.Account{User: alice, Network: "irc", Realm: "r", Own: "nick"})
	if err := m.Unlink(t.Context(), nick.ID); err != nil {
		t.Fatal(err)
	}
	link(t, m, core.Account{User: bob, Network: "irc", Realm: "r", Own: "nick"}) // nicks of others' networks are free at once
}

func TestNumbers(t *testing.T) {
	m, c := newMap(t)
	ctx := t.Context()
	const n1, n2 = core.Address("+15550100001"), core.Address("+15550100002")
	a := link(t, m, core.Account{User: alice, Network: "sms"})
	b := link(t, m, core.Account{User: bob, Network: "sms"})
	wantKind(t, "not in stock", m.Assign(ctx, "sms", n1, a.ID), core.NotFound)
	_, err := m.FreeNumber(ctx, "sms")
	wantKind(t, "empty stock", err, core.NotFound)
	for _, n := range []core.Address{n1, n1, n2} {
		if err := m.AddNumber(ctx, "sms", n); err != nil {
			t.Fatal(err)
		}
	}
	if free, err := m.FreeNumber(ctx, "sms"); err != nil || free.Address != n1 || free.Account != "" {
		t.Fatalf("%+v, %v", free, err)
	}
	if err := m.Assign(ctx, "sms", n1, a.ID); err != nil {
		t.Fatal(err)
	}
	wantKind(t, "taken", m.Assign(ctx, "sms", n1, b.ID), core.Invalid)
	wantKind(t, "no account", m.Assign(ctx, "sms", n2, "gone"), core.NotFound)
	irc := link(t, m, core.Account{User: bob, Network: "irc", Realm: "r"})
	wantKind(t, "another network", m.Assign(ctx, "sms", n2, irc.ID), core.Invalid)
	wantKind(t, "release what is nobody's", m.Release(ctx, "sms", n2), core.NotFound)
	if got, err := m.Owner(ctx, "sms", n1, ""); err != nil || got.ID != a.ID || got.Own != n1 {
		t.Errorf("%+v, %v", got, err)
	}

	if err := m.Release(ctx, "sms", n1); err != nil {
		t.Fatal(err)
	}
	if got, err := m.Account(ctx, a.ID); err != nil || got.Own != "" {
		t.Errorf("after release: %+v, %v", got, err)
	}
	err = m.Assign(ctx, "sms", n1, b.ID)
	wantKind(t, "in quarantine", err, core.Invalid)
	if !strings.Contains(core.AsError(err).Sentence(), "20 February 2027") {
		t.Errorf("the sentence does not say when: %v", err)
	}
	if free, _ := m.FreeNumber(ctx, "sms"); free.Address != n2 {
		t.Errorf("free: %+v", free)
	}
	if err := m.Assign(ctx, "sms", n1, a.ID); err != nil {
		t.Errorf("its last owner may have it back: %v", err)
	}
	if err := m.Unlink(ctx, a.ID); err != nil {
		t.Fatal(err)
	}
	c.pass(90*day - time.Second)
	wantKind(t, "in quarantine after unlink", m.Assign(ctx, "sms", n1, b.ID), core.Invalid)
	c.pass(time.Second)
	if err := m.Assign(ctx, "sms", n1, b.ID); err != nil {
		t.Errorf("after the quarantine: %v", err)
	}

	all, err := m.Numbers(ctx, "sms")
	if err != nil || len(all) != 2 || all[0].User != bob || all[0].Account != b.ID || !all[0].Pool {
		t.Errorf("%+v, %v", all, err)
	}
	tenures, err := m.Tenures(ctx, "sms", n1)
	if err != nil || len(tenures) != 3 || tenures[0].User != alice || tenures[0].Ended.IsZero() || tenures[2].User != bob || !tenures[2].Ended.IsZero() {
		t.Errorf("%+v, %v", tenures, err)
	}

	for _, n := range []core.Address{n1, n2} {
		if err := m.RemoveNumber(ctx, "sms", n); err != nil {
			t.Error(err)
		}
	}
	wantKind(t, "removed twice", m.RemoveNumber(ctx, "sms", n2), core.NotFound)
	if got, err := m.Owner(ctx, "sms", n1, ""); err != nil || got.ID != b.ID {
		t.Errorf("removing a number from stock took it from its owner: %v", err)
	}
}

// Whatever is done to addresses, by however many at once: an address has at most one owner, what an account calls its
// own it owns, and what the table says is what Owner says.
func TestAnAddressHasOneOwner(t *testing.T) {
	m, _ := newMap(t)
	ctx := t.Context()
	var accounts []core.Account
	for i := range 6 {
		accounts = append(accounts, link(t, m, core.Account{User: core.UserID(fmt.Sprintf("u%d@example.org", i/2)), Network: "sms"}))
	}
	for i := range 4 {
		if err := m.AddNumber(ctx, "sms", number(i)); err != nil {
			t.Fatal(err)
		}
	}
	m.opts.Quarantine = time.Nanosecond
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(worker)))
			for range 150 {
				a, n := accounts[r.IntN(len(accounts))], number(r.IntN(4))
				var err error
				switch r.IntN(5) {
				case 0, 1:
					err = m.Assign(ctx, "sms", n, a.ID)
				case 2:
					err = m.Release(ctx, "sms", n)
				case 3:
					a.Own = n
					_, err = m.Link(ctx, a)
				case 4:
					_, err = m.Owner(ctx, "sms", n, "")
				}
				var ours *core.Error
				if err != nil && (!errors.As(err, &ours) || ours.Kind != core.Invalid && ours.Kind != core.NotFound) {
					t.Errorf("unexpected: %v", err)
				}
			}
		})
	}
	wg.Wait()
	checkOwners(t, m, accounts)
}

func number(i int) core.Address { return core.Address(fmt.Sprintf("+1555010000%d", i)) }

func checkOwners(t *testing.T, m *Map, accounts []core.Account) {
	t.Helper()
	owners := make(map[core.Address]core.AccountID)
	for _, a := range accounts {
		got, err := m.Account(t.Context(), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got.Own == "" {
			continue
		}
		if other := owners[got.Own]; other != "" {
			t.Errorf("%s has two owners: %s and %s", got.Own, other, a.ID)
		}
		owners[got.Own] = a.ID
	}
	held := 0
	for i := range 4 {
		owner, err := m.Owner(t.Context(), "sms", number(i), "")
		if err == nil {
			held++
		}
		if want := owners[number(i)]; owner.ID != want {
			t.Errorf("owner of %s is %q, but the account that calls it its own is %q", number(i), owner.ID, want)
		}
	}
	if open := count(t, m, "tenure", "ended = 0"); open != held {
		t.Errorf("%d tenures are open, %d numbers are held", open, held)
	}
}

func TestFree(t *testing.T) {
	m, _ := newMap(t)
	ctx := t.Context()
	number := link(t, m, core.Account{User: alice, Network: "sms", Own: "+15550100001"})
	alias := link(t, m, core.Account{User: alice, Network: "email", Own: "alice@gw.example"})
	if err := m.Free(ctx, "sms", "+15550100001"); err != nil { // it stays hers
		t.Error(err)
	}
	_, err := m.Link(ctx, core.Account{User: bob, Network: "sms", Own: "+15550100001"})
	wantKind(t, "hers", err, core.Invalid)
	for _, a := range []core.Account{number, alias} {
		if err := m.Unlink(ctx, a.ID); err != nil {
			t.Fatal(err)
		}
	}
	_, err = m.Link(ctx, core.Account{User: bob, Network: "sms", Own: "+15550100001"})
	wantKind(t, "in quarantine", err, core.Invalid)
	if err := m.Free(ctx, "sms", "+15550100001"); err != nil {
		t.Fatal(err)
	}
	link(t, m, core.Account{User: bob, Network: "sms", Own: "+15550100001"})
	wantKind(t, "retired", m.Free(ctx, "email", "Alice@gw.example"), core.Invalid)
	if err := m.Free(ctx, "sms", "+15550100009"); err != nil {
		t.Error(err)
	}
}
