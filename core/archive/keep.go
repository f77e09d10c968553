package archive

import (
	"context"
	"database/sql"
	"errors"

	"gangway/core"
	"gangway/core/store"
)

// Sweep forgets what is older than Config.Keep and what is more than Config.Limit in a room, and returns how many
// events went. It is to be called now and then, and may be stopped by ctx between two slices.
func (a *Archive) Sweep(ctx context.Context) (events int64, err error) {
	oldest := a.now().Add(-a.retain.Load().keep).UnixMilli()
	for after := int64(0); ; {
		var rooms []int64
		err := a.db.Read(ctx, func(tx *store.Tx) (err error) {
			rooms, err = store.Collect(ctx, tx, scanNumber, selectRooms, after, store.Slice)
			return err
		})
		if err != nil || len(rooms) == 0 {
			return events, fault("sweep", err)
		}
		for _, room := range rooms {
			n, err := a.sweep(ctx, room, oldest)
			events += n
			if err != nil {
				return events, fault("sweep", err)
			}
			after = room
		}
	}
}

func scanNumber(s store.Scanner) (n int64, err error) {
	err = s.Scan(&n)
	return n, err
}

// sweep forgets what is too old or too much in one room. It looks first: a room where nothing is costs no write.
func (a *Archive) sweep(ctx context.Context, room, oldest int64) (events int64, err error) {
	var old bool
	var last place
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		rows, err := store.Collect(ctx, tx, scanRow, selectPage, room, int64(-1<<63), 0, oldest, int64(-1<<63), 1)
		if err != nil {
			return err
		}
		old = len(rows) > 0
		err = tx.QueryRow(ctx, selectExcess, room, a.retain.Load().limit).Scan(&last.at, &last.seq)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	if old {
		n, err := a.delete(ctx, deleteOld, room, oldest, store.Slice)
		events += n
		if err != nil {
			return events, err
		}
	}
	if last.seq != 0 {
		n, err := a.delete(ctx, deleteExcess, room, last.at, last.seq, store.Slice)
		events += n
		if err != nil {
			return events, err
		}
	}
	if events == 0 {
		return 0, nil
	}
	return events, a.forgetRoom(ctx, room)
}

// delete deletes events in slices.
func (a *Archive) delete(ctx context.Context, query string, args ...any) (int64, error) {
	return a.db.Slices(ctx, func(tx *store.Tx) (int64, error) { return tx.Exec(ctx, query, args...) })
}

// forgetRoom removes a room in which nothing is kept any more.
func (a *Archive) forgetRoom(ctx context.Context, room int64) error {
	return a.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, deleteRoom, room)
		return err
	})
}

// Forget removes everything that is kept for an account, including what waits to be written. What is appended for it
// later is kept again: close its session first.
func (a *Archive) Forget(ctx context.Context, account core.AccountID) error {
	return a.forget(ctx, account, func(core.Address) bool { return true })
}

// ForgetRoom removes the history of one room.
func (a *Archive) ForgetRoom(ctx context.Context, ref core.Ref) error {
	return a.forget(ctx, ref.Account, func(peer core.Address) bool { return peer == ref.Peer })
}

func (a *Archive) forget(ctx context.Context, account core.AccountID, which func(core.Address) bool) error {
	if err := a.queue.settle(ctx); err != nil {
		return fault("forget", err)
	}
	return fault("forget", a.rooms(ctx, account, func(r room) error {
		if !which(r.ref.Peer) {
			return nil
		}
		a.filling.end(r.ref)
		if _, err := a.delete(ctx, deleteEvents, r.number, store.Slice); err != nil {
			return err
		}
		return a.forgetRoom(ctx, r.number)
	}))
}

// room is a row of archive_rooms.
type room struct {
	number int64
	ref    core.Ref
}

// rooms calls fn for every room of an account, outside any transaction.
func (a *Archive) rooms(ctx context.Context, account core.AccountID, fn func(room) error) error {
	for after := int64(0); ; {
		var some []room
		err := a.db.Read(ctx, func(tx *store.Tx) (err error) {
			some, err = store.Collect(ctx, tx, func(s store.Scanner) (r room, err error) {
				r.ref.Account = account
				err = s.Scan(&r.number, &r.ref.Peer)
				return r, err
			}, selectRoomsOf, string(account), after, store.Slice)
			return err
		})
		if err != nil || len(some) == 0 {
			return err
		}
		for _, r := range some {
			if err := fn(r); err != nil {
				return err
			}
			after = r.number
		}
	}
}

// Accounts returns the accounts that something is kept for: whoever owns them can say which of them are no more.
func (a *Archive) Accounts(ctx context.Context) (all []core.AccountID, err error) {
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		all, err = store.Collect(ctx, tx, func(s store.Scanner) (id core.AccountID, err error) {
			err = s.Scan(&id)
			return id, err
		}, selectAccounts)
		return err
	})
	return all, fault("accounts", err)
}

// Export calls yield for everything that is kept for an account, room by room, oldest first.
func (a *Archive) Export(ctx context.Context, account core.AccountID, yield func(core.Archived) error) error {
	if err := a.queue.settle(ctx); err != nil {
		return fault("export", err)
	}
	return fault("export", a.rooms(ctx, account, func(r room) error {
		q := Query{Page: Page{Max: store.Slice}}
		for {
			page, err := a.Page(ctx, r.ref, q)
			if err != nil {
				return err
			}
			for _, e := range page.Events {
				if err := yield(e); err != nil {
					return err
				}
			}
			if page.Complete {
				return nil
			}
			q.Page.After = page.Events[len(page.Events)-1].ID
		}
	}))
}
