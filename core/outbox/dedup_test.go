package outbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
)

// taken puts an item and says whether it was new.
func (r *rig) taken(it *core.Item) bool {
	r.t.Helper()
	err := r.box.Put(context.Background(), it)
	if err != nil && !errors.Is(err, core.ErrDuplicate) {
		r.t.Fatalf("put: %v", err)
	}
	if (err == nil) != (it.Seq != 0) {
		r.t.Errorf("err = %v, seq = %d", err, it.Seq)
	}
	return err == nil
}

func TestDuplicates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		toXMPP := func(key string) *core.Item {
			it := keyed("a", "x", key)
			it.Direction = core.ToXMPP
			return it
		}
		irc := keyed("a", "x", "k")
		irc.Network = "irc"
		for _, test := range []struct {
			name string
			it   *core.Item
			want bool
		}{
			{"new", keyed("a", "1", "k"), true},
			{"again", keyed("a", "1", "k"), false},
			{"another lane and text", keyed("b", "2", "k"), false},
			{"another key", keyed("a", "1", "k2"), true},
			{"another network", irc, true},
			{"the other direction", toXMPP("k"), true},
			{"the other direction again", toXMPP("k"), false},
			{"no key", item("a", "1"), true},
			{"no key again", item("a", "1"), true},
		} {
			if got := r.taken(test.it); got != test.want {
				t.Errorf("%s: taken = %v", test.name, got)
			}
		}
		r.put(keyed("c", "1", "k"), keyed("c", "2", "k3"), keyed("c", "3", "k3"))
		var texts []string
		for _, l := range r.pending() {
			if l.Lane == "c" {
				texts = append(texts, text(&l.Item))
			}
		}
		want(t, "of several", texts, "[2]")
		r.close()
	})
}

// A key is remembered through the item's end, a restart and a merge, for its time and no longer.
func TestKeysAreRemembered(t *testing.T) {
	for _, between := range []struct {
		name string
		do   func(r *rig)
	}{
		{"nothing", func(*rig) {}},
		{"restart", func(r *rig) { r.reopen() }},
		{"merge", func(r *rig) {
			if err := r.box.merge(context.Background(), 1); err != nil {
				r.t.Fatal(err)
			}
			want(r.t, "recent", r.box.seen.size.Load(), 0)
		}},
		{"merge and restart", func(r *rig) {
			if err := r.box.merge(context.Background(), 1); err != nil {
				r.t.Fatal(err)
			}
			r.reopen()
		}},
		{"half a merge and restart", func(r *rig) {
			mustExec(r.t, r, "INSERT OR REPLACE INTO outbox_seen SELECT substr(digests, 1, 16), ? FROM outbox_seen_new", micros(time.Now().Add(time.Hour)))
			r.reopen()
		}},
		{"run", func(r *rig) {
			var c recorder
			r.run(c.handler())
			pass(2 * mergeEvery)
			r.halt()
			want(r.t, "pending", len(r.pending()), 0)
		}},
	} {
		t.Run(between.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, Config{DedupFor: DedupFor{ToNetwork: time.Hour}})
				r.put(keyed("a", "1", "k"))
				r.put(keyed("a", "2", "k2"))
				between.do(r)
				if r.taken(keyed("a", "1", "k")) || r.taken(keyed("a", "1", "k2")) {
					t.Error("taken twice")
				}
				pass(time.Hour)
				if !r.taken(keyed("a", "1", "k")) {
					t.Error("remembered for too long")
				}
				if r.taken(keyed("a", "1", "k")) {
					t.Error("taken twice the second time")
				}
				between.do(r)
				if r.taken(keyed("a", "1", "k")) {
					t.Error("taken twice the second time, later")
				}
				r.close()
			})
		})
	}
}

// Producers that repeat one another in the same transaction: each key is taken once.
func TestDuplicatesSideBySide(t *testing.T) {
	r := newRig(t, Config{})
	const keys, producers = 40, 8
	var taken atomic.Int32
	var all sync.WaitGroup
	for range producers {
		all.Go(func() {
			for k := range keys {
				err := r.box.Put(context.Background(), keyed("a", "x", fmt.Sprint(k)))
				if err == nil {
					taken.Add(1)
				} else if !errors.Is(err, core.ErrDuplicate) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	want(t, "taken", taken.Load(), keys)
	want(t, "pending", len(r.pending()), keys)
}

// A key of a Put that was undone was never taken.
func TestUndonePutLeavesNoKey(t *testing.T) {
	j := &ledger{}
	r := newRig(t, Config{Journal: j})
	j.fail = errors.New("the ledger is ill")
	var e *core.Error
	if err := r.box.Put(context.Background(), keyed("a", "1", "k")); !errors.As(err, &e) || e.Kind != core.Internal {
		t.Errorf("err = %v", err)
	}
	j.fail = nil
	if !r.taken(keyed("a", "1", "k")) {
		t.Error("not taken")
	}
	want(t, "pending", len(r.pending()), 1)
}

func TestOldKeysAreRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{DedupFor: DedupFor{ToNetwork: time.Hour}})
		var items []*core.Item
		for i := range 2500 {
			items = append(items, keyed("a", "x", fmt.Sprint(i)))
		}
		r.put(items...)
		if err := r.box.merge(context.Background(), 1); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		r.put(keyed("a", "x", "young"))
		if err := r.box.merge(context.Background(), 1); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour - time.Second)
		if err := r.box.forget(context.Background(), time.Now()); err != nil {
			t.Fatal(err)
		}
		want(t, "keys", scan(t, r, "SELECT count(*) FROM outbox_seen"), 1)
		if r.taken(keyed("a", "x", "young")) {
			t.Error("the young one was removed")
		}
		r.close()
	})
}
