package archive

import (
	"context"
	"fmt"
	"testing"
	"time"

	"gangway/core"
)

func message(i int) core.Archived {
	at := noon.Add(-time.Hour * 24).Add(time.Duration(i) * time.Millisecond)
	id := core.MessageID(fmt.Sprintf("m%025d", i))
	return core.Archived{ID: id, At: at, Event: &core.Message{
		Ref: lobby, IDs: core.IDs{ID: id, Remote: core.RemoteID("r" + id)}, Room: true, Author: "dave", At: at,
		Text: fmt.Sprint("What people say in a room is about as long as this line: ", i),
	}}
}

// fill keeps n messages of one room, as fast as they are written.
func fill(b *testing.B, r *rig, from, n int) {
	b.Helper()
	for i := from; i < from+n; i++ {
		for r.Append(context.Background(), message(i)) != nil {
			if err := r.queue.settle(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := r.queue.settle(context.Background()); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkAppend keeps messages durably, batched.
func BenchmarkAppend(b *testing.B) {
	r := newRig(b, Config{})
	b.ResetTimer()
	fill(b, r, 0, b.N)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

// BenchmarkPage reads 50 messages in the middle of a room with a million.
func BenchmarkPage(b *testing.B) {
	for _, rows := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprint("rows=", rows), func(b *testing.B) {
			r := newRig(b, Config{})
			fill(b, r, 0, rows)
			middle := core.MessageID(fmt.Sprintf("m%025d", rows/2))
			for b.Loop() {
				p, err := r.Page(context.Background(), lobby, Query{Page: Page{Max: 50, After: middle}})
				if err != nil || len(p.Events) != 50 {
					b.Fatal(err, len(p.Events))
				}
			}
		})
	}
}
