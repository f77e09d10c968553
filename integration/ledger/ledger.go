// Package ledger is the independent checker of the crash and load tests: it knows which messages were handed in, what
// was seen of each at its destination, and what that makes of it. It knows nothing of the program it checks.
package ledger

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
)

// Class is what became of a message.
type Class uint8

// The classes. Silent is the only one that must not be.
const (
	Silent     Class = iota // accepted, and never heard of again
	Once                    // arrived
	Repeated                // arrived more than once, under the same name
	Renamed                 // arrived more than once, under different names: nobody can tell that it is the same
	Refused                 // its sender was told that it will not arrive
	Contradict              // its sender was told so, and it arrived all the same
	DeadLetter              // given up, where people can see it
	Unseen                  // never accepted: XEP-0114 cannot tell a sender so
	classes
)

var classNames = [...]string{"SILENT", "once", "n times", "n names", "error", "error+arrived", "dead letter", "never committed"}

// String returns the class as the table's head shows it.
func (c Class) String() string { return classNames[c] }

// Ledger is the book. It is safe for concurrent use.
type Ledger struct {
	mu      sync.Mutex
	legs    []string
	entries map[string]*entry
}

type entry struct {
	leg      string
	arrived  int
	names    []string // under which it arrived
	refused  int
	dead     bool
	accepted bool
}

// New makes an empty ledger; legs are the rows of the table, in order.
func New(legs ...string) *Ledger { return &Ledger{legs: legs, entries: map[string]*entry{}} }

// Sent notes that a message was handed in.
func (l *Ledger) Sent(leg, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries[id] = &entry{leg: leg}
}

func (l *Ledger) note(id string, fn func(*entry)) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[id]
	if e == nil {
		return false
	}
	fn(e)
	return true
}

// Arrived notes that a message was seen at its destination, under the name that it has there. It says whether the
// message was ever sent.
func (l *Ledger) Arrived(id, name string) bool {
	return l.note(id, func(e *entry) {
		e.arrived++
		if !slices.Contains(e.names, name) {
			e.names = append(e.names, name)
		}
	})
}

// Refused notes that the sender was told that it will not arrive.
func (l *Ledger) Refused(id string) bool { return l.note(id, func(e *entry) { e.refused++ }) }

// Accepted notes that the program has, or had, the message on its disk.
func (l *Ledger) Accepted(id string) bool { return l.note(id, func(e *entry) { e.accepted = true }) }

// Dead notes that it is a dead letter.
func (l *Ledger) Dead(id string) bool { return l.note(id, func(e *entry) { e.dead = true }) }

func (e *entry) class() Class {
	switch {
	case e.arrived > 0 && e.refused > 0:
		return Contradict
	case e.arrived == 1:
		return Once
	case e.arrived > 1 && len(e.names) > 1:
		return Renamed
	case e.arrived > 1:
		return Repeated
	case e.refused > 0:
		return Refused
	case e.dead:
		return DeadLetter
	case e.accepted:
		return Silent
	}
	return Unseen
}

// Open returns the messages of which nothing has been seen yet.
func (l *Ledger) Open() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ids []string
	for id, e := range l.entries {
		if e.arrived == 0 && e.refused == 0 {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Count returns how many messages of a leg are of a class; of all legs, for "".
func (l *Ledger) Count(leg string, c Class) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, e := range l.entries {
		if (leg == "" || e.leg == leg) && e.class() == c {
			n++
		}
	}
	return n
}

// Of returns the messages of a class.
func (l *Ledger) Of(c Class) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ids []string
	for id, e := range l.entries {
		if e.class() == c {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Print writes the table: a row for each leg, a column for each class.
func (l *Ledger) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	order := []Class{Once, Repeated, Renamed, Refused, Contradict, DeadLetter, Unseen, Silent}
	head := []string{"leg", "sent"}
	for _, c := range order {
		head = append(head, c.String())
	}
	fmt.Fprintln(t, strings.Join(head, "\t")+"\t")
	for _, leg := range append(slices.Clone(l.legs), "") {
		name, sent := leg, 0
		if leg == "" {
			name = "all"
		}
		row := ""
		for _, c := range order {
			row += fmt.Sprintf("%d\t", l.Count(leg, c))
		}
		for c := range classes {
			sent += l.Count(leg, c)
		}
		fmt.Fprintf(t, "%s\t%d\t%s\n", name, sent, row)
	}
	return t.Flush()
}
