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

func TestRetryHoldsBackItsLaneOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		why := core.E(core.Unavailable, "test", "Not now.")
		start := time.Now()
		c := recorder{decide: func(it *core.Item) core.Verdict {
			if text(it) == "1" && time.Since(start) < 25*time.Second {
				if it.Attempts > 0 && it.LastErr.Text != why.Text {
					t.Errorf("last error: %v", it.LastErr)
				}
				return core.Verdict{Outcome: core.Retry, At: time.Now().Add(10 * time.Second), Err: why}
			}
			return core.Verdict{}
		}}
		r.run(c.handler())
		r.put(item("a", "1"), item("a", "2"))
		r.put(item("b", "x"))
		pass(time.Second)
		want(t, "lane a", c.lane("a"), "[1]")
		want(t, "lane b", c.lane("b"), "[x]")
		first := r.pending()[0]
		want(t, "attempts", first.Attempts, 1)
		want(t, "error on disk", first.LastErr.Text, why.Text)
		want(t, "not before", first.NotBefore.Sub(start).Round(time.Second), 10*time.Second)
		pass(20 * time.Second)
		want(t, "lane a", c.lane("a"), "[1 1 1]")
		pass(10 * time.Second)
		want(t, "lane a", c.lane("a"), "[1 1 1 1 2]")
		want(t, "pending", len(r.pending()), 0)
		r.close()
	})
}

func TestNotBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		var c recorder
		r.run(c.handler())
		late := item("a", "late")
		late.NotBefore = time.Now().Add(time.Hour)
		r.put(late)
		r.put(item("a", "behind it"))
		r.put(item("b", "x"))
		pass(time.Hour - time.Second)
		want(t, "before", c.got(), "[x]")
		pass(2 * time.Second)
		want(t, "after", c.got(), "[x late behind it]")
		r.close()
	})
}

func TestBatchesAreConsecutive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		var sizes []int
		for i := range 10 {
			r.put(item("a", fmt.Sprint(i)))
		}
		var c recorder
		h := c.handlers(4, 1)
		inner := h[core.ToNetwork]
		h[core.ToNetwork] = core.Handler{Batch: 4, Workers: 1, Handle: func(ctx context.Context, items []*core.Item) []core.Verdict {
			sizes = append(sizes, len(items))
			return inner.Handle(ctx, items)
		}}
		r.run(h)
		pass(time.Millisecond)
		want(t, "order", c.got(), "[0 1 2 3 4 5 6 7 8 9]")
		want(t, "sizes", sizes, "[4 4 2]")
		r.close()
	})
}

// One of a batch is to be tried again, one is dead, the others are done.
func TestMixedVerdictsOfABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		c := recorder{decide: func(it *core.Item) core.Verdict {
			switch {
			case text(it) == "1" && it.Attempts == 0:
				return core.Verdict{Outcome: core.Retry, At: time.Now().Add(time.Second)}
			case text(it) == "2":
				return core.Verdict{Outcome: core.Dead, Err: core.E(core.Invalid, "test", "No.")}
			}
			return core.Verdict{}
		}}
		r.put(item("a", "0"), item("a", "1"), item("a", "2"), item("a", "3"))
		r.run(c.handlers(4, 1))
		pass(500 * time.Millisecond)
		r.put(item("a", "4"))
		pass(100 * time.Millisecond)
		want(t, "first", c.got(), "[0 1 2 3]")
		pass(time.Second)
		want(t, "then", c.got(), "[0 1 2 3 1 4]")
		want(t, "pending", len(r.pending()), 0)
		want(t, "dead", len(r.dead()), 1)
		r.close()
	})
}

func TestLanesRunSideBySideWithinWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		var now, most atomic.Int32
		busy := make(map[string]bool)
		var mu sync.Mutex
		h := core.Handler{Workers: 3, Handle: func(_ context.Context, items []*core.Item) []core.Verdict {
			lane := items[0].Lane
			mu.Lock()
			if busy[lane] {
				t.Errorf("lane %s is handled twice at once", lane)
			}
			busy[lane] = true
			mu.Unlock()
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			mu.Lock()
			busy[lane] = false
			mu.Unlock()
			return make([]core.Verdict, len(items))
		}}
		for i := range 20 {
			r.put(item(fmt.Sprint("lane ", i%5), "x"))
		}
		r.run(map[core.Direction]core.Handler{core.ToNetwork: h})
		pass(time.Minute)
		want(t, "lanes at once", most.Load(), 3)
		want(t, "pending", len(r.pending()), 0)
		r.close()
	})
}

func TestThenIsPutWithTheVerdict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		var c recorder
		reply := func(it *core.Item) *core.Item {
			n := keyed("reply", "reply to "+text(it), "reply to "+text(it))
			n.Direction = core.ToXMPP
			return n
		}
		c.decide = func(it *core.Item) core.Verdict {
			if it.Direction == core.ToNetwork {
				return core.Verdict{Then: []*core.Item{reply(it), reply(it)}} // the second is a duplicate
			}
			return core.Verdict{}
		}
		r.put(item("a", "1"))
		r.run(map[core.Direction]core.Handler{core.ToNetwork: {Handle: c.handle}})
		pass(time.Second)
		want(t, "pending", len(r.pending()), 1)
		want(t, "of them", text(&r.pending()[0].Item), "reply to 1")
		r.halt()
		r.run(c.handler())
		pass(time.Second)
		want(t, "handled", c.got(), "[1 reply to 1]")
		r.close()
	})
}

// Events that are not in memory are read when their turn comes.
func TestNothingNeedBeResident(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{Resident: 1})
		var c recorder
		r.run(c.handlers(3, 2))
		for i := range 20 {
			r.put(item(fmt.Sprint("lane ", i%2), fmt.Sprint(i)))
		}
		pass(time.Second)
		want(t, "lane 0", c.lane("lane 0"), "[0 2 4 6 8 10 12 14 16 18]")
		want(t, "lane 1", c.lane("lane 1"), "[1 3 5 7 9 11 13 15 17 19]")
		want(t, "resident", r.box.lanes.resident, 0)
		r.close()
	})
}

// What is put while the backlog is being read must not overtake it.
func TestNothingOvertakesAtTheStart(t *testing.T) {
	r := newRig(t, Config{})
	const backlog, lanes, more = 2500, 7, 50
	items := make([]*core.Item, backlog)
	for i := range items {
		items[i] = item(fmt.Sprint("lane ", i%lanes), fmt.Sprint(i))
	}
	r.put(items...)
	r.reopen()
	var c recorder
	var all sync.WaitGroup
	for l := range lanes {
		all.Go(func() {
			for i := range more {
				if err := r.box.Put(context.Background(), item(fmt.Sprint("lane ", l), fmt.Sprint(backlog+i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	r.run(c.handlers(16, 8))
	all.Wait()
	waitFor(t, func() bool { return r.box.pending.Load() == 0 })
	r.halt()
	for l := range lanes {
		got := c.lane(fmt.Sprint("lane ", l))
		last := -1
		for _, s := range got {
			var n int
			if _, err := fmt.Sscan(s, &n); err != nil || n <= last {
				t.Fatalf("lane %d: %q after %d", l, s, last)
			}
			last = n
		}
	}
	if n := len(c.got()); n != backlog+lanes*more {
		t.Errorf("handled %d, want %d", n, backlog+lanes*more)
	}
}

// waitFor waits for real work, under the test's own deadline.
func waitFor(t testing.TB, ok func() bool) {
	t.Helper()
	for !ok() {
		select {
		case <-t.Context().Done():
			t.Fatal("the test ended first")
		case <-time.After(time.Millisecond):
		}
	}
}

// A handler that stops in the middle leaves its items as they were, and Run waits for it.
func TestStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		r.put(item("a", "1"), item("a", "2"))
		finished := false
		r.run(map[core.Direction]core.Handler{core.ToNetwork: {Batch: 2, Handle: func(ctx context.Context, items []*core.Item) []core.Verdict {
			<-ctx.Done()
			time.Sleep(time.Second)
			finished = true
			return []core.Verdict{{}, {Outcome: core.Retry}}
		}}})
		pass(time.Second)
		r.halt()
		want(t, "finished", finished, true)
		left := r.pending()
		want(t, "left", len(left), 1)
		want(t, "attempts", left[0].Attempts, 0)
		want(t, "text", text(&left[0].Item), "2")
		r.close()
	})
}

func TestRunTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		var c recorder
		r.run(c.handler())
		pass(time.Second)
		if err := r.box.Run(context.Background(), nil); err == nil {
			t.Error("it ran twice at once")
		}
		r.halt()
		r.put(item("a", "in between"))
		r.run(c.handler())
		pass(time.Second)
		want(t, "handled", c.got(), "[in between]")
		r.close()
	})
}

func TestBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		keep := true
		c := recorder{}
		c.decide = func(it *core.Item) core.Verdict {
			if err := r.box.Begin(context.Background(), it); err != nil || it.Begun.IsZero() {
				t.Errorf("begin: %v, begun %v", err, it.Begun)
			}
			return core.Verdict{Outcome: core.Retry, At: time.Now().Add(time.Hour), Begun: keep}
		}
		r.put(item("a", "1"))
		r.run(c.handler())
		pass(time.Second)
		r.halt()
		r.reopen()
		if r.pending()[0].Begun.IsZero() {
			t.Error("the mark was lost")
		}
		keep = false
		r.run(c.handler())
		pass(2 * time.Hour)
		if !r.pending()[0].Begun.IsZero() {
			t.Error("the mark was kept")
		}
		gone := item("a", "x")
		gone.Seq = 77
		var e *core.Error
		if err := r.box.Begin(context.Background(), gone); !errors.As(err, &e) || e.Kind != core.NotFound {
			t.Errorf("begin of what is gone: %v", err)
		}
		r.close()
	})
}

func mustExec(t testing.TB, r *rig, query string, args ...any) {
	t.Helper()
	if err := write(r, query, args...); err != nil {
		t.Fatal(err)
	}
}
