package archive

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"sync"
	"time"

	"gangway/core"
	"gangway/core/store"
)

// The most by which two tellings of one event may differ in time, in milliseconds: where one is by our own clock, or
// may be, and where both are by the network's.
const (
	ownClock     = 30_000
	otherClock   = 5000
	networkClock = 1000
)

// mostAlike is how many events of one author and text in such a time are looked at.
const mostAlike = 100

// known says whether an event of the past is there already. One that has just been said is never taken for another:
// people repeat themselves.
//
// It goes by the network's name, and where one of the two tellings has none by who said what, and about when. Such a
// one is given the name. While a gap is filled an event that is there stands for one that is told: of two that are the
// same the second is another.
func (w *writing) known(ctx context.Context, room int64, r *row) (bool, error) {
	if !r.late || r.known {
		return r.known, nil
	}
	if known, err := w.named(ctx, room, r); known || err != nil {
		return known, err
	}
	return w.alike(ctx, room, r, r.differs())
}

// exact looks which events of a page are there with their names, or at the very time: these are not taken for another
// one that is almost the same. The rest is left to known.
func (w *writing) exact(ctx context.Context, ref core.Ref, rows []*row) error {
	room, err := w.room(ctx, ref)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if r.known, err = w.named(ctx, room, r); err == nil && !r.known {
			r.known, err = w.alike(ctx, room, r, 0)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// named says whether an event is there under its network's name.
func (w *writing) named(ctx context.Context, room int64, r *row) (bool, error) {
	if r.remote == "" {
		return false, nil
	}
	var one int
	err := w.tx.QueryRow(ctx, selectNamed, room, r.remote).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// alike says whether an event is there that says the same and may be the same, and takes it.
func (w *writing) alike(ctx context.Context, room int64, r *row, differ int64) (bool, error) {
	if r.said == 0 {
		return false, nil
	}
	all, err := store.Collect(ctx, w.tx, scanTold, selectSaid, room, r.said, r.at-differ, r.at+differ, r.author, mostAlike)
	if err != nil {
		return false, err
	}
	for _, s := range all {
		if _, taken := w.taken[s.seq]; taken || r.remote != "" && s.remote != "" {
			continue
		}
		w.take(s.seq, s.at)
		if r.remote == "" {
			return true, nil
		}
		_, err := w.tx.Exec(ctx, updateRemote, r.remote, s.seq)
		return true, err
	}
	return false, nil
}

// differs is by how much another telling of an event may differ from it in time, in milliseconds.
func (r *row) differs() int64 {
	switch {
	case r.mine: // kept by our own clock, if the network did not show it to us
		return ownClock
	case r.remote != "":
		return otherClock
	}
	return networkClock
}

// telling is an event that may be one that is told again.
type telling struct {
	seq, at int64
	remote  string
}

func scanTold(s store.Scanner) (t telling, err error) {
	err = s.Scan(&t.seq, &t.at, &t.remote)
	return t, err
}

// take notes that an event stands for one that was told while a gap is filled.
func (w *writing) take(seq, at int64) {
	if w.taken != nil {
		w.taken[seq] = at
	}
}

// filling is a gap that is being filled.
type filling struct {
	mu sync.Mutex // held by Fill: a page at a time
	// taken are the events that stand for one that was told, with their times: those near the end of what was told.
	taken map[int64]int64
}

// copy returns what was taken so far; never nil.
func (f *filling) copy() map[int64]int64 {
	taken := make(map[int64]int64, len(f.taken))
	maps.Copy(taken, f.taken)
	return taken
}

// prune forgets what nothing that is told from now on could be.
func (f *filling) prune(last time.Time) {
	maps.DeleteFunc(f.taken, func(_, at int64) bool { return at < last.UnixMilli()-2*ownClock })
}

// fillings are the gaps that are being filled.
type fillings struct {
	mu  sync.Mutex
	all map[core.Ref]*filling
}

func (f *fillings) begin(ref core.Ref) *filling {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all == nil {
		f.all = map[core.Ref]*filling{}
	}
	if f.all[ref] == nil {
		f.all[ref] = &filling{}
	}
	return f.all[ref]
}

func (f *fillings) end(ref core.Ref) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.all, ref)
}
