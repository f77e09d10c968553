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
	var expires int64
	if keep > 0 {
		expires = millis(n.m.now().Add(keep))
	}
	if value == nil {
		value = []byte{} // NULL would be something else
	}
	return fault("put note", n.m.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, putNote, n.network, key, value, expires)
		return err
	}))
}

// Get implements core.Notes.
func (n notes) Get(ctx context.Context, key string) (value []byte, err error) {
	err = n.m.db.Read(ctx, func(tx *store.Tx) error {
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
