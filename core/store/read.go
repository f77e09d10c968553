package store

import (
	"context"
	"fmt"
)

// Read runs fn on a snapshot of what is committed: everything that a Write which has returned wrote, and nothing
// that changes while fn runs. It waits for one of a few connections. fn must not write.
func (db *DB) Read(ctx context.Context, fn func(tx *Tx) error) error {
	return db.lend(ctx, func(c *conn) error {
		if err := c.exec(c.dialect.snapshot()); err != nil {
			return fmt.Errorf("store: begin: %w", classify(err))
		}
		err := safely(fn, &Tx{c: c})
		if end := c.exec("COMMIT"); err == nil && end != nil {
			return fmt.Errorf("store: end read: %w", classify(end))
		}
		return err
	})
}

// ReadOne is Read for an fn that runs a single query, which is a snapshot by itself: it costs a third.
func (db *DB) ReadOne(ctx context.Context, fn func(tx *Tx) error) error {
	return db.lend(ctx, func(c *conn) error { return safely(fn, &Tx{c: c}) })
}

// lend lends a connection for reading.
func (db *DB) lend(ctx context.Context, fn func(c *conn) error) error {
	var c *conn
	select {
	case c = <-db.readers:
	case <-ctx.Done():
		return ctx.Err()
	}
	if c == nil {
		return ErrClosed
	}
	defer func() { db.readers <- c }()
	return fn(c)
}
