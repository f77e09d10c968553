package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// hold keeps the transaction of db open until the returned function is called.
func hold(t *testing.T, db *DB) (release func()) {
	t.Helper()
	began, end, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- db.Write(context.Background(), func(*Tx) error {
			close(began)
			<-end
			return nil
		})
	}()
	<-began
	return func() {
		close(end)
		if err := <-done; err != nil {
			t.Errorf("the held write: %v", err)
		}
	}
}

func TestCancelledBeforeItsTurnIsNotDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openTest(t)
		release := hold(t, db)
		ctx, cancel := context.WithCancel(context.Background())
		errs := make(chan error, 2)
		go func() { errs <- db.Write(ctx, insert(ctx, 1)) }()
		synctest.Wait() // it waits
		go func() { errs <- db.Write(context.Background(), insert(context.Background(), 2)) }()
		synctest.Wait()
		cancel()
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled write: %v", err)
		}
		release()
		if err := <-errs; err != nil {
			t.Errorf("the write behind it: %v", err)
		}
		if n := count(t, db); n != 1 {
			t.Errorf("rows = %d, want 1", n)
		}
		if err := db.Write(ctx, insert(ctx, 3)); !errors.Is(err, context.Canceled) {
			t.Errorf("write with an ended context: %v", err)
		}
		db.Close()
	})
}

func TestCancelledUnderWayIsKnown(t *testing.T) {
	db := openTest(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Write(ctx, func(tx *Tx) error {
		cancel() // must not interrupt the transaction that others are in
		return insert(ctx, 1)(tx)
	})
	if err != nil {
		t.Errorf("write: %v", err)
	}
	if n := count(t, db); n != 1 {
		t.Errorf("rows = %d, want 1", n)
	}
}

func TestCancelledWritesBesideOthers(t *testing.T) {
	db := openTest(t)
	var all sync.WaitGroup
	done := make([]bool, 400)
	for i := range done {
		all.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			if i%2 == 0 {
				go cancel()
			}
			defer cancel()
			err := db.Write(ctx, insert(ctx, i))
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("write %d: %v", i, err)
			}
			done[i] = err == nil
		})
	}
	all.Wait()
	for i, ok := range done {
		var n int
		err := db.Read(t.Context(), func(tx *Tx) error {
			return tx.QueryRow(t.Context(), "SELECT count(*) FROM t WHERE n = ?", i).Scan(&n)
		})
		if err != nil {
			t.Fatal(err)
		}
		if (n == 1) != ok {
			t.Errorf("write %d: done = %v, rows = %d", i, ok, n)
		}
	}
}

func TestWritesShareATransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openTest(t)
		release := hold(t, db)
		var all sync.WaitGroup
		txs := make([]*Tx, 10)
		for i := range txs {
			all.Go(func() {
				err := db.Write(context.Background(), func(tx *Tx) error { txs[i] = tx; return nil })
				if err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		release()
		all.Wait()
		for i, tx := range txs {
			if tx != txs[0] {
				t.Errorf("write %d had a transaction of its own", i)
			}
		}
		db.Close()
	})
}

func TestHooks(t *testing.T) {
	db := openTest(t)
	var log []string
	note := func(s string) func() { return func() { log = append(log, s) } }
	boom := errors.New("boom")
	hooked := func(name string, err error) func(*Tx) error {
		return func(tx *Tx) error {
			tx.OnUndo(note(name + " undone 1"))
			tx.OnCommit(note(name + " done"))
			tx.OnUndo(note(name + " undone 2"))
			return err
		}
	}
	if err := db.Write(t.Context(), hooked("a", nil)); err != nil {
		t.Error(err)
	}
	if err := db.Write(t.Context(), hooked("b", boom)); !errors.Is(err, boom) {
		t.Error(err)
	}
	want := []string{"a done", "b undone 2", "b undone 1"}
	if !slices.Equal(log, want) {
		t.Errorf("hooks: %q, want %q", log, want)
	}
}

func TestBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openTest(t)
		var calls []int
		b := NewBatch(db, func(tx *Tx, items []int) error {
			calls = append(calls, len(items))
			for _, n := range items {
				if n == 3 {
					return errors.New("three")
				}
				if err := insert(context.Background(), n)(tx); err != nil {
					return err
				}
			}
			return nil
		})
		run := func(from, to int) {
			t.Helper()
			release := hold(t, db)
			var all sync.WaitGroup
			for n := from; n < to; n++ {
				all.Go(func() {
					if err := b.Write(context.Background(), n); (err != nil) != (n == 3) {
						t.Errorf("item %d: %v", n, err)
					}
				})
			}
			synctest.Wait()
			release()
			all.Wait()
		}
		run(10, 15)
		if got := fmt.Sprint(calls); got != "[5]" {
			t.Errorf("calls: %s, want all at once", got)
		}
		calls = nil
		run(0, 5)
		if got := fmt.Sprint(calls); got != "[5 1 1 1 1 1]" {
			t.Errorf("calls: %s, want all at once, then each alone", got)
		}
		if n := count(t, db); n != 9 {
			t.Errorf("rows = %d, want 9", n)
		}
		db.Close()
	})
}

// A function that ends its goroutine, as t.FailNow does, takes the leader of others with it.
func TestGoexitHarmsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openTest(t)
		release := hold(t, db)
		errs := make(chan error, 2)
		go func() {
			defer func() { errs <- nil }()
			_ = db.Write(context.Background(), func(*Tx) error { endGoroutine(); return nil })
		}()
		synctest.Wait()
		go func() { errs <- db.Write(context.Background(), insert(context.Background(), 1)) }()
		synctest.Wait()
		release()
		<-errs
		<-errs // either nil, or errGoexit if they shared a transaction
		if err := db.Write(context.Background(), insert(context.Background(), 2)); err != nil {
			t.Errorf("a later write: %v", err)
		}
		db.Close()
	})
}

func TestClosed(t *testing.T) {
	db := openTest(t)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
	if err := db.Write(t.Context(), insert(t.Context(), 1)); !errors.Is(err, ErrClosed) {
		t.Errorf("write: %v", err)
	}
	if err := db.Read(t.Context(), func(*Tx) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("read: %v", err)
	}
	if err := db.Err(); !errors.Is(err, ErrClosed) {
		t.Errorf("err: %v", err)
	}
}

func TestCloseWaitsForWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openTest(t)
		release := hold(t, db)
		errs := make(chan error, 1)
		go func() { errs <- db.Write(context.Background(), insert(context.Background(), 1)) }()
		synctest.Wait()
		closed := make(chan error, 1)
		go func() { closed <- db.Close() }()
		synctest.Wait()
		select {
		case <-closed:
			t.Fatal("closed during a transaction")
		default:
		}
		release()
		if err := <-closed; err != nil {
			t.Errorf("close: %v", err)
		}
		if err := <-errs; !errors.Is(err, ErrClosed) {
			t.Errorf("a write that had not begun: %v", err)
		}
	})
}

func TestReadSeesASnapshot(t *testing.T) {
	ctx := t.Context()
	db := openTest(t)
	err := db.Read(ctx, func(tx *Tx) error {
		n := func() (n int) {
			if err := tx.QueryRow(ctx, "SELECT count(*) FROM t").Scan(&n); err != nil {
				t.Error(err)
			}
			return n
		}
		before := n()
		if err := db.Write(ctx, insert(ctx, 1)); err != nil {
			t.Error(err)
		}
		if after := n(); before != 0 || after != 0 {
			t.Errorf("rows seen: %d, then %d", before, after)
		}
		if _, err := tx.Exec(ctx, "INSERT INTO t (n) VALUES (2)"); err == nil {
			t.Error("a read wrote")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	var p *PanicError
	if err := db.Read(ctx, func(*Tx) error { panic("boom") }); !errors.As(err, &p) {
		t.Errorf("panic: %v", err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := db.Read(ended, func(*Tx) error { return nil }); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
	if n := count(t, db); n != 1 {
		t.Errorf("rows = %d, want 1", n)
	}
}

func TestConstraint(t *testing.T) {
	db := openTest(t)
	mustExec(t, db, "INSERT INTO t (n) VALUES (1)")
	if err := db.Write(t.Context(), insert(t.Context(), 1)); !errors.Is(err, ErrConstraint) {
		t.Errorf("err = %v, want ErrConstraint", err)
	}
}

func TestDiskFullIsToldAndPasses(t *testing.T) {
	ctx := t.Context()
	db := openTest(t)
	mustExec(t, db, "PRAGMA max_page_count = 20")
	big := func(tx *Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO t (s) VALUES (?)", fmt.Sprintf("%1000000d", 1))
		return err
	}
	if err := db.Write(ctx, big); !errors.Is(err, ErrDiskFull) {
		t.Errorf("err = %v, want ErrDiskFull", err)
	}
	if err := db.Write(ctx, insert(ctx, 1)); err != nil {
		t.Errorf("a small write afterwards: %v", err)
	}
	mustExec(t, db, "PRAGMA max_page_count = 100000")
	if err := db.Write(ctx, big); err != nil {
		t.Errorf("when there is room: %v", err)
	}
	if n := count(t, db); n != 2 {
		t.Errorf("rows = %d, want 2", n)
	}
}
