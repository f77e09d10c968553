package store

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// schema is an owner's migrations up to a version: each makes a table, the one of bad fails half-way.
func schema(versions, bad int) fs.FS {
	m := fstest.MapFS{}
	for v := 1; v <= versions; v++ {
		n := string(rune('0' + v))
		text := "-- +goose Up\nCREATE TABLE owned" + n + " (n INTEGER);\n"
		if v == bad {
			text += "CREATE TABLE owned1 (n INTEGER);\n"
		}
		m["migrations/sqlite/0000"+n+"_x.sql"] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

func tables(t *testing.T, db *DB, like string) (n int) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *Tx) error {
		return tx.QueryRow(t.Context(), "SELECT count(*) FROM sqlite_master WHERE name LIKE ?", like).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestMigrate(t *testing.T) {
	ctx := t.Context()
	db := openTest(t)
	for _, v := range []int{1, 1, 3} {
		if err := db.Migrate(ctx, "mine", schema(v, 0)); err != nil {
			t.Fatalf("to %d: %v", v, err)
		}
		if n := tables(t, db, "owned%"); n != v {
			t.Errorf("tables = %d, want %d", n, v)
		}
	}
	err := db.Migrate(ctx, "mine", schema(2, 0))
	if !errors.Is(err, ErrNewer) ||
		!strings.Contains(err.Error(), "mine schema 3 is newer than this program's 2; install a newer gangway or restore the backup") {
		t.Errorf("err = %v, want ErrNewer", err)
	}
	if err := db.Migrate(ctx, "yours", fstest.MapFS{"migrations/sqlite/00001_x.sql": {
		Data: []byte("-- +goose Up\nCREATE TABLE other (n INTEGER);\n")}}); err != nil {
		t.Errorf("another owner: %v", err)
	}
}

func TestFailedMigrationLeavesNothing(t *testing.T) {
	ctx := t.Context()
	db := openTest(t)
	if err := db.Migrate(ctx, "mine", schema(3, 2)); err == nil || !strings.Contains(err.Error(), "bring the mine schema from 0 to 3") {
		t.Errorf("err = %v", err)
	}
	if n := tables(t, db, "owned%"); n != 1 {
		t.Errorf("tables = %d, want that of the first migration", n)
	}
	if err := db.Migrate(ctx, "mine", schema(3, 0)); err != nil {
		t.Errorf("with the mistake corrected: %v", err)
	}
	if n := tables(t, db, "owned%"); n != 3 {
		t.Errorf("tables = %d, want 3", n)
	}
}

func TestMigrateSharedOnlyLooks(t *testing.T) {
	ctx := t.Context()
	url := "sqlite:" + filepath.Join(t.TempDir(), "test.db")
	db, err := Open(ctx, Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	shared, err := OpenShared(ctx, Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer shared.Close()
	if err := shared.Migrate(ctx, "mine", schema(1, 0)); !errors.Is(err, ErrOlder) {
		t.Errorf("err = %v, want ErrOlder", err)
	}
	if n := tables(t, db, "%"); n != 0 {
		t.Errorf("tables = %d, want none", n)
	}
	if err := db.Migrate(ctx, "mine", schema(2, 0)); err != nil {
		t.Fatal(err)
	}
	if err := shared.Migrate(ctx, "mine", schema(2, 0)); err != nil {
		t.Errorf("up to date: %v", err)
	}
	if err := shared.Migrate(ctx, "mine", schema(1, 0)); !errors.Is(err, ErrNewer) {
		t.Errorf("err = %v, want ErrNewer", err)
	}
}

func TestMigrateWithoutMigrations(t *testing.T) {
	db := openTest(t)
	if err := db.Migrate(t.Context(), "mine", fstest.MapFS{}); err == nil {
		t.Error("accepted")
	}
}
