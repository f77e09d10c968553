package store

import (
	"fmt"
	"testing"
)

func TestManyStatements(t *testing.T) {
	ctx := t.Context()
	db := openTest(t)
	err := db.Write(ctx, func(tx *Tx) error {
		for i := range 3 * maxStatements {
			if _, err := tx.Exec(ctx, fmt.Sprintf("INSERT INTO t (n) VALUES (%d)", i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, db); n != 3*maxStatements {
		t.Errorf("rows = %d", n)
	}
	if err := db.Write(ctx, func(tx *Tx) error { _, err := tx.Exec(ctx, "nonsense"); return err }); err == nil {
		t.Error("nonsense was accepted")
	}
}

func TestSlices(t *testing.T) {
	ctx := t.Context()
	db := openTest(t)
	err := db.Write(ctx, func(tx *Tx) error {
		for n := range 2*Slice + 7 {
			if err := insert(ctx, n)(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	total, err := db.Slices(ctx, func(tx *Tx) (int64, error) {
		calls++
		return tx.Exec(ctx, "DELETE FROM t WHERE n IN (SELECT n FROM t WHERE n < ? LIMIT ?)", 2*Slice+5, Slice)
	})
	if err != nil || total != 2*Slice+5 || calls != 3 {
		t.Errorf("total = %d in %d calls, err = %v", total, calls, err)
	}
	if n := count(t, db); n != 2 {
		t.Errorf("rows = %d, want 2", n)
	}
}

func TestSlicesShrinkTheFile(t *testing.T) {
	ctx := t.Context()
	db := openTest(t)
	mustExec(t, db, "INSERT INTO t (s) WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 14) "+
		"SELECT printf('%1000000d', i) FROM c")
	pages := func() (n int) {
		err := db.Read(ctx, func(tx *Tx) error { return tx.QueryRow(ctx, "PRAGMA page_count").Scan(&n) })
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := pages()
	if _, err := db.Slices(ctx, func(tx *Tx) (int64, error) { return tx.Exec(ctx, "DELETE FROM t") }); err != nil {
		t.Fatal(err)
	}
	if after := pages(); after > before-500 {
		t.Errorf("pages: %d before, %d after", before, after)
	}
}
