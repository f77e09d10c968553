package outbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
)

// world is what must have happened: every item that was taken ends exactly once, in order within its lane, whatever
// the handler decides and whenever the queue is stopped, opened again or merged.
type world struct {
	t *testing.T
	r *rig

	rndMu sync.Mutex
	rnd   *rand.Rand

	mu      sync.Mutex
	taken   map[string]bool
	ended   map[string]int
	lastEnd map[string]int // by lane: the number of the last one that ended
	next    map[string]int
	inHand  map[string]bool
}

func TestPropertyNothingLostOrRepeatedOrOvertaken(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := Config{Watch: time.Hour}
				if seed%2 == 1 {
					cfg.Resident = 1 // nothing is kept in memory
				}
				w := &world{t: t, rnd: rand.New(rand.NewPCG(seed, 1)), taken: map[string]bool{},
					ended: map[string]int{}, lastEnd: map[string]int{}, next: map[string]int{}, inHand: map[string]bool{}}
				cfg.Trace = &core.Trace{Attempted: w.poisoned}
				w.r = newRig(t, cfg)
				for range 5 {
					w.round()
				}
				w.finish()
			})
		})
	}
}

func (w *world) dice(n int) int {
	w.rndMu.Lock()
	defer w.rndMu.Unlock()
	return w.rnd.IntN(n)
}

// round runs the queue for a while, with items put before, during and after.
func (w *world) round() {
	w.put(w.dice(20))
	w.r.run(w.handlers())
	for range w.dice(8) {
		w.put(w.dice(6))
		pass(time.Duration(w.dice(20)) * time.Second)
	}
	w.r.halt()
	w.put(w.dice(5))
	if w.dice(3) == 0 {
		if err := w.r.box.merge(context.Background(), 1); err != nil {
			w.t.Fatal(err)
		}
	}
	if w.dice(2) == 0 {
		w.r.reopen()
	}
}

// finish lets everything end and looks at the books.
func (w *world) finish() {
	w.r.run(w.handlers())
	for range 100 {
		pass(time.Minute)
		if w.r.box.pending.Load() == 0 {
			break
		}
	}
	w.r.halt()
	want(w.t, "pending", len(w.r.pending()), 0)
	for name := range w.taken {
		if w.ended[name] != 1 {
			w.t.Errorf("%s ended %d times", name, w.ended[name])
		}
	}
	if len(w.ended) != len(w.taken) {
		w.t.Errorf("%d items ended, %d were taken", len(w.ended), len(w.taken))
	}
	w.r.close()
}

func (w *world) put(n int) {
	for range n {
		lane := fmt.Sprint("lane ", w.dice(5))
		it := w.item(lane)
		name := text(it)
		if err := w.r.box.Put(context.Background(), it); err != nil {
			w.t.Fatal(err)
		}
		w.mu.Lock()
		w.taken[name] = true
		w.mu.Unlock()
		if w.dice(4) > 0 {
			continue
		}
		if err := w.r.box.Put(context.Background(), keyed(lane, name, name)); !errors.Is(err, core.ErrDuplicate) {
			w.t.Errorf("%s again: %v", name, err)
		}
	}
}

func (w *world) item(lane string) *core.Item {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next[lane]++
	name := fmt.Sprint(lane, " #", w.next[lane])
	return keyed(lane, name, name)
}

func (w *world) handlers() map[core.Direction]core.Handler {
	return map[core.Direction]core.Handler{
		core.ToNetwork: {Batch: 1 + w.dice(4), Workers: 1 + w.dice(4), Handle: w.handle},
	}
}

func (w *world) handle(ctx context.Context, items []*core.Item) []core.Verdict {
	lane := items[0].Lane
	w.mu.Lock()
	if w.inHand[lane] {
		w.t.Errorf("%s is handled twice at once", lane)
	}
	w.inHand[lane] = true
	w.mu.Unlock()
	defer func() { w.mu.Lock(); w.inHand[lane] = false; w.mu.Unlock() }()
	select {
	case <-time.After(time.Duration(len(items)) * 100 * time.Millisecond):
	case <-ctx.Done():
		return retryAll(items) // stopping
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	verdicts := make([]core.Verdict, len(items))
	for i, it := range items {
		if verdicts[i] = w.decide(it, i == 0); verdicts[i].Outcome == core.Retry {
			copy(verdicts[i+1:], retryAll(items[i+1:])) // those behind it must wait
			break
		}
	}
	return verdicts
}

func retryAll(items []*core.Item) []core.Verdict {
	v := make([]core.Verdict, len(items))
	for i := range v {
		v[i].Outcome = core.Retry
	}
	return v
}

// decide holds w.mu. A panic later in a batch would undo what its first items have done.
func (w *world) decide(it *core.Item, mayPanic bool) core.Verdict {
	switch w.dice(5) {
	case 0:
		return core.Verdict{Outcome: core.Retry, At: time.Now().Add(time.Duration(w.dice(30)) * time.Second)}
	case 1:
		if mayPanic {
			panic("now and then")
		}
	}
	w.end(it)
	if w.dice(4) == 0 {
		return core.Verdict{Outcome: core.Dead, Err: core.E(core.Invalid, "test", "")}
	}
	return core.Verdict{}
}

// poisoned is told of an item over which the handler has panicked too often.
func (w *world) poisoned(it *core.Item, _ core.Verdict, _ time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end(it)
}

// end holds w.mu.
func (w *world) end(it *core.Item) {
	var n int
	if _, err := fmt.Sscanf(text(it), it.Lane+" #%d", &n); err != nil {
		w.t.Errorf("%q in %q", text(it), it.Lane)
	}
	w.ended[text(it)]++
	if n != w.lastEnd[it.Lane]+1 {
		w.t.Errorf("%s: #%d ended after #%d", it.Lane, n, w.lastEnd[it.Lane])
	}
	w.lastEnd[it.Lane] = n
}
