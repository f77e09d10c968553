package store

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// openTest opens a new database with a table t(n).
func openTest(t testing.TB) *DB {
	t.Helper()
	db, err := Open(t.Context(), Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "test.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	mustExec(t, db, "CREATE TABLE t (n INTEGER PRIMARY KEY, s TEXT)")
	return db
}

func mustExec(t testing.TB, db *DB, query string, args ...any) {
	t.Helper()
	err := db.Write(context.Background(), func(tx *Tx) error {
		_, err := tx.Exec(context.Background(), query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func insert(ctx context.Context, n int) func(*Tx) error {
	return func(tx *Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO t (n) VALUES (?)", n)
		return err
	}
}

func count(t testing.TB, db *DB) (n int) {
	t.Helper()
	err := db.Read(context.Background(), func(tx *Tx) error {
		return tx.QueryRow(context.Background(), "SELECT count(*) FROM t").Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWriteIsReadBack(t *testing.T) {
	ctx := t.Context()
	db := openTest(t)
	if err := db.Write(ctx, insert(ctx, 1)); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db); n != 1 {
		t.Errorf("rows = %d, want 1", n)
	}
	err := db.Read(ctx, func(tx *Tx) error {
		return tx.QueryRow(ctx, "SELECT n FROM t WHERE n = ?", 7).Scan(new(int))
	})
	if err != sql.ErrNoRows { //nolint:errorlint // it is promised unwrapped
		t.Errorf("a missing row: %v, want sql.ErrNoRows", err)
	}
}

func TestFailingWriteHarmsNoOther(t *testing.T) {
	ctx := t.Context()
	db := openTest(t)
	const n = 300
	boom := errors.New("boom")
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			errs[i] = db.Write(ctx, func(tx *Tx) error {
				if err := insert(ctx, i)(tx); err != nil {
					return err
				}
				switch i % 3 {
				case 1:
					return boom
				case 2:
					panic("boom")
				}
				return nil
			})
		})
	}
	wg.Wait()
	for i, err := range errs {
		var p *PanicError
		ok := [...]bool{err == nil, errors.Is(err, boom), errors.As(err, &p)}[i%3]
		if !ok {
			t.Errorf("write %d: %v", i, err)
		}
	}
	if got := count(t, db); got != n/3 {
		t.Errorf("rows = %d, want %d", got, n/3)
	}
}

func endGoroutine() { runtime.Goexit() }

func TestReadOne(t *testing.T) {
	db := openTest(t)
	if err := db.Write(t.Context(), func(tx *Tx) error {
		_, err := tx.Exec(t.Context(), "CREATE TABLE one (n INTEGER)")
		if err == nil {
			_, err = tx.Exec(t.Context(), "INSERT INTO one VALUES (7)")
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	n := 0
	err := db.ReadOne(t.Context(), func(tx *Tx) error { return tx.QueryRow(t.Context(), "SELECT n FROM one").Scan(&n) })
	if err != nil || n != 7 {
		t.Errorf("%d, %v", n, err)
	}
	err = db.ReadOne(t.Context(), func(tx *Tx) error {
		_, err := tx.Exec(t.Context(), "DELETE FROM one")
		return err
	})
	if err == nil {
		t.Error("it wrote")
	}
}
