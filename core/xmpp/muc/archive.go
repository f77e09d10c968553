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
// <forwarded/> of XEP-0313. Of a message that was taken back it writes what is left. It writes nothing and returns an
// error if the room has no address.
func (r *Rooms) WriteArchived(enc *stream.Encoder, d *edge.Domain, a core.Account, e core.Archived) error {
	rm, err := r.of(d, a, e.Event.Where())
	if err != nil {
		return err
	}
	m, ok := e.Event.(*core.Message)
	if !ok {
		rm.archived(enc, "", e, false)
		return nil
	}
	if e.Retracted != "" {
		rm.tombstone(enc, m, e)
		return nil
	}
	var s spoken
	one := *m
	rm.refer(context.Background(), &one, &s)
	rm.write(enc, "", &one, s)
	return nil
}

// tombstone writes that there was a message (XEP-0424 section 5).
func (rm *room) tombstone(enc *stream.Encoder, m *core.Message, e core.Archived) {
	rm.open(enc, "", string(m.Author), shownID(m))
	enc.Empty("retracted", nsRetract, "id", string(e.Retracted), "stamp", e.RetractedAt.UTC().Format(stamp))
	rm.frame(enc, m.ID, m.Person, string(m.Author), time.Time{})
	enc.End()
}
