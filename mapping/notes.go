package mapping

import (
	"context"
	"time"

	"gangway/core"
	"gangway/core/store"
)

// Notes returns the private rows of a network's transport.
func (m *Map) Notes(network string) core.Notes { return notes{m: m, network: network} }

type notes struct {
	m       *Map
	network string
}

// Put implements core.Notes.
func (n notes) Put(ctx context.Context, key string, value []byte, keep time.Duration) error {
	return fault("put note", n.m.puts.Write(ctx, n.m.note(n.network, core.Note{Key: key, Value: value, Keep: keep})))
}

// note is a row that waits to be written.
type note struct {
	network, key string
	value        []byte
	expires      int64
}

func (m *Map) note(network string, n core.Note) note {
	row := note{network: network, key: n.Key, value: n.Value}
	if n.Keep > 0 {
		row.expires = millis(m.now().Add(n.Keep))
	}
	if row.value == nil {
		row.value = []byte{} // NULL would be something else
	}
	return row
}

func putNote(tx *store.Tx, n note) error {
	_, err := tx.Exec(context.Background(), insertNote, n.network, n.key, n.value, n.expires)
	return err
}

// putNotes writes rows in their order. Many come at once: they share a savepoint.
func putNotes(tx *store.Tx, all []note) error {
	for _, n := range all {
		if err := putNote(tx, n); err != nil {
			return err
		}
	}
	return nil
}

// Get implements core.Notes.
func (n notes) Get(ctx context.Context, key string) (value []byte, err error) {
	err = n.m.db.ReadOne(ctx, func(tx *store.Tx) error {
		err := tx.QueryRow(ctx, getNote, n.network, key, millis(n.m.now())).Scan(&value)
		return none(err, "note", "There is no such note.")
	})
	return value, fault("note", err)
}

// Delete implements core.Notes.
func (n notes) Delete(ctx context.Context, key string) error {
	return fault("delete note", n.m.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, deleteNote, n.network, key)
		return err
	}))
}

// Keys returns the keys of rows in their order, those after one, at most limit. Only who asks for Notes by a name of
// their own can tell what is in them: it is not part of core.Notes.
func (n notes) Keys(ctx context.Context, after string, limit int) (keys []string, err error) {
	err = n.m.db.Read(ctx, func(tx *store.Tx) error {
		keys, err = store.Collect(ctx, tx, func(row store.Scanner) (key string, err error) {
			err = row.Scan(&key)
			return key, err
		}, noteKeys, n.network, after, millis(n.m.now()), limit)
		return err
	})
	return keys, fault("note keys", err)
}
