package core

import (
	"context"
	"errors"
	"time"
)

// Direction says which way a stored event goes.
type Direction uint8

// The directions. What is in the Window waits to be changed or let go, and becomes something ToNetwork: see hold.go.
const (
	ToNetwork Direction = iota
	ToXMPP
	Window
)

// String returns "to-network", "to-xmpp" or "held", as metrics and the command line show it.
func (d Direction) String() string {
	switch d {
	case ToXMPP:
		return "to-xmpp"
	case Window:
		return "held"
	}
	return "to-network"
}

// ErrDuplicate is returned by a Queue for an item whose Key it has taken before, or that the ledger finds to say
// nothing new. The caller treats it as success.
var ErrDuplicate = errors.New("taken before")

// Item is one stored event on its way.
type Item struct {
	Seq       int64 // the order of acceptance; made by the queue
	Direction Direction
	Network   string
	User      UserID
	Lane      string // items of a lane are handled one after another, in order of Seq
	Key       string // a second item with the same Direction, Network and Key is a duplicate; empty: never one
	Event     Event
	Queued    time.Time
	NotBefore time.Time // zero: at once
	Expires   time.Time // zero: never; the handler decides what happens then
	Attempts  int       // verdicts of Retry so far
	Begun     time.Time // when Begin was last called for it; zero if its outcome is known
	LastErr   *Error    // of the last attempt
	Noted     bool      // put: the ledger knows its message already, because it was held
	Notes     []Note    // put: written with it; see Message.Notes. They are gone afterwards
}

// Outcome is what became of an attempt.
type Outcome uint8

// The outcomes.
const (
	Done  Outcome = iota // finished: the item is forgotten
	Retry                // again, at At
	Dead                 // given up: the item becomes a dead letter
)

// Verdict is a handler's decision about an item. The queue carries it out in one transaction: the item's new state,
// the items of Then, and what the ledger is told.
type Verdict struct {
	Outcome Outcome
	At      time.Time // Retry: not before
	Err     *Error    // Retry, Dead: why
	Taken   Taken     // Done, ToNetwork: for the ledger
	Begun   bool      // Retry: the outcome of the attempt is unknown; keep the mark of Begin
	Then    []*Item   // put with it
	// Withdrawn are messages that will never be sent, for the ledger. Only an Amendment has them.
	Withdrawn []MessageID
}

// Handler attempts items: consecutive ones of one lane, the oldest first, at most Batch of them. It returns one
// verdict for each. It is called for many lanes at once, and never twice at once for one lane. When ctx ends it
// returns soon; items it could not finish get Retry with a zero At, which is not counted as an attempt.
type Handler struct {
	Batch   int // the most items per call
	Workers int // how many lanes at once
	Share   int // how many of those may be one network's; 0: all
	Handle  func(ctx context.Context, items []*Item) []Verdict
}

// Queue is the disk of the stored lanes; core/outbox implements it.
type Queue interface {
	// Put makes items durable, all or none, together with what the ledger records of their events. ErrDuplicate
	// if the only item was taken before; of several, the duplicates are left out. OverLimit when the queue is
	// full, Unavailable when the disk refuses.
	Put(ctx context.Context, items ...*Item) error
	// Begin marks an item, durably, as being attempted: its Begun is set, also after a crash.
	Begin(ctx context.Context, item *Item) error
	// Run handles items until ctx ends, then waits for the handlers in hand.
	Run(ctx context.Context, handlers map[Direction]Handler) error
	Holding
}

// Holding is the part of a Queue that is about the Window. Of each lane there one item at most is held.
type Holding interface {
	// Amend changes what is held in a lane, durably, in one transaction: change is given the item, its own copy of it, or
	// nil, and says what shall be instead. What is being let go at that moment is waited for, and not held any more. said is
	// what somebody submitted that is the reason; nil: nothing was. It is known then as if Put had taken it: ErrDuplicate,
	// without a change, if it was taken before. An error of change is returned, and nothing has happened.
	//
	// change may not wait. It is called once, unless the queue fails.
	Amend(ctx context.Context, network, lane string, said *Item, change func(held *Item) (Amendment, error)) error
	// Await moves the time at which what is held in a lane is let go: move is given when it began and that time. It is
	// not durable, and does nothing where nothing is held.
	Await(network, lane string, move func(began, at time.Time) time.Time)
	// Waiting returns what is held of a user's on a network.
	Waiting(ctx context.Context, user UserID, network string) ([]*Item, error)
}

// Amendment is what shall be instead of what was held in a lane.
type Amendment struct {
	Held      *Item       // held from now on: the item that there was, changed, or another one; nil: nothing
	Put       []*Item     // let go
	Withdrawn []MessageID // taken back
}
