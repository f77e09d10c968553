package outbox

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"gangway/core"
	"gangway/core/store"
)

// The verbs of an order. An order is a row beside the item: it is given by whoever holds the database, and carried
// out by the queue that runs, or by the next that starts. To look for one costs a read of an empty table.
const (
	verbRetry  = "retry"  // the row was changed: look at it again
	verbRevive = "revive" // the same, of what was a dead letter: the journal hears of it as of a new item
	verbDrop   = "drop"
	verbErase  = "erase" // drop without a word, also what has become a dead letter meanwhile
)

type order struct {
	seq  int64
	verb string
}

// giveOrder replaces an order that has not been carried out. But what was revived is to be heard of as such also when
// it is to be tried at once, and what is to be erased stays so.
func giveOrder(ctx context.Context, tx *store.Tx, seq int64, verb string) error {
	_, err := tx.Exec(ctx, "INSERT INTO outbox_order (seq, verb) VALUES (?, ?) ON CONFLICT (seq) DO UPDATE SET "+
		"verb = CASE WHEN outbox_order.verb = 'erase' OR outbox_order.verb = 'revive' AND excluded.verb = 'retry' "+
		"THEN outbox_order.verb ELSE excluded.verb END", seq, verb)
	return err
}

// carryOutOrders does what was asked for since the last time, the oldest first, and returns how many orders it has seen.
func (o *Outbox) carryOutOrders(ctx context.Context) (int, error) {
	var orders []order
	err := o.db.Read(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, "SELECT seq, verb FROM outbox_order ORDER BY seq LIMIT ?", store.Slice)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var d order
			if err := rows.Scan(&d.seq, &d.verb); err != nil {
				return err
			}
			orders = append(orders, d)
		}
		return rows.Err()
	})
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, d := range orders {
		errs = append(errs, o.db.Write(ctx, func(tx *store.Tx) error { return o.obey(ctx, tx, d) }))
	}
	return len(orders), errors.Join(errs...)
}

// obey carries out one order. While its item is in hand it waits: the next look finds it again.
func (o *Outbox) obey(ctx context.Context, tx *store.Tx, d order) error {
	p, err := pendingRow(ctx, tx, d.seq)
	if errors.Is(err, sql.ErrNoRows) { // finished in the meantime
		if d.verb == verbErase {
			if _, err := tx.Exec(ctx, "DELETE FROM outbox_dead WHERE seq = ?", d.seq); err != nil {
				return err
			}
		}
		return deleteOrder(ctx, tx, d.seq)
	}
	if err != nil {
		return err
	}
	if d.verb == verbRevive {
		if err := o.tellRevived(ctx, tx, d.seq); err != nil {
			return err
		}
	}
	if d.verb != verbDrop && d.verb != verbErase {
		tx.OnCommit(func() {
			if o.lanes.replace(p) { // a dead letter that is pending again
				o.pending.Add(1)
			}
		})
		return deleteOrder(ctx, tx, d.seq)
	}
	// Taken out first, so that no turn can begin with it.
	e, busy := o.lanes.detach(p)
	if busy {
		return nil
	}
	if e != nil {
		tx.OnUndo(func() { o.lanes.load(p) })
	}
	tx.OnCommit(func() { o.pending.Add(-1) })
	if err := unhold(ctx, tx, p); err != nil {
		return err
	}
	if d.verb == verbErase {
		err = deleteRows(ctx, tx, []int64{d.seq})
	} else {
		err = o.drop(ctx, tx, d.seq)
	}
	if err != nil {
		return err
	}
	return deleteOrder(ctx, tx, d.seq)
}

func (o *Outbox) tellRevived(ctx context.Context, tx *store.Tx, seq int64) error {
	letters, err := query(ctx, tx, false, "seq = ?", seq)
	if err != nil || o.cfg.Journal == nil || len(letters) == 0 || letters[0].Event == nil {
		return err
	}
	err = o.cfg.Journal.Put(ctx, tx, &letters[0].Item)
	if errors.Is(err, core.ErrDuplicate) {
		return nil
	}
	return err
}

// drop forgets a pending item. Whoever submitted it is told that it will not arrive, and the ledger knows it.
func (o *Outbox) drop(ctx context.Context, tx *store.Tx, seq int64) error {
	letters, err := query(ctx, tx, false, "seq = ?", seq)
	if err != nil {
		return err
	}
	if err := deleteRows(ctx, tx, []int64{seq}); err != nil || len(letters) == 0 || letters[0].Event == nil {
		return err
	}
	it := &letters[0].Item
	why := core.E(core.Denied, "outbox: drop", "The message was removed from the queue before it was sent.")
	if o.cfg.Journal != nil {
		if err := o.cfg.Journal.Settle(ctx, tx, it, core.Verdict{Outcome: core.Dead, Err: why}); err != nil {
			return err
		}
	}
	return o.insertItems(tx, it.Failures(why))
}

func deleteOrder(ctx context.Context, tx *store.Tx, seq int64) error {
	_, err := tx.Exec(ctx, "DELETE FROM outbox_order WHERE seq = ?", seq)
	return err
}

// find returns the lane that an item belongs to, if it has anything pending, and whether the item is in hand.
func (s *schedule) find(p *placed) (l *lane, busy bool) {
	l = s.lanes[s.laneID(p.direction, p.network, p.lane)]
	if l == nil {
		return nil, false
	}
	busy = slices.ContainsFunc(l.hand, func(e *entry) bool { return e.seq == p.entry.seq })
	return l, busy
}

// detach takes an item's entry out of its lane; busy if it is in hand, nil if it is not in memory.
func (s *schedule) detach(p *placed) (e *entry, busy bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, busy := s.find(p)
	if l == nil || busy {
		return nil, busy
	}
	if e = l.remove(p.entry.seq); e != nil {
		s.forget(e)
		s.settle(l)
	}
	return e, false
}

// replace puts an entry in the place of the one that its item has, which its row has overtaken. It says whether the
// item is new here. One in hand is left alone: its verdict is what counts.
func (s *schedule) replace(p *placed) (fresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, busy := s.find(p)
	if busy {
		return false
	}
	var old *entry
	if l != nil {
		old = l.remove(p.entry.seq)
	}
	if old != nil {
		s.forget(old)
	}
	if !s.active && old == nil && !p.seized { // it is still to be read from disk
		return false
	}
	s.place(p, p.entry)
	return old == nil
}
