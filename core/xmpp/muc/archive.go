package muc

import (
	"context"
	"time"

	"gangway/core"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/stream"
)

// Archive keeps what is said in rooms, for each account by itself: nobody reads what they were not there to hear. The
// ids in it are the stanza-ids that the rooms' messages carry (XEP-0359), and so the ids of XEP-0313.
type Archive interface {
	// Append keeps an event. It queues, within bounds, and does not wait for the disk: it is called for every message
	// to every user. What was kept before under the same account, room and id is kept once.
	Append(ctx context.Context, e core.Archived) error
	// Last returns the newest n events of a room, or fewer, that were said at or after since (zero: whenever), oldest
	// first. It sees what was appended before.
	Last(ctx context.Context, room core.Ref, n int, since time.Time) ([]core.Archived, error)
	// Find returns the newest event of a room with a name: its ID, its Remote, or the id of its Origin. NotFound if
	// there is none. It sees what was appended before.
	Find(ctx context.Context, room core.Ref, name string) (core.Archived, error)
}

// WriteArchived writes an archived event of a room as the <message/> that its occupants saw, without a "to": for the
// <forwarded/> of XEP-0313. It writes nothing and returns an error if the room has no address.
func (r *Rooms) WriteArchived(enc *stream.Encoder, d *edge.Domain, a core.Account, e core.Archived) error {
	jid, err := d.JID(a.Realm, e.Event.Where().Peer, true)
	if err != nil {
		return err
	}
	rm := newRoom(d, a.Realm, jid)
	if m, ok := e.Event.(*core.Message); ok {
		rm.write(enc, "", m, "")
	}
	return nil
}
