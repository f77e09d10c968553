package mapping

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"gangway/core"
	"gangway/core/store"
)

// spokenSize is the most conversations whose account is kept in memory.
const spokenSize = 16384

// spokenKey is a conversation of a user's, whichever account it goes through.
type spokenKey struct {
	user            core.UserID
	network, folded string
}

var _ core.Routes = (*Map)(nil)

func (m *Map) shared(network string) bool { return slices.Contains(m.opts.Shared, network) }

// Speaker implements core.Routes.
func (m *Map) Speaker(ctx context.Context, user core.UserID, network string, peer core.Address) (core.Account, error) {
	id, err := m.lastSpoke(ctx, user, network, peer)
	if err != nil {
		return core.Account{}, fault("speaker", err)
	}
	if id == "" {
		chosen, err := m.Preferences(ctx, user, network)
		if err != nil {
			return core.Account{}, err
		}
		id = chosen.Account
	}
	if id != "" {
		a, err := m.Account(ctx, id)
		if err == nil && a.User == user && a.Network == network {
			return a, nil
		}
		if err != nil && core.KindOf(err) != core.NotFound {
			return core.Account{}, err
		}
	}
	return m.AccountOf(ctx, user, network, "")
}

// lastSpoke is the account that a conversation went through last; empty if that is not known.
func (m *Map) lastSpoke(ctx context.Context, user core.UserID, network string, peer core.Address) (core.AccountID, error) {
	key := spokenKey{user, network, Fold(string(peer))}
	if peer == "" {
		return "", nil
	}
	id, ok, generation := m.spoken.get(key)
	if ok {
		return id, nil
	}
	err := m.db.Read(ctx, func(tx *store.Tx) error {
		err := tx.QueryRow(ctx, selectSpoken, string(user), network, key.folded).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err == nil && id != "" { // what is not known may be any time, by whoever meets the contact
		m.spoken.fill(generation, key, id)
	}
	return id, err
}

// Went implements core.Routes. A user with one account has nothing written: that it is a contact of the account says
// enough once there is another.
func (m *Map) Went(ctx context.Context, a core.Account, peer core.Address) (before core.AccountID, err error) {
	before, err = m.lastSpoke(ctx, a.User, a.Network, peer)
	if err != nil || before == a.ID || peer == "" {
		return before, fault("went", err)
	}
	err = m.db.Write(ctx, func(tx *store.Tx) error {
		var n int
		if err := tx.QueryRow(ctx, countAccountsOf, string(a.User), a.Network).Scan(&n); err != nil || n < 2 {
			return err
		}
		if _, err := known(ctx, tx, a.ID, peer); err != nil {
			return err
		}
		folded, last := Fold(string(peer)), int64(0)
		if err := tx.QueryRow(ctx, lastUse, string(a.User), a.Network, folded).Scan(&last); err != nil {
			return err
		}
		tx.OnCommit(func() { m.spoken.forget(spokenKey{a.User, a.Network, folded}) })
		_, err := tx.Exec(ctx, useContact, string(a.ID), folded, string(peer), millis(m.now()), last+1)
		return err
	})
	return before, fault("went", err)
}
