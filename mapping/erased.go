package mapping

import (
	"context"

	"gangway/core"
	"gangway/core/store"
)

// An address that somebody who was erased has had is kept from others for as long as any, but not as it is written: an
// e-mail alias may be as good as its owner's name. A digest stands in its place in the table, until somebody asks for the
// address itself.

const (
	maskOwned = `UPDATE owned SET folded = ?, address = '', user_id = '' WHERE network = ? AND folded = ? AND realm = ?`
	nameOwned = `UPDATE owned SET folded = ?, address = ? WHERE network = ? AND folded = ? AND realm = ?`
	// What is in stock is the gateway's own, and says nothing about whom it belonged to.
	eraseTenures = `DELETE FROM tenure WHERE user_id = ? AND NOT EXISTS (SELECT 1 FROM owned WHERE owned.pool = 1
		AND owned.network = tenure.network AND owned.folded = tenure.folded AND owned.realm = tenure.realm)`
)

// masked stands for an address in the column folded. No folded address has a space in front.
func masked(network, folded string) string { return " " + core.Digest("address", network, folded) }

// eraseOwned takes a user's name, and the addresses that were theirs alone, out of the history of addresses.
func eraseOwned(ctx context.Context, tx *store.Tx, user core.UserID) (rows int64, err error) {
	owned, err := store.Collect(ctx, tx, scanOwned, selectOwnedOf, string(user))
	if err != nil {
		return 0, err
	}
	for _, o := range owned {
		folded := Fold(string(o.Address))
		if o.Pool || o.Account != "" || folded == "" {
			continue
		}
		n, err := tx.Exec(ctx, maskOwned, masked(o.Network, folded), o.Network, folded, o.Realm)
		if rows += n; err != nil {
			return rows, err
		}
	}
	for _, query := range []string{eraseOwnedUser, eraseTenures, eraseTenureUser} {
		n, err := tx.Exec(ctx, query, string(user))
		if rows += n; err != nil {
			return rows, err
		}
	}
	return rows, nil
}

// unmask writes an address that is asked for into the row that a digest of it stands in, if there is one.
func unmask(ctx context.Context, tx *store.Tx, network, realm string, address core.Address) error {
	folded := Fold(string(address))
	_, err := tx.Exec(ctx, nameOwned, folded, string(address), network, masked(network, folded), realm)
	return err
}
