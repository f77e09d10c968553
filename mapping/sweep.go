package mapping

import (
	"context"

	"gangway/core"
	"gangway/core/store"
)

// slice is the most rows that one transaction deletes, so that no message waits for long behind it.
const slice = 1000

// waitFor is how long a request to be let in waits for an administrator.
const waitFor = 30 * day

// Sweep forgets messages older than Options.Keep, notes and invitations whose time is over, and requests to be let in
// that nobody has decided for 30 days, and returns how many rows went. It is
// to be called now and then, and may be stopped by ctx between two slices.
func (m *Map) Sweep(ctx context.Context) (rows int64, err error) {
	now := m.now()
	for _, kind := range []struct {
		query string
		args  []any
	}{
		{sweepMessages, []any{slice, millis(now.Add(-m.opts.Keep))}},
		{sweepNotes, []any{millis(now), slice}},
		{sweepInvites, []any{millis(now), slice}},
		{sweepPending, []any{millis(now.Add(-waitFor)), slice}},
	} {
		for n := int64(slice); n == slice; rows += n {
			err := m.db.Write(ctx, func(tx *store.Tx) (err error) {
				n, err = tx.Exec(ctx, kind.query, kind.args...)
				if kind.query == sweepPending && n > 0 {
					m.forgetPeople(tx)
				}
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
			seqs, err = store.Collect(ctx, tx, func(row store.Scanner) (n int64, err error) {
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
