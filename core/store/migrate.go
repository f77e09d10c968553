package store

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// Migrate brings an owner's tables up to date. An owner is a package: "outbox", "mapping". fsys holds its numbered
// migrations, in goose's format, in one folder per dialect: "migrations/sqlite/00001_init.sql". Each runs once, in a
// transaction of its own together with its number, which is kept in the table schema_<owner>.
//
// A schema newer than the migrations is refused (ErrNewer). A shared database is only checked (ErrOlder, ErrNewer).
func (db *DB) Migrate(ctx context.Context, owner string, fsys fs.FS) error {
	dir, err := fs.Sub(fsys, "migrations/"+string(db.dialect))
	if err != nil {
		return fmt.Errorf("store: migrations of %s: %w", owner, err)
	}
	p, err := goose.NewProvider(db.gooseDialect(), db.pool, dir,
		goose.WithTableName("schema_"+owner), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("store: migrations of %s: %w", owner, err)
	}
	sources := p.ListSources()
	program := sources[len(sources)-1].Version
	schema, err := db.schemaVersion(ctx, owner)
	switch {
	case err != nil:
		return fmt.Errorf("store: %s schema: %w", owner, err)
	case schema > program:
		return fmt.Errorf("store: %w: %s schema %d is newer than this program's %d; install a newer gangway or "+
			"restore the backup", ErrNewer, owner, schema, program)
	case schema == program:
		return nil
	case db.shared:
		return fmt.Errorf("store: %w: %s schema %d, this program's is %d; start gangway once to bring it up to date",
			ErrOlder, owner, schema, program)
	}
	// Other gateways are kept out by the lock file, other writers by BEGIN IMMEDIATE.
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("store: bring the %s schema from %d to %d: %w", owner, schema, program, classify(err))
	}
	return nil
}

func (db *DB) gooseDialect() goose.Dialect {
	if db.dialect == Postgres {
		return goose.DialectPostgres
	}
	return goose.DialectSQLite3
}

// schemaVersion returns the number of the last migration that an owner's tables have seen; 0 if there are none.
func (db *DB) schemaVersion(ctx context.Context, owner string) (v int64, err error) {
	err = db.Read(ctx, func(tx *Tx) error {
		var tables int
		err := tx.QueryRow(ctx, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?",
			"schema_"+owner).Scan(&tables)
		if err != nil || tables == 0 {
			return err
		}
		return tx.QueryRow(ctx, "SELECT coalesce(max(version_id), 0) FROM schema_"+owner).Scan(&v)
	})
	return v, err
}
