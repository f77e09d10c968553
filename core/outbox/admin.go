package outbox

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"gangway/core"
	"gangway/core/store"
)

// Letter is an item as people see it: pending, or a dead letter.
type Letter struct {
	core.Item           // Event is nil if this program cannot decode it
	Dead      bool      // LastErr says why
	Died      time.Time // of a dead letter
}

// Filter says which letters to list. Zero fields do not filter.
type Filter struct {
	User      core.UserID
	Network   string
	Direction *core.Direction
	Dead      bool  // dead letters, not pending items
	After     int64 // seq of the last one of the page before
	Limit     int   // 0: 100; at most 1,000
}

// List returns letters in order of seq.
func (o *Outbox) List(ctx context.Context, f Filter) (letters []Letter, err error) {
	where, args := f.where()
	limit := min(orElse(f.Limit, 100), 1000)
	err = o.db.Read(ctx, func(tx *store.Tx) error {
		letters, err = query(ctx, tx, f.Dead, where+" ORDER BY seq LIMIT ?", append(args, limit)...)
		return err
	})
	return letters, reading("outbox: list", err)
}

func (f Filter) where() (string, []any) {
	terms, args := []string{"seq > ?"}, []any{f.After}
	if f.User != "" {
		terms, args = append(terms, "user_id = ?"), append(args, string(f.User))
	}
	if f.Network != "" {
		terms, args = append(terms, "network = ?"), append(args, f.Network)
	}
	if f.Direction != nil {
		terms, args = append(terms, "direction = ?"), append(args, int64(*f.Direction))
	}
	return strings.Join(terms, " AND "), args
}

func query(ctx context.Context, tx *store.Tx, dead bool, where string, args ...any) ([]Letter, error) {
	// The last two columns are those in which the tables differ.
	text := "SELECT " + columns + ", not_before, begun FROM outbox WHERE " + where
	if dead {
		text = "SELECT " + columns + ", died, 0 FROM outbox_dead WHERE " + where
	}
	rows, err := tx.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var letters []Letter
	for rows.Next() {
		var at, begun int64
		it, _, err := scanItem(rows.Scan, &at, &begun)
		if err != nil {
			return nil, err
		}
		l := Letter{Item: *it, Dead: dead}
		if dead {
			l.Died = moment(at)
		} else {
			l.NotBefore, l.Begun = moment(at), moment(begun)
		}
		letters = append(letters, l)
	}
	return letters, rows.Err()
}

// reading wraps the error of a read for whoever asked.
func reading(op string, err error) error {
	var e *core.Error
	if err == nil || errors.As(err, &e) {
		return err
	}
	return refused(op, err)
}

// Get returns one letter, pending or dead. NotFound if there is none, perhaps because it has been delivered.
func (o *Outbox) Get(ctx context.Context, seq int64) (l Letter, err error) {
	err = o.db.Read(ctx, func(tx *store.Tx) error {
		for _, dead := range []bool{false, true} {
			letters, err := query(ctx, tx, dead, "seq = ?", seq)
			if err != nil {
				return err
			}
			if len(letters) > 0 {
				l = letters[0]
				return nil
			}
		}
		return notFound("outbox: get")
	})
	return l, reading("outbox: get", err)
}

func notFound(op string) error {
	return core.E(core.NotFound, op, "There is no such message in the queue.")
}

// Retry has a letter tried now: a dead one is pending again, with as long to live as it had at first and without the
// mark of an attempt of unknown outcome, and the Journal hears of it as of a new item; one that waits for its next attempt waits no longer. NotFound if there is
// none. A queue that runs in another process takes notice within Config.Watch.
func (o *Outbox) Retry(ctx context.Context, seq int64) error {
	return o.order(ctx, "outbox: retry", func(tx *store.Tx) error {
		now := micros(time.Now())
		revived, err := tx.Exec(ctx, "INSERT INTO outbox (seq, direction, network, user_id, lane, dedup, event, body, "+
			"queued, not_before, expires, attempts, error) SELECT seq, direction, network, user_id, lane, dedup, event, "+
			"body, ?, 0, CASE WHEN expires = 0 THEN 0 ELSE expires - queued + ? END, 0, error "+
			"FROM outbox_dead WHERE seq = ?", now, now, seq)
		if err != nil {
			return err
		}
		hurried, err := tx.Exec(ctx, "UPDATE outbox SET not_before = 0 WHERE seq = ?", seq)
		if err != nil {
			return err
		}
		if revived+hurried == 0 {
			return notFound("outbox: retry")
		}
		if _, err := tx.Exec(ctx, "DELETE FROM outbox_dead WHERE seq = ?", seq); err != nil {
			return err
		}
		if revived > 0 {
			return giveOrder(ctx, tx, seq, verbRevive)
		}
		return giveOrder(ctx, tx, seq, verbRetry)
	})
}

// Drop forgets a letter. A dead one is gone at once; a pending one when the running queue has taken notice, and not
// before the attempt in hand, if there is one, has ended: then it may have been delivered. The Journal is told that a
// pending item is dead, and whoever submitted it gets a receipt that says so. NotFound if there is none.
func (o *Outbox) Drop(ctx context.Context, seq int64) error {
	return o.order(ctx, "outbox: drop", func(tx *store.Tx) error {
		n, err := tx.Exec(ctx, "DELETE FROM outbox_dead WHERE seq = ?", seq)
		if err != nil || n > 0 {
			return err
		}
		err = tx.QueryRow(ctx, "SELECT seq FROM outbox WHERE seq = ?", seq).Scan(new(int64))
		if errors.Is(err, sql.ErrNoRows) {
			return notFound("outbox: drop")
		}
		if err != nil {
			return err
		}
		return giveOrder(ctx, tx, seq, verbDrop)
	})
}

func (o *Outbox) order(ctx context.Context, op string, fn func(*store.Tx) error) error {
	if err := o.db.Write(ctx, fn); err != nil {
		return reading(op, err)
	}
	select {
	case o.kick <- struct{}{}:
	default:
	}
	return nil
}

// Stat is the state of one direction of one network.
type Stat struct {
	Direction core.Direction
	Network   string
	Pending   int
	Oldest    time.Time // when the oldest pending item was queued; zero if there is none
	Dead      int
}

// Stats returns the state of every network that has something pending or dead.
func (o *Outbox) Stats(ctx context.Context) ([]Stat, error) {
	stats, live := o.lanes.stats()
	err := o.db.Read(ctx, func(tx *store.Tx) error {
		if !live {
			err := addStats(ctx, tx, "SELECT direction, network, count(*), min(queued) FROM outbox GROUP BY 1, 2",
				func(g group, n int, oldest int64) { stats[g] = Stat{Pending: n, Oldest: moment(oldest)} })
			if err != nil {
				return err
			}
		}
		return addStats(ctx, tx, "SELECT direction, network, count(*), 0 FROM outbox_dead GROUP BY 1, 2",
			func(g group, n int, _ int64) { s := stats[g]; s.Dead = n; stats[g] = s })
	})
	if err != nil {
		return nil, reading("outbox: stats", err)
	}
	return sorted(stats), nil
}

func addStats(ctx context.Context, tx *store.Tx, text string, add func(g group, n int, oldest int64)) error {
	rows, err := tx.Query(ctx, text)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var g group
		var n int
		var oldest int64
		if err := rows.Scan(&g.direction, &g.network, &n, &oldest); err != nil {
			return err
		}
		add(g, n, oldest)
	}
	return rows.Err()
}
