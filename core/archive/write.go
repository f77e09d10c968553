package archive

import (
	"context"
	"database/sql"
	"errors"

	"gangway/core"
	"gangway/core/store"
)

// write keeps entries in one transaction.
func (a *Archive) write(ctx context.Context, entries []entry) error {
	return a.db.Write(ctx, func(tx *store.Tx) error {
		w := writing{tx: tx, rooms: map[core.Ref]int64{}}
		for i := range entries {
			r, err := rowOf(&entries[i])
			if err != nil {
				return err
			}
			if _, err := w.entry(ctx, &entries[i], r); err != nil {
				return err
			}
		}
		return nil
	})
}

// writing is one transaction.
type writing struct {
	tx    *store.Tx
	rooms map[core.Ref]int64
	taken map[int64]int64 // see filling; nil: nothing is being filled
}

// room is the number of a room, which is given one if need be.
func (w *writing) room(ctx context.Context, ref core.Ref) (room int64, err error) {
	if room, ok := w.rooms[ref]; ok {
		return room, nil
	}
	err = w.tx.QueryRow(ctx, selectRoom, string(ref.Account), string(ref.Peer)).Scan(&room, new(bool))
	if errors.Is(err, sql.ErrNoRows) {
		err = w.tx.QueryRow(ctx, insertRoom, string(ref.Account), string(ref.Peer)).Scan(&room)
	}
	if err == nil {
		w.rooms[ref] = room
	}
	return room, err
}

// entry keeps an event, unless it is there already.
func (w *writing) entry(ctx context.Context, e *entry, r *row) (kept bool, err error) {
	room, err := w.room(ctx, e.Event.Where())
	if err != nil {
		return false, err
	}
	if known, err := w.known(ctx, room, r); known || err != nil {
		return false, err
	}
	switch e := e.Event.(type) {
	case *core.Message:
		if e.Replaces.Known() {
			if r.about, err = w.original(ctx, room, e.Replaces); err != nil {
				return false, err
			}
		}
		if err := w.takenBack(ctx, room, r); err != nil {
			return false, err
		}
	case *core.Retraction:
		if r.about, err = w.retract(ctx, room, e.IDs, r); err != nil {
			return false, err
		}
	}
	return w.insert(ctx, room, r)
}

// insert writes a row, unless its names are there already. It says whether it did.
func (w *writing) insert(ctx context.Context, room int64, r *row) (bool, error) {
	if w.taken == nil {
		n, err := w.tx.Exec(ctx, insertEvent, r.values(room)...)
		return n > 0, err
	}
	var seq int64
	err := w.tx.QueryRow(ctx, insertTold, r.values(room)...).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	w.take(seq, r.at)
	return err == nil, err
}

// takenBack empties a message of the past before it is kept, where it is known that it was taken back.
func (w *writing) takenBack(ctx context.Context, room int64, r *row) error {
	if !r.late {
		return nil
	}
	first := r.id
	if r.about != "" {
		first = r.about
	}
	var by string
	var at int64
	err := w.tx.QueryRow(ctx, selectRetraction, room, first, retractionName).Scan(&by, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	r.retracted, r.retractedAt, r.said = by, at, 0
	r.body, err = emptied(r.body)
	return err
}

// original is the id of the message that a correction is about: the first one, where there have been several.
func (w *writing) original(ctx context.Context, room int64, names core.IDs) (string, error) {
	t, err := w.find(ctx, room, names)
	if errors.Is(err, sql.ErrNoRows) {
		return string(names.ID), nil
	}
	if t.about != "" {
		return t.about, err
	}
	return t.id, err
}

// target is what a correction or a retraction is about.
type target struct {
	seq       int64
	id, about string
}

func (w *writing) find(ctx context.Context, room int64, names core.IDs) (t target, err error) {
	err = w.tx.QueryRow(ctx, selectTarget, room, string(names.ID), room, string(names.Remote), string(names.Remote)).
		Scan(&t.seq, &t.id, &t.about)
	return t, err
}

// retract empties a message and its corrections, and returns the id of the first of them. One that is not there (any
// more) needs no emptying.
func (w *writing) retract(ctx context.Context, room int64, names core.IDs, by *row) (first string, err error) {
	t, err := w.find(ctx, room, names)
	if errors.Is(err, sql.ErrNoRows) {
		return string(names.ID), nil
	}
	if err != nil {
		return "", err
	}
	if first = t.id; t.about != "" {
		first = t.about
	}
	rows, err := store.Collect(ctx, w.tx, scanRow, selectVersions, room, first, room, first)
	if err != nil {
		return "", err
	}
	for _, r := range rows {
		if err := w.empty(ctx, r, by); err != nil {
			return "", err
		}
	}
	return first, nil
}

// empty takes what was said out of a row.
func (w *writing) empty(ctx context.Context, r row, by *row) error {
	if r.event != messageName || r.retracted != "" {
		return nil
	}
	body, err := emptied(r.body)
	if err != nil {
		return err
	}
	_, err = w.tx.Exec(ctx, updateRetracted, body, by.id, by.at, r.seq)
	return err
}
