package mapping

import (
	"context"
	"database/sql"
	"errors"

	"gangway/core"
	"gangway/core/store"
)

const (
	blockedSize = 16384 // accounts whose blocked correspondents are kept in memory
	blockedMost = 500   // of one account; of who blocks more the table is asked each time
)

// blocked is whom an account blocks, by folded address. Most block nobody.
type blocked struct {
	folded map[string]struct{}
	many   bool // too many to keep
}

// Blocked implements core.Choices.
func (m *Map) Blocked(ctx context.Context, account core.AccountID, peer core.Address) (bool, error) {
	b, ok, generation := m.blocked.get(account)
	if !ok {
		err := m.db.Read(ctx, func(tx *store.Tx) (err error) {
			b, err = findBlocked(ctx, tx, account)
			return err
		})
		if err != nil {
			return false, fault("blocked", err)
		}
		m.blocked.fill(generation, account, b)
	}
	if b.many {
		return m.isBlocked(ctx, account, peer)
	}
	if len(b.folded) == 0 {
		return false, nil
	}
	_, on := b.folded[Fold(string(peer))]
	return on, nil
}

func findBlocked(ctx context.Context, tx *store.Tx, account core.AccountID) (b blocked, err error) {
	all, err := store.Collect(ctx, tx, func(row store.Scanner) (folded string, err error) {
		err = row.Scan(&folded)
		return folded, err
	}, selectBlocked, string(account), blockedMost+1)
	if err != nil || len(all) == 0 {
		return blocked{}, err
	}
	if len(all) > blockedMost {
		return blocked{many: true}, nil
	}
	b.folded = make(map[string]struct{}, len(all))
	for _, folded := range all {
		b.folded[folded] = struct{}{}
	}
	return b, nil
}

func (m *Map) isBlocked(ctx context.Context, account core.AccountID, peer core.Address) (on bool, err error) {
	err = m.db.Read(ctx, func(tx *store.Tx) error {
		c, err := scanContact(tx.QueryRow(ctx, selectContact, string(account), Fold(string(peer))))
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		on = c.Blocked
		return err
	})
	return on, fault("blocked", err)
}

// BlockedContacts returns whom an account blocks, in the order of their folded addresses, those behind after, at most
// 1000 of them.
func (m *Map) BlockedContacts(ctx context.Context, account core.AccountID, after core.Address) (all []Contact, err error) {
	err = m.db.Read(ctx, func(tx *store.Tx) error {
		all, err = store.Collect(ctx, tx, scanContact, selectBlockedContacts, string(account), Fold(string(after)), maxContacts)
		return err
	})
	return all, fault("blocked contacts", err)
}
