package outbox

import (
	"context"

	"gangway/core"
	"gangway/core/store"
)

var _ core.Keeper = (*Outbox)(nil)

// Move implements core.Keeper: a user's letters, pending and dead, belong to their new name.
func (o *Outbox) Move(ctx context.Context, from, to core.UserID) error {
	return reading("outbox: move", o.db.Write(ctx, func(tx *store.Tx) error {
		for _, text := range []string{
			"UPDATE outbox SET user_id = ? WHERE user_id = ?", "UPDATE outbox_dead SET user_id = ? WHERE user_id = ?",
		} {
			if _, err := tx.Exec(ctx, text, string(to), string(from)); err != nil {
				return err
			}
		}
		tx.OnCommit(func() { o.lanes.unload(from) })
		return nil
	}))
}

// Erase implements core.Keeper: all letters of a user are forgotten, and nobody is told. One in hand goes when its
// attempt has ended; where no queue runs they are gone when Erase returns.
func (o *Outbox) Erase(ctx context.Context, user core.UserID) error {
	err := o.order(ctx, "outbox: erase", func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM outbox_dead WHERE user_id = ?", string(user)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "INSERT INTO outbox_order (seq, verb) SELECT seq, 'erase' FROM outbox WHERE user_id = ? "+
			"ON CONFLICT (seq) DO UPDATE SET verb = excluded.verb", string(user))
		return err
	})
	for err == nil && !o.running.Load() && !o.db.Shared() {
		var n int
		if n, err = o.carryOutOrders(ctx); n == 0 {
			break
		}
	}
	return err
}

// unload has the items of a user read again, which are not in hand: they say whose they are.
func (s *schedule) unload(user core.UserID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.lanes {
		for e := l.head; e != nil; e = e.next {
			if e.item != nil && e.item.User == user {
				e.item = nil
				s.resident -= int64(e.size)
			}
		}
	}
}
