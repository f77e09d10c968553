package store

import (
	"context"
	"fmt"
)

// Slice is how many rows a clean-up removes in one transaction, so that other writes never wait long for it.
const Slice = 1000

// Slices calls fn in one transaction after another until it reports fewer than Slice rows, and returns how many rows
// there were in all. It is for deletions: fn deletes at most Slice rows. Afterwards the file is made smaller by what
// has become free.
func (db *DB) Slices(ctx context.Context, fn func(tx *Tx) (rows int64, err error)) (total int64, err error) {
	for {
		var rows int64
		err := db.Write(ctx, func(tx *Tx) (err error) {
			rows, err = fn(tx)
			return err
		})
		if err != nil {
			return total, err
		}
		total += rows
		if rows < Slice {
			break
		}
	}
	if total == 0 {
		return 0, nil
	}
	return total, db.shrink(ctx)
}

// shrink gives free pages back to the file system, a few at a time, but leaves some for the next writes.
func (db *DB) shrink(ctx context.Context) error {
	const step, keep = 256, 1024 // pages
	if db.dialect != SQLite {
		return nil
	}
	for {
		var free int64
		err := db.Write(ctx, func(tx *Tx) error {
			if err := tx.QueryRow(ctx, "PRAGMA freelist_count").Scan(&free); err != nil || free <= keep {
				return err
			}
			_, err := tx.Exec(ctx, fmt.Sprintf("PRAGMA incremental_vacuum(%d)", step))
			return err
		})
		if err != nil || free-step <= keep {
			return err
		}
	}
}
