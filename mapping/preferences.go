package mapping

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"gangway/core"
	"gangway/core/store"
)

const (
	chosenSize = 16384 // users and networks whose preferences are kept in memory
	maxChosen  = 64 << 10
)

// chosenKey is what preferences are kept under.
type chosenKey struct {
	user    core.UserID
	network string
}

// Preferences implements core.Choices. What is returned is the caller's.
func (m *Map) Preferences(ctx context.Context, user core.UserID, network string) (core.Preferences, error) {
	key := chosenKey{user, network}
	p, ok, generation := m.chosen.get(key)
	if !ok {
		err := m.db.Read(ctx, func(tx *store.Tx) (err error) {
			p, err = findChosen(ctx, tx, key)
			return err
		})
		if err != nil {
			return core.Preferences{}, fault("preferences", err)
		}
		m.chosen.fill(generation, key, p)
	}
	p.Own = maps.Clone(p.Own)
	return p, nil
}

func findChosen(ctx context.Context, tx *store.Tx, key chosenKey) (p core.Preferences, err error) {
	var text string
	err = tx.QueryRow(ctx, selectChosen, string(key.user), key.network).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return core.Preferences{}, nil
	}
	if err != nil {
		return core.Preferences{}, err
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return core.Preferences{}, fmt.Errorf("preferences of a user on %s: %w", key.network, err)
	}
	return p, nil
}

// SetPreferences writes what a user chose for a network: see ChangePreferences.
func (m *Map) SetPreferences(ctx context.Context, user core.UserID, network string, p core.Preferences) error {
	return m.ChangePreferences(ctx, user, network, func(old *core.Preferences) error {
		*old = p
		return nil
	})
}

// ChangePreferences has change make what a user chose for a network into what they choose now; the zero value forgets it.
// Nothing is changed meanwhile, nor if change fails. Unenrolled if they have no account there and have not been let in,
// TooLarge if it is longer than anybody's choices are.
func (m *Map) ChangePreferences(ctx context.Context, user core.UserID, network string, change func(*core.Preferences) error) error {
	if user == "" || network == "" {
		return core.E(core.Invalid, "mapping: preferences", "Preferences need a user and a network.")
	}
	key := chosenKey{user, network}
	return fault("preferences", m.db.Write(ctx, func(tx *store.Tx) error {
		p, err := findChosen(ctx, tx, key)
		if err != nil {
			return err
		}
		if err := change(&p); err != nil {
			return err
		}
		if len(p.Own) == 0 {
			p.Own = nil
		}
		text, err := json.Marshal(p)
		if err != nil {
			return err
		}
		if len(text) > maxChosen {
			return core.E(core.TooLarge, "mapping: preferences", "That is more than can be kept.")
		}
		tx.OnCommit(func() { m.chosen.forget(key) })
		if string(text) == "{}" {
			_, err := tx.Exec(ctx, deleteChosen, string(user), network)
			return err
		}
		who, err := findPerson(ctx, tx, user)
		if err != nil {
			return err
		}
		if who.Standing < core.Registered {
			return core.E(core.Unenrolled, "mapping: preferences", "")
		}
		_, err = tx.Exec(ctx, upsertChosen, string(user), network, string(text))
		return err
	}))
}
