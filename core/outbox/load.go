package outbox

import (
	"context"

	"gangway/core"
	"gangway/core/store"
)

const loadSlice = 1000 // rows

// load reads what is on disk, in order of seq, and only then lets commits hand over what is new: nothing overtakes.
func (o *Outbox) load(ctx context.Context) error {
	if _, err := o.carryOutOrders(ctx); err != nil {
		return err
	}
	var last int64
	for {
		n := 0
		err := o.db.Read(ctx, func(tx *store.Tx) (err error) {
			last, n, err = o.loadAfter(ctx, tx, last)
			return err
		})
		if err != nil {
			return err
		}
		if n < loadSlice {
			break
		}
	}
	// The rest is read where nobody else can commit, so that the change-over has no gap.
	return o.db.Write(ctx, func(tx *store.Tx) error {
		for {
			next, n, err := o.loadAfter(ctx, tx, last)
			if err != nil {
				return err
			}
			if n == 0 {
				break
			}
			last = next
		}
		tx.OnCommit(func() { o.pending.Store(o.lanes.activate()) })
		return nil
	})
}

// activate begins to take items from their commits, and counts those that there are.
func (s *schedule) activate() (n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active = true
	for _, d := range s.depth {
		n += int64(d)
	}
	return n
}

// placed is an entry and where it belongs.
type placed struct {
	entry         *entry
	direction     core.Direction
	network, lane string
	seized        bool // it was in its lane, and is out of it until it is replaced
}

const placedQuery = "SELECT seq, direction, network, lane, not_before, queued, length(body), panics FROM outbox "

func scanPlaced(scan func(...any) error) (*placed, error) {
	e := new(entry)
	p := &placed{entry: e}
	err := scan(&e.seq, &p.direction, &p.network, &p.lane, &e.at, &e.queued, &e.size, &e.panics)
	return p, err
}

// pendingRow reads where an item is. sql.ErrNoRows if it is not pending.
func pendingRow(ctx context.Context, tx *store.Tx, seq int64) (*placed, error) {
	return scanPlaced(tx.QueryRow(ctx, placedQuery+"WHERE seq = ?", seq).Scan)
}

// loadAfter adds a slice of rows with a seq above last to the schedule, without their events.
func (o *Outbox) loadAfter(ctx context.Context, tx *store.Tx, last int64) (next int64, n int, err error) {
	rows, err := tx.Query(ctx, placedQuery+"WHERE seq > ? ORDER BY seq LIMIT ?", last, loadSlice)
	if err != nil {
		return last, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		p, err := scanPlaced(rows.Scan)
		if err != nil {
			return last, n, err
		}
		o.lanes.load(p)
		last = p.entry.seq
		n++
	}
	return last, n, rows.Err()
}

// load adds an entry that was read from disk.
func (s *schedule) load(p *placed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.place(p, p.entry)
}

// place puts an entry into its lane. A row of a direction that does not exist is left alone.
func (s *schedule) place(p *placed, e *entry) {
	if int(p.direction) >= len(s.sides) {
		return
	}
	e.group = s.groupOf(p.direction, p.network)
	s.join(s.laneID(p.direction, p.network, p.lane), e)
}
