package mapping

import (
	"context"
	"time"

	"gangway/core"
	"gangway/core/store"
)

// Moment is what the ledger knows of one message of a conversation.
type Moment struct {
	ID      core.MessageID
	Mine    bool
	State   core.State // of the user's own
	At      time.Time
	Changed time.Time // when it came into State; zero: not known
}

// looked is how many of an account's last messages a timeline is looked for in.
const looked = 5000

const selectLast = `SELECT id, peer, mine, state, at, changed FROM messages WHERE account = ? ORDER BY seq DESC LIMIT ?`

// Timeline returns the last messages between an account and a peer, by any spelling of its address that folds alike,
// the newest first, at most limit of them. Those behind 5,000 others of the account are not looked for.
func (m *Map) Timeline(ctx context.Context, account core.AccountID, peer core.Address, limit int) (all []Moment, err error) {
	folded := Fold(string(peer))
	err = m.db.Read(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, selectLast, string(account), looked)
		if err != nil {
			return err
		}
		defer rows.Close()
		for len(all) < limit && rows.Next() {
			var moment Moment
			var with string
			var mine int
			var at, changed int64
			if err := rows.Scan(&moment.ID, &with, &mine, &moment.State, &at, &changed); err != nil {
				return err
			}
			if Fold(with) != folded {
				continue
			}
			moment.Mine, moment.At, moment.Changed = mine != 0, fromMillis(at), fromMillis(changed)
			all = append(all, moment)
		}
		return rows.Err()
	})
	return all, fault("timeline", err)
}
