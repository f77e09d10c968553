package archive

import (
	"context"
	"sync"
	"sync/atomic"

	"gangway/core"
)

// entry is an event that waits to be written.
type entry struct {
	core.Archived
	late bool // of the past when it came
}

// size is about how much memory an entry holds.
func (e *entry) size() int {
	const fixed = 256
	if m, ok := e.Event.(*core.Message); ok {
		n := fixed + len(m.Text) + len(m.Subject)
		for _, f := range m.Attachments {
			n += len(f.URL) + len(f.Name)
		}
		return n
	}
	return fixed
}

// queue is what waits to be written, in order.
type queue struct {
	most, mostBytes int
	lost            atomic.Int64

	wake  chan struct{} // holds one: there is something
	hurry chan struct{} // holds one: do not linger

	mu      sync.Mutex
	waiting []entry
	bytes   int
	came    uint64        // entries taken so far
	done    uint64        // of these, the ones that are written or given up
	changed chan struct{} // closed and replaced when done moves
	closed  bool          // nobody will write any more
	stalled bool          // the disk does not take anything at the moment
}

func (q *queue) init(most, mostBytes int) {
	q.most, q.mostBytes = most, mostBytes
	q.wake, q.hurry = make(chan struct{}, 1), make(chan struct{}, 1)
	q.changed = make(chan struct{})
}

// put queues an entry; false, and it is lost, if there is no room.
func (q *queue) put(e entry) bool {
	size := e.size()
	q.mu.Lock()
	fits := !q.closed && len(q.waiting) < q.most && q.bytes+size <= q.mostBytes
	if fits {
		q.waiting = append(q.waiting, e)
		q.bytes += size
		q.came++
	}
	half := len(q.waiting) > q.most/2 || q.bytes > q.mostBytes/2
	q.mu.Unlock()
	if !fits {
		q.lost.Add(1)
		return false
	}
	signal(q.wake)
	if half {
		signal(q.hurry)
	}
	return true
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// batch is the most entries in one transaction: others wait for it.
const batch = 512

// take removes the first entries. more says that others wait.
func (q *queue) take() (first []entry, more bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.waiting), batch)
	first = append(first, q.waiting[:n]...)
	for i := range first {
		q.bytes -= first[i].size()
	}
	rest := copy(q.waiting, q.waiting[n:])
	clear(q.waiting[rest:])
	q.waiting = q.waiting[:rest]
	return first, rest > 0
}

// finish counts entries as done with.
func (q *queue) finish(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.done += uint64(n)
	close(q.changed)
	q.changed = make(chan struct{})
}

// close lets nothing more in, and releases who waits.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.finish(0)
}

// stall says whether the disk takes anything. While it does not, nobody waits for it.
func (q *queue) stall(on bool) {
	q.mu.Lock()
	q.stalled = on
	q.mu.Unlock()
	q.finish(0)
}

// settle waits until everything that was put before is written, or cannot be.
func (q *queue) settle(ctx context.Context) error {
	q.mu.Lock()
	target := q.came
	for q.done < target && !q.closed && !q.stalled {
		changed := q.changed
		q.mu.Unlock()
		signal(q.hurry)
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
		q.mu.Lock()
	}
	q.mu.Unlock()
	return nil
}
