package mapping

import (
	"context"
	"database/sql"
	"errors"

	"gangway/core"
	"gangway/core/store"
)

var (
	_ core.People  = (*Map)(nil)
	_ core.Choices = (*Map)(nil)
)

const (
	peopleSize = 65536 // people whose standing is kept in memory, strangers among them: about 250 bytes each
	maxPeople  = 1000  // that People returns at once
	// maxPending is how many requests may wait for an administrator. Anybody can make one.
	maxPending = 1000
)

// Person implements core.People.
func (m *Map) Person(ctx context.Context, user core.UserID) (core.Person, error) {
	p, ok, generation := m.people.get(user)
	if ok {
		return p, nil
	}
	err := m.db.Read(ctx, func(tx *store.Tx) (err error) {
		p, err = findPerson(ctx, tx, user)
		return err
	})
	if err != nil {
		return core.Person{}, fault("person", err)
	}
	m.people.fill(generation, user, p)
	return p, nil
}

// findPerson returns what is in the table, or a Stranger.
func findPerson(ctx context.Context, tx *store.Tx, user core.UserID) (core.Person, error) {
	p, err := scanPerson(tx.QueryRow(ctx, selectPerson, string(user)))
	if errors.Is(err, sql.ErrNoRows) {
		return core.Person{User: user}, nil
	}
	return p, err
}

func scanPerson(row store.Scanner) (p core.Person, err error) {
	var since, changed int64
	err = row.Scan(&p.User, &p.Standing, &since, &changed, &p.InvitedBy, &p.Network, &p.Note, &p.Language, &p.Messages)
	p.Since, p.Changed = fromMillis(since), fromMillis(changed)
	return p, err
}

// People implements core.People.
func (m *Map) People(ctx context.Context, f core.PeopleFilter) (all []core.Person, err error) {
	limit := f.Limit
	if limit <= 0 || limit > maxPeople {
		limit = maxPeople
	}
	err = m.db.Read(ctx, func(tx *store.Tx) error {
		all, err = store.Collect(ctx, tx, scanPerson, selectPeople, string(f.After), int(f.Standing), int(f.Standing), limit)
		return err
	})
	return all, fault("people", err)
}

// ChangePerson implements core.People. A person who is made a Stranger is forgotten. OverLimit if somebody is to be
// Pending and too many are already.
func (m *Map) ChangePerson(ctx context.Context, user core.UserID, change func(*core.Person) error) (p core.Person, err error) {
	if user == "" {
		return core.Person{}, core.E(core.Invalid, "mapping: person", "A person needs a name.")
	}
	err = m.db.Write(ctx, func(tx *store.Tx) error {
		before, err := findPerson(ctx, tx, user)
		if err != nil {
			return err
		}
		p = before
		if err := change(&p); err != nil {
			return err
		}
		p.User = user
		if p == before {
			return nil
		}
		if p.Standing == core.Pending && before.Standing != core.Pending {
			if err := roomForPending(ctx, tx); err != nil {
				return err
			}
		}
		return m.writePerson(ctx, tx, before, &p)
	})
	if err != nil {
		return core.Person{}, fault("person", err)
	}
	return p, nil
}

func roomForPending(ctx context.Context, tx *store.Tx) error {
	var n int
	if err := tx.QueryRow(ctx, countPending).Scan(&n); err != nil {
		return err
	}
	if n >= maxPending {
		return core.E(core.OverLimit, "mapping: person",
			"Too many requests wait for the administrator already. Please try again in a few days.")
	}
	return nil
}

// writePerson writes a person who has changed, and when.
func (m *Map) writePerson(ctx context.Context, tx *store.Tx, before core.Person, p *core.Person) error {
	tx.OnCommit(func() { m.people.forget(p.User) })
	if p.Standing == core.Stranger {
		_, err := tx.Exec(ctx, deletePerson, string(p.User))
		return err
	}
	now := fromMillis(millis(m.now()))
	if p.Since.IsZero() {
		p.Since = now
	}
	if p.Standing != before.Standing || p.Changed.IsZero() {
		p.Changed = now
	}
	_, err := tx.Exec(ctx, upsertPerson, string(p.User), int(p.Standing), millis(p.Since), millis(p.Changed), p.InvitedBy,
		p.Network, p.Note, p.Language, p.Messages)
	return err
}

// meetPerson notes that somebody has an account: who waited is let in with it, who is suspended stays so.
func (m *Map) meetPerson(ctx context.Context, tx *store.Tx, user core.UserID) error {
	before, err := findPerson(ctx, tx, user)
	if err != nil || before.Standing > core.Pending {
		return err
	}
	p := before
	p.Standing, p.Note = core.Registered, ""
	return m.writePerson(ctx, tx, before, &p)
}
