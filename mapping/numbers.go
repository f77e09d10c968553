package mapping

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"gangway/core"
	"gangway/core/store"
)

// AddNumber puts an address in stock for accounts of a network. It is no error if it is there already, or is
// somebody's: it stays theirs, and returns to the stock later.
func (m *Map) AddNumber(ctx context.Context, network string, address core.Address) error {
	folded := Fold(string(address))
	if network == "" || folded == "" {
		return core.E(core.Invalid, "mapping: add number", "A number needs a network and an address.")
	}
	return fault("add number", m.db.Write(ctx, func(tx *store.Tx) error {
		if err := unmask(ctx, tx, network, "", address); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, stockOwned, 1, network, folded)
		if err != nil || n > 0 {
			return err
		}
		_, err = tx.Exec(ctx, insertOwned, network, "", folded, string(address), nil, "", 1, millis(m.now()))
		return err
	}))
}

// RemoveNumber takes an address out of stock. Its owner keeps it, but it does not return to the stock; nobody can take
// it before its quarantine is over all the same. NotFound if it is not in stock.
func (m *Map) RemoveNumber(ctx context.Context, network string, address core.Address) error {
	return fault("remove number", m.db.Write(ctx, func(tx *store.Tx) error {
		o, err := stocked(ctx, tx, network, address)
		if err != nil {
			return err
		}
		folded := Fold(string(o.Address))
		if o.Account == "" && o.User == "" {
			_, err = tx.Exec(ctx, deleteOwned, network, folded, "")
			return err
		}
		_, err = tx.Exec(ctx, stockOwned, 0, network, folded)
		return err
	}))
}

// Numbers returns the stock of a network, owned or free.
func (m *Map) Numbers(ctx context.Context, network string) (all []Owned, err error) {
	err = m.db.Read(ctx, func(tx *store.Tx) error {
		all, err = store.Collect(ctx, tx, scanOwned, selectPool, network)
		return err
	})
	return all, fault("numbers", err)
}

// FreeNumber returns the number in stock that has been free for longest. NotFound if there is none. It is not
// reserved: Assign and Link may still find it taken.
func (m *Map) FreeNumber(ctx context.Context, network string) (o Owned, err error) {
	err = m.db.Read(ctx, func(tx *store.Tx) error {
		o, err = scanOwned(tx.QueryRow(ctx, selectFree, network, millis(m.now())))
		return none(err, "free number", "No number is free at the moment.")
	})
	return o, fault("free number", err)
}

// Assign gives a number in stock to an account as its own address, instead of the one it had. NotFound if either is
// not there, Invalid with a sentence if the number is not free.
func (m *Map) Assign(ctx context.Context, network string, address core.Address, account core.AccountID) error {
	return fault("assign", m.db.Write(ctx, func(tx *store.Tx) error {
		o, err := stocked(ctx, tx, network, address)
		if err != nil {
			return err
		}
		before, err := m.scanAccount(tx.QueryRow(ctx, selectAccount, string(account)))
		if err != nil {
			return none(err, "assign", "That account is gone.")
		}
		if before.Network != network || before.Realm != o.Realm {
			return core.E(core.Invalid, "mapping: assign", "That account is on another network.")
		}
		after := clone(before)
		after.Own = o.Address
		return m.relink(ctx, tx, before, after)
	}))
}

// Release takes a number from its account. It goes into quarantine. NotFound if it is not in stock or nobody's.
func (m *Map) Release(ctx context.Context, network string, address core.Address) error {
	return fault("release", m.db.Write(ctx, func(tx *store.Tx) error {
		o, err := stocked(ctx, tx, network, address)
		if err != nil {
			return err
		}
		if o.Account == "" {
			return core.E(core.NotFound, "mapping: release", "That number is nobody's.")
		}
		before, err := m.scanAccount(tx.QueryRow(ctx, selectAccount, string(o.Account)))
		if err != nil {
			return err
		}
		after := clone(before)
		after.Own = ""
		return m.relink(ctx, tx, before, after)
	}))
}

// Free ends the quarantine of an address that was somebody's: whoever asks for it answers for it that nothing private is
// still on its way there. It is no error if nobody knows the address. Invalid, with a sentence, if it is retired; one
// that somebody has stays theirs.
func (m *Map) Free(ctx context.Context, network string, address core.Address) error {
	return fault("free", m.db.Write(ctx, func(tx *store.Tx) error {
		folded := Fold(string(address))
		if err := unmask(ctx, tx, network, "", address); err != nil {
			return err
		}
		o, err := scanOwned(tx.QueryRow(ctx, selectOwned, network, folded, ""))
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return nil
		case err != nil:
			return err
		case o.Retired:
			return core.E(core.Invalid, "mapping: free", "That address was somebody else's and is not given out again.")
		case o.Account != "":
			return nil
		}
		_, err = tx.Exec(ctx, unholdOwned, network, folded)
		return err
	}))
}

func stocked(ctx context.Context, tx *store.Tx, network string, address core.Address) (Owned, error) {
	o, err := scanOwned(tx.QueryRow(ctx, selectOwned, network, Fold(string(address)), ""))
	if errors.Is(err, sql.ErrNoRows) || err == nil && !o.Pool {
		return Owned{}, core.E(core.NotFound, "mapping: number", "That number is not in stock. Add it first.")
	}
	return o, err
}

// Tenure says who had an address when. An erased user's name is empty.
type Tenure struct {
	Realm   string
	Account core.AccountID
	User    core.UserID
	Began   time.Time
	Ended   time.Time // zero: it has not
}

// Tenures returns who had an address of a network, the oldest first. It is for the administrator.
func (m *Map) Tenures(ctx context.Context, network string, address core.Address) (all []Tenure, err error) {
	err = m.db.Read(ctx, func(tx *store.Tx) error {
		all, err = store.Collect(ctx, tx, func(row store.Scanner) (t Tenure, err error) {
			var began, ended int64
			err = row.Scan(&t.Realm, &t.Account, &t.User, &began, &ended)
			t.Began, t.Ended = fromMillis(began), fromMillis(ended)
			return t, err
		}, selectTenure, network, Fold(string(address)))
		return err
	})
	return all, fault("tenures", err)
}
