package edge

import (
	"context"
	"errors"
	"sync"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
)

const (
	// strikes is how many connections may be lost with the same event first among
	// the unconfirmed before the event is held to be the reason.
	strikes = 3
	// maxSuspects bounds the events that are under suspicion at once.
	maxSuspects = 4096
)

// row is a stored event: its name across handings, and how to write it.
type row struct {
	key    string
	render func(*stream.Encoder) error
}

// flight is a row on its way to the host server.
type flight struct {
	row
	seq   uint64
	batch xmpp.Batch
}

// lane is the order of what waits to be confirmed on one domain.
//
// A host server that meets something it cannot bear ends the stream and does not
// say over what. So all that was in flight is under suspicion then, and goes
// again alone, each confirmed before the next is sent: what is innocent is
// confirmed, and what is not is caught with nothing before it.
type lane struct {
	domain *Domain

	alone   sync.RWMutex // held for reading while anything is in flight, for writing by a suspect
	sending sync.Mutex   // held over Link.Send, so that seq has the order of the stream

	mu       sync.Mutex
	next     uint64             // seq of the next flight
	flying   map[uint64]*flight // sent and not known to be confirmed or lost
	lost     uint64             // flights before this belong to a loss that was counted
	suspects map[string]int     // by key: the lost connections whose first unconfirmed it was
}

func newLane(d *Domain) *lane {
	return &lane{domain: d, flying: map[uint64]*flight{}, suspects: map[string]int{}}
}

// hand sends rows in order and waits until each is confirmed or is not.
func (l *lane) hand(ctx context.Context, rows []row, errs []error) {
	if !l.suspected(rows) {
		l.alone.RLock()
		defer l.alone.RUnlock()
		l.together(ctx, rows, errs)
		return
	}
	for i := range rows {
		l.alone.Lock()
		l.together(ctx, rows[i:i+1], errs[i:i+1])
		l.alone.Unlock()
		if errs[i] != nil && core.KindOf(errs[i]).Retried() {
			fill(errs[i+1:], errs[i])
			return
		}
	}
}

// together sends rows behind one another and then waits for them all.
func (l *lane) together(ctx context.Context, rows []row, errs []error) {
	flights := make([]*flight, len(rows))
	for i, r := range rows {
		if flights[i], errs[i] = l.send(r); unusable(errs[i]) {
			fill(errs[i+1:], errs[i]) // what comes after must not overtake it
			break
		}
	}
	// The last first: where it is confirmed, nothing else needs to be waited for.
	for i := len(flights) - 1; i >= 0; i-- {
		if flights[i] != nil {
			errs[i] = l.confirm(ctx, flights[i])
		}
	}
}

func fill(errs []error, err error) {
	for i := range errs {
		errs[i] = err
	}
}

// unusable reports whether an error of send says that the link cannot take
// anything now, rather than that it cannot take this row.
func unusable(err error) bool {
	return errors.Is(err, xmpp.ErrDown) || errors.Is(err, xmpp.ErrFull) || errors.Is(err, xmpp.ErrStopping)
}

// send returns no flight for a row that has nothing to show or cannot be sent.
func (l *lane) send(r row) (*flight, error) {
	l.sending.Lock()
	defer l.sending.Unlock()
	var failed error
	stanzas := 0
	batch, err := l.domain.Link.Send(func(enc *stream.Encoder) {
		failed = r.render(enc)
		stanzas = enc.Count()
	})
	switch {
	case failed != nil:
		return nil, failed
	case err != nil:
		return nil, writeError(err)
	case stanzas == 0:
		return nil, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f := &flight{row: r, seq: l.next, batch: batch}
	l.next++
	l.flying[f.seq] = f
	return f, nil
}

// confirm waits until the host server has processed a flight.
func (l *lane) confirm(ctx context.Context, f *flight) error {
	err := l.domain.Link.Confirm(ctx, f.batch)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil && errors.Is(err, xmpp.ErrLost) {
		l.strike(f.seq)
	}
	delete(l.flying, f.seq)
	if err == nil {
		delete(l.suspects, f.key)
		return nil
	}
	if l.suspects[f.key] < strikes {
		return err
	}
	delete(l.suspects, f.key)
	e := core.E(core.Invalid, "xmpp edge: confirm",
		"The XMPP server closed the connection each time it was given this message.")
	e.Err = err
	return e
}

// strike notes a lost connection, once, whoever of its flights notices first.
func (l *lane) strike(seq uint64) {
	if seq < l.lost {
		return
	}
	l.lost = l.next
	head := l.flying[seq]
	for _, f := range l.flying {
		if f.seq < head.seq {
			head = f
		}
		if _, ok := l.suspects[f.key]; !ok && len(l.suspects) < maxSuspects {
			l.suspects[f.key] = 0
		}
	}
	l.suspects[head.key]++
}

func (l *lane) suspected(rows []row) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range rows {
		if _, ok := l.suspects[r.key]; ok {
			return true
		}
	}
	return false
}
