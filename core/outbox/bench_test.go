package outbox

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"gangway/core"
)

// cpuTime is what the process has used so far: a steadier measure than time on a machine that does other things.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func reportCPU(b *testing.B, before time.Duration) {
	b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
}

// BenchmarkPut makes messages of 1 KiB durable. For the same beside a raw file: go run ./integration/load queue.
func BenchmarkPut(b *testing.B) {
	body := strings.Repeat("x", 900)
	for _, producers := range []int{1, 64} {
		b.Run(fmt.Sprint("producers=", producers), func(b *testing.B) {
			r := newRig(b, Config{MaxPending: 1 << 40})
			ctx := context.Background()
			b.SetParallelism((producers + 1) / 2)
			before := cpuTime()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := r.box.Put(ctx, keyed("lane", body, string(core.NewID()))); err != nil {
						b.Error(err)
					}
				}
			})
			reportCPU(b, before)
		})
	}
}

// BenchmarkDrain works off a backlog: an item is read, handled and deleted.
func BenchmarkDrain(b *testing.B) {
	body := strings.Repeat("x", 900)
	r := newRig(b, Config{MaxPending: 1 << 40})
	for i := range b.N {
		it := keyed(fmt.Sprint("lane ", i%100), body, string(core.NewID()))
		if err := r.box.Put(context.Background(), it); err != nil {
			b.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	left := make(chan struct{}, b.N)
	before := cpuTime()
	b.ResetTimer()
	go func() {
		for range b.N {
			<-left
		}
		cancel()
	}()
	h := core.Handler{Batch: 1, Workers: 64, Handle: func(_ context.Context, items []*core.Item) []core.Verdict {
		for range items {
			left <- struct{}{}
		}
		return make([]core.Verdict, len(items))
	}}
	if err := r.box.Run(ctx, map[core.Direction]core.Handler{core.ToNetwork: h}); err != nil {
		b.Fatal(err)
	}
	reportCPU(b, before)
}

// BenchmarkLoad reads a backlog in which every item has a lane of its own, as mail has, and reports what an item
// costs in memory.
func BenchmarkLoad(b *testing.B) {
	const rows = 200_000
	r := newRig(b, Config{})
	mustExec(b, r, `INSERT INTO outbox (direction, network, user_id, lane, dedup, event, body, queued, not_before, expires)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		SELECT 0, 'email', 'alice@example.org', 'mail ' || i, '', 'message', x'7b7d', i, 0, 0 FROM n`, rows)
	var before, after runtime.MemStats
	for range b.N {
		b.StopTimer()
		r.box.lanes.reset()
		runtime.GC()
		runtime.ReadMemStats(&before)
		b.StartTimer()
		if err := r.box.load(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/rows, "B/item")
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/rows, "ns/item")
	if n := r.box.pending.Load(); n != rows {
		b.Errorf("loaded %d, want %d", n, rows)
	}
}

// BenchmarkAmend adds lines to what is held, a dozen to each message: what holding costs beside Put.
func BenchmarkAmend(b *testing.B) {
	body := strings.Repeat("x", 100)
	r := newRig(b, Config{MaxPending: 1 << 40})
	ctx := context.Background()
	b.SetParallelism(32)
	var lanes atomic.Int64
	before := cpuTime()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		lane := fmt.Sprint("lane ", lanes.Add(1))
		for pb.Next() {
			said := keyed(lane, body, string(core.NewID()))
			err := r.box.Amend(ctx, "sms", lane, said, func(held *core.Item) (core.Amendment, error) {
				if held == nil {
					return core.Amendment{Held: heldItem(lane, time.Minute, body)}, nil
				}
				h := held.Event.(*core.Held)
				h.Lines = append(h.Lines, said.Event.(*core.Message))
				if len(h.Lines) == 12 {
					return core.Amendment{Put: []*core.Item{letGo(held)}}, nil
				}
				return core.Amendment{Held: held}, nil
			})
			if err != nil {
				b.Error(err)
			}
		}
	})
	reportCPU(b, before)
}
