package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
)

// maxGroup is the most writes in one transaction. It bounds how long the last one waits for the others.
const maxGroup = 512

// errGoexit is for a function that ended its goroutine, as t.FailNow does, and with it the leader of others.
var errGoexit = errors.New("store: the transaction was abandoned by runtime.Goexit")

// Write runs fn in a transaction and returns when it is committed and safe on disk, or undone: nil only ever means
// committed. fn runs once, perhaps on another caller's goroutine and beside other writes of the same transaction; if
// it fails or panics, what it did is undone and its error returned. It must be quick, must not call the database but
// through tx, and must not end its goroutine.
//
// When ctx ends before fn has begun, nothing is done and ctx's error is returned. After that ctx is not looked at:
// the outcome is waited for, so that it is always known. The exception is ErrBroken: see there.
func (db *DB) Write(ctx context.Context, fn func(tx *Tx) error) error {
	return db.w.do(ctx, &request{fn: fn})
}

// Batch carries out one frequent kind of write for many callers at once: everything that waits is handed to one
// function, which can use one statement for many rows. It costs a savepoint per transaction instead of one per write.
type Batch[T any] struct {
	w *writer
	k *kind
}

// NewBatch makes a Batch of fn. fn has the promises and duties of a function given to Write, for all items together;
// when it fails it is undone and called again for each item by itself, so that a bad one does not harm the others.
func NewBatch[T any](db *DB, fn func(tx *Tx, items []T) error) *Batch[T] {
	k := &kind{fn: func(tx *Tx, rs []*request) error {
		items := make([]T, len(rs))
		for i, r := range rs {
			items[i] = r.item.(T)
		}
		return fn(tx, items)
	}}
	return &Batch[T]{w: &db.w, k: k}
}

// Write adds an item to the next transaction and returns as DB.Write does.
func (b *Batch[T]) Write(ctx context.Context, item T) error {
	return b.w.do(ctx, &request{kind: b.k, item: item})
}

type kind struct{ fn func(*Tx, []*request) error }

// request is one write that waits.
type request struct {
	fn   func(*Tx) error // or:
	kind *kind
	item any

	taken bool          // guarded by writer.mu: it is in a transaction
	wake  chan struct{} // closed or sent to once: done, or yours is the lead
	done  bool          // set before wake, unless it means the lead
	err   error
}

func (r *request) run(tx *Tx) error {
	if r.kind != nil {
		return r.kind.fn(tx, []*request{r})
	}
	return r.fn(tx)
}

// writer is the write connection and the queue for it. Whoever has the lead owns the connection.
type writer struct {
	c *conn

	mu      sync.Mutex
	waiting []*request
	led     bool
	stopped error // why nothing is written any more: ErrClosed or ErrBroken
	idle    sync.Cond
}

func (w *writer) do(ctx context.Context, r *request) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w.mu.Lock()
	if w.stopped != nil {
		err := w.stopped
		w.mu.Unlock()
		return err
	}
	w.waiting = append(w.waiting, r)
	if w.led {
		r.wake = make(chan struct{}, 1)
		w.mu.Unlock()
		return w.wait(ctx, r)
	}
	w.led = true
	w.mu.Unlock()
	w.lead()
	return r.err
}

// wait waits for another's transaction to carry r out, or for the lead.
func (w *writer) wait(ctx context.Context, r *request) error {
	select {
	case <-r.wake:
	case <-ctx.Done():
		if w.withdraw(r) {
			return ctx.Err()
		}
		<-r.wake
	}
	if !r.done {
		w.lead()
	}
	return r.err
}

// withdraw takes r out of the queue; false if it is under way, or has been given the lead.
func (w *writer) withdraw(r *request) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.taken {
		return false
	}
	for i, other := range w.waiting {
		if other == r {
			w.waiting = append(w.waiting[:i], w.waiting[i+1:]...)
			break
		}
	}
	return true
}

// lead commits what waits, once, and passes the lead on.
func (w *writer) lead() {
	w.gather()
	w.mu.Lock()
	n := min(len(w.waiting), maxGroup)
	group := make([]*request, n)
	copy(group, w.waiting)
	w.waiting = append(w.waiting[:0], w.waiting[n:]...)
	for _, r := range group {
		r.taken = true
	}
	stopped := w.stopped
	w.mu.Unlock()

	finished := false
	defer func() {
		if !finished {
			w.fail(group, errGoexit)
			_ = w.c.exec("ROLLBACK") // fails if there is no transaction, which is as good
		}
		w.release(group)
	}()
	if stopped != nil {
		w.fail(group, stopped)
	} else {
		w.commit(group)
	}
	finished = true
}

// gather lets those whom the last commit woke join this one: it yields for as long as more are coming.
func (w *writer) gather() {
	for have := 0; ; {
		runtime.Gosched()
		w.mu.Lock()
		n := len(w.waiting)
		w.mu.Unlock()
		if n <= have || n >= maxGroup {
			return
		}
		have = n
	}
}

// release wakes the group and gives the lead to the first of those who wait.
func (w *writer) release(group []*request) {
	w.mu.Lock()
	for _, r := range group {
		r.done = true
		if r.wake != nil {
			r.wake <- struct{}{}
		}
	}
	if len(w.waiting) == 0 {
		w.led = false
		w.idle.Broadcast()
		w.mu.Unlock()
		return
	}
	next := w.waiting[0]
	next.taken = true // it leads, and cannot withdraw
	next.wake <- struct{}{}
	w.mu.Unlock()
}

func (w *writer) fail(group []*request, err error) {
	for _, r := range group {
		r.err = err
	}
}

// commit runs a group in one transaction and sets each one's outcome.
func (w *writer) commit(group []*request) {
	if err := w.c.exec(w.c.dialect.begin()); err != nil {
		w.broken(group, fmt.Errorf("store: begin: %w", classify(err)))
		return
	}
	tx := &Tx{c: w.c, write: true}
	err := runGroup(tx, group)
	if err == nil {
		if err = classify(w.c.exec("COMMIT")); err != nil {
			err = fmt.Errorf("store: commit: %w", err)
		}
	}
	if err != nil {
		_ = w.c.exec("ROLLBACK") // fails if SQLite has done so by itself
		tx.end(0, false)
		w.broken(group, err)
		return
	}
	tx.end(0, true)
}

// broken fails a whole group, and stops the writer if the disk can no longer be trusted.
func (w *writer) broken(group []*request, err error) {
	w.fail(group, err)
	if !errors.Is(err, ErrBroken) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped == nil {
		w.stopped = err
	}
}

// runGroup runs the writes of a group: first the batches, then the single ones. Its error is fatal to all, so that
// one that is alone needs no savepoint.
func runGroup(tx *Tx, group []*request) error {
	if len(group) == 1 {
		return safely(group[0].run, tx)
	}
	batches := make(map[*kind][]*request)
	var kinds []*kind
	for _, r := range group {
		if r.kind == nil {
			continue
		}
		if batches[r.kind] == nil {
			kinds = append(kinds, r.kind)
		}
		batches[r.kind] = append(batches[r.kind], r)
	}
	for _, k := range kinds {
		if err := runBatch(tx, k, batches[k]); err != nil {
			return err
		}
	}
	for _, r := range group {
		if r.kind == nil {
			if err := runOne(tx, r); err != nil {
				return err
			}
		}
	}
	return nil
}

func runBatch(tx *Tx, k *kind, rs []*request) error {
	err, fatal := tx.savepoint(func(tx *Tx) error { return k.fn(tx, rs) })
	if err == nil || fatal != nil {
		return fatal
	}
	if len(rs) == 1 {
		rs[0].err = err
		return nil
	}
	for _, r := range rs {
		if err := runOne(tx, r); err != nil {
			return err
		}
	}
	return nil
}

func runOne(tx *Tx, r *request) (fatal error) {
	r.err, fatal = tx.savepoint(r.run)
	return fatal
}

// stop lets nothing more in and waits until what is under way is done. Afterwards the caller owns the connection.
func (w *writer) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped == nil {
		w.stopped = ErrClosed
	}
	for w.led {
		w.idle.Wait()
	}
}
