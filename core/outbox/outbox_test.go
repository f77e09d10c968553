package outbox

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
	"gangway/core/store"
)

// rig is an outbox in a directory, which can be closed and opened again.
type rig struct {
	t    testing.TB
	path string
	cfg  Config
	db   *store.DB
	box  *Outbox
	stop func() error
}

func newRig(t testing.TB, cfg Config) *rig {
	t.Helper()
	cfg.Watch = orElse(cfg.Watch, time.Minute) // fake hours have many seconds
	r := &rig{t: t, path: filepath.Join(t.TempDir(), "test.db"), cfg: cfg}
	r.open()
	t.Cleanup(r.close)
	return r
}

func (r *rig) open() {
	r.t.Helper()
	db, err := store.Open(context.Background(), store.Config{URL: "sqlite:" + r.path})
	if err != nil {
		r.t.Fatal(err)
	}
	box, err := New(context.Background(), db, r.cfg)
	if err != nil {
		db.Close()
		r.t.Fatal(err)
	}
	r.db, r.box = db, box
}

func (r *rig) close() {
	r.halt()
	if r.db != nil {
		r.db.Close()
		r.db = nil
	}
}

func (r *rig) reopen() {
	r.t.Helper()
	r.close()
	r.open()
}

// run runs the queue until halt.
func (r *rig) run(handlers map[core.Direction]core.Handler) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	box := r.box
	go func() { done <- box.Run(ctx, handlers) }()
	r.stop = func() error { cancel(); return <-done }
}

func (r *rig) halt() {
	r.t.Helper()
	if r.stop == nil {
		return
	}
	if err := r.stop(); err != nil {
		r.t.Errorf("run: %v", err)
	}
	r.stop = nil
}

func (r *rig) put(items ...*core.Item) {
	r.t.Helper()
	if err := r.box.Put(context.Background(), items...); err != nil {
		r.t.Fatalf("put: %v", err)
	}
}

func (r *rig) pending() []Letter {
	r.t.Helper()
	l, err := r.box.List(context.Background(), Filter{Limit: 1000})
	if err != nil {
		r.t.Fatal(err)
	}
	return l
}

func (r *rig) dead() []Letter {
	r.t.Helper()
	l, err := r.box.List(context.Background(), Filter{Dead: true, Limit: 1000})
	if err != nil {
		r.t.Fatal(err)
	}
	return l
}

// item is a message on a lane.
func item(lane, text string) *core.Item {
	return &core.Item{Network: "sms", User: "alice@example.org", Lane: lane,
		Event: &core.Message{Ref: core.Ref{Account: "a1", Peer: "+15550100"}, Text: text}}
}

func keyed(lane, text, key string) *core.Item {
	it := item(lane, text)
	it.Key = key
	return it
}

func text(it *core.Item) string {
	if r, ok := it.Event.(*core.Receipt); ok {
		return "receipt " + r.State.String()
	}
	return it.Event.(*core.Message).Text
}

// recorder is a handler that notes what it was given.
type recorder struct {
	mu     sync.Mutex
	texts  []string
	lanes  map[string][]string
	decide func(it *core.Item) core.Verdict // nil: Done
}

func (c *recorder) handler() map[core.Direction]core.Handler { return c.handlers(1, 4) }

func (c *recorder) handlers(batch, workers int) map[core.Direction]core.Handler {
	h := core.Handler{Batch: batch, Workers: workers, Handle: c.handle}
	return map[core.Direction]core.Handler{core.ToNetwork: h, core.ToXMPP: h}
}

func (c *recorder) handle(_ context.Context, items []*core.Item) []core.Verdict {
	v := make([]core.Verdict, len(items))
	for i, it := range items {
		c.mu.Lock()
		c.texts = append(c.texts, text(it))
		if c.lanes == nil {
			c.lanes = make(map[string][]string)
		}
		c.lanes[it.Lane] = append(c.lanes[it.Lane], text(it))
		c.mu.Unlock()
		if c.decide != nil {
			v[i] = c.decide(it)
		}
	}
	return v
}

func (c *recorder) got() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.texts...)
}

func (c *recorder) lane(name string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.lanes[name]...)
}

func want(t testing.TB, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s: got %s, want %s", what, g, w)
	}
}

// pass lets fake time go by and everything settle.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestHandedOverInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		var c recorder
		r.put(item("a", "1"))
		r.put(item("b", "x"), item("a", "2"))
		r.run(c.handler())
		pass(time.Millisecond)
		r.put(item("a", "3"))
		pass(time.Millisecond)
		want(t, "lane a", c.lane("a"), "[1 2 3]")
		want(t, "lane b", c.lane("b"), "[x]")
		want(t, "pending", len(r.pending()), 0)
		want(t, "count", r.box.pending.Load(), 0)
		r.close()
	})
}

func write(r *rig, query string, args ...any) error {
	return r.db.Write(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Exec(context.Background(), query, args...)
		return err
	})
}
