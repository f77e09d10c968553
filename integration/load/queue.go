package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
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

// queueLoad measures the durable queue beside appending and syncing the same bytes, in the same run, in turns: the
// machine may be doing other things.
func queueLoad(args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("queue", flag.ContinueOnError)
	dir := flags.String("dir", "", "where to keep the files; empty: a temporary directory")
	each := flags.Duration("for", 2*time.Second, "how long each measurement runs")
	rounds := flags.Int("rounds", 3, "how often each is made; the medians count")
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
	b, err := newBench(*dir, *each, *size, out)
	if err != nil {
		return err
	}
	for _, producers := range []int{1, 64} {
		if err := b.enqueue(producers, *rounds); err != nil {
			return err
		}
	}
	if err := b.latency(200, *rounds); err != nil {
		return err
	}
	return b.drain(*backlog, *rounds)
}

type bench struct {
	dir  string
	each time.Duration
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
func newBench(dir string, each time.Duration, size int, out io.Writer) (*bench, error) {
	b := &bench{dir: dir, each: each, out: out}
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
func (b *bench) enqueue(producers, rounds int) error {
	var raws, queues []float64
	for range rounds {
		raw, err := b.rawRate(producers)
		if err != nil {
			return err
		}
		queue, err := b.queueRate(producers)
		if err != nil {
			return err
		}
		raws, queues = append(raws, raw), append(queues, queue)
	}
	raw, queue := median(raws), median(queues)
	verdict := ""
	if producers > 1 {
		verdict = judge(queue/raw >= wantEnqueue, fmt.Sprintf(">= %.0f %%", wantEnqueue*100))
	}
	fmt.Fprintf(b.out, "durable enqueue, %2d producers: raw %6.0f/s  queue %6.0f/s  ratio %3.0f %%%s\n",
		producers, raw, queue, 100*queue/raw, verdict)
	return nil
}

func judge(ok bool, target string) string {
	if ok {
		return "  (target " + target + ": met)"
	}
	return "  (target " + target + ": MISSED)"
}

func (b *bench) rawRate(producers int) (float64, error) {
	l, err := openRaw(b.path("raw"))
	if err != nil {
		return 0, err
	}
	defer l.f.Close()
	body := make([]byte, b.size)
	return rate(producers, b.each, func(int64) error { return l.append(body) })
}

func (b *bench) queueRate(producers int) (perSecond float64, err error) {
	db, box, err := b.open()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	// The queue runs, without a handler: it merges the keys it has seen, as it would at work.
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- box.Run(ctx, nil) }()
	perSecond, err = rate(producers, b.each, func(i int64) error { return box.Put(ctx, b.item(i)) })
	cancel()
	return perSecond, errors.Join(err, <-done)
}

// rate calls fn from so many goroutines for a while and returns how often a second it returned.
func rate(producers int, d time.Duration, fn func(i int64) error) (float64, error) {
	var n atomic.Int64
	var failed atomic.Pointer[error]
	var all sync.WaitGroup
	begin := time.Now()
	for range producers {
		all.Go(func() {
			for time.Since(begin) < d && failed.Load() == nil {
				if err := fn(n.Add(1)); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(n.Load()) / time.Since(begin).Seconds(), nil
}

// latency prints how long it takes from Put to the handler, beside a raw append, at a steady rate.
func (b *bench) latency(perSecond, rounds int) error {
	var raw, queue, put []time.Duration
	for range rounds {
		r, err := b.rawLatency(perSecond)
		if err != nil {
			return err
		}
		q, p, err := b.queueLatency(perSecond)
		if err != nil {
			return err
		}
		raw, queue, put = append(raw, r...), append(queue, q...), append(put, p...)
	}
	added := quantile(queue, 0.5) - quantile(raw, 0.5)
	fmt.Fprintf(b.out, "latency at %d/s: raw append p50 %v p99 %v; put p50 %v p99 %v; put to handler p50 %v p99 %v\n", perSecond,
		quantile(raw, 0.5), quantile(raw, 0.99), quantile(put, 0.5), quantile(put, 0.99), quantile(queue, 0.5), quantile(queue, 0.99))
	fmt.Fprintf(b.out, "latency added at %d/s: p50 %v p99 %v%s\n", perSecond, added, quantile(queue, 0.99)-quantile(raw, 0.99),
		judge(added <= wantAdded, "p50 <= "+wantAdded.String()))
	return nil
}

func (b *bench) rawLatency(perSecond int) (all []time.Duration, err error) {
	l, err := openRaw(b.path("raw"))
	if err != nil {
		return nil, err
	}
	defer l.f.Close()
	body := make([]byte, b.size)
	err = b.steadily(perSecond, func(int64) error {
		begin := time.Now()
		err := l.append(body)
		all = append(all, time.Since(begin))
		return err
	})
	return all, err
}

func (b *bench) queueLatency(perSecond int) (handled, put []time.Duration, err error) {
	db, box, err := b.open()
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var mu sync.Mutex
	began := make(map[string]time.Time)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- box.Run(ctx, map[core.Direction]core.Handler{core.ToNetwork: {Batch: 1, Workers: 64,
			Handle: func(_ context.Context, items []*core.Item) []core.Verdict {
				now := time.Now()
				mu.Lock()
				defer mu.Unlock()
				for _, it := range items {
					handled = append(handled, now.Sub(began[it.Key]))
				}
				return make([]core.Verdict, len(items))
			}}})
	}()
	err = b.steadily(perSecond, func(i int64) error {
		it := b.item(i)
		begin := time.Now()
		mu.Lock()
		began[it.Key] = begin
		mu.Unlock()
		err := box.Put(ctx, it)
		put = append(put, time.Since(begin))
		return err
	})
	cancel()
	return handled, put, errors.Join(err, <-done)
}

// steadily calls fn at a steady rate for a while.
func (b *bench) steadily(perSecond int, fn func(i int64) error) error {
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	begin := time.Now()
	for i := int64(0); time.Since(begin) < b.each; i++ {
		<-tick.C
		if err := fn(i); err != nil {
			return err
		}
	}
	return nil
}

// drain prints how fast a backlog is worked off: read from disk at the start, handled, and its verdicts committed.
func (b *bench) drain(backlog, rounds int) error {
	var drains, loads []float64
	for range rounds {
		load, drain, err := b.drainOnce(backlog)
		if err != nil {
			return err
		}
		loads, drains = append(loads, load), append(drains, drain)
	}
	fmt.Fprintf(b.out, "full drain of %d items from disk, 64 workers: first item after %.2fs, then %.0f/s\n",
		backlog, median(loads), median(drains))
	return nil
}

func (b *bench) drainOnce(backlog int) (load, drain float64, err error) {
	db, box, err := b.open()
	if err != nil {
		return 0, 0, err
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
			return 0, 0, err
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
	return started.Sub(begin).Seconds(), float64(backlog) / time.Since(started).Seconds(), err
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

func quantile(v []time.Duration, q float64) time.Duration {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return v[int(math.Min(q*float64(len(v)), float64(len(v)-1)))].Round(time.Microsecond)
}
