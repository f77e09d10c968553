package mapping

import (
	"context"
	"slices"

	"gangway/core"
	"gangway/core/store"
)

// Erase removes a user: accounts, contacts, preferences, invitations made, the names of messages, that they were let in
// and by whom, and the user's name and addresses from the history of addresses. A retired address stays retired, though
// nobody can tell whose it was, nor read it; who is Suspended stays so, and nothing else is kept of them. NotFound if
// nothing is kept about the user.
func (m *Map) Erase(ctx context.Context, user core.UserID) error {
	accounts, err := m.accountIDs(ctx, user)
	if err != nil {
		return fault("erase", err)
	}
	for _, id := range accounts {
		if err := m.Unlink(ctx, id); err != nil && core.KindOf(err) != core.NotFound {
			return err
		}
	}
	var rows int64
	err = m.db.Write(ctx, func(tx *store.Tx) error {
		owned, err := eraseOwned(ctx, tx, user)
		if err != nil {
			return err
		}
		person, err := m.erasePerson(ctx, tx, user)
		rows = owned + person
		return err
	})
	if err == nil && rows == 0 && len(accounts) == 0 {
		return core.E(core.NotFound, "mapping: erase", "Nothing is kept about that user.")
	}
	return fault("erase", err)
}

func (m *Map) erasePerson(ctx context.Context, tx *store.Tx, user core.UserID) (rows int64, err error) {
	m.forgetPeople(tx, user)
	for _, query := range []string{erasePerson, blankPerson, eraseChosen, eraseInvites, eraseInviter} {
		n, err := tx.Exec(ctx, query, string(user))
		if err != nil {
			return 0, err
		}
		if query != blankPerson && query != eraseInviter {
			rows += n
		}
	}
	return rows, nil
}

// forgetPeople drops what is remembered of users when the transaction is committed. Whom they have invited says so too.
func (m *Map) forgetPeople(tx *store.Tx, users ...core.UserID) {
	tx.OnCommit(func() {
		m.people.forgetIf(func(core.UserID) bool { return true })
		m.chosen.forgetIf(func(k chosenKey) bool { return slices.Contains(users, k.user) })
	})
}

// accountIDs works also for accounts whose secrets cannot be opened.
func (m *Map) accountIDs(ctx context.Context, user core.UserID) (ids []core.AccountID, err error) {
	err = m.db.Read(ctx, func(tx *store.Tx) error {
		ids, err = store.Collect(ctx, tx, func(row store.Scanner) (core.AccountID, error) {
			a, _, err := scanSealed(row)
			return a.ID, err
		}, selectAccountsOf, string(user))
		return err
	})
	return ids, err
}

// Move gives everything of a user to a new name of theirs. NotFound if nothing is kept about the user; Invalid, with a
// sentence, if the new name has accounts, or is somebody who is suspended. What else was known of the new name, such as
// a request to be let in, gives way.
func (m *Map) Move(ctx context.Context, from, to core.UserID) error {
	if from == "" || to == "" || from == to {
		return core.E(core.Invalid, "mapping: move", "Moving a user needs two different names.")
	}
	return fault("move", m.db.Write(ctx, func(tx *store.Tx) error {
		scan := func(row store.Scanner) (core.Account, error) {
			a, _, err := scanSealed(row)
			return a, err
		}
		taken, err := store.Collect(ctx, tx, scan, selectAccountsOf, string(to))
		if err != nil {
			return err
		}
		if len(taken) > 0 {
			return core.E(core.Invalid, "mapping: move", "The new name has accounts of its own. Remove those first.")
		}
		moved, err := store.Collect(ctx, tx, scan, selectAccountsOf, string(from))
		if err != nil {
			return err
		}
		if err := m.clearForMove(ctx, tx, from, to); err != nil {
			return err
		}
		var rows int64
		for _, query := range []string{updateAccountUser, updateOwnedUser, updateTenureUser, updatePersonUser,
			updateChosenUser, updateInviter, updateInviteUser} {
			n, err := tx.Exec(ctx, query, string(to), string(from))
			if err != nil {
				return err
			}
			rows += n
		}
		if rows == 0 {
			return core.E(core.NotFound, "mapping: move", "Nothing is kept about that user.")
		}
		tx.OnCommit(func() { m.cache.forget(moved...) })
		for _, a := range moved {
			if _, err := tx.Exec(ctx, updateOrigins, string(to), string(a.ID)); err != nil {
				return err
			}
			a.User = to
			m.changing(tx, a)
		}
		return nil
	}))
}

// clearForMove makes sure that nothing is in the way of from's rows under the name of to, unless to is to be kept out.
func (m *Map) clearForMove(ctx context.Context, tx *store.Tx, from, to core.UserID) error {
	m.forgetPeople(tx, from, to)
	there, err := findPerson(ctx, tx, to)
	if err != nil {
		return err
	}
	if there.Standing == core.Suspended {
		return core.E(core.Invalid, "mapping: move", "The new name is suspended. Resume it first.")
	}
	here, err := findPerson(ctx, tx, from)
	if err != nil {
		return err
	}
	queries := []string{eraseChosen}
	if here.Standing != core.Stranger {
		queries = append(queries, deletePerson)
	}
	for _, query := range queries {
		if _, err := tx.Exec(ctx, query, string(to)); err != nil {
			return err
		}
	}
	return nil
}
