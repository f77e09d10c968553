package outbox

import (
	"context"

	"gangway/core/store"
)

// seqReserve is how many numbers are set aside in one transaction, so that the others need not write the table.
const seqReserve = 1000

// seqs gives out the numbers of items. They belong to the leader of the transaction.
type seqs struct {
	last     int64 // given out
	reserved int64 // may be given out
}

func (s *seqs) load(ctx context.Context, tx *store.Tx) error {
	err := tx.QueryRow(ctx, "SELECT seq FROM outbox_high").Scan(&s.reserved)
	s.last = s.reserved
	return err
}

// next returns the next number. Those of a transaction that is undone are left out.
func (s *seqs) next(ctx context.Context, tx *store.Tx) (int64, error) {
	if s.last == s.reserved {
		before := s.reserved
		if _, err := tx.Exec(ctx, "UPDATE outbox_high SET seq = ?", before+seqReserve); err != nil {
			return 0, err
		}
		s.reserved += seqReserve
		tx.OnUndo(func() { s.last, s.reserved = before, before })
	}
	s.last++
	return s.last, nil
}
