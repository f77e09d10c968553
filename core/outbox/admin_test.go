package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
	"gangway/core/store"
)

func isKind(err error, k core.Kind) bool {
	var e *core.Error
	return errors.As(err, &e) && e.Kind == k
}

func dies(it *core.Item) core.Verdict {
	return core.Verdict{Outcome: core.Dead, Err: &core.Error{Kind: core.NotFound, Text: "Nobody there: " + text(it), Code: "550"}}
}

func TestDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		r := newRig(t, Config{})
		c := recorder{decide: dies}
		long := item("a", "1")
		long.Expires = time.Now().Add(time.Hour)
		r.put(long, item("a", "2"), item("b", "3"))
		r.run(c.handler())
		pass(time.Second)
		dead := r.dead()
		want(t, "dead", len(dead), 3)
		first := dead[0]
		want(t, "why", first.LastErr.Error(), (&core.Error{Kind: core.NotFound, Text: "Nobody there: 1", Code: "550"}).Error())
		want(t, "attempts", first.Attempts, 1)
		want(t, "died", first.Died.IsZero(), false)
		got, err := r.box.Get(ctx, first.Seq)
		if err != nil || !got.Dead || text(&got.Item) != "1" {
			t.Errorf("get: %+v, %v", got, err)
		}

		c.decide = nil
		pass(2 * time.Hour) // longer than the first lived
		if err := r.box.Retry(ctx, first.Seq); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		want(t, "handled", c.got()[len(c.got())-1], "1")
		want(t, "dead after a retry", len(r.dead()), 2)
		want(t, "count", r.box.pending.Load(), 0)

		if err := r.box.Drop(ctx, dead[1].Seq); err != nil {
			t.Fatal(err)
		}
		want(t, "dead after a drop", len(r.dead()), 1)
		for _, err := range []error{r.box.Retry(ctx, first.Seq), r.box.Drop(ctx, dead[1].Seq), r.box.Retry(ctx, 99)} {
			if !isKind(err, core.NotFound) {
				t.Errorf("err = %v, want NotFound", err)
			}
		}
		if _, err := r.box.Get(ctx, 99); !isKind(err, core.NotFound) {
			t.Errorf("get: %v", err)
		}
		r.close()
	})
}

// A dead letter that is tried again has as long to live as it had at first, and no mark of an attempt.
func TestRevivedItem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		r := newRig(t, Config{})
		c := recorder{}
		c.decide = func(it *core.Item) core.Verdict {
			if err := r.box.Begin(ctx, it); err != nil {
				t.Error(err)
			}
			return dies(it)
		}
		it := item("a", "1")
		it.Expires = time.Now().Add(time.Hour)
		r.put(it)
		r.run(c.handler())
		pass(3 * time.Hour)
		r.halt()
		if err := r.box.Retry(ctx, it.Seq); err != nil {
			t.Fatal(err)
		}
		got := r.pending()[0]
		now := time.Now()
		want(t, "seq", got.Seq, it.Seq)
		want(t, "queued", got.Queued.Sub(now), "0s")
		want(t, "expires", got.Expires.Sub(now), time.Hour)
		want(t, "attempts", got.Attempts, 0)
		want(t, "begun", got.Begun.IsZero(), true)
		r.close()
	})
}

func TestRetryOfAPendingItemIsNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		var c recorder
		late := item("a", "late")
		late.NotBefore = time.Now().Add(time.Hour)
		r.put(late, item("a", "behind it"))
		r.run(c.handler())
		pass(time.Second)
		if err := r.box.Retry(context.Background(), late.Seq); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		want(t, "handled", c.got(), "[late behind it]")
		want(t, "count", r.box.pending.Load(), 0)
		r.close()
	})
}

func TestDropOfAPendingItem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{Journal: &ledger{}})
		var c recorder
		late := item("a", "late")
		late.NotBefore = time.Now().Add(time.Hour)
		r.put(late, item("a", "behind it"))
		r.run(c.handler())
		pass(time.Second)
		if err := r.box.Drop(context.Background(), late.Seq); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		want(t, "handled", c.lane("a"), "[behind it]")
		want(t, "all, with the receipt of what was dropped", len(c.got()), 2)
		want(t, "count", r.box.pending.Load(), 0)
		want(t, "dead", len(r.dead()), 0)
		lines := r.ledger()
		want(t, "ledger", lines[:4], "[put late put behind it settle 2 late put receipt failed]")
		slices.Sort(lines[4:]) // two lanes
		want(t, "ledger", lines[4:], "[settle 0 behind it settle 0 receipt failed]")
		r.close()
	})
}

// An item in hand cannot be dropped; it is when its attempt has failed.
func TestDropOfAnItemInHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		c := recorder{decide: func(it *core.Item) core.Verdict {
			if text(it) != "1" {
				return core.Verdict{}
			}
			time.Sleep(10 * time.Minute)
			return core.Verdict{Outcome: core.Retry, At: time.Now().Add(time.Hour)}
		}}
		it := item("a", "1")
		r.put(it)
		r.run(c.handler())
		pass(time.Second)
		if err := r.box.Drop(context.Background(), it.Seq); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Minute)
		want(t, "while in hand", len(r.pending()), 1)
		pass(10 * time.Minute)
		want(t, "afterwards", len(r.pending()), 0)
		pass(3 * time.Hour)
		want(t, "attempts", c.got()[0], "1")
		want(t, "sender told", c.got()[1], "receipt failed")
		r.close()
	})
}

// The command line works on the database of a gateway that runs, and of one that does not.
func TestOrdersOfAnotherProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		r := newRig(t, Config{Watch: time.Second})
		c := recorder{decide: dies}
		r.put(item("a", "1"), item("a", "2"))
		r.run(c.handler())
		pass(time.Second)
		shared, err := store.OpenShared(ctx, store.Config{URL: "sqlite:" + r.path})
		if err != nil {
			t.Fatal(err)
		}
		cli, err := New(ctx, shared, Config{})
		if err != nil {
			t.Fatal(err)
		}
		if err := cli.Put(ctx, item("a", "x")); err == nil {
			t.Error("put to a shared database")
		}
		if err := cli.Run(ctx, nil); err == nil {
			t.Error("ran on a shared database")
		}
		dead, err := cli.List(ctx, Filter{Dead: true})
		if err != nil || len(dead) != 2 {
			t.Fatalf("list: %v, %v", dead, err)
		}
		c.decide = nil
		if err := cli.Retry(ctx, dead[0].Seq); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Second)
		want(t, "handled", c.got(), "[1 2 1]")
		want(t, "count", r.box.pending.Load(), 0)

		r.halt()
		late := item("b", "late")
		late.NotBefore = time.Now().Add(time.Hour)
		r.put(late)
		if err := cli.Retry(ctx, dead[1].Seq); err != nil {
			t.Fatal(err)
		}
		if err := cli.Drop(ctx, late.Seq); err != nil {
			t.Fatal(err)
		}
		stats, err := cli.Stats(ctx)
		if err != nil || len(stats) != 1 || stats[0].Pending != 2 || stats[0].Dead != 0 {
			t.Errorf("stats: %+v, %v", stats, err)
		}
		r.run(c.handler())
		pass(2 * time.Hour)
		want(t, "handled", c.lane("a"), "[1 2 1 2]")
		want(t, "all, with the receipt of what was dropped", len(c.got()), 5)
		want(t, "orders left", scan(t, r, "SELECT count(*) FROM outbox_order"), 0)
		shared.Close()
		r.close()
	})
}

func TestListFilters(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, Config{})
	for i := range 12 {
		it := item("a", fmt.Sprint(i))
		it.Network = []string{"sms", "email"}[i%2]
		it.User = core.UserID([]string{"alice@x", "bob@x", "carol@x"}[i%3])
		it.Direction = core.Direction(i / 6)
		r.put(it)
	}
	toXMPP := core.ToXMPP
	for _, test := range []struct {
		f    Filter
		want string
	}{
		{Filter{}, "0 1 2 3 4 5 6 7 8 9 10 11"},
		{Filter{Limit: 2}, "0 1"},
		{Filter{Limit: 2, After: 2}, "2 3"},
		{Filter{User: "bob@x"}, "1 4 7 10"},
		{Filter{Network: "email", User: "bob@x"}, "1 7"},
		{Filter{Direction: &toXMPP}, "6 7 8 9 10 11"},
		{Filter{Dead: true}, ""},
		{Filter{User: "' OR 1 = 1 --"}, ""},
	} {
		letters, err := r.box.List(ctx, test.f)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range letters {
			got = append(got, text(&l.Item))
		}
		want(t, fmt.Sprintf("%+v", test.f), strings.Join(got, " "), test.want)
	}
}

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		r := newRig(t, Config{})
		c := recorder{decide: func(it *core.Item) core.Verdict {
			if text(it) == "bad" {
				return dies(it)
			}
			return core.Verdict{Outcome: core.Retry, At: time.Now().Add(time.Hour)}
		}}
		start := time.Now()
		r.put(item("a", "1"))
		pass(time.Minute)
		up := item("a", "2")
		up.Direction, up.Network = core.ToXMPP, "email"
		r.put(item("a", "3"), item("b", "bad"), up)
		check := func(what string, pending int) {
			t.Helper()
			stats, err := r.box.Stats(ctx)
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, s := range stats {
				lines = append(lines, fmt.Sprint(s.Network, " ", s.Direction, " ", s.Pending, " ", s.Oldest.Sub(start).Round(time.Second), " ", s.Dead))
			}
			want(t, what, strings.Join(lines, ", "), fmt.Sprintf("email to-xmpp 1 1m0s 0, sms to-network %d 0s %d", pending, 3-pending))
		}
		check("at rest", 3)
		r.run(c.handler())
		pass(time.Second)
		check("running", 2)
		r.halt()
		check("at rest again", 2)
		r.close()
	})
}

func TestOldDeadLettersAreRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{DeadFor: 24 * time.Hour})
		c := recorder{decide: dies}
		r.run(c.handler())
		r.put(item("a", "1"))
		pass(20 * time.Hour)
		r.put(item("a", "2"))
		pass(6 * time.Hour)
		dead := r.dead()
		if len(dead) != 1 || text(&dead[0].Item) != "2" {
			t.Errorf("dead: %+v", dead)
		}
		r.close()
	})
}

func TestFull(t *testing.T) {
	r := newRig(t, Config{MaxPending: 3})
	r.put(item("a", "1"), item("a", "2"))
	if err := r.box.Put(context.Background(), item("a", "3"), item("a", "4")); !isKind(err, core.OverLimit) {
		t.Errorf("err = %v, want OverLimit", err)
	}
	r.put(item("a", "3"))
	r.reopen()
	if err := r.box.Put(context.Background(), item("a", "4")); !isKind(err, core.OverLimit) {
		t.Errorf("after a restart: err = %v, want OverLimit", err)
	}
}

func TestLiveEventsAreRefused(t *testing.T) {
	r := newRig(t, Config{})
	it := item("a", "")
	it.Event = &core.Typing{}
	if err := r.box.Put(context.Background(), it); !isKind(err, core.Internal) {
		t.Errorf("err = %v, want Internal", err)
	}
}

func TestNewerSchema(t *testing.T) {
	r := newRig(t, Config{})
	mustExec(t, r, "INSERT INTO schema_outbox (version_id, is_applied) VALUES (7, 1)")
	_, err := New(t.Context(), r.db, Config{})
	if !errors.Is(err, store.ErrNewer) || !strings.Contains(err.Error(), "outbox schema 7 is newer than this program's 3") {
		t.Errorf("err = %v", err)
	}
}
