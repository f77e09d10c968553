package core

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// host is the Gateway as one transport sees it.
type host struct {
	g       *Gateway
	network string
}

func (h *host) Notes() Notes { return h.g.cfg.Notes(h.network) }
func (h *host) WebhookURL() string {
	if h.g.cfg.PublicURL == "" {
		return ""
	}
	return h.g.cfg.PublicURL + "/hooks/" + h.network
}
func (h *host) Logger() *slog.Logger { return h.g.log.With("transport", h.network) }

func (h *host) Blobs() Blobs {
	if h.g.cfg.Blobs == nil {
		return noBlobs{}
	}
	return h.g.cfg.Blobs
}

func (h *host) History() History { return history{h} }

func (h *host) Preferences(ctx context.Context, id AccountID) (Preferences, error) {
	if h.g.cfg.Choices == nil {
		return Preferences{}, nil
	}
	a, err := h.Account(ctx, id)
	if err != nil {
		return Preferences{}, err
	}
	return h.g.cfg.Choices.Preferences(ctx, a.User, h.network)
}

func (h *host) Software(ctx context.Context, id AccountID, by Address) (Software, error) {
	e, ok := h.g.voice().(Inquirer)
	if !ok {
		return Software{}, E(Unsupported, "core: software", "")
	}
	a, err := h.Account(ctx, id)
	if err != nil {
		return Software{}, err
	}
	return e.Software(ctx, a, by)
}

func (h *host) Owner(ctx context.Context, own, peer Address) (Account, error) {
	return h.g.cfg.Accounts.Owner(ctx, h.network, own, peer)
}

func (h *host) Account(ctx context.Context, id AccountID) (Account, error) {
	a, err := h.g.cfg.Accounts.Account(ctx, id)
	if err != nil {
		return Account{}, err
	}
	if a.Network != h.network {
		return Account{}, E(NotFound, "core: account", "")
	}
	return a, nil
}

// Deliver passes on what the network said; see Host.
func (h *host) Deliver(ctx context.Context, e Event) error {
	err := h.deliver(ctx, e)
	dup := errors.Is(err, ErrDuplicate)
	if err != nil && !dup {
		h.g.cfg.Trace.refused(h.network, ToXMPP, e, AsError(err))
		return err
	}
	h.g.cfg.Trace.took(h.network, ToXMPP, e, dup)
	if r, ok := e.(*Receipt); ok && !dup {
		h.g.alert(h.network, r.Err)
	}
	return nil
}

func (h *host) deliver(ctx context.Context, e Event) error {
	stored := h.g.networks[h.network].Driver.Lane == Stored && EventName(e) != "" && !readElsewhere(e)
	var parts []MessageID
	if r, ok := e.(*Receipt); ok && stored {
		found, within, err := h.identify(ctx, r)
		if err != nil {
			return err
		}
		e, parts = found, within
	}
	a, err := h.Account(ctx, e.Where().Account)
	if err != nil {
		return err
	}
	if st, ok := e.(*Status); ok {
		return h.g.connected(ctx, a, st)
	}
	if wanted, err := h.g.wanted(ctx, a, e); err != nil || !wanted {
		return err
	}
	switch e := e.(type) {
	case *Message:
		h.name(ctx, a, e)
		if taken, err := h.g.knock(ctx, h.g.networks[h.network], a, e); err != nil || taken {
			return err
		}
		h.g.arrived(ctx, a, e)
	case *Profile:
		if taken, err := h.g.knock(ctx, h.g.networks[h.network], a, e); err != nil || taken {
			return err
		}
	case *Reaction:
		e.IDs, e.At = h.about(ctx, a, e.IDs), orNow(e.At)
	case *Retraction:
		e.IDs, e.At = h.about(ctx, a, e.IDs), orNow(e.At)
	case *Receipt:
		if e.Mine {
			e.IDs = h.about(ctx, a, e.IDs)
		}
	}
	if stored {
		return h.g.cfg.Queue.Put(ctx, h.items(ctx, a, e, parts...)...)
	}
	if m, ok := e.(*Message); ok {
		for _, n := range m.Notes {
			if err := h.Notes().Put(ctx, n.Key, n.Value, n.Keep); err != nil {
				return err
			}
		}
	}
	err = h.g.edge.Show(ctx, a, e)
	h.g.cfg.Trace.showed(h.network, e, err)
	return err
}

// readElsewhere says whether an event tells what the user has read in another app: it changes nothing that is kept.
func readElsewhere(e Event) bool {
	r, ok := e.(*Receipt)
	return ok && r.Mine
}

// wanted says whether an account's user is to get an event. What a blocked correspondent says, and everything that is
// said to somebody suspended, is refused with Denied: the network can tell its sender. That they are writing or there
// is nobody's business, and dropped. Rooms are not a correspondent: there clients hide whom their user ignores.
func (g *Gateway) wanted(ctx context.Context, a Account, e Event) (bool, error) {
	said, room := true, false
	switch e := e.(type) {
	case *Message:
		if e.Mine {
			return true, nil
		}
		room = e.Room
	case *Reaction:
		room = e.Room
	case *Retraction:
		room = e.Room
	case *Typing, *Presence:
		said = false
	default:
		return true, nil
	}
	p, err := g.cfg.People.Person(ctx, a.User)
	if err != nil {
		return false, err
	}
	if p.Standing == Suspended {
		return false, refusedFor(said)
	}
	if room || g.cfg.Choices == nil {
		return true, nil
	}
	blocked, err := g.cfg.Choices.Blocked(ctx, a.ID, e.Where().Peer)
	if err != nil {
		return false, err
	}
	if blocked {
		return false, refusedFor(said)
	}
	return true, nil
}

// refusedFor is what the sender of something said gets; nil for what says nothing. It does not tell a block from a
// suspension.
func refusedFor(said bool) error {
	if !said {
		return nil
	}
	return E(Denied, "core: deliver", "This person does not accept messages from you.")
}

// name gives a message from the network our names for it and for the one it answers.
func (h *host) name(ctx context.Context, a Account, m *Message) {
	switch {
	case m.ID != "":
	case m.Remote != "":
		m.ID = IDFor(a.ID, m.Remote)
	default:
		m.ID = NewID()
	}
	if h.g.networks[h.network].Driver.Lane == Live {
		return // a live session knows the messages of its rooms itself
	}
	for _, ids := range []*IDs{&m.ReplyTo, &m.Replaces} {
		if ids.ID != "" || ids.Remote == "" {
			continue
		}
		if entry, err := h.g.cfg.Ledger.ByRemote(ctx, a.ID, ids.Remote); err == nil {
			ids.ID = entry.ID
		}
	}
}

// about adds our name of a message that something from the network is about. One that the ledger has forgotten, or
// never knew, has the name that it was delivered under.
func (h *host) about(ctx context.Context, a Account, ids IDs) IDs {
	if ids.ID != "" || ids.Remote == "" {
		return ids
	}
	if entry, err := h.g.cfg.Ledger.ByRemote(ctx, a.ID, ids.Remote); err == nil {
		ids.ID = entry.ID
	} else {
		ids.ID = IDFor(a.ID, ids.Remote)
	}
	return ids
}

func orNow(t time.Time) time.Time {
	if t.IsZero() {
		return time.Now()
	}
	return t
}

// identify finds which message a receipt is about, and which went within that. What the sender has been told already is
// ErrDuplicate.
func (h *host) identify(ctx context.Context, r *Receipt) (*Receipt, []MessageID, error) {
	var entry Entry
	var err error
	if r.ID != "" {
		entry, err = h.g.cfg.Ledger.Message(ctx, r.ID)
	} else {
		entry, err = h.g.cfg.Ledger.ByRemote(ctx, r.Account, r.Remote)
	}
	if err != nil {
		return nil, nil, err
	}
	if !r.State.Follows(entry.State) {
		return nil, nil, ErrDuplicate
	}
	found := *r
	found.Ref, found.ID, found.Origin = entry.Ref, entry.ID, entry.Origin
	if found.Remote == "" {
		found.Remote = entry.Remote
	}
	return &found, entry.Parts, nil
}

// items are the stored forms of an event toward XMPP: of a receipt one for each of the messages that went within the one
// that it is about, whose sender has not been told as much.
func (h *host) items(ctx context.Context, a Account, e Event, parts ...MessageID) []*Item {
	all := []*Item{h.item(a, e)}
	r, ok := e.(*Receipt)
	if !ok {
		return all
	}
	for _, id := range parts {
		part, err := h.g.cfg.Ledger.Message(ctx, id)
		if err != nil || !r.State.Follows(part.State) {
			continue
		}
		within := *r
		within.IDs, within.Origin, within.Whole = IDs{ID: id}, part.Origin, r.ID
		all = append(all, h.item(a, &within))
	}
	return all
}

// item makes the stored form of an event toward XMPP.
func (h *host) item(a Account, e Event) *Item {
	ref := e.Where()
	it := &Item{
		Direction: ToXMPP, Network: h.network, User: a.User, Event: e, Queued: time.Now(),
		Lane: string(ref.Account) + " " + string(ref.Peer),
	}
	// A receipt has no Key: what the sender was told is in the ledger, and begins anew when a dead letter is retried.
	if m, ok := e.(*Message); ok {
		if it.Notes, m.Notes = m.Notes, nil; m.Remote != "" {
			it.Key = "message " + string(m.ID)
		}
	}
	return it
}

// connected records what a session says of its own connection.
func (g *Gateway) connected(ctx context.Context, a Account, st *Status) error {
	g.mu.Lock()
	s := g.sessions[a.ID]
	g.mu.Unlock()
	if s != nil {
		s.report(ctx, *st)
	}
	return nil
}
