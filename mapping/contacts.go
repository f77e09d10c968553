package mapping

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"gangway/core"
	"gangway/core/store"
)

// Contact is a correspondent or a room as one account knows it.
type Contact struct {
	Account core.AccountID
	Address core.Address // in its exact case
	Name    string       // what it calls itself; may be empty
	Alias   string       // what the user calls it; unique within the account, but for case; may be empty
	Blocked bool
	Listed  bool // the user has put it on their list, which PutContact does; others are known from mail and the like only
	Created time.Time
}

// Contact returns an account's contact by any spelling of its address that folds alike. NotFound if there is none.
func (m *Map) Contact(ctx context.Context, account core.AccountID, address core.Address) (Contact, error) {
	return m.findContact(ctx, selectContact, string(account), Fold(string(address)))
}

// ContactByAlias returns an account's contact by the alias that its user chose. NotFound if there is none.
func (m *Map) ContactByAlias(ctx context.Context, account core.AccountID, alias string) (Contact, error) {
	return m.findContact(ctx, selectContactByAlias, string(account), Fold(alias))
}

func (m *Map) findContact(ctx context.Context, query string, args ...any) (c Contact, err error) {
	err = m.db.Read(ctx, func(tx *store.Tx) error {
		c, err = scanContact(tx.QueryRow(ctx, query, args...))
		return none(err, "contact", "There is no such contact.")
	})
	return c, fault("contact", err)
}

func scanContact(row store.Scanner) (c Contact, err error) {
	var blocked, listed int
	var created int64
	err = row.Scan(&c.Account, &c.Address, &c.Name, &c.Alias, &blocked, &listed, &created)
	c.Blocked, c.Listed, c.Created = blocked != 0, listed != 0, fromMillis(created)
	return c, err
}

// maxContacts is the most contacts that Contacts returns at once.
const maxContacts = 1000

// Contacts returns an account's contacts in the order of their folded addresses, those behind after (empty: from the
// first on), at most limit of them; 0, and whatever is more, means 1000. The last one's address is the next after.
func (m *Map) Contacts(ctx context.Context, account core.AccountID, after core.Address, limit int) (all []Contact, err error) {
	if limit <= 0 || limit > maxContacts {
		limit = maxContacts
	}
	err = m.db.Read(ctx, func(tx *store.Tx) error {
		all, err = store.Collect(ctx, tx, scanContact, selectContacts, string(account), Fold(string(after)), limit)
		return err
	})
	return all, fault("contacts", err)
}

// PutContact writes a contact as it is given, and lists it. Invalid, with a sentence, if the alias is another contact's;
// NotFound if the account is gone.
func (m *Map) PutContact(ctx context.Context, c Contact) error {
	return fault("put contact", m.db.Write(ctx, func(tx *store.Tx) error {
		a, err := known(ctx, tx, c.Account, c.Address)
		if err != nil {
			return err
		}
		m.changing(tx, a)
		folded, alias := Fold(string(c.Address)), Fold(c.Alias)
		other, err := scanContact(tx.QueryRow(ctx, selectContactByAlias, string(c.Account), alias))
		if err == nil && Fold(string(other.Address)) != folded {
			return core.E(core.Invalid, "mapping: put contact", "You call another contact by that name already.")
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		tx.OnCommit(func() { m.blocked.forget(c.Account) })
		_, err = tx.Exec(ctx, upsertContact, string(c.Account), folded, string(c.Address), c.Name, c.Alias, alias,
			flag(c.Blocked), millis(m.now()))
		return err
	}))
}

// Meet notes what a contact is called and how it spells its address, and returns it. An empty name changes nothing;
// the alias and the block stay. It writes only if there is something new.
func (m *Map) Meet(ctx context.Context, account core.AccountID, address core.Address, name string) (Contact, error) {
	c, err := m.Contact(ctx, account, address)
	if err == nil && c.Address == address && (name == "" || c.Name == name) {
		return c, nil
	}
	if err != nil && core.KindOf(err) != core.NotFound {
		return Contact{}, err
	}
	err = m.db.Write(ctx, func(tx *store.Tx) error {
		a, err := known(ctx, tx, account, address)
		if err != nil {
			return err
		}
		m.changing(tx, a)
		folded := Fold(string(address))
		_, err = tx.Exec(ctx, meetContact, string(account), folded, string(address), name, millis(m.now()))
		if err != nil {
			return err
		}
		c, err = scanContact(tx.QueryRow(ctx, selectContact, string(account), folded))
		return err
	})
	return c, fault("meet contact", err)
}

// Block blocks or unblocks an address, a stranger's too. NotFound if the account is gone.
func (m *Map) Block(ctx context.Context, account core.AccountID, address core.Address, on bool) error {
	return fault("block contact", m.db.Write(ctx, func(tx *store.Tx) error {
		a, err := known(ctx, tx, account, address)
		if err != nil {
			return err
		}
		m.changing(tx, a)
		tx.OnCommit(func() { m.blocked.forget(account) })
		_, err = tx.Exec(ctx, blockContact, string(account), Fold(string(address)), string(address), flag(on), millis(m.now()))
		return err
	}))
}

// RemoveContact forgets a contact, its alias and its block. NotFound if there is none.
func (m *Map) RemoveContact(ctx context.Context, account core.AccountID, address core.Address) error {
	return fault("remove contact", m.db.Write(ctx, func(tx *store.Tx) error {
		tx.OnCommit(func() {
			m.blocked.forget(account)
			m.welcome.forget(welcomeKey{account, Fold(string(address))})
		})
		n, err := tx.Exec(ctx, deleteContact, string(account), Fold(string(address)))
		if err == nil && n == 0 {
			return core.E(core.NotFound, "mapping: remove contact", "There is no such contact.")
		}
		if err != nil {
			return err
		}
		a, _, err := scanSealed(tx.QueryRow(ctx, selectAccount, string(account)))
		m.changing(tx, a)
		return err
	}))
}

// known makes sure that a contact can be written, and returns its account.
func known(ctx context.Context, tx *store.Tx, account core.AccountID, address core.Address) (core.Account, error) {
	if Fold(string(address)) == "" {
		return core.Account{}, core.E(core.Invalid, "mapping: contact", "A contact needs an address.")
	}
	a, _, err := scanSealed(tx.QueryRow(ctx, selectAccount, string(account)))
	return a, none(err, "contact", "That account is gone.")
}
