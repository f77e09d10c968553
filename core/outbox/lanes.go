package outbox

import (
	"container/heap"
	"hash/maphash"
	"sync"
	"time"

	"gangway/core"
)

// entry is a pending item in the scheduler.
type entry struct {
	seq    int64
	at     int64 // not before, µs
	queued int64 // µs
	next   *entry
	item   *core.Item // nil: not resident
	size   int32      // bytes of the encoded event
	group  uint16     // index into schedule.groups
	panics uint8
}

// lane is an ordering key with something pending. It is in the map as long as it has entries or is in hand.
type lane struct {
	id    uint64
	head  *entry // the oldest that is not in hand
	tail  *entry
	hand  []*entry // while in hand
	where place
	group uint16        // index into schedule.groups
	heap  int32         // index in schedule.waiting
	wake  int64         // while waiting: head.at
	over  chan struct{} // closed when it is not in hand any more; nil: nobody waits for that
	// single is how many of the next items are to be handled alone, because the handler panicked over them together.
	single int32
}

// place says where a lane is.
type place uint8

const (
	nowhere place = iota
	ready         // in its side's queue
	waiting       // in the heap, until its head's time comes
	inHand        // in a worker's: its oldest entries are being handled; it gives way when their verdicts are on disk
)

// group is a direction and network.
type group struct {
	direction core.Direction
	network   string
}

// flow are the lanes of a group that are due. A network that hangs keeps its own share of the workers busy, not more.
type flow struct {
	ready []*lane // a queue: from first on
	first int
	busy  int // lanes in hand
}

// side is what one direction's workers wait for.
type side struct {
	more sync.Cond
	next int // the group whose turn it is
}

// schedule knows every pending item while Run runs, and nothing otherwise: what is put in between is found on disk
// by the next Run.
type schedule struct {
	mu       sync.Mutex
	active   bool // items are handed over by their commits
	stopping bool
	seed     maphash.Seed
	lanes    map[uint64]*lane
	sides    [3]side
	waiting  laneHeap
	sooner   chan struct{} // holds one: the clock must look again
	groups   []group
	flows    []flow // by group
	depth    []int  // by group
	resident int64  // bytes of events in memory
	limit    int64
}

func newSchedule(limit int64) *schedule {
	s := &schedule{seed: maphash.MakeSeed(), lanes: make(map[uint64]*lane), sooner: make(chan struct{}, 1), limit: limit}
	for d := range s.sides {
		s.sides[d].more.L = &s.mu
	}
	return s
}

// laneID names a lane by 64 bits. Should two lanes ever share them, they share their order, and nothing is lost.
func (s *schedule) laneID(d core.Direction, network, name string) uint64 {
	var h maphash.Hash
	h.SetSeed(s.seed)
	_ = h.WriteByte(byte(d)) // never fails
	_, _ = h.WriteString(network)
	_ = h.WriteByte(0)
	_, _ = h.WriteString(name)
	return h.Sum64()
}

// push takes items that have just been committed.
func (s *schedule) push(rows []*row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.active {
		return
	}
	for _, r := range rows {
		it := r.it
		e := &entry{seq: it.Seq, at: micros(it.NotBefore), queued: micros(it.Queued), size: int32(len(r.body)),
			group: s.groupOf(it.Direction, it.Network)}
		if s.resident+int64(e.size) <= s.limit {
			e.item = it
			s.resident += int64(e.size)
		}
		s.join(s.laneID(it.Direction, it.Network, it.Lane), e)
	}
}

// join adds an entry to its lane.
func (s *schedule) join(id uint64, e *entry) {
	l := s.lanes[id]
	if l == nil {
		l = &lane{id: id, group: e.group}
		s.lanes[id] = l
	}
	s.depth[e.group]++
	l.add(e)
	s.settle(l)
}

func (s *schedule) groupOf(d core.Direction, network string) uint16 {
	for i, g := range s.groups {
		if g.direction == d && g.network == network {
			return uint16(i)
		}
	}
	s.groups = append(s.groups, group{d, network})
	s.flows = append(s.flows, flow{})
	s.depth = append(s.depth, 0)
	return uint16(len(s.groups) - 1)
}

// add puts an entry where its seq belongs: nearly always last.
func (l *lane) add(e *entry) {
	switch {
	case l.head == nil:
		l.head, l.tail = e, e
	case e.seq > l.tail.seq:
		l.tail.next, l.tail = e, e
	case e.seq < l.head.seq:
		e.next, l.head = l.head, e
	default:
		before := l.head
		for before.next.seq < e.seq {
			before = before.next
		}
		e.next, before.next = before.next, e
	}
}

// remove takes the entry with a seq out of the lane; nil if it is not there, or in hand.
func (l *lane) remove(seq int64) *entry {
	var before *entry
	for e := l.head; e != nil; before, e = e, e.next {
		if e.seq != seq {
			continue
		}
		if before == nil {
			l.head = e.next
		} else {
			before.next = e.next
		}
		if l.tail == e {
			l.tail = before
		}
		e.next = nil
		return e
	}
	return nil
}

// settle puts a lane where its head belongs. A lane in hand stays so.
func (s *schedule) settle(l *lane) {
	if l.where == inHand {
		return
	}
	due := l.head != nil && l.head.at <= time.Now().UnixMicro()
	switch {
	case l.head == nil:
		s.leaveHeap(l)
		if l.where != ready { // a ready one is found empty when its turn comes
			delete(s.lanes, l.id)
		}
	case due && l.where != ready:
		s.leaveHeap(l)
		s.makeReady(l)
	case !due && l.where == waiting:
		l.wake = l.head.at
		heap.Fix(&s.waiting, int(l.heap))
		s.wakeClock(l)
	case !due && l.where == nowhere:
		l.where, l.wake = waiting, l.head.at
		heap.Push(&s.waiting, l)
		s.wakeClock(l)
	}
}

func (s *schedule) makeReady(l *lane) {
	l.where = ready
	f := &s.flows[l.group]
	f.ready = append(f.ready, l)
	s.sides[s.groups[l.group].direction].more.Signal()
}

func (s *schedule) leaveHeap(l *lane) {
	if l.where == waiting {
		heap.Remove(&s.waiting, int(l.heap))
		l.where = nowhere
	}
}

// wakeClock tells the clock if l is now the first to wake.
func (s *schedule) wakeClock(l *lane) {
	if s.waiting[0] != l {
		return
	}
	select {
	case s.sooner <- struct{}{}:
	default:
	}
}

// take waits for a lane of a direction whose turn it is, and returns its oldest entries that are due, at most n. The
// lane is the caller's until it gives it back. nil when the schedule stops. Networks take turns, and no more than share
// lanes of one are in hand; 0: no limit.
func (s *schedule) take(d core.Direction, n, share int) (*lane, []*entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		f := s.turn(d, share)
		for f == nil && !s.stopping {
			s.sides[d].more.Wait()
			f = s.turn(d, share)
		}
		if s.stopping {
			return nil, nil
		}
		l := f.pop()
		l.where = nowhere
		if hand := l.takeDue(n); len(hand) > 0 {
			l.where, l.hand = inHand, hand
			f.busy++
			return l, hand
		}
		s.settle(l)
	}
}

// turn finds the next group of a direction that has a lane due and a worker left; nil if there is none. Who waits is
// woken when a lane gets ready; a share that gets free is found by the worker that frees it.
func (s *schedule) turn(d core.Direction, share int) *flow {
	side := &s.sides[d]
	for i := range s.groups {
		g := (side.next + i) % len(s.groups)
		f := &s.flows[g]
		if s.groups[g].direction == d && f.first < len(f.ready) && (share <= 0 || f.busy < share) {
			side.next = g + 1
			return f
		}
	}
	return nil
}

func (l *lane) takeDue(n int) (hand []*entry) {
	if l.single > 0 {
		n = 1
		l.single--
	}
	now := time.Now().UnixMicro()
	for l.head != nil && l.head.at <= now && len(hand) < n {
		e := l.head
		if e.panics > 0 { // handled alone
			if len(hand) > 0 {
				break
			}
			n = 1
		}
		l.head, e.next = e.next, nil
		hand = append(hand, e)
	}
	if l.head == nil {
		l.tail = nil
	}
	return hand
}

// pop takes the first of the queue, and now and then closes the gap at its front.
func (q *flow) pop() *lane {
	l := q.ready[q.first]
	q.ready[q.first] = nil
	q.first++
	if q.first > 1024 && q.first*2 > len(q.ready) {
		q.ready = append(q.ready[:0], q.ready[q.first:]...)
		q.first = 0
	}
	if q.first == len(q.ready) {
		q.ready, q.first = q.ready[:0], 0
	}
	return l
}

// giveBack ends a turn: the entries of back are pending again, those of gone are forgotten.
func (s *schedule) giveBack(l *lane, back, gone []*entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.active { // Run has ended
		return
	}
	for _, e := range gone {
		s.forget(e)
	}
	for _, e := range back {
		l.add(e)
	}
	l.where, l.hand = nowhere, nil
	s.flows[l.group].busy--
	s.settle(l)
	l.leave()
}

// leave tells whoever waits for it that the lane is not in hand any more.
func (l *lane) leave() {
	if l.over != nil {
		close(l.over)
		l.over = nil
	}
}

// forget takes an entry that is in no lane any more out of the sums.
func (s *schedule) forget(e *entry) {
	s.depth[e.group]--
	if e.item != nil {
		s.resident -= int64(e.size)
		e.item = nil
	}
}

// keepResident keeps the item that was read for an entry, if there is room.
func (s *schedule) keepResident(e *entry, it *core.Item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.item == nil && s.resident+int64(e.size) <= s.limit {
		e.item = it
		s.resident += int64(e.size)
	}
}

// stop makes take return, for good.
func (s *schedule) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = true
	for d := range s.sides {
		s.sides[d].more.Broadcast()
	}
}

// reset forgets everything; the next Run reads it from disk.
func (s *schedule) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active, s.stopping = false, false
	for _, l := range s.lanes {
		l.leave()
	}
	s.lanes = make(map[uint64]*lane)
	s.waiting, s.resident, s.groups, s.flows, s.depth = nil, 0, nil, nil, nil
}
