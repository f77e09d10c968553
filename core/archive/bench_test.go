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

// BenchmarkFill keeps what a network tells of the past, in pages of 100, of which half is known.
func BenchmarkFill(b *testing.B) {
	r := newRig(b, Config{})
	fill(b, r, 0, b.N)
	page := make([]core.Archived, 0, 100)
	b.ResetTimer()
	for i := b.N / 2; i < b.N/2+b.N; i++ {
		if page = append(page, message(i)); len(page) == cap(page) || i == b.N/2+b.N-1 {
			if _, err := r.Fill(b.Context(), lobby, page); err != nil {
				b.Fatal(err)
			}
			page = page[:0]
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

// BenchmarkPage reads pages of 50 messages of a room with many, by every way that XEP-0313 and XEP-0059 have.
func BenchmarkPage(b *testing.B) {
	for _, rows := range []int{10_000, 1_000_000} {
		r := newRig(b, Config{})
		fill(b, r, 0, rows)
		id := func(i int) core.MessageID { return message(i).ID }
		middle := message(rows / 2).At
		for _, c := range []struct {
			name string
			q    Query
		}{
			{"after", Query{Page: Page{Max: 50, After: id(rows / 2)}}},
			{"before", Query{Page: Page{Max: 50, Before: id(rows / 2)}}},
			{"first", Query{Page: Page{Max: 50}}},
			{"last", Query{Page: Page{Max: 50, Last: true}}},
			{"start", Query{Start: middle, Page: Page{Max: 50}}},
			{"end-last", Query{End: middle, Page: Page{Max: 50, Last: true}}},
			{"max-0", Query{}},
		} {
			b.Run(fmt.Sprintf("rows=%d/%s", rows, c.name), func(b *testing.B) {
				for b.Loop() {
					p, err := r.Page(b.Context(), lobby, c.q)
					if err != nil || len(p.Events) != c.q.Page.Max {
						b.Fatal(err, len(p.Events))
					}
				}
			})
		}
		r.stop()
	}
}
