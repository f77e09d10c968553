package core

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"
)

// # The window
//
// People write in lines, and a mail for each of them is a nuisance to who gets it. So a network may ask (Holder) that what
// a user writes to one correspondent within a moment becomes one message. What happens to it:
//
//	            further lines, corrections, retractions, typing
//	                               |
//	line -> held (Window, on disk, until it is due) -> ready (ToNetwork) -> working -> done | retry | dead
//	                               |                       |
//	                        taken back: nothing            as every stored message: see queue.go
//
// Held is one item of the queue for each conversation, in the direction Window, whose event has all lines. Nobody is told
// that a line was taken before it is in there and on disk, and known to the ledger; so a restart changes nothing, not even
// when it is due. Whatever changes it is a transaction of the queue (Holding.Amend), and so is what ends it: the item goes
// and the message that its lines make (Held.Fold) comes, ready to be sent, in one. A correction or retraction is therefore
// either in the message or comes after it; there is no third. After it, what the network can do with messages that were
// sent decides (Editor, Retractor). Both then wait for the message that they are about, in its lane.
//
// It ends when it is due: Hold.Quiet after the last change, at most Hold.Most after the first line; when Hold.Lines are
// there; with a line that cannot go into the same message (Held.takes), which begins the next; and when the user says so
// (SendNow). While the user is seen to be writing it is not due before Most has passed: they are at the next line. That is
// kept in memory only, and after a restart it is due as it says on disk. Stopping the gateway ends nothing.
//
// The message has the name of its first line; the other stanzas of which it was made are its Parts. The ledger knows of
// each of these to which message it belongs, and each has a state of its own, so that its sender gets a receipt or an error
// for it, once. What answers or reacts to the message is about its first line.

// holdSetting is what users choose: seconds.
const holdSetting = "hold"

// settingOfHold is the setting of networks that hold messages.
func settingOfHold(h Hold) Setting {
	return Setting{Places: Everywhere | WithPerson, Check: CheckNumber(0, 60), Field: Field{
		Name: holdSetting, Value: strconv.Itoa(int(h.Quiet / time.Second)),
		Label: "Seconds to wait for more before what I write is sent (0: none)",
	}}
}

// errNotHeld says that a message is not held, or not any more.
var errNotHeld = errors.New("core: not held")

// MayHold says whether messages of the network may be held.
func (n *Network) MayHold() bool { return n.TransportCaps.Holder != nil && n.Driver.Lane == Stored }

// holdOf is how messages to a correspondent are held.
func (g *Gateway) holdOf(ctx context.Context, n *Network, a Account, peer Address) (Hold, error) {
	h := n.TransportCaps.Holder.Hold()
	if g.cfg.Choices == nil {
		return h, nil
	}
	p, err := g.cfg.Choices.Preferences(ctx, a.User, a.Network)
	if err != nil {
		return Hold{}, err
	}
	at := Target{Realm: a.Realm, Address: peer}
	if n.Driver.Shared {
		at.Realm = ""
	}
	value, from, ok := p.Choice(n.Transport, holdSetting, at)
	if from != at { // it may have been chosen at their JID, which has no case
		at.Address = Address(strings.ToLower(string(peer)))
		value, _, ok = p.Choice(n.Transport, holdSetting, at)
	}
	if seconds, err := strconv.Atoi(value); ok && err == nil {
		h.Quiet = time.Duration(seconds) * time.Second
	}
	return h, nil
}

// window is the lane in which what is said in a conversation is held.
func window(r Ref) string { return string(r.Account) + " " + strings.ToLower(string(r.Peer)) }

// hold takes what concerns the window: errNotHeld if it, which was submitted, does not.
func (g *Gateway) hold(ctx context.Context, n *Network, a Account, it *Item) error {
	switch e := it.Event.(type) {
	case *Message:
		if e.Replaces.Known() {
			return g.holdEdit(ctx, n, a, it, e)
		}
		rules, err := g.holdOf(ctx, n, a, e.Peer)
		if err != nil {
			return err
		}
		if rules.Quiet <= 0 {
			return errNotHeld
		}
		return g.holdLine(ctx, it, e, rules)
	case *Retraction:
		return g.holdBack(ctx, it, e)
	}
	return errNotHeld
}

// holdLine adds a line to what is held, or begins with it.
func (g *Gateway) holdLine(ctx context.Context, it *Item, m *Message, rules Hold) error {
	return g.cfg.Queue.Amend(ctx, it.Network, window(m.Ref), it, func(held *Item) (Amendment, error) {
		now := time.Now()
		var am Amendment
		var next *Held
		if held != nil && held.Event.(*Held).takes(m, rules) {
			h := held.Event.(*Held)
			line := *m
			if m.ReplyTo != h.Lines[0].ReplyTo {
				line.ReplyTo, line.Quoted = IDs{}, ""
			}
			next, am.Held = h.with(&line), held
		} else {
			if held != nil {
				am.Put = append(am.Put, g.letGo(held))
			}
			next = &Held{Ref: m.Ref, Lines: []*Message{m}}
			am.Held = &Item{Direction: Window, Network: it.Network, User: it.User, Lane: window(m.Ref), Queued: now}
		}
		am.Held.Event, am.Held.NotBefore = next, rules.due(am.Held.Queued, now)
		if len(next.Lines) >= rules.Lines {
			am.Put, am.Held = append(am.Put, g.letGo(am.Held)), nil
		}
		return am, nil
	})
}

// holdEdit corrects a line that is held.
func (g *Gateway) holdEdit(ctx context.Context, n *Network, a Account, it *Item, m *Message) error {
	rules, err := g.holdOf(ctx, n, a, m.Peer)
	if err != nil {
		return err
	}
	return g.cfg.Queue.Amend(ctx, it.Network, window(m.Ref), it, func(held *Item) (Amendment, error) {
		h, i := heldLine(held, m.Replaces.ID)
		if i < 0 {
			return Amendment{}, errNotHeld
		}
		held.Event = h.edited(i, m)
		if due := rules.due(held.Queued, time.Now()); due.After(held.NotBefore) {
			held.NotBefore = due
		}
		return Amendment{Held: held}, nil
	})
}

// holdBack takes back a line that is held.
func (g *Gateway) holdBack(ctx context.Context, it *Item, r *Retraction) error {
	return g.cfg.Queue.Amend(ctx, it.Network, window(r.Ref), it, func(held *Item) (Amendment, error) {
		h, i := heldLine(held, r.ID)
		if i < 0 {
			return Amendment{}, errNotHeld
		}
		next, gone := h.without(i)
		if next == nil {
			return Amendment{Withdrawn: gone}, nil
		}
		held.Event = next
		return Amendment{Held: held, Withdrawn: gone}, nil
	})
}

// heldLine finds a line by its name; i is -1 if it is not held.
func heldLine(held *Item, id MessageID) (h *Held, i int) {
	if held == nil || id == "" {
		return nil, -1
	}
	h = held.Event.(*Held)
	return h, h.find(id)
}

// letGo is the message that what is held becomes, ready to be sent.
func (g *Gateway) letGo(held *Item) *Item {
	m := held.Event.(*Held).Fold()
	it := &Item{Direction: ToNetwork, Network: held.Network, User: held.User, Event: m, Queued: held.Queued, Noted: true}
	n := g.networks[held.Network]
	if n == nil { // it is not configured any more, as whoever attempts to send it will find
		it.Lane = window(m.Ref)
		return it
	}
	it.Lane = lane(n.Driver, m)
	if n.Driver.Lifetime > 0 {
		it.Expires = held.Queued.Add(n.Driver.Lifetime)
	}
	return it
}

// due lets go what has been held for long enough.
func (g *Gateway) due(_ context.Context, items []*Item) []Verdict {
	v := make([]Verdict, len(items))
	for i, it := range items {
		v[i] = Verdict{Outcome: Done, Then: []*Item{g.letGo(it)}}
	}
	return v
}

// SendNow lets go what is held of a user's lines to a correspondent, or to all of an account's if peer is empty, and
// returns how many lines that were.
func (g *Gateway) SendNow(ctx context.Context, a Account, peer Address) (lines int, err error) {
	waiting, err := g.Waiting(ctx, a.User, a.Network)
	if err != nil {
		return 0, err
	}
	for _, w := range waiting {
		ref := w.Event.Where()
		if ref.Account != a.ID || peer != "" && window(ref) != window(Ref{Account: a.ID, Peer: peer}) {
			continue
		}
		n := 0
		err := g.cfg.Queue.Amend(ctx, a.Network, w.Lane, nil, func(held *Item) (Amendment, error) {
			if held == nil {
				return Amendment{}, errNotHeld
			}
			n = len(held.Event.(*Held).Lines)
			return Amendment{Put: []*Item{g.letGo(held)}}, nil
		})
		if err != nil && !errors.Is(err, errNotHeld) {
			return lines, err
		}
		if err == nil {
			lines += n
		}
	}
	return lines, nil
}

// Waiting are a user's lines that are held on a network, an item for each conversation, whose event is a Held.
func (g *Gateway) Waiting(ctx context.Context, user UserID, network string) ([]*Item, error) {
	if n := g.networks[network]; n == nil || !n.MayHold() {
		return nil, nil
	}
	return g.cfg.Queue.Waiting(ctx, user, network)
}

// writing has what is held wait for the line that the user is writing, and no longer when they have stopped.
func (g *Gateway) writing(ctx context.Context, n *Network, a Account, t *Typing) error {
	rules, err := g.holdOf(ctx, n, a, t.Peer)
	if err != nil || rules.Quiet <= 0 {
		return err
	}
	now := time.Now()
	g.cfg.Queue.Await(a.Network, window(t.Ref), func(began, at time.Time) time.Time {
		if t.On {
			return began.Add(max(rules.Most, rules.Quiet))
		}
		if soon := rules.due(began, now); soon.Before(at) {
			return soon
		}
		return at
	})
	return nil
}
