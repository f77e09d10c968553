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

// Query asks for a part of a room's history. The zero value of a field leaves it out.
type Query struct {
	Start, End time.Time      // what was said from then on, and until then, both included
	AfterID    core.MessageID // what stands after this event
	BeforeID   core.MessageID // what stands before this event
	Author     core.Address   // what this one said
	Page       Page           // which part of all that
}

// Page is a part of what a Query finds.
type Page struct {
	Max    int            // the most events; 0: only how many there are
	After  core.MessageID // the part that begins after this event: the next page
	Before core.MessageID // the part that ends before this event: the page before
	Last   bool           // with neither: the last part, not the first
}

// Result is a page of history.
type Result struct {
	Events   []core.Archived // oldest first
	Complete bool            // there is nothing more in the direction of the page
	Count    int             // how many events the Query finds on all pages; -1: more than are counted for a page
	Open     bool            // the room has a gap that is being filled: there may be more events, among these, later
}

// place is where something stands in a room.
type place struct{ at, seq int64 }

func (p place) before(q place) bool { return p.at < q.at || p.at == q.at && p.seq < q.seq }

// span is a part of a room's history, both ends left out.
type span struct{ from, to place }

func whole() span { return span{place{math.MinInt64, 0}, place{math.MaxInt64, 0}} }

func (s *span) after(p place) {
	if s.from.before(p) {
		s.from = p
	}
}

func (s *span) until(p place) {
	if p.before(s.to) {
		s.to = p
	}
}

// Page returns a part of a room's history. It sees what was appended before. NotFound for an id that is not there
// (any more). A room of which nothing is known has an empty history.
func (a *Archive) Page(ctx context.Context, ref core.Ref, q Query) (out Result, err error) {
	err = a.read(ctx, "page", func(tx *store.Tx) error {
		r := reading{tx: tx, ref: ref}
		if known, err := r.find(ctx); !known || err != nil {
			out.Complete = true
			return errors.Join(err, r.missing(q.AfterID, q.BeforeID, q.Page.After, q.Page.Before))
		}
		out.Open = r.gap
		all := whole()
		if !q.Start.IsZero() {
			all.after(place{q.Start.UnixMilli(), math.MinInt64})
		}
		if !q.End.IsZero() {
			all.until(place{q.End.UnixMilli(), math.MaxInt64})
		}
		if err := r.narrow(ctx, &all, q.AfterID, q.BeforeID); err != nil {
			return err
		}
		part := all
		if err := r.narrow(ctx, &part, q.Page.After, q.Page.Before); err != nil {
			return err
		}
		if out.Count, err = r.count(ctx, all, q, a.counted); err != nil || q.Page.Max <= 0 {
			out.Complete = out.Count == 0
			return err
		}
		return r.page(ctx, &out, part, q)
	})
	return out, err
}

// reading is one reading transaction.
type reading struct {
	tx   *store.Tx
	ref  core.Ref
	room int64
	gap  bool // a session has begun to fill a gap, and not ended
}

// read runs fn once everything that was appended before is written.
func (a *Archive) read(ctx context.Context, op string, fn func(tx *store.Tx) error) error {
	if err := a.queue.settle(ctx); err != nil {
		return fault(op, err)
	}
	return fault(op, a.db.Read(ctx, fn))
}

func (r *reading) find(ctx context.Context) (known bool, err error) {
	err = r.tx.QueryRow(ctx, selectRoom, string(r.ref.Account), string(r.ref.Peer)).Scan(&r.room, &r.gap)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// missing is the error of ids in a room that has none.
func (r *reading) missing(ids ...core.MessageID) error {
	for _, id := range ids {
		if id != "" {
			return unknown()
		}
	}
	return nil
}

func unknown() error {
	return core.E(core.NotFound, "archive: page", "That message is not in the history, or not any more.")
}

// narrow cuts a span at two events, each where it is named.
func (r *reading) narrow(ctx context.Context, s *span, after, before core.MessageID) error {
	if after != "" {
		p, err := r.place(ctx, after)
		if err != nil {
			return err
		}
		s.after(p)
	}
	if before != "" {
		p, err := r.place(ctx, before)
		if err != nil {
			return err
		}
		s.until(p)
	}
	return nil
}

func (r *reading) place(ctx context.Context, id core.MessageID) (p place, err error) {
	row, err := scanRow(r.tx.QueryRow(ctx, selectByID, r.room, string(id)))
	if errors.Is(err, sql.ErrNoRows) {
		return p, unknown()
	}
	return place{row.at, row.seq}, err
}

func (r *reading) args(s span, author core.Address, more ...any) []any {
	args := []any{r.room, s.from.at, s.from.seq, s.to.at, s.to.seq}
	if author != "" {
		args = append(args, string(author))
	}
	return append(args, more...)
}

// counted is how many events are counted for a page: it takes about a millisecond. Who asks for the number alone gets
// it, whatever it is.
const counted = 10_000

func (r *reading) count(ctx context.Context, s span, q Query, most int) (n int, err error) {
	query := countAll
	if q.Author != "" {
		query = countBy
	}
	if q.Page.Max <= 0 {
		most = math.MaxInt32
	}
	err = r.tx.QueryRow(ctx, query, r.args(s, q.Author, most+1)...).Scan(&n)
	if n > most {
		n = -1
	}
	return n, err
}

// page reads one event more than asked for, to know whether there are more.
func (r *reading) page(ctx context.Context, out *Result, s span, q Query) error {
	back := q.Page.Before != "" || q.Page.Last && q.Page.After == ""
	query := map[bool]map[bool]string{
		false: {false: selectPage, true: selectPageBy},
		true:  {false: selectTail, true: selectTailBy},
	}[back][q.Author != ""]
	rows, err := store.Collect(ctx, r.tx, scanRow, query, r.args(s, q.Author, q.Page.Max+1)...)
	if err != nil {
		return err
	}
	out.Complete = len(rows) <= q.Page.Max
	rows = rows[:min(len(rows), q.Page.Max)]
	if back {
		slices.Reverse(rows)
	}
	out.Events, err = r.events(rows)
	return err
}

func (r *reading) events(rows []row) ([]core.Archived, error) {
	all := make([]core.Archived, 0, len(rows))
	for i := range rows {
		e, err := rows[i].archived(r.ref)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}
