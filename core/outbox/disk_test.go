package outbox

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
	"gangway/core/store"
)

func TestFullDiskRefusesAndPasses(t *testing.T) {
	r := newRig(t, Config{})
	mustExec(t, r, "PRAGMA max_page_count = 40")
	big := strings.Repeat("x", 1<<20)
	err := r.box.Put(context.Background(), keyed("a", big, "k"))
	if !isKind(err, core.OverLimit) || !errors.Is(err, store.ErrDiskFull) {
		t.Errorf("err = %v, want OverLimit for a full disk", err)
	}
	if !strings.Contains(core.AsError(err).Sentence(), "has no room to store messages at the moment") {
		t.Errorf("the user reads: %s", core.AsError(err).Sentence())
	}
	r.put(item("a", "small"))
	mustExec(t, r, "PRAGMA max_page_count = 100000")
	if !r.taken(keyed("a", big, "k")) {
		t.Error("the key of what was refused is remembered")
	}
	want(t, "pending", len(r.pending()), 2)
}

// A verdict that finds the disk full is carried out when there is room: what was sent is not sent again.
func TestVerdictsOutliveAFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		mustExec(t, r, "CREATE TABLE fill (b BLOB)")
		c := recorder{decide: func(*core.Item) core.Verdict {
			return core.Verdict{Then: []*core.Item{item("b", strings.Repeat("x", 1<<20))}}
		}}
		r.put(item("a", "1"), item("a", "2"))
		mustExec(t, r, "PRAGMA max_page_count = 40")
		h := c.handler()
		h[core.ToNetwork] = core.Handler{Handle: func(ctx context.Context, items []*core.Item) []core.Verdict {
			if items[0].Lane == "b" {
				return make([]core.Verdict, len(items))
			}
			return c.handle(ctx, items)
		}}
		r.run(h)
		pass(time.Minute)
		want(t, "handled while full", c.got(), "[1]")
		mustExec(t, r, "PRAGMA max_page_count = 100000")
		pass(time.Minute)
		want(t, "handled", c.got(), "[1 2]")
		want(t, "pending", len(r.pending()), 0)
		r.close()
	})
}

// When the queue stops, it does not wait for room for ever, and says what will be repeated.
func TestStoppingWithAFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		r.put(item("a", "1"))
		mustExec(t, r, "PRAGMA max_page_count = 40")
		c := recorder{decide: func(*core.Item) core.Verdict {
			return core.Verdict{Then: []*core.Item{item("b", strings.Repeat("x", 1<<20))}}
		}}
		r.run(map[core.Direction]core.Handler{core.ToNetwork: {Handle: c.handle}})
		pass(time.Minute)
		err := r.stop()
		r.stop = nil
		if err == nil || !strings.Contains(err.Error(), "1 verdicts could not be written") {
			t.Errorf("err = %v", err)
		}
		want(t, "pending", len(r.pending()), 1)
		r.close()
	})
}

// A database that is closed under a running queue ends it with an error, not with a loop.
func TestClosedUnderTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		c := recorder{decide: func(*core.Item) core.Verdict { time.Sleep(time.Minute); return core.Verdict{} }}
		r.put(item("a", "1"))
		r.run(c.handler())
		pass(time.Second)
		if err := r.db.Close(); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Minute)
		err := r.stop()
		r.stop = nil
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("err = %v, want ErrClosed", err)
		}
		if err := r.box.Put(context.Background(), item("a", "2")); !isKind(err, core.Unavailable) {
			t.Errorf("put: %v", err)
		}
		r.close()
	})
}
