package core_test

import (
	"context"
	"sync"
	"time"

	"gangway/core"
)

// memQueue is a core.Queue in memory, one item at a time.
type memQueue struct {
	mu     sync.Mutex
	seq    int64
	items  []*core.Item
	keys   map[string]bool
	dead   []*core.Item
	began  int
	wake   chan struct{}
	ledger *memLedger
}

func newMemQueue(l *memLedger) *memQueue {
	return &memQueue{keys: map[string]bool{}, wake: make(chan struct{}, 1), ledger: l}
}

func (q *memQueue) Put(_ context.Context, items ...*core.Item) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.put(items)
}

func (q *memQueue) put(items []*core.Item) error {
	for _, it := range items {
		if err := q.hear(it); err != nil {
			return err
		}
		q.seq++
		it.Seq = q.seq
		q.items = append(q.items, it)
	}
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return nil
}

// hear notes that an item was taken.
func (q *memQueue) hear(it *core.Item) error {
	key := it.Direction.String() + it.Network + it.Key
	if it.Key != "" && q.keys[key] || !it.Noted && !q.ledger.put(it) {
		return core.ErrDuplicate
	}
	q.keys[key] = true
	return nil
}

// held returns what is held in a lane.
func (q *memQueue) held(network, lane string) *core.Item {
	for _, it := range q.items {
		if it.Direction == core.Window && it.Network == network && it.Lane == lane {
			return it
		}
	}
	return nil
}

func (q *memQueue) Amend(_ context.Context, network, lane string, said *core.Item, change func(*core.Item) (core.Amendment, error)) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	it := q.held(network, lane)
	var given *core.Item
	if it != nil {
		copied := *it
		given = &copied
	}
	a, err := change(given)
	if err != nil {
		return err
	}
	if said != nil {
		if err := q.hear(said); err != nil {
			return err
		}
	}
	if it != nil {
		q.remove(it)
	}
	q.ledger.amended(a)
	if a.Held != nil {
		q.seq++
		a.Held.Seq = q.seq
		q.items = append(q.items, a.Held)
	}
	return q.put(a.Put)
}

func (q *memQueue) Await(network, lane string, move func(began, at time.Time) time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if it := q.held(network, lane); it != nil {
		it.NotBefore = move(it.Queued, it.NotBefore)
	}
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *memQueue) Waiting(_ context.Context, user core.UserID, network string) ([]*core.Item, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var all []*core.Item
	for _, it := range q.items {
		if it.Direction == core.Window && it.Network == network && it.User == user {
			all = append(all, it)
		}
	}
	return all, nil
}

func (q *memQueue) remove(it *core.Item) {
	for i := range q.items {
		if q.items[i] == it {
			q.items = append(q.items[:i:i], q.items[i+1:]...)
			return
		}
	}
}

func (q *memQueue) Begin(_ context.Context, it *core.Item) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	it.Begun = time.Now()
	q.began++
	return nil
}

// next returns an item that is due, or how long until one is.
func (q *memQueue) next() (*core.Item, time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	wait := time.Hour
	behind := map[string]bool{} // lanes whose first is not due
	for _, it := range q.items {
		lane := it.Direction.String() + it.Network + " " + it.Lane
		if behind[lane] {
			continue
		}
		d := time.Until(it.NotBefore)
		if d <= 0 {
			return it, 0
		}
		behind[lane] = true
		wait = min(wait, d)
	}
	return nil, wait
}

func (q *memQueue) Run(ctx context.Context, handlers map[core.Direction]core.Handler) error {
	for ctx.Err() == nil {
		it, wait := q.next()
		if it == nil {
			select {
			case <-ctx.Done():
			case <-q.wake:
			case <-time.After(wait):
			}
			continue
		}
		v := handlers[it.Direction].Handle(ctx, []*core.Item{it})[0]
		q.settle(it, v)
	}
	return nil
}

func (q *memQueue) settle(it *core.Item, v core.Verdict) {
	q.mu.Lock()
	defer q.mu.Unlock()
	it.LastErr = v.Err
	if v.Outcome == core.Retry {
		it.NotBefore = v.At
		if !v.At.IsZero() {
			it.Attempts++
		}
		if !v.Begun {
			it.Begun = time.Time{}
		}
		_ = q.put(v.Then)
		return
	}
	q.remove(it)
	if v.Outcome == core.Dead {
		q.dead = append(q.dead, it)
	}
	q.ledger.settle(it, v)
	q.ledger.amended(core.Amendment{Put: v.Then})
	_ = q.put(v.Then)
}

// revive tries the dead letters again, as the outbox does: the ledger hears of them anew.
func (q *memQueue) revive() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, it := range q.dead {
		it.NotBefore, it.Begun, it.Attempts = time.Time{}, time.Time{}, 0
		it.Expires = time.Now().Add(time.Hour)
		q.ledger.put(it)
		q.items = append(q.items, it)
	}
	q.dead = nil
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *memQueue) counts() (waiting, dead, began int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items), len(q.dead), q.began
}

// memLedger is a core.Ledger in memory, written as the mapping's journal does.
type memLedger struct {
	mu      sync.Mutex
	entries map[core.MessageID]core.Entry
	newest  map[string]core.MessageID
}

func (l *memLedger) put(it *core.Item) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch e := it.Event.(type) {
	case *core.Message:
		if it.Direction == core.ToNetwork {
			l.entries[e.ID] = core.Entry{Ref: e.Ref, IDs: e.IDs, Origin: e.Origin, Thread: e.Thread, Mine: true}
			l.newest[e.Origin.ID] = e.ID
		} else {
			l.entries[e.ID] = core.Entry{Ref: e.Ref, IDs: e.IDs, Thread: e.Thread, Mine: e.Mine, State: core.Delivered}
		}
	case *core.Receipt:
		entry, known := l.entries[e.ID]
		if !known {
			return true
		}
		if !e.State.Follows(entry.State) {
			return false
		}
		entry.State, entry.Remote = e.State, e.Remote
		l.entries[e.ID] = entry
	}
	return true
}

func (l *memLedger) settle(it *core.Item, v core.Verdict) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m, ok := it.Event.(*core.Message)
	if !ok || it.Direction != core.ToNetwork || v.Outcome != core.Done {
		return
	}
	for _, id := range append([]core.MessageID{m.ID}, l.entries[m.ID].Parts...) {
		entry := l.entries[id]
		entry.Remote = v.Taken.Remote
		if v.Taken.State == core.Accepted {
			entry.State = core.Accepted
		}
		l.entries[id] = entry
	}
}

// amended notes what became of what was held.
func (l *memLedger) amended(a core.Amendment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, it := range a.Put {
		m, ok := it.Event.(*core.Message)
		if !ok || it.Direction != core.ToNetwork {
			continue
		}
		whole := l.entries[m.ID]
		for _, p := range m.Parts {
			part := l.entries[p.ID]
			part.Whole = m.ID
			l.entries[p.ID] = part
			whole.Parts = append(whole.Parts, p.ID)
		}
		l.entries[m.ID] = whole
	}
	for _, id := range a.Withdrawn {
		entry := l.entries[id]
		entry.State = core.Withdrawn
		l.entries[id] = entry
	}
}

func (l *memLedger) Message(_ context.Context, id core.MessageID) (core.Entry, error) {
	return l.find(func(e core.Entry) bool { return e.ID == id })
}

func (l *memLedger) ByRemote(_ context.Context, a core.AccountID, id core.RemoteID) (core.Entry, error) {
	return l.find(func(e core.Entry) bool { return e.Account == a && e.Remote == id && e.Whole == "" })
}

func (l *memLedger) ByOrigin(_ context.Context, a core.AccountID, id string) (core.Entry, error) {
	l.mu.Lock()
	newest := l.newest[id]
	l.mu.Unlock()
	return l.find(func(e core.Entry) bool { return e.Account == a && e.ID == newest })
}

func (l *memLedger) find(match func(core.Entry) bool) (core.Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.entries {
		if match(e) {
			return e, nil
		}
	}
	return core.Entry{}, core.E(core.NotFound, "ledger", "")
}
