package mapping

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gangway/core"
	"gangway/core/store"
)

// secretField is the name under which an account's secret is sealed.
const secretField = "secret"

// Account implements core.Accounts.
func (m *Map) Account(ctx context.Context, id core.AccountID) (core.Account, error) {
	a, ok, generation := m.cache.account(id)
	if ok {
		return a, nil
	}
	a, err := m.findAccount(ctx, selectAccount, string(id))
	if err != nil {
		return core.Account{}, fault("account", none(err, "account", "That account is gone."))
	}
	m.cache.fill(generation, a, userKey{}, ownKey{})
	return a, nil
}

// AccountOf implements core.Accounts.
func (m *Map) AccountOf(ctx context.Context, user core.UserID, network, realm string) (core.Account, error) {
	key := userKey{user, network, realm}
	a, ok, generation := m.cache.of(key)
	if ok {
		return a, nil
	}
	a, err := m.findAccount(ctx, selectAccountOf, string(user), network, realm)
	if errors.Is(err, sql.ErrNoRows) && realm == "" && m.shared(network) {
		// Not kept in memory: what would make it another account is a write of one of another realm.
		a, err = m.findAccount(ctx, selectAnyAccountOf, string(user), network)
		if err == nil {
			return a, nil
		}
	}
	if errors.Is(err, sql.ErrNoRows) {
		return core.Account{}, core.E(core.Unenrolled, "mapping: account", "")
	}
	if err != nil {
		return core.Account{}, fault("account", err)
	}
	m.cache.fill(generation, a, key, ownKey{})
	return a, nil
}

// Accounts implements core.Accounts. The oldest comes first.
func (m *Map) Accounts(ctx context.Context, network string) ([]core.Account, error) {
	return m.listAccounts(ctx, selectAccounts, network)
}

// AccountsOf returns all accounts of a user, by network.
func (m *Map) AccountsOf(ctx context.Context, user core.UserID) ([]core.Account, error) {
	return m.listAccounts(ctx, selectAccountsOf, string(user))
}

// Users returns everyone who has an account.
func (m *Map) Users(ctx context.Context) (users []core.UserID, err error) {
	err = m.db.Read(ctx, func(tx *store.Tx) error {
		users, err = store.Collect(ctx, tx, func(row store.Scanner) (u core.UserID, err error) {
			err = row.Scan(&u)
			return u, err
		}, selectUsers)
		return err
	})
	return users, fault("users", err)
}

func (m *Map) findAccount(ctx context.Context, query string, args ...any) (a core.Account, err error) {
	err = m.db.Read(ctx, func(tx *store.Tx) error {
		a, err = m.scanAccount(tx.QueryRow(ctx, query, args...))
		return err
	})
	return a, err
}

func (m *Map) listAccounts(ctx context.Context, query string, args ...any) (all []core.Account, err error) {
	err = m.db.Read(ctx, func(tx *store.Tx) error {
		all, err = store.Collect(ctx, tx, m.scanAccount, query, args...)
		return err
	})
	return all, fault("accounts", err)
}

func (m *Map) scanAccount(row store.Scanner) (core.Account, error) {
	a, sealed, err := scanSealed(row)
	if err != nil {
		return core.Account{}, err
	}
	if a.Secret, err = m.sealer.open(string(a.ID), secretField, sealed); err != nil {
		return core.Account{}, fmt.Errorf("secret of account %s: %w", a.ID, err)
	}
	return a, nil
}

// scanSealed reads an account whose secret is of no interest: it works also where the secret cannot be opened.
func scanSealed(row store.Scanner) (a core.Account, sealed []byte, err error) {
	var options string
	var created int64
	err = row.Scan(&a.ID, &a.User, &a.Network, &a.Realm, &a.Own, &a.Name, &sealed, &options, &created)
	if err != nil {
		return core.Account{}, nil, err
	}
	a.Created = fromMillis(created)
	if err := json.Unmarshal([]byte(options), &a.Options); err != nil {
		return core.Account{}, nil, fmt.Errorf("options of account %s: %w", a.ID, err)
	}
	return a, sealed, nil
}

// Link implements core.Accounts. An account keeps its user and network for life; see Move. With it its user is
// Registered, if they are not Suspended.
func (m *Map) Link(ctx context.Context, a core.Account) (core.Account, error) {
	if a.User == "" || a.Network == "" {
		return core.Account{}, core.E(core.Invalid, "mapping: link", "An account needs a user and a network.")
	}
	a = clone(a)
	err := m.db.Write(ctx, func(tx *store.Tx) error {
		before, err := m.begin(ctx, tx, &a)
		if err != nil {
			return err
		}
		if err := m.relink(ctx, tx, before, a); err != nil {
			return err
		}
		return m.meetPerson(ctx, tx, a.User)
	})
	if err != nil {
		return core.Account{}, fault("link", err)
	}
	return a, nil
}

// begin completes an account that is to be written, and returns it as it was: zero if it is new.
func (m *Map) begin(ctx context.Context, tx *store.Tx, a *core.Account) (before core.Account, err error) {
	if a.ID == "" {
		a.ID = core.AccountID(core.NewID())
		a.Created = m.now().UTC().Truncate(time.Millisecond)
		return core.Account{}, nil
	}
	before, _, err = scanSealed(tx.QueryRow(ctx, selectAccount, string(a.ID)))
	if err != nil {
		return core.Account{}, none(err, "link", "That account is gone.")
	}
	if before.User != a.User || before.Network != a.Network {
		return core.Account{}, core.E(core.Invalid, "mapping: link", "An account cannot be given to another user or network.")
	}
	a.Created = before.Created
	return before, nil
}

// relink writes an account and hands its own address over, in one transaction.
func (m *Map) relink(ctx context.Context, tx *store.Tx, before, a core.Account) error {
	options, err := json.Marshal(a.Options)
	if err != nil {
		return err
	}
	var sealed any // NULL, unless there is a secret
	if a.Secret != nil {
		sealed = m.sealer.seal(string(a.ID), secretField, a.Secret)
	}
	_, err = tx.Exec(ctx, upsertAccount, string(a.ID), string(a.User), a.Network, a.Realm, string(a.Own), a.Name,
		sealed, string(options), millis(a.Created))
	if err != nil {
		return err
	}
	if err := m.exchange(ctx, tx, before, a); err != nil {
		return err
	}
	tx.OnCommit(func() { m.cache.forget(before, a) })
	return nil
}

// Unlink implements core.Accounts: its contacts, its claim on an address and its messages go with it, and with a user's
// last account on a network what they chose there.
func (m *Map) Unlink(ctx context.Context, id core.AccountID) error {
	err := m.db.Write(ctx, func(tx *store.Tx) error {
		a, _, err := scanSealed(tx.QueryRow(ctx, selectAccount, string(id)))
		if err != nil {
			return none(err, "unlink", "That account is gone already.")
		}
		if err := m.releaseAll(ctx, tx, id); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, deleteAccount, string(id)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, deleteNotesOf, a.Network, "% "+string(id), "%"+string(id)+"%"); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, deleteLastChosen, string(a.User), a.Network, string(a.User), a.Network)
		tx.OnCommit(func() {
			m.cache.forget(a)
			m.blocked.forget(id)
			m.spoken.forgetIf(func(k spokenKey) bool { return k.user == a.User && k.network == a.Network })
			m.chosen.forget(chosenKey{a.User, a.Network})
		})
		return err
	})
	if err != nil {
		return fault("unlink", err)
	}
	return fault("unlink", m.purge(ctx, id))
}

// Reseal seals with the current key what an older one has sealed, and forgets the older ones. It may be stopped and
// begun again.
func (m *Map) Reseal(ctx context.Context) error {
	after := ""
	for {
		rows, err := m.sealedAfter(ctx, after)
		if err != nil {
			return fault("reseal", err)
		}
		if len(rows) == 0 {
			break
		}
		if err := m.reseal(ctx, rows); err != nil {
			return fault("reseal", err)
		}
		after = rows[len(rows)-1].id
	}
	return fault("reseal", m.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, deleteVault, m.sealer.current)
		return err
	}))
}

type sealedRow struct {
	id     string
	sealed []byte
}

func scanSealedRow(row store.Scanner) (r sealedRow, err error) {
	err = row.Scan(&r.id, &r.sealed)
	return r, err
}

func (m *Map) sealedAfter(ctx context.Context, after string) (rows []sealedRow, err error) {
	err = m.db.Read(ctx, func(tx *store.Tx) error {
		rows, err = store.Collect(ctx, tx, scanSealedRow, selectSealed, after, slice)
		return err
	})
	return rows, err
}

// reseal leaves a row alone that somebody has changed since it was read: that was sealed with the current key.
func (m *Map) reseal(ctx context.Context, rows []sealedRow) error {
	return m.db.Write(ctx, func(tx *store.Tx) error {
		for _, r := range rows {
			if by, _ := sealedBy(r.sealed); by == m.sealer.current {
				continue
			}
			plain, err := m.sealer.open(r.id, secretField, r.sealed)
			if err != nil {
				return fmt.Errorf("secret of account %s: %w", r.id, err)
			}
			fresh := m.sealer.seal(r.id, secretField, plain)
			if _, err := tx.Exec(ctx, updateSealed, fresh, r.id, r.sealed); err != nil {
				return err
			}
		}
		return nil
	})
}
