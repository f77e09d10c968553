package outbox

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
	"gangway/core/store"
)

// ledger is a Journal that keeps a table of its own.
type ledger struct {
	fail error // of both methods
	dup  func(it *core.Item) bool
}

func (l *ledger) Put(ctx context.Context, tx *store.Tx, it *core.Item) error {
	if l.dup != nil && l.dup(it) {
		return core.ErrDuplicate
	}
	return l.note(ctx, tx, "put", it)
}

func (l *ledger) Settle(ctx context.Context, tx *store.Tx, it *core.Item, v core.Verdict) error {
	return l.note(ctx, tx, fmt.Sprint("settle ", v.Outcome), it)
}

func (l *ledger) note(ctx context.Context, tx *store.Tx, what string, it *core.Item) error {
	if _, err := tx.Exec(ctx, "CREATE TABLE IF NOT EXISTS ledger (line TEXT)"); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "INSERT INTO ledger (line) VALUES (?)", what+" "+text(it)); err != nil {
		return err
	}
	return l.fail // having written: it must be undone
}

func (r *rig) ledger() (lines []string) {
	r.t.Helper()
	err := r.db.Read(context.Background(), func(tx *store.Tx) error {
		rows, err := tx.Query(context.Background(), "SELECT line FROM ledger ORDER BY rowid")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				return err
			}
			lines = append(lines, s)
		}
		return rows.Err()
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return lines
}

func scan(t testing.TB, r *rig, query string) (n int) {
	t.Helper()
	err := r.db.Read(context.Background(), func(tx *store.Tx) error {
		return tx.QueryRow(context.Background(), query).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestJournalIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &ledger{dup: func(it *core.Item) bool { return text(it) == "old news" }}
		r := newRig(t, Config{Journal: j})
		c := recorder{decide: func(it *core.Item) core.Verdict {
			switch {
			case text(it) == "bad":
				return core.Verdict{Outcome: core.Dead}
			case it.Attempts == 0:
				return core.Verdict{Outcome: core.Retry, At: time.Now().Add(time.Second)}
			}
			return core.Verdict{Then: []*core.Item{item("b", "bad"), item("b", "old news")}}
		}}
		r.run(map[core.Direction]core.Handler{core.ToNetwork: {Handle: c.handle}})
		r.put(item("a", "1"))
		if r.taken(item("a", "old news")) {
			t.Error("what the ledger knew was taken")
		}
		pass(time.Minute)
		want(t, "ledger", r.ledger(), "[put 1 settle 1 1 settle 0 1 put bad settle 2 bad]")
		want(t, "pending", len(r.pending()), 0)
		r.close()
	})
}

func TestJournalHearsOfARevivedItem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &ledger{}
		r := newRig(t, Config{Journal: j})
		c := recorder{decide: dies}
		it := item("a", "1")
		r.put(it)
		r.run(c.handler())
		pass(time.Second)
		c.decide = nil
		if err := r.box.Retry(context.Background(), it.Seq); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		want(t, "ledger", r.ledger(), "[put 1 settle 2 1 put 1 settle 0 1]")
		want(t, "handled", c.got(), "[1 1]")
		r.close()
	})
}

// What was sent must not be sent again because the ledger is ill.
func TestFailingJournalDoesNotHoldAVerdictBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &ledger{}
		r := newRig(t, Config{Journal: j})
		var c recorder
		r.put(item("a", "1"), item("a", "2"))
		j.fail = errors.New("the ledger is ill")
		r.run(c.handler())
		pass(time.Minute)
		want(t, "handled", c.got(), "[1 2]")
		want(t, "pending", len(r.pending()), 0)
		want(t, "ledger", r.ledger(), "[put 1 put 2]")
		r.close()
	})
}

// One turn's failing journal does not stop the verdicts that share its transaction.
func TestJournalFailureOfOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		j := &picky{}
		r.box.cfg.Journal = j
		var c recorder
		for i := range 10 {
			r.put(item(fmt.Sprint("lane ", i), fmt.Sprint(i)))
		}
		r.run(c.handlers(1, 10))
		pass(time.Millisecond)
		want(t, "pending at first", len(r.pending()), 1)
		pass(time.Minute)
		want(t, "pending", len(r.pending()), 0)
		want(t, "handled", len(c.got()), 10)
		r.close()
	})
}

type picky struct{}

func (picky) Put(context.Context, *store.Tx, *core.Item) error { return nil }
func (picky) Settle(_ context.Context, _ *store.Tx, it *core.Item, _ core.Verdict) error {
	if text(it) == "7" {
		return errors.New("not seven")
	}
	return nil
}
