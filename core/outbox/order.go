package outbox

import (
	"context"
	"database/sql"
	"errors"

	"gangway/core"
	"gangway/core/store"
)

// The verbs of an order. An order is a row beside the item: it is given by whoever holds the database, and carried
// out by the queue that runs, or by the next that starts. To look for one costs a read of an empty table.
const (
	verbRetry = "retry" // the row was changed: look at it again
	verbDrop  = "drop"
)

type order struct {
	seq  int64
	verb string
}

func giveOrder(ctx context.Context, tx *store.Tx, seq int64, verb string) error {
	_, err := tx.Exec(ctx, "INSERT INTO outbox_order (seq, verb) VALUES (?, ?) "+
		"ON CONFLICT (seq) DO UPDATE SET verb = excluded.verb", seq, verb)
	return err
}

// carryOutOrders does what was asked for since the last time.
func (o *Outbox) carryOutOrders(ctx context.Context) error {
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
		return err
	}
	var errs []error
	for _, d := range orders {
		errs = append(errs, o.db.Write(ctx, func(tx *store.Tx) error { return o.obey(ctx, tx, d) }))
	}
	return errors.Join(errs...)
}

// obey carries out one order. The entry is taken out of the schedule first, so that no turn can begin with it. While
// it is in hand the order stays.
func (o *Outbox) obey(ctx context.Context, tx *store.Tx, d order) error {
	p, err := pendingRow(ctx, tx, d.seq)
	if errors.Is(err, sql.ErrNoRows) { // finished in the meantime
		return deleteOrder(ctx, tx, d.seq)
	}
	if err != nil {
		return err
	}
	old, busy := o.lanes.detach(p)
	if busy {
		return nil
	}
	if old != nil {
		tx.OnUndo(func() { o.lanes.attach(p, old) })
	}
	if d.verb == verbDrop {
		if err := o.drop(ctx, tx, d.seq); err != nil {
			return err
		}
		tx.OnCommit(func() { o.pending.Add(-1) })
		return deleteOrder(ctx, tx, d.seq)
	}
	tx.OnCommit(func() {
		if o.lanes.attach(p, p.entry) && old == nil { // a dead letter that is pending again
			o.pending.Add(1)
		}
	})
	return deleteOrder(ctx, tx, d.seq)
}

// drop forgets a pending item. Whoever submitted it learns from the ledger that it will not arrive.
func (o *Outbox) drop(ctx context.Context, tx *store.Tx, seq int64) error {
	letters, err := query(ctx, tx, false, "seq = ?", seq)
	if err != nil {
		return err
	}
	if o.cfg.Journal != nil && len(letters) > 0 && letters[0].Event != nil {
		v := core.Verdict{Outcome: core.Dead,
			Err: core.E(core.Denied, "outbox: drop", "The message was removed from the queue before it was sent.")}
		if err := o.cfg.Journal.Settle(ctx, tx, &letters[0].Item, v); err != nil {
			return err
		}
	}
	return deleteRows(ctx, tx, []int64{seq})
}

func deleteOrder(ctx context.Context, tx *store.Tx, seq int64) error {
	_, err := tx.Exec(ctx, "DELETE FROM outbox_order WHERE seq = ?", seq)
	return err
}

// detach takes an item's entry out of its lane; busy if it is in hand, nil if it is not in memory.
func (s *schedule) detach(p *placed) (e *entry, busy bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lanes[s.laneID(p.direction, p.network, p.lane)]
	if l == nil {
		return nil, false
	}
	for _, e := range l.hand {
		if e.seq == p.entry.seq {
			return nil, true
		}
	}
	e = l.remove(p.entry.seq)
	if e != nil {
		s.forget(e)
		s.settle(l)
	}
	return e, false
}

// attach puts an entry into its lane; false if the schedule knows nothing because Run does not run.
func (s *schedule) attach(p *placed, e *entry) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.active {
		s.place(p, e)
	}
	return s.active
}
