package edge

import (
	"context"
	"errors"
	"sync"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/stream"
)

// strikes is how many connections may be lost with the same event first among
// the unconfirmed before the event is held to be the reason.
const strikes = 3

// maxSuspects bounds the table of suspects; an event is in it from the first
// connection it was at the head of until it is confirmed or given up.
const maxSuspects = 4096

// lane is one domain's order of what waits to be confirmed.
type lane struct {
	domain *Domain

	sending sync.Mutex // held over Link.Send, so that seq has the order of the stream

	mu       sync.Mutex
	next     uint64             // seq of the next flight
	flying   map[uint64]*flight // sent and not known to be confirmed or lost
	lost     uint64             // flights before this belong to a loss that was counted
	suspects map[string]int     // lost connections by the key of the event at their head
}

func newLane(d *Domain) *lane {
	return &lane{domain: d, flying: map[uint64]*flight{}, suspects: map[string]int{}}
}

// flight is one event on its way to the host server.
type flight struct {
	lane  *lane
	key   string
	seq   uint64
	batch xmpp.Batch
}

// send renders an event to the link. It returns no flight for an event that has
// nothing to show or cannot be sent.
func (l *lane) send(key string, render func(*stream.Encoder) error) (*flight, error) {
	l.sending.Lock()
	defer l.sending.Unlock()
	var failed error
	stanzas := 0
	batch, err := l.domain.Link.Send(func(enc *stream.Encoder) {
		failed = render(enc)
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
	f := &flight{lane: l, key: key, seq: l.next, batch: batch}
	l.next++
	l.flying[f.seq] = f
	return f, nil
}

// unusable reports whether an error of send says that the link cannot take
// anything now, rather than that it cannot take this event.
func (l *lane) unusable(err error) bool {
	return errors.Is(err, xmpp.ErrDown) || errors.Is(err, xmpp.ErrFull) || errors.Is(err, xmpp.ErrStopping)
}

// confirm waits until the host server has processed the event.
func (f *flight) confirm(ctx context.Context) error {
	err := f.lane.domain.Link.Confirm(ctx, f.batch)
	l := f.lane
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		delete(l.flying, f.seq)
		delete(l.suspects, f.key)
		return nil
	}
	if errors.Is(err, xmpp.ErrLost) {
		l.strike(f.seq)
	}
	delete(l.flying, f.seq)
	if l.suspects[f.key] < strikes {
		return err
	}
	delete(l.suspects, f.key)
	e := core.E(core.Invalid, "xmpp edge: confirm",
		"The XMPP server closed the connection each time it was given this message.")
	e.Err = err
	return e
}

// strike counts a lost connection against the event that was first among the
// unconfirmed, once, whoever of them notices first.
func (l *lane) strike(seq uint64) {
	if seq < l.lost {
		return
	}
	head := l.flying[seq]
	for _, f := range l.flying {
		if f.seq < head.seq {
			head = f
		}
	}
	l.lost = l.next
	if len(l.suspects) >= maxSuspects {
		clear(l.suspects)
	}
	l.suspects[head.key]++
}
