package mapping

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"gangway/core"
	"gangway/core/store"
)

// never, as the time from which an address is free, keeps it for its last owner for good.
const never = -1

// Owned is one of people's own addresses on a network: a number, an alias, a nick.
type Owned struct {
	Network string
	Realm   string // empty where the network has one realm only: there addresses are ours to give out
	Address core.Address
	Account core.AccountID // empty: nobody's at present
	User    core.UserID    // who has it, or had it last
	Pool    bool           // kept in stock: a number added by AddNumber
	Since   time.Time      // when it was taken last, or added
	FreeAt  time.Time      // without an Account: until then only User may take it; zero: free
	Retired bool           // without an Account: only User may ever take it again
}

// Owner implements core.Accounts. An address that several realms of the network know is nobody's in particular.
func (m *Map) Owner(ctx context.Context, network string, own, _ core.Address) (core.Account, error) {
	key := ownKey{network, Fold(string(own))}
	a, ok, generation := m.cache.owner(key)
	if ok {
		return a, nil
	}
	err := m.db.Read(ctx, func(tx *store.Tx) error {
		owners, err := store.Collect(ctx, tx, func(row store.Scanner) (id string, err error) {
			err = row.Scan(&id)
			return id, err
		}, selectOwners, key.network, key.folded)
		if err != nil {
			return err
		}
		if len(owners) != 1 {
			return sql.ErrNoRows
		}
		a, err = m.scanAccount(tx.QueryRow(ctx, selectAccount, owners[0]))
		return err
	})
	if err != nil {
		return core.Account{}, fault("owner", none(err, "owner", "Nobody has that address here."))
	}
	m.cache.fill(generation, a, userKey{}, key)
	return a, nil
}

// exchange gives an account its new own address and takes the one it had.
func (m *Map) exchange(ctx context.Context, tx *store.Tx, before, a core.Account) error {
	same := before.ID != "" && before.Realm == a.Realm && Fold(string(before.Own)) == Fold(string(a.Own))
	if same && before.Own == a.Own {
		return nil
	}
	if same {
		_, err := tx.Exec(ctx, respellOwned, string(a.Own), a.Network, Fold(string(a.Own)), a.Realm)
		return err
	}
	if before.ID != "" {
		if err := m.releaseAll(ctx, tx, before.ID); err != nil {
			return err
		}
	}
	if a.Own == "" {
		return nil
	}
	return m.claim(ctx, tx, a)
}

// claim makes an account the owner of its own address, or says why it cannot be.
func (m *Map) claim(ctx context.Context, tx *store.Tx, a core.Account) error {
	folded, now := Fold(string(a.Own)), m.now()
	if folded == "" {
		return core.E(core.Invalid, "mapping: claim", "That address is empty.")
	}
	if err := unmask(ctx, tx, a.Network, a.Realm, a.Own); err != nil {
		return err
	}
	o, err := scanOwned(tx.QueryRow(ctx, selectOwned, a.Network, folded, a.Realm))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		_, err = tx.Exec(ctx, insertOwned, a.Network, a.Realm, folded, string(a.Own), string(a.ID), string(a.User), 0, millis(now))
	case err != nil:
	default:
		if why := o.refuses(a.User, now); why != nil {
			return why
		}
		_, err = tx.Exec(ctx, takeOwned, string(a.Own), string(a.ID), string(a.User), millis(now), a.Network, folded, a.Realm)
	}
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, insertTenure, a.Network, a.Realm, folded, string(a.ID), string(a.User), millis(now))
	return err
}

// refuses says why a user may not take an address, or nil.
func (o Owned) refuses(user core.UserID, now time.Time) error {
	const op = "mapping: claim"
	switch {
	case o.Account != "" && o.User == user:
		return core.E(core.Invalid, op, "You have linked that address already.")
	case o.Account != "":
		return core.E(core.Invalid, op, "That address is somebody else's.")
	case o.User == user && user != "":
		return nil
	case o.Retired:
		return core.E(core.Invalid, op, "That address was somebody else's and is not given out again.")
	case now.Before(o.FreeAt):
		return core.E(core.Invalid, op, "That address was somebody else's until lately. It can be taken from "+
			o.FreeAt.Format("2 January 2006")+" on.")
	}
	return nil
}

// releaseAll takes an account's addresses from it. What becomes of them depends on whose they are to give: a nick on
// somebody else's network is free at once, an address of ours is kept from others for a while, or for good.
func (m *Map) releaseAll(ctx context.Context, tx *store.Tx, account core.AccountID) error {
	all, err := store.Collect(ctx, tx, scanOwned, selectOwnedBy, string(account))
	if err != nil {
		return err
	}
	for _, o := range all {
		if err := m.release(ctx, tx, o); err != nil {
			return err
		}
	}
	return nil
}

func (m *Map) release(ctx context.Context, tx *store.Tx, o Owned) error {
	folded, now := Fold(string(o.Address)), m.now()
	if _, err := tx.Exec(ctx, endTenure, millis(now), o.Network, folded, o.Realm); err != nil {
		return err
	}
	if o.Realm != "" {
		_, err := tx.Exec(ctx, deleteOwned, o.Network, folded, o.Realm)
		return err
	}
	freeAt := millis(now.Add(m.opts.Quarantine))
	if slices.Contains(m.opts.Retired, o.Network) {
		freeAt = never
	}
	_, err := tx.Exec(ctx, freeOwned, freeAt, o.Network, folded, o.Realm)
	return err
}

func scanOwned(row store.Scanner) (o Owned, err error) {
	var account sql.NullString
	var pool int
	var freeAt, since int64
	err = row.Scan(&o.Network, &o.Realm, &o.Address, &account, &o.User, &pool, &freeAt, &since)
	o.Account, o.Pool, o.Since = core.AccountID(account.String), pool != 0, fromMillis(since)
	if o.Retired = freeAt == never; !o.Retired {
		o.FreeAt = fromMillis(freeAt)
	}
	return o, err
}
