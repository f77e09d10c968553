package archive

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/store"
)

func TestSweep(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  Config
		want string
		gone int64
	}{
		{"nothing", Config{Keep: time.Hour, Limit: 10}, "a1 a2 a3 a4 a5 a6 a7 a8 a9 a10", 0},
		{"by age", Config{Keep: 3 * time.Minute}, "a7 a8 a9 a10", 6},
		{"by number", Config{Limit: 4}, "a7 a8 a9 a10", 6},
		{"both", Config{Keep: 8 * time.Minute, Limit: 2}, "a9 a10", 8},
		{"all of it", Config{Keep: time.Nanosecond}, "a10", 9}, // said at this very moment
	} {
		r := newRig(t, c.cfg)
		r.ten()
		if got := r.page(Query{Page: Page{Max: 20}}); got != "a1 a2 a3 a4 a5 a6 a7 a8 a9 a10" {
			t.Fatalf("%s: before: %q", c.name, got)
		}
		n, err := r.Sweep(t.Context())
		if err != nil || n != c.gone {
			t.Errorf("%s: %d gone, %v", c.name, n, err)
		}
		if got := r.page(Query{Page: Page{Max: 20}}); got != c.want {
			t.Errorf("%s: left %q, want %q", c.name, got, c.want)
		}
	}
}

// Other bounds are in force at the next sweep.
func TestRetain(t *testing.T) {
	r := newRig(t, Config{Keep: time.Hour, Limit: 10})
	r.ten()
	if got := r.page(Query{Page: Page{Max: 20}}); got != "a1 a2 a3 a4 a5 a6 a7 a8 a9 a10" {
		t.Fatal(got)
	}
	r.Retain(8*time.Minute, 4)
	if n, err := r.Sweep(t.Context()); err != nil || n != 6 {
		t.Errorf("%d gone, %v", n, err)
	}
	r.Retain(0, 0)
	if n, err := r.Sweep(t.Context()); err != nil || n != 0 {
		t.Errorf("%d gone by the defaults, %v", n, err)
	}
}

// TestSweepForgetsRooms: a room in which nothing is left is not kept either, and begins anew.
func TestSweepForgetsRooms(t *testing.T) {
	r := newRig(t, Config{Keep: time.Minute})
	r.add(saidAt(5, "a1", "dave", "old"))
	if got := r.page(Query{Page: Page{Max: 20}}); got != "a1" {
		t.Fatal(got)
	}
	if n, err := r.Sweep(t.Context()); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if all, err := r.Accounts(t.Context()); len(all) != 0 || err != nil {
		t.Errorf("accounts: %v, %v", all, err)
	}
	r.add(saidAt(0, "a2", "dave", "new"))
	if got := r.page(Query{Page: Page{Max: 20}}); got != "a2" {
		t.Errorf("afterwards: %q", got)
	}
}

func TestForgetAndExport(t *testing.T) {
	r := newRig(t, Config{})
	for i := range store.Slice + 10 {
		r.add(saidAt(1, fmt.Sprint("a", i), "dave", "x"))
	}
	for _, ref := range []core.Ref{{Account: "alice", Peer: "#other"}, {Account: "bob", Peer: "#lobby"}} {
		e := saidAt(1, "b", "dave", "y")
		e.Event.(*core.Message).Ref = ref
		r.add(e)
	}
	export := func(account core.AccountID) (n int) {
		t.Helper()
		err := r.Export(t.Context(), account, func(e core.Archived) error {
			if e.Event.Where().Account != account {
				t.Errorf("%s is shown what is %s's", account, e.Event.Where().Account)
			}
			n++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := export("alice"); n != store.Slice+11 {
		t.Errorf("%d events exported", n)
	}
	enough := errors.New("enough")
	if err := r.Export(t.Context(), "alice", func(core.Archived) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("an export that is broken off: %v", err)
	}
	if all, err := r.Accounts(t.Context()); fmt.Sprint(all) != "[alice bob]" || err != nil {
		t.Errorf("accounts: %v, %v", all, err)
	}
	if err := r.ForgetRoom(t.Context(), core.Ref{Account: "alice", Peer: "#other"}); err != nil {
		t.Fatal(err)
	}
	if n := export("alice"); n != store.Slice+10 {
		t.Errorf("%d events without a room", n)
	}
	r.add(saidAt(0, "waiting", "dave", "still in the queue"))
	if err := r.Forget(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	if a, b := export("alice"), export("bob"); a != 0 || b != 1 {
		t.Errorf("%d of alice's and %d of bob's are left", a, b)
	}
	if err := r.Forget(t.Context(), "nobody"); err != nil {
		t.Errorf("nobody: %v", err)
	}
}
