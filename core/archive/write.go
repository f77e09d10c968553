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
			if err := w.entry(ctx, &entries[i]); err != nil {
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
}

// room is the number of a room, which is given one if need be.
func (w *writing) room(ctx context.Context, ref core.Ref) (room int64, err error) {
	if room, ok := w.rooms[ref]; ok {
		return room, nil
	}
	err = w.tx.QueryRow(ctx, selectRoom, string(ref.Account), string(ref.Peer)).Scan(&room)
	if errors.Is(err, sql.ErrNoRows) {
		err = w.tx.QueryRow(ctx, insertRoom, string(ref.Account), string(ref.Peer)).Scan(&room)
	}
	if err == nil {
		w.rooms[ref] = room
	}
	return room, err
}

func (w *writing) entry(ctx context.Context, e *entry) error {
	room, err := w.room(ctx, e.Event.Where())
	if err != nil {
		return err
	}
	r, err := rowOf(e)
	if err != nil {
		return err
	}
	switch e := e.Event.(type) {
	case *core.Message:
		if known, err := w.known(ctx, room, r); known || err != nil {
			return err
		}
		if e.Replaces.Known() {
			if r.about, err = w.original(ctx, room, e.Replaces); err != nil {
				return err
			}
		}
	case *core.Retraction:
		if err := w.retract(ctx, room, e.IDs, r); err != nil {
			return err
		}
	}
	_, err = w.tx.Exec(ctx, insertEvent, r.values(room)...)
	return err
}

// The most by which two tellings of one message may differ in time, in milliseconds: where ours was by our own clock,
// and where both are by the network's.
const (
	ownClock     = 5000
	networkClock = 1000
)

// known says whether a message of the past is there already without a name that both tellings have. One that has just
// been said is never taken for another: people repeat themselves.
func (w *writing) known(ctx context.Context, room int64, r *row) (bool, error) {
	if !r.late {
		return false, nil
	}
	differ, named := int64(networkClock), 1 // against all
	if r.remote != "" {
		differ, named = ownClock, 0 // against those without a name only
	}
	var one int
	err := w.tx.QueryRow(ctx, selectSaid, room, r.at-differ, r.at+differ, r.said, r.author, named).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
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

// retract empties a message and its corrections. One that is not there any more needs no emptying.
func (w *writing) retract(ctx context.Context, room int64, names core.IDs, by *row) error {
	t, err := w.find(ctx, room, names)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	first := t.id
	if t.about != "" {
		first = t.about
	}
	rows, err := collect(ctx, w.tx, scanRow, selectVersions, room, first, room, first)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if err := w.empty(ctx, r, by); err != nil {
			return err
		}
	}
	return nil
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
