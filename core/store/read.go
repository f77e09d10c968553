package store

import (
	"context"
	"fmt"
)

// Read runs fn on a snapshot of what is committed: everything that a Write which has returned wrote, and nothing
// that changes while fn runs. It waits for one of a few connections. fn must not write.
func (db *DB) Read(ctx context.Context, fn func(tx *Tx) error) error {
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
	if err := c.exec(c.dialect.snapshot()); err != nil {
		return fmt.Errorf("store: begin: %w", classify(err))
	}
	err := safely(fn, &Tx{c: c})
	if end := c.exec("COMMIT"); err == nil && end != nil {
		return fmt.Errorf("store: end read: %w", classify(end))
	}
	return err
}
