package muc

import (
	"context"
	"maps"
	"slices"
	"time"

	"gangway/core"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

var (
	_ edge.Mover   = (*Rooms)(nil)
	_ edge.Stopper = (*Rooms)(nil)
)

// movedFor is how long the host server may take over the bookmarks of a move.
const movedFor = 30 * time.Second

// Moved implements edge.Mover: the clients of the old name are in none of the accounts' rooms any more, and the accounts
// enter their persistent rooms again, for the new one. Where the host server lets us, bookmarks follow.
func (r *Rooms) Moved(ctx context.Context, d *edge.Domain, from core.UserID, moved []core.Account) error {
	ctx, cancel := context.WithTimeout(ctx, movedFor)
	defer cancel()
	for _, a := range moved {
		r.Stopped(d, a) // it was stopped, but clients may have come in since
	}
	r.Restore(ctx, d, moved)
	for _, a := range moved {
		rooms, err := r.kept(ctx, d, a)
		if err != nil {
			return err
		}
		old := a
		old.User = from
		for _, room := range slices.Sorted(maps.Keys(rooms)) {
			r.bookmark(ctx, d, old, room, "")
			r.bookmark(ctx, d, a, room, rooms[room])
		}
	}
	return nil
}

// Stopped implements edge.Stopper: nobody is in the account's rooms any more. The status is 110 only: it is neither a
// kick, nor will the room be back by itself.
func (r *Rooms) Stopped(_ *edge.Domain, a core.Account) {
	f := farewell{statuses: []string{"110"}, reason: "Your account here was closed or has changed. You can try to join again."}
	r.statuses.forget(a.ID)
	for _, rm := range r.take(a.ID) {
		// A link that is down has nobody to tell: the server has told the clients already.
		_ = rm.domain.Link.Write(func(enc *stream.Encoder) { rm.allGone(enc, f) })
	}
}

// take removes the rooms of an account from the table.
func (r *Rooms) take(account core.AccountID) (taken []*room) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for ref, rm := range r.rooms {
		if ref.Account == account {
			taken = append(taken, rm)
			delete(r.rooms, ref)
		}
	}
	return taken
}
