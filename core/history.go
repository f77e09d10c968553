package core

import (
	"context"
	"time"
)

// History is how a session fills the gap that an absence has left in the history of a room, where its network can tell
// what was said meanwhile (IRCv3 CHATHISTORY, a bouncer's playback). It is for rooms only: what is said in private is
// kept by the user's own server, which cannot be given anything late.
//
// A session that enters a room, or comes back into it,
//
//  1. calls Since before anything new of the room is delivered: before JOIN. Where that says NotFound the account has
//     never been there: once the network lets it in, the session calls Begin, so that the first entry is a place to
//     go on from, and may Recall a little of what was said before;
//  2. asks the network for what was said after that place, a page at a time, the oldest first;
//  3. calls Fill with each page, from the goroutine that delivers the room's events, so that nothing passes by it;
//  4. calls Filled when there is no more, or the network has none or will not tell: otherwise the gap stays open.
//
// Best is to do all that before RoomJoined: whoever enters is then shown a whole room. Where that would take too long,
// what is said meanwhile is delivered as ever, and has its place after what Fill brings, because each is kept at the
// moment it was said. A page costs the memory of that page.
//
// Nothing is missing when the program is killed in between: the gap stays open, and Since returns the same place, or
// the end of the last page that was filled. Nothing is there twice: what is told again is recognised by its Remote, and
// where there is none by its time, author and text. Of lines that are the same in all of that there are afterwards as
// many as the network has told in one gap, or had told before. So it is no harm to ask for too much, and a session that
// has no better way may begin somewhat before Mark.At.
type History interface {
	// Since opens the gap of a room, and returns after what it begins: after the newest that is kept, or, where nothing
	// has been said, after the moment of Begin. NotFound: nothing is known of the room, there is no gap, and neither
	// Filled nor anything else need follow. Unsupported: this gateway keeps no history.
	Since(ctx context.Context, room Ref) (Mark, error)
	// Begin says that the account has entered a room for the first time. When it returns nil that is on disk, and the
	// room has a gap, which begins now. It changes nothing about a room that was begun before.
	Begin(ctx context.Context, room Ref) error
	// Fill keeps events of one room that were said in the past, the oldest first: Messages, Reactions and Retractions,
	// each with its Ref, its Author, also where that is the account itself (Mine), its Remote where it has one, and At.
	// They must not be changed afterwards. When it returns nil they are on disk; those that were not known before are
	// then shown to whoever is in the room, marked with their time (XEP-0203). An error means that the gap is still
	// open: the page may be filled again.
	Fill(ctx context.Context, room Ref, page []Event) error
	// Recall is Fill for what was said before the account first came: it is kept, and shown to nobody. Who is in the
	// room finds it in its history.
	Recall(ctx context.Context, room Ref, page []Event) error
	// Filled closes the gap of a room. It is no error if none is open.
	Filled(ctx context.Context, room Ref) error
}

// Mark is a place in the history of a room, as a network can be asked about it.
type Mark struct {
	// Remote is the network's name of the newest message that is surely there; empty if none has one. For networks that
	// keep names: CHATHISTORY AFTER <room> msgid=<Remote>.
	Remote RemoteID
	// At is a moment before which nothing is missing, for networks that go by the time, or have forgotten Remote:
	// CHATHISTORY AFTER <room> timestamp=<At>. It is early enough for clocks that differ by some seconds.
	At time.Time
}

// Archive is the archive of rooms as the gateway sees it.
type Archive interface {
	// Since, Begin, Fill and Filled are as in History. Fill gets events that have their IDs, and returns those of them
	// that are new: in their order, and on disk.
	Since(ctx context.Context, room Ref) (Mark, error)
	Begin(ctx context.Context, room Ref) error
	Fill(ctx context.Context, room Ref, page []Archived) (fresh []Archived, err error)
	Filled(ctx context.Context, room Ref) error
	// Forget removes everything that is kept for an account, which is no more.
	Forget(ctx context.Context, account AccountID) error
}

// history is the archive as one transport sees it.
type history struct{ h *host }

func (h history) archive(ctx context.Context, room Ref) (Archive, Account, error) {
	archive := h.h.g.cfg.Archive
	if archive == nil {
		return nil, Account{}, E(Unsupported, "core: history", "This gateway keeps no history.")
	}
	a, err := h.h.Account(ctx, room.Account)
	return archive, a, err
}

func (h history) Since(ctx context.Context, room Ref) (Mark, error) {
	archive, _, err := h.archive(ctx, room)
	if err != nil {
		return Mark{}, err
	}
	return archive.Since(ctx, room)
}

func (h history) Begin(ctx context.Context, room Ref) error {
	archive, _, err := h.archive(ctx, room)
	if err != nil {
		return err
	}
	return archive.Begin(ctx, room)
}

func (h history) Filled(ctx context.Context, room Ref) error {
	archive, _, err := h.archive(ctx, room)
	if err != nil {
		return err
	}
	return archive.Filled(ctx, room)
}

func (h history) Fill(ctx context.Context, room Ref, page []Event) error {
	a, fresh, err := h.keep(ctx, room, page)
	if err != nil {
		return err
	}
	h.show(ctx, a, fresh)
	return nil
}

func (h history) Recall(ctx context.Context, room Ref, page []Event) error {
	_, _, err := h.keep(ctx, room, page)
	return err
}

// keep keeps a page, and returns what of it is new.
func (h history) keep(ctx context.Context, room Ref, page []Event) (a Account, fresh []Archived, err error) {
	archive, a, err := h.archive(ctx, room)
	if err != nil {
		return a, nil, err
	}
	kept := make([]Archived, 0, len(page))
	for _, e := range page {
		if e == nil || e.Where() != room {
			return a, nil, E(Invalid, "core: fill", "An event is of another room.")
		}
		if wanted, err := h.h.g.wanted(ctx, a, e); err != nil || !wanted {
			return a, nil, err
		}
		one, err := h.told(ctx, a, e)
		if err != nil {
			return a, nil, err
		}
		kept = append(kept, one)
	}
	fresh, err = archive.Fill(ctx, room, kept)
	return a, fresh, err
}

// told gives an event of the past our names for it, and for the message that it is about.
func (h history) told(ctx context.Context, a Account, e Event) (Archived, error) {
	switch e := e.(type) {
	case *Message:
		m := *e
		m.Room, m.Past = true, true
		h.h.name(ctx, a, &m)
		m.ReplyTo, m.Replaces = h.h.about(ctx, a, m.ReplyTo), h.h.about(ctx, a, m.Replaces)
		return Archived{ID: m.ID, At: m.At, Event: &m}, nil
	case *Reaction:
		r := *e
		r.Room, r.Past, r.IDs = true, true, h.h.about(ctx, a, r.IDs)
		return Archived{ID: r.Name(), At: r.At, Event: &r}, nil
	case *Retraction:
		r := *e
		r.Room, r.Past, r.IDs = true, true, h.h.about(ctx, a, r.IDs)
		return Archived{ID: r.Name(), At: r.At, Event: &r}, nil
	}
	return Archived{}, E(Invalid, "core: fill", "That is nothing that is said.")
}

// show shows what is new in a history to whoever is in the room. It is kept already: where it finds no place on the way
// to the host server, clients find it there.
func (h history) show(ctx context.Context, a Account, fresh []Archived) {
	for i, e := range fresh {
		err := h.h.g.edge.Show(ctx, a, e.Event)
		h.h.g.cfg.Trace.showed(h.h.network, e.Event, err)
		if err != nil {
			h.h.g.log.Info("of the past, only kept", "account", a.ID, "events", len(fresh)-i, "err", err)
			return
		}
	}
}
