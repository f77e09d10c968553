package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gangway/core"
	"gangway/core/outbox"
	"gangway/core/store"
)

// The targets, as ratios to or beyond the raw file.
const (
	wantEnqueue = 0.45                   // of the raw rate, with 64 producers
	wantAdded   = 500 * time.Microsecond // to the raw p50, at 200/s
)

// queueLoad measures the durable queue beside appending and syncing the same bytes. The two take turns, many short
// ones, so that whatever else the machine is doing troubles both alike.
func queueLoad(args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("queue", flag.ContinueOnError)
	dir := flags.String("dir", "", "where to keep the files; empty: a temporary directory")
	turn := flags.Duration("turn", 500*time.Millisecond, "how long each takes a turn")
	rounds := flags.Int("rounds", 8, "how many turns each has")
	size := flags.Int("size", 1024, "bytes of a message")
	backlog := flags.Int("backlog", 50_000, "items drained")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *dir == "" {
		tmp, err := os.MkdirTemp("", "gangway-load-")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
		*dir = tmp
	}
	b, err := newBench(*dir, *size, out)
	if err != nil {
		return err
	}
	for _, producers := range []int{1, 64} {
		if err := b.enqueue(producers, *rounds, *turn); err != nil {
			return err
		}
	}
	if err := b.latency(200, time.Duration(*rounds)**turn); err != nil {
		return err
	}
	return b.drain(*backlog)
}

type bench struct {
	dir  string
	text string // of every message
	size int    // of its encoded event
	out  io.Writer
	n    int // of files made
}

func (b *bench) path(name string) string {
	b.n++
	return filepath.Join(b.dir, fmt.Sprintf("%s-%d", name, b.n))
}

// newBench makes its directory's measurements with messages whose encoded events have a size, as far as that can be.
func newBench(dir string, size int, out io.Writer) (*bench, error) {
	b := &bench{dir: dir, out: out}
	_, empty, err := core.EncodeEvent(b.item(0).Event)
	if err != nil {
		return nil, err
	}
	b.text = strings.Repeat("x", max(size-len(empty)-len(`,"text":""`), 1))
	_, full, err := core.EncodeEvent(b.item(0).Event)
	b.size = len(full)
	return b, err
}

// item is one of 64 conversations' messages.
func (b *bench) item(i int64) *core.Item {
	id := core.NewID()
	return &core.Item{Network: "sms", User: "alice@example.org", Lane: "a1 +1555" + strconv.Itoa(int(i%64)),
		Key:   "message " + string(id),
		Event: &core.Message{Ref: core.Ref{Account: "a1", Peer: "+15550100"}, IDs: core.IDs{ID: id}, Text: b.text}}
}

// open makes a new queue.
func (b *bench) open() (*store.DB, *outbox.Outbox, error) {
	ctx := context.Background()
	db, err := store.Open(ctx, store.Config{URL: "sqlite:" + b.path("queue")})
	if err != nil {
		return nil, nil, err
	}
	box, err := outbox.New(ctx, db, outbox.Config{})
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, box, nil
}

// enqueue prints how many items a second so many producers make durable.
func (b *bench) enqueue(producers, rounds int, turn time.Duration) error {
	p, err := b.pair(nil)
	if err != nil {
		return err
	}
	body := make([]byte, b.size)
	var raw, queue rate
	for range rounds {
		err = errors.Join(err,
			raw.measure(producers, turn, func(int64) error { return p.raw.append(body) }),
			queue.measure(producers, turn, func(i int64) error { return p.box.Put(context.Background(), b.item(i)) }))
	}
	if err = errors.Join(err, p.close()); err != nil {
		return err
	}
	ratio, verdict := queue.perSecond()/raw.perSecond(), ""
	if producers > 1 {
		verdict = judge(ratio >= wantEnqueue, fmt.Sprintf(">= %.0f %%", wantEnqueue*100))
	}
	fmt.Fprintf(b.out, "durable enqueue, %2d producers: raw %6.0f/s  queue %6.0f/s  ratio %3.0f %%%s\n",
		producers, raw.perSecond(), queue.perSecond(), 100*ratio, verdict)
	return nil
}

func judge(ok bool, target string) string {
	if ok {
		return "  (target " + target + ": met)"
	}
	return "  (target " + target + ": MISSED)"
}

// stopwatch knows when each item was put.
type stopwatch struct {
	mu      sync.Mutex
	began   map[string]time.Time
	handled []time.Duration
}

func (w *stopwatch) begin(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.began[key] = time.Now()
}

// handle is a handler that does nothing else.
func (w *stopwatch) handle(_ context.Context, items []*core.Item) []core.Verdict {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, it := range items {
		w.handled = append(w.handled, now.Sub(w.began[it.Key]))
		delete(w.began, it.Key)
	}
	return make([]core.Verdict, len(items))
}

// latency prints how long it takes from Put to the handler, and a raw append, both at a steady rate in turns.
func (b *bench) latency(perSecond int, d time.Duration) error {
	w := &stopwatch{began: make(map[string]time.Time)}
	p, err := b.pair(map[core.Direction]core.Handler{core.ToNetwork: {Batch: 1, Workers: 64, Handle: w.handle}})
	if err != nil {
		return err
	}
	body := make([]byte, b.size)
	var raw, put []time.Duration
	tick := time.NewTicker(time.Second / time.Duration(2*perSecond))
	defer tick.Stop()
	begin := time.Now()
	for i := int64(0); time.Since(begin) < d && err == nil; i++ {
		<-tick.C
		if i%2 == 0 {
			raw, err = timed(raw, func() error { return p.raw.append(body) })
			continue
		}
		it := b.item(i)
		w.begin(it.Key)
		put, err = timed(put, func() error { return p.box.Put(context.Background(), it) })
	}
	if err = errors.Join(err, p.close()); err != nil {
		return err
	}
	added := quantile(w.handled, 0.5) - quantile(raw, 0.5)
	fmt.Fprintf(b.out, "latency at %d/s: raw append p50 %v p99 %v; put p50 %v p99 %v; put to handler p50 %v p99 %v\n",
		perSecond, quantile(raw, 0.5), quantile(raw, 0.99), quantile(put, 0.5), quantile(put, 0.99),
		quantile(w.handled, 0.5), quantile(w.handled, 0.99))
	fmt.Fprintf(b.out, "latency added at %d/s: p50 %v p99 %v%s\n", perSecond, added,
		quantile(w.handled, 0.99)-quantile(raw, 0.99), judge(added <= wantAdded, "p50 <= "+wantAdded.String()))
	return nil
}

func timed(all []time.Duration, fn func() error) ([]time.Duration, error) {
	begin := time.Now()
	err := fn()
	return append(all, time.Since(begin)), err
}

// drain prints how fast a backlog is worked off: read from disk at the start, handled, and its verdicts committed.
func (b *bench) drain(backlog int) (err error) {
	db, box, err := b.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for i := 0; i < backlog; i += 100 {
		items := make([]*core.Item, 100)
		for j := range items {
			items[j] = b.item(int64(i + j))
		}
		if err := box.Put(ctx, items...); err != nil {
			return err
		}
	}
	var first sync.Once
	var started time.Time
	var n atomic.Int64
	begin := time.Now()
	err = box.Run(ctx, map[core.Direction]core.Handler{core.ToNetwork: {Batch: 1, Workers: 64,
		Handle: func(_ context.Context, items []*core.Item) []core.Verdict {
			first.Do(func() { started = time.Now() })
			if n.Add(int64(len(items))) >= int64(backlog) {
				cancel()
			}
			return make([]core.Verdict, len(items))
		}}})
	fmt.Fprintf(b.out, "full drain of %d items from disk, 64 workers: first item after %.2fs, then %.0f/s\n",
		backlog, started.Sub(begin).Seconds(), float64(backlog)/time.Since(started).Seconds())
	return err
}

func quantile(v []time.Duration, q float64) time.Duration {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return v[min(int(q*float64(len(v))), len(v)-1)].Round(time.Microsecond)
}
