package archive

import (
	"context"
	"database/sql"
	"errors"
	"math"

	"gangway/core"
	"gangway/core/store"
)

var _ core.Archive = (*Archive)(nil)

// recently is among how many of the newest events of a room one with a name is looked for.
const recently = 1000

// Since implements core.Archive. It sees what was appended before.
func (a *Archive) Since(ctx context.Context, ref core.Ref) (m core.Mark, err error) {
	if err := a.queue.settle(ctx); err != nil {
		return m, fault("since", err)
	}
	a.filling.end(ref) // what is told begins anew
	err = a.db.Write(ctx, func(tx *store.Tx) (err error) {
		r := reading{tx: tx, ref: ref}
		if known, err := r.find(ctx); !known || err != nil {
			return errors.Join(err, nothingKept())
		}
		if r.gap {
			m, err = r.mark(ctx)
			return err
		}
		if m, err = r.newest(ctx); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, openGap, m.At.UnixMilli(), string(m.Remote), r.room)
		return err
	})
	return m, fault("since", err)
}

func nothingKept() error {
	return core.E(core.NotFound, "archive: since", "Nothing is kept of that room.")
}

// mark is where the open gap begins.
func (r *reading) mark(ctx context.Context) (core.Mark, error) {
	var at int64
	var remote string
	err := r.tx.QueryRow(ctx, selectGap, r.room).Scan(&at, &remote)
	return core.Mark{Remote: core.RemoteID(remote), At: moment(at)}, err
}

// newest is the end of what is kept: by the network's clock, if that has named any of it, otherwise by ours.
func (r *reading) newest(ctx context.Context) (core.Mark, error) {
	s := whole()
	var at int64
	var remote string
	err := r.tx.QueryRow(ctx, selectNewestNamed, r.room, recently).Scan(&at, &remote)
	if err == nil {
		return core.Mark{Remote: core.RemoteID(remote), At: moment(at - networkClock)}, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return core.Mark{}, err
	}
	rows, err := store.Collect(ctx, r.tx, scanRow, selectTail, r.args(s, "", 1)...)
	if err != nil {
		return core.Mark{}, err
	}
	if len(rows) == 0 {
		return r.begun(ctx)
	}
	return core.Mark{At: moment(rows[0].at - ownClock)}, nil
}

// begun is where the history of a room begins in which nothing has been said yet.
func (r *reading) begun(ctx context.Context) (core.Mark, error) {
	var at int64
	err := r.tx.QueryRow(ctx, begunAt, r.room).Scan(&at)
	if err == nil && at == 0 {
		err = nothingKept()
	}
	if err != nil {
		return core.Mark{}, err
	}
	return core.Mark{At: moment(at - ownClock)}, nil
}

// Begin implements core.Archive.
func (a *Archive) Begin(ctx context.Context, ref core.Ref) error {
	now := a.now().UnixMilli()
	return fault("begin", a.db.Write(ctx, func(tx *store.Tx) error {
		w := writing{tx: tx, rooms: map[core.Ref]int64{}}
		room, err := w.room(ctx, ref)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, beginRoom, now-ownClock, now, room)
		return err
	}))
}

// Filled implements core.Archive.
func (a *Archive) Filled(ctx context.Context, ref core.Ref) error {
	a.filling.end(ref)
	return fault("filled", a.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, closeGap, string(ref.Account), string(ref.Peer))
		return err
	}))
}

// Fill implements core.Archive: in one transaction after another, so that others need not wait for a long page. The
// mark of the gap moves with them.
func (a *Archive) Fill(ctx context.Context, ref core.Ref, page []core.Archived) (fresh []core.Archived, err error) {
	entries := make([]entry, 0, len(page))
	now := a.now()
	for _, e := range page {
		if _, err := complete(&e, now); err != nil {
			return nil, err
		}
		if e.Event.Where() != ref {
			return nil, core.E(core.Invalid, "archive: fill", "An event is of another room.")
		}
		entries = append(entries, entry{Archived: e, late: true})
	}
	if err := a.queue.settle(ctx); err != nil {
		return nil, fault("fill", err)
	}
	f := a.filling.begin(ref)
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(entries) > 0 {
		n := min(len(entries), batch)
		some, err := a.fill(ctx, ref, f, entries[:n])
		if err != nil {
			return nil, fault("fill", err)
		}
		fresh, entries = append(fresh, some...), entries[n:]
	}
	return fresh, nil
}

// fill keeps entries in one transaction, and returns those that are new.
func (a *Archive) fill(ctx context.Context, ref core.Ref, f *filling, entries []entry) (fresh []core.Archived, err error) {
	var taken map[int64]int64
	err = a.db.Write(ctx, func(tx *store.Tx) error {
		w := writing{tx: tx, rooms: map[core.Ref]int64{}, taken: f.copy()}
		fresh, taken = nil, w.taken // also when this is not the first try
		rows, err := rowsOf(entries)
		if err != nil {
			return err
		}
		if err := w.exact(ctx, ref, rows); err != nil {
			return err
		}
		for i := range entries {
			kept, err := w.entry(ctx, &entries[i], rows[i])
			if err != nil {
				return err
			}
			if kept {
				fresh = append(fresh, entries[i].Archived)
			}
		}
		return w.move(ctx, ref, entries)
	})
	if err == nil {
		f.taken = taken
		f.prune(entries[len(entries)-1].At)
	}
	return fresh, err
}

// move has the gap of a room begin after entries, if it has one: what was told before them is told.
func (w *writing) move(ctx context.Context, ref core.Ref, entries []entry) error {
	room, err := w.room(ctx, ref)
	if err != nil {
		return err
	}
	last, remote := int64(math.MinInt64), core.RemoteID("")
	for _, e := range entries {
		if m, ok := e.Event.(*core.Message); ok && m.Remote != "" && m.Remote != m.Replaces.Remote {
			remote = m.Remote
		}
		last = max(last, e.At.UnixMilli())
	}
	_, err = w.tx.Exec(ctx, moveGap, last-networkClock, string(remote), room)
	return err
}
