package core

import (
	"strconv"
	"time"
)

// punctual is when to try again: at the next of the driver's Delays rather than after it, so that its sender is told then
// with the reason of that attempt; but not before earliest.
func (d Driver) punctual(queued, at, earliest time.Time) time.Time {
	now := time.Now()
	for _, delay := range d.Delays {
		if mark := queued.Add(delay); now.Before(mark) && mark.Before(at) && !mark.Before(earliest) {
			return mark
		}
	}
	return at
}

// delayed tells the sender of a message that has just failed for a while that it is still on its way, and why. The key
// has it told once for each of the Delays, whatever happens in between; of several that have passed it is the last.
func (d Driver) delayed(it *Item, e *Error) []*Item {
	m, ok := it.Event.(*Message)
	passed := 0
	for passed < len(d.Delays) && !time.Now().Before(it.Queued.Add(d.Delays[passed])) {
		passed++
	}
	if !ok || passed == 0 {
		return nil
	}
	name := Digest("delay", string(m.ID), strconv.FormatInt(it.Queued.UnixMicro(), 10), strconv.Itoa(passed))
	said := &Message{
		Ref: m.Ref, IDs: IDs{ID: MessageID(name)}, At: time.Now(), Thread: m.Thread, ReplyTo: IDs{ID: m.ID}, Notice: true,
		Text: "This message has not been delivered yet. " + e.reason(),
	}
	if !it.Expires.IsZero() {
		said.Text += " The gateway goes on trying until " + it.Expires.UTC().Format("2 Jan 15:04 UTC") + "."
	}
	return []*Item{{
		Direction: ToXMPP, Network: it.Network, User: it.User, Event: said, Queued: time.Now(),
		Lane: string(m.Account) + " " + string(m.Peer), Key: "delay " + name,
	}}
}

// reason is a sentence about what is in the way, for who need not do anything about it.
func (e *Error) reason() string {
	switch {
	case e.Text != "":
		return e.Text
	case e.Kind == Unavailable:
		return "The other network does not answer."
	case e.Kind == OverLimit:
		return "The other network takes no more at the moment."
	}
	return "Something went wrong in the gateway, which has been logged."
}
