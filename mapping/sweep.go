package mapping

import (
	"context"

	"gangway/core"
	"gangway/core/store"
)

// slice is the most rows that one transaction deletes, so that no message waits for long behind it.
const slice = 1000

// Sweep forgets messages older than Options.Keep, and notes whose time is over, and returns how many rows went. It is
// to be called now and then, and may be stopped by ctx between two slices.
func (m *Map) Sweep(ctx context.Context) (rows int64, err error) {
	now := m.now()
	for _, kind := range []struct {
		query string
		args  []any
	}{
		{sweepMessages, []any{slice, millis(now.Add(-m.opts.Keep))}},
		{sweepNotes, []any{millis(now), slice}},
	} {
		for n := int64(slice); n == slice; rows += n {
			err := m.db.Write(ctx, func(tx *store.Tx) (err error) {
				n, err = tx.Exec(ctx, kind.query, kind.args...)
				return err
			})
			if err != nil {
				return rows, fault("sweep", err)
			}
		}
	}
	return rows, nil
}

// purge deletes an account's messages. It reads beside the writes and deletes in slices: an account may have many.
func (m *Map) purge(ctx context.Context, account core.AccountID) error {
	after := int64(0)
	for {
		var seqs []int64
		err := m.db.Read(ctx, func(tx *store.Tx) (err error) {
			seqs, err = collect(ctx, tx, func(row scanner) (n int64, err error) {
				err = row.Scan(&n)
				return n, err
			}, selectSlice, string(account), after, slice)
			return err
		})
		if err != nil || len(seqs) == 0 {
			return err
		}
		err = m.db.Write(ctx, func(tx *store.Tx) error {
			for _, seq := range seqs {
				if _, err := tx.Exec(ctx, deleteMessage, seq); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		after = seqs[len(seqs)-1]
	}
}
