package archive

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"
	"time"

	"gangway/core"
	"gangway/core/store"
)

// Last returns the newest n events of a room, or fewer, that were said at or after since (zero: whenever), oldest
// first. It sees what was appended before.
func (a *Archive) Last(ctx context.Context, ref core.Ref, n int, since time.Time) (all []core.Archived, err error) {
	if n <= 0 {
		return nil, nil
	}
	err = a.read(ctx, "last", func(tx *store.Tx) error {
		r := reading{tx: tx, ref: ref}
		if known, err := r.find(ctx); !known || err != nil {
			return err
		}
		s := whole()
		if !since.IsZero() {
			s.after(place{since.UnixMilli(), math.MinInt64})
		}
		rows, err := store.Collect(ctx, tx, scanRow, selectTail, r.args(s, "", n)...)
		if err != nil {
			return err
		}
		slices.Reverse(rows)
		all, err = r.events(rows)
		return err
	})
	return all, err
}

// Find returns the newest event of a room with a name: its ID, its Remote, or the id of its Origin. NotFound if there
// is none. It sees what was appended before.
func (a *Archive) Find(ctx context.Context, ref core.Ref, name string) (e core.Archived, err error) {
	err = a.read(ctx, "find", func(tx *store.Tx) error {
		r := reading{tx: tx, ref: ref}
		if known, err := r.find(ctx); !known || err != nil {
			return errors.Join(err, unknown())
		}
		var best *row
		for _, query := range []string{selectByID, selectByRemote, selectByOrigin} {
			row, err := scanRow(tx.QueryRow(ctx, query, r.room, name))
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return err
			}
			if best == nil || (place{best.at, best.seq}).before(place{row.at, row.seq}) {
				best = &row
			}
		}
		if best == nil {
			return unknown()
		}
		e, err = best.archived(ref)
		return err
	})
	return e, err
}

// Known counts those of these ids under which a room has an event.
func (a *Archive) Known(ctx context.Context, ref core.Ref, ids []core.MessageID) (n int, err error) {
	err = a.read(ctx, "known", func(tx *store.Tx) error {
		n = 0
		r := reading{tx: tx, ref: ref}
		if known, err := r.find(ctx); !known || err != nil {
			return err
		}
		for _, id := range ids {
			_, err := scanRow(tx.QueryRow(ctx, selectByID, r.room, string(id)))
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

// Events returns the events of a room with these ids, oldest first. NotFound if one of them is not there.
func (a *Archive) Events(ctx context.Context, ref core.Ref, ids []core.MessageID) (all []core.Archived, err error) {
	err = a.read(ctx, "events", func(tx *store.Tx) error {
		r := reading{tx: tx, ref: ref}
		if known, err := r.find(ctx); !known || err != nil {
			return errors.Join(err, r.missing(ids...))
		}
		var rows []row
		for _, id := range ids {
			row, err := scanRow(tx.QueryRow(ctx, selectByID, r.room, string(id)))
			if errors.Is(err, sql.ErrNoRows) {
				return unknown()
			}
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
		slices.SortFunc(rows, func(x, y row) int {
			if (place{x.at, x.seq}).before(place{y.at, y.seq}) {
				return -1
			}
			return 1
		})
		rows = slices.CompactFunc(rows, func(x, y row) bool { return x.seq == y.seq })
		all, err = r.events(rows)
		return err
	})
	return all, err
}

// Ends returns the first and the last event of a room's history; false if it has none.
func (a *Archive) Ends(ctx context.Context, ref core.Ref) (first, last core.Archived, ok bool, err error) {
	err = a.read(ctx, "ends", func(tx *store.Tx) error {
		r := reading{tx: tx, ref: ref}
		if known, err := r.find(ctx); !known || err != nil {
			return err
		}
		s := whole()
		for query, end := range map[string]*core.Archived{selectPage: &first, selectTail: &last} {
			rows, err := store.Collect(ctx, tx, scanRow, query, r.args(s, "", 1)...)
			if err != nil || len(rows) == 0 {
				return err
			}
			if *end, err = rows[0].archived(ref); err != nil {
				return err
			}
		}
		ok = true
		return nil
	})
	return first, last, ok, err
}
