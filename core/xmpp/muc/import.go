package muc

import (
	"context"

	"gangway/core"
)

// Kept says whether it is noted already that an account stays in a room: see Keep.
func Kept(ctx context.Context, notes core.Notes, account core.AccountID, room core.Address) (bool, error) {
	k, err := readKeeping(ctx, notes, account)
	return k.Rooms[room] != "" || k.Chosen[room] != "", err
}

// Keep notes that an account's user chose to stay in a room when none of their clients is in it, under a nick, unless that
// is noted already: false. It is for accounts that come from another gateway; the room is entered at the next Restore.
func Keep(ctx context.Context, notes core.Notes, account core.AccountID, room core.Address, nick string) (added bool, err error) {
	k, err := readKeeping(ctx, notes, account)
	if err != nil || k.Rooms[room] != "" || k.Chosen[room] != "" || nick == "" {
		return false, err
	}
	if k.Chosen == nil {
		k.Chosen = map[core.Address]string{}
	}
	k.Chosen[room] = nick
	return true, writeKeeping(ctx, notes, account, k)
}
