package outbox

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"gangway/core"
	"gangway/core/store"
)

// What is held is a row of the direction Window, one for each lane, which a table beside it knows. Whatever
// changes it takes its entry out of the schedule first, within the transaction, as an order does, so that no turn can
// begin with it; and waits, outside of it, for a turn that has begun.

// errInHand says that what is held is being let go.
var errInHand = errors.New("outbox: in hand")

// Amend implements core.Holding.
func (o *Outbox) Amend(ctx context.Context, network, lane string, said *core.Item, change func(*core.Item) (core.Amendment, error)) error {
	if o.db.Shared() {
		return core.Wrap(core.Internal, "outbox: amend", errors.New("the database is open for administration only"))
	}
	if said != nil && o.full(1) {
		return errFull("outbox: amend")
	}
	a := &amending{network: network, lane: lane, change: change}
	if said != nil {
		var err error
		if a.said, err = o.newRow(said, time.Now()); err != nil {
			return core.Wrap(core.Internal, "outbox: amend", err)
		}
	}
	for {
		err := o.db.Write(ctx, func(tx *store.Tx) error { return o.amend(tx, a) })
		if !errors.Is(err, errInHand) {
			return a.outcome(err)
		}
		select {
		case <-a.free:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// amending is one call of Amend.
type amending struct {
	network, lane string
	said          *row // nil: nothing was said
	change        func(*core.Item) (core.Amendment, error)
	refused       error           // by change
	free          <-chan struct{} // closed when the turn that has what is held in hand is over
}

// outcome is what the caller gets.
func (a *amending) outcome(err error) error {
	switch {
	case err == nil:
		return nil
	case a.refused != nil:
		return a.refused
	case errors.Is(err, core.ErrDuplicate):
		return core.ErrDuplicate
	}
	return reading("outbox: amend", err)
}

// amend is one call's transaction.
func (o *Outbox) amend(tx *store.Tx, a *amending) error {
	ctx := context.Background() // a group commit is nobody's in particular
	held, at, err := heldIn(ctx, tx, a.network, a.lane)
	if err != nil {
		return err
	}
	if held != nil {
		e, free := o.lanes.seize(at)
		if a.free = free; free != nil {
			return errInHand
		}
		if e != nil {
			at.seized = true
			tx.OnUndo(func() { o.lanes.load(at) })
		}
	}
	if err := o.hear(ctx, tx, a.said); err != nil {
		return err
	}
	am, err := a.change(held)
	if a.refused = err; err != nil {
		return err
	}
	if err := o.tellAmended(ctx, tx, held, am, a.said); err != nil {
		return err
	}
	if err := o.rehold(ctx, tx, held, at, am.Held); err != nil {
		return err
	}
	return o.insertItems(tx, am.Put)
}

// hear takes what was said as Put would, but writes no row of its own for it.
func (o *Outbox) hear(ctx context.Context, tx *store.Tx, said *row) error {
	if said == nil {
		return nil
	}
	fresh, err := o.seen.filter(ctx, tx, []*row{said})
	if err != nil {
		return err
	}
	if len(fresh) == 0 {
		return core.ErrDuplicate
	}
	if err := o.admit(ctx, tx, said); err != nil {
		return err
	}
	if said.dup {
		return core.ErrDuplicate
	}
	return o.seen.append(ctx, tx, fresh)
}

// tellAmended tells the journal what became of messages that it knows.
func (o *Outbox) tellAmended(ctx context.Context, tx *store.Tx, held *core.Item, am core.Amendment, said *row) error {
	if o.cfg.Journal == nil || len(am.Put) == 0 && len(am.Withdrawn) == 0 {
		return nil
	}
	about := held
	if about == nil {
		about = said.it // a line that goes at once
	}
	return o.cfg.Journal.Settle(ctx, tx, about, core.Verdict{Outcome: core.Done, Then: am.Put, Withdrawn: am.Withdrawn})
}

// rehold writes what is held from now on.
func (o *Outbox) rehold(ctx context.Context, tx *store.Tx, before *core.Item, at *placed, now *core.Item) error {
	if now != nil && now == before {
		r, err := o.newRow(now, time.Now())
		if err != nil {
			return err
		}
		now.Seq = at.entry.seq
		_, err = tx.Exec(ctx, "UPDATE outbox SET body = ?, not_before = ? WHERE seq = ?", r.body, micros(now.NotBefore), now.Seq)
		if err != nil {
			return err
		}
		at.entry.at, at.entry.size = micros(now.NotBefore), int32(len(r.body))
		tx.OnCommit(func() { o.lanes.replace(at) })
		return nil
	}
	if before != nil {
		if err := deleteRows(ctx, tx, []int64{at.entry.seq}); err != nil {
			return err
		}
		tx.OnCommit(func() { o.pending.Add(-1) })
	}
	if now == nil {
		return unhold(ctx, tx, at)
	}
	if err := o.insertItems(tx, []*core.Item{now}); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "INSERT INTO outbox_window (network, lane, seq) VALUES (?, ?, ?) "+
		"ON CONFLICT (network, lane) DO UPDATE SET seq = excluded.seq", now.Network, now.Lane, now.Seq)
	return err
}

// unhold forgets that an item is held; nil, or one of another direction, never was.
func unhold(ctx context.Context, tx *store.Tx, at *placed) error {
	if at == nil || at.direction != core.Window {
		return nil
	}
	_, err := tx.Exec(ctx, "DELETE FROM outbox_window WHERE network = ? AND lane = ? AND seq = ?", at.network, at.lane, at.entry.seq)
	return err
}

// insertItems puts items within a transaction.
func (o *Outbox) insertItems(tx *store.Tx, items []*core.Item) error {
	if len(items) == 0 {
		return nil
	}
	rows := make([]*row, 0, len(items))
	for _, it := range items {
		r, err := o.newRow(it, time.Now())
		if err != nil {
			return err
		}
		rows = append(rows, r)
	}
	return o.insert(tx, rows)
}

// heldIn reads what is held in a lane, and where it is; nil if nothing is. What this program cannot decode is left for
// its time to come, and becomes a dead letter then.
func heldIn(ctx context.Context, tx *store.Tx, network, lane string) (*core.Item, *placed, error) {
	var seq int64
	err := tx.QueryRow(ctx, "SELECT seq FROM outbox_window WHERE network = ? AND lane = ?", network, lane).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	letters, err := query(ctx, tx, false, "seq = ?", seq)
	if err != nil || len(letters) == 0 || letters[0].Event == nil {
		return nil, nil, err
	}
	at, err := pendingRow(ctx, tx, seq)
	return &letters[0].Item, at, err
}

// Await implements core.Holding.
func (o *Outbox) Await(network, lane string, move func(began, at time.Time) time.Time) {
	s := o.lanes
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lanes[s.laneID(core.Window, network, lane)]
	if l == nil || l.head == nil || l.where == inHand {
		return
	}
	l.head.at = micros(move(moment(l.head.queued), moment(l.head.at)))
	s.settle(l)
}

// Waiting implements core.Holding.
func (o *Outbox) Waiting(ctx context.Context, user core.UserID, network string) ([]*core.Item, error) {
	direction := core.Window
	letters, err := o.List(ctx, Filter{User: user, Network: network, Direction: &direction, Limit: 1000})
	if err != nil {
		return nil, err
	}
	var all []*core.Item
	for i := range letters {
		if letters[i].Event != nil {
			all = append(all, &letters[i].Item)
		}
	}
	return all, nil
}

// seize takes an item's entry out of its lane, as detach does; but if it is in hand it returns what is closed when the
// turn is over.
func (s *schedule) seize(p *placed) (e *entry, free <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, busy := s.find(p)
	switch {
	case l == nil:
		return nil, nil
	case busy:
		if l.over == nil {
			l.over = make(chan struct{})
		}
		return nil, l.over
	}
	if e = l.remove(p.entry.seq); e != nil {
		s.forget(e)
		s.settle(l)
	}
	return e, nil
}
