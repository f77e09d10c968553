package core

import "time"

// Trace is a set of hooks that metrics and the message trace hang on. Every field may be nil. Hooks are called
// inline, from many goroutines, and must be quick; what they are given they must not keep or change.
type Trace struct {
	// Took: an event was accepted (on a stored lane: is on disk). Dup: it was known already.
	Took func(network string, d Direction, e Event, dup bool)
	// Refused: an event was not accepted, and whoever sent it was told so.
	Refused func(network string, d Direction, e Event, err *Error)
	// Attempted: an item was attempted, and this came of it; waited is since it was queued.
	Attempted func(it *Item, v Verdict, waited time.Duration)
	// Showed: a live event was handed to the edge.
	Showed func(network string, e Event, err error)
	// Alerted: something does not work until an administrator does something.
	Alerted func(network string, err *Error)
	// Session: an account's connection changed.
	Session func(a Account, s *Status)
}

func (t *Trace) took(network string, d Direction, e Event, dup bool) {
	if t != nil && t.Took != nil {
		t.Took(network, d, e, dup)
	}
}

func (t *Trace) refused(network string, d Direction, e Event, err *Error) {
	if t != nil && t.Refused != nil {
		t.Refused(network, d, e, err)
	}
}

func (t *Trace) attempted(it *Item, v Verdict, waited time.Duration) {
	if t != nil && t.Attempted != nil {
		t.Attempted(it, v, waited)
	}
}

func (t *Trace) showed(network string, e Event, err error) {
	if t != nil && t.Showed != nil {
		t.Showed(network, e, err)
	}
}

func (t *Trace) alerted(network string, err *Error) {
	if t != nil && t.Alerted != nil {
		t.Alerted(network, err)
	}
}

func (t *Trace) session(a Account, s *Status) {
	if t != nil && t.Session != nil {
		t.Session(a, s)
	}
}
