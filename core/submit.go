package core

import (
	"context"
	"errors"
	"time"
)

// Submit takes what a user said toward the network of an account. nil means that it was taken: on a stored lane it
// is on disk. A message taken before (the same origin id and text to the same peer) is taken again without effect.
// Denied if the user is suspended, OverLimit if they send more than they may, each with a sentence.
//
// What the user chose (Preferences) holds: chat states under HideTyping, and what was read under HideRead, are taken
// and go no further; under NoReceipts no message asks for a receipt.
func (g *Gateway) Submit(ctx context.Context, a Account, e Event) error {
	n := g.networks[a.Network]
	if n == nil {
		return E(NotFound, "core: submit", "There is no such network here.")
	}
	err := n.may(e)
	dup := false
	if err == nil {
		err = g.mayUse(ctx, a.User, e)
	}
	if t, ok := e.(*Typing); ok && err == nil && n.MayHold() {
		if err = g.writing(ctx, n, a, t); err == nil && n.Caps.TypingSender == nil {
			return nil
		}
	}
	if err == nil {
		if e, err = g.asChosen(ctx, a, e); err == nil && e == nil {
			return nil
		}
	}
	if err == nil {
		g.greet(ctx, a, e)
		g.went(ctx, a, e)
		if n.Driver.Lane == Stored && EventName(e) != "" {
			err = g.store(ctx, n, a, e)
		} else {
			err = g.With(ctx, a, func(s Session) error {
				_, err := g.dispatch(ctx, a, s, e)
				return err
			})
		}
		if errors.Is(err, ErrDuplicate) {
			dup, err = true, nil
		}
	}
	if err != nil {
		g.cfg.Trace.refused(a.Network, ToNetwork, e, AsError(err))
		return err
	}
	g.cfg.Trace.took(a.Network, ToNetwork, e, dup)
	return nil
}

// mayUse says whether a user may submit an event now.
func (g *Gateway) mayUse(ctx context.Context, user UserID, e Event) error {
	p, err := g.cfg.People.Person(ctx, user)
	if err != nil {
		return err
	}
	if p.Standing == Suspended {
		return suspended(p)
	}
	return g.permit(p, e)
}

// asChosen returns an event as its user's preferences leave it; nil if they want it to go no further.
func (g *Gateway) asChosen(ctx context.Context, a Account, e Event) (Event, error) {
	m, isMessage := e.(*Message)
	_, isTyping := e.(*Typing)
	_, isRead := e.(*Receipt)
	if g.cfg.Choices == nil || !isTyping && !isRead && (!isMessage || !m.Receipt) {
		return e, nil
	}
	chosen, err := g.cfg.Choices.Preferences(ctx, a.User, a.Network)
	switch {
	case err != nil:
		return e, err
	case isTyping && chosen.HideTyping, isRead && chosen.HideRead:
		return nil, nil
	case isMessage && chosen.NoReceipts:
		quiet := *m
		quiet.Receipt = false
		return &quiet, nil
	}
	return e, nil
}

func unsupported(what string) error {
	return E(Unsupported, "core: submit", "This network cannot "+what+".")
}

// may says whether the network can do what an event asks: because sessions can, or perhaps because what it is about is
// held still.
func (n *Network) may(e Event) error {
	if n.MayHold() {
		switch e.(type) {
		case *Message, *Retraction, *Typing:
			return nil
		}
	}
	return n.Caps.can(e)
}

// can says whether a session can do what an event asks.
func (c Caps) can(e Event) error {
	switch e := e.(type) {
	case *Message:
		if e.Replaces.Known() && c.Editor == nil {
			return unsupported("change a message that was sent")
		}
	case *Typing:
		if c.TypingSender == nil {
			return unsupported("show that somebody is writing")
		}
	case *Receipt:
		if c.ReadMarker == nil {
			return unsupported("tell that a message was read")
		}
	case *Reaction:
		if c.Reactor == nil {
			return unsupported("carry reactions")
		}
	case *Retraction:
		if c.Retractor == nil {
			return unsupported("take a message back")
		}
	case *Presence:
		if c.PresenceSetter == nil {
			return unsupported("show availability")
		}
	default:
		return unsupported("do that")
	}
	return nil
}

// store puts a submitted event on disk.
func (g *Gateway) store(ctx context.Context, n *Network, a Account, e Event) error {
	now := time.Now()
	it := &Item{
		Direction: ToNetwork, Network: a.Network, User: a.User, Event: e, Queued: now,
		Lane: lane(n.Driver, e), Key: submitKey(a, e),
	}
	if n.Driver.Lifetime > 0 {
		it.Expires = now.Add(n.Driver.Lifetime)
	}
	err := errNotHeld
	if n.MayHold() {
		err = g.hold(ctx, n, a, it)
	}
	if errors.Is(err, errNotHeld) {
		if err = g.follow(ctx, n, it); err == nil {
			err = g.cfg.Queue.Put(ctx, it)
		}
	}
	if m, ok := e.(*Message); ok && errors.Is(err, ErrDuplicate) {
		return g.resubmit(ctx, n, it, m)
	}
	return err
}

// follow puts what is about an earlier message of the user's into the lane of that one, which it may not overtake. An
// error says that there is nothing that it could be about, or that the network cannot do it.
func (g *Gateway) follow(ctx context.Context, n *Network, it *Item) error {
	var about MessageID
	switch e := it.Event.(type) {
	case *Message:
		about = e.Replaces.ID
	case *Retraction:
		about = e.ID
	}
	if about == "" {
		return nil
	}
	entry, err := g.cfg.Ledger.Message(ctx, about)
	_, retraction := it.Event.(*Retraction)
	switch {
	case err != nil && KindOf(err) != NotFound:
		return err
	case err == nil && entry.State == Withdrawn && retraction:
		return ErrDuplicate
	case err == nil && entry.State == Withdrawn:
		return E(NotFound, "core: submit", "That message has been taken back.")
	}
	if err := n.Caps.can(it.Event); err != nil {
		return err
	}
	if n.Driver.Order == PerMessage {
		it.Lane = string(about)
		if entry.Whole != "" {
			it.Lane = string(entry.Whole)
		}
	}
	return nil
}

// resubmit takes a message again that was taken before and has failed since: many clients send such a one again under
// its old id. Where a duplicate costs it is refused, in words: the ledger does not know which failures were uncertain,
// nor we whether it was the user who asked.
func (g *Gateway) resubmit(ctx context.Context, n *Network, it *Item, m *Message) error {
	entry, err := g.cfg.Ledger.ByOrigin(ctx, m.Account, m.Origin.ID)
	if err != nil && KindOf(err) != NotFound {
		return err
	}
	if err != nil || entry.State != Failed || entry.Peer != m.Peer {
		return ErrDuplicate
	}
	if n.Caps.Reconciler != nil {
		return E(Uncertain, "core: submit", "This message has failed before. It is not sent again under its old name, "+
			"because it might arrive twice and cost twice. To send it again, write it anew.")
	}
	it.Key = Digest(it.Key, string(entry.ID)) // once for each failure
	return g.cfg.Queue.Put(ctx, it)
}

// lane is the ordering key of an event toward the network.
func lane(d Driver, e Event) string {
	if m, ok := e.(*Message); ok && d.Order == PerMessage {
		return string(m.ID)
	}
	ref := e.Where()
	return string(ref.Account) + " " + string(ref.Peer)
}

// submitKey recognises what a client sends again after a broken connection: the same id and the same words to the
// same peer. Without an id everything is new.
func submitKey(a Account, e Event) string {
	switch e := e.(type) {
	case *Message:
		if e.Origin.ID != "" {
			return Digest("message", string(a.ID), string(e.Peer), e.Origin.ID, e.Subject, e.Text)
		}
	case *Reaction:
		if e.Origin.ID != "" {
			return Digest("reaction", string(a.ID), string(e.Peer), e.Origin.ID)
		}
	case *Retraction:
		if e.Origin.ID != "" {
			return Digest("retraction", string(a.ID), string(e.Peer), e.Origin.ID)
		}
	}
	return ""
}

// dispatch hands an event to a session, under the network's names of the messages it speaks of.
func (g *Gateway) dispatch(ctx context.Context, a Account, s Session, e Event) (Taken, error) {
	caps := CapsOf(s)
	if err := caps.can(e); err != nil {
		return Taken{}, err
	}
	switch e := e.(type) {
	case *Message:
		m := *e
		g.remote(ctx, a, &m.ReplyTo)
		before := g.remote(ctx, a, &m.Replaces)
		if m.Replaces.Known() {
			m.OfPart = before.Whole != "" || len(before.Parts) > 0
			if before.State == Failed {
				return Taken{}, E(NotFound, "core: edit", "The message that this corrects was not delivered.")
			}
			return caps.Editor.Edit(ctx, &m)
		}
		return s.Send(ctx, &m)
	case *Typing:
		return Taken{}, caps.TypingSender.Typing(ctx, e)
	case *Receipt:
		r := *e
		g.remote(ctx, a, &r.IDs)
		return Taken{}, caps.ReadMarker.Read(ctx, &r)
	case *Reaction:
		r := *e
		g.remote(ctx, a, &r.IDs)
		return Taken{}, caps.Reactor.React(ctx, &r)
	case *Retraction:
		r := *e
		switch before := g.remote(ctx, a, &r.IDs); {
		case before.State == Failed:
			return Taken{}, E(NotFound, "core: retract", "That message was not delivered.")
		case before.Whole != "" || len(before.Parts) > 0:
			return Taken{}, E(Unsupported, "core: retract", "That went in one message with other lines, and cannot be taken back alone.")
		}
		return Taken{}, caps.Retractor.Retract(ctx, &r)
	case *Presence:
		return Taken{}, caps.PresenceSetter.SetPresence(ctx, e)
	}
	return Taken{}, unsupported("do that")
}

// remote adds the network's name of a message of ours, where the ledger knows it, and returns what that knows.
func (g *Gateway) remote(ctx context.Context, a Account, ids *IDs) Entry {
	if ids.ID == "" || ids.Remote != "" {
		return Entry{}
	}
	entry, err := g.cfg.Ledger.Message(ctx, ids.ID)
	if err != nil || entry.Account != a.ID {
		return Entry{}
	}
	ids.Remote = entry.Remote
	return entry
}
