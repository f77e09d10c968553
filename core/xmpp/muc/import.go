package muc

import (
	"context"
	"encoding/json"

	"gangway/core"
)

// Keep notes that an account stays in a room when none of its clients is, under a nick, unless that is noted already:
// false. It is for accounts that come from another gateway; the room is entered at the next Restore.
func Keep(ctx context.Context, notes core.Notes, account core.AccountID, room core.Address, nick string) (added bool, err error) {
	rooms := map[core.Address]string{}
	note, err := notes.Get(ctx, keptKey(account))
	switch {
	case err != nil && core.KindOf(err) == core.NotFound:
	case err != nil:
		return false, err
	default:
		if err := json.Unmarshal(note, &rooms); err != nil {
			return false, core.Wrap(core.Internal, "muc: persistent rooms", err)
		}
	}
	if rooms[room] != "" || nick == "" {
		return false, nil
	}
	rooms[room] = nick
	if note, err = json.Marshal(rooms); err != nil {
		return false, core.Wrap(core.Internal, "muc: persistent rooms", err)
	}
	return true, notes.Put(ctx, keptKey(account), note, 0)
}
