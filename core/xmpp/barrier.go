package xmpp

import (
	"context"
	"strconv"
	"time"

	"gangway/core"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/stream"
)

// A barrier is a XEP-0199 ping to the server's own domain. A server handles a
// stream's stanzas in order, so its answer, of whatever type, says that it has
// processed everything before the ping. XEP-0114 has no other acknowledgement.
const (
	barrierStanzas = 100                   // uncovered stanzas that are worth a ping of their own
	barrierDelay   = 10 * time.Millisecond // how long one waits behind a ping in flight
	barrierFlight  = 8                     // pings in flight
	barrierTimeout = 60 * time.Second      // for the answer
)

var errUnanswered error = core.E(core.Unavailable, "component link",
	"The server's own domain does not answer pings, so that it is not known whether the message arrived.")

// barriers is the state of the pings of one connection. All waiters behind one
// ping share it. The link's lock guards it.
type barriers struct {
	waiters   []*waiter
	pings     []barrier // in flight, oldest first
	covered   uint64    // stanzas before the last ping
	confirmed uint64    // stanzas before the last answered ping
	wanted    uint64    // stanzas up to the last that somebody waits for
	since     time.Time // since when wanted > covered
	n         uint64
}

type barrier struct {
	id     string
	covers uint64
	sent   time.Time
}

type waiter struct {
	seq  uint64
	done chan error // capacity 1
}

// Confirm implements Sender. Without a HostDomain in the configuration there is
// nobody to ping, and it returns when the bytes were handed to the kernel: a
// weaker promise, which a crash of the server or a cut connection can break.
func (l *Link) Confirm(ctx context.Context, b Batch) error {
	if b == (Batch{}) {
		return nil
	}
	w, err := l.await(b)
	if w == nil || err != nil {
		return err
	}
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return core.Wrap(core.Unavailable, "component link: confirm", ctx.Err())
	}
}

// await returns nil if there is nothing to wait for.
func (l *Link) await(b Batch) (*waiter, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.barriers
	switch {
	case b.epoch == l.epoch && b.seq <= s.confirmed:
		return nil, nil
	case b.epoch != l.epoch || l.status.State != Online && l.status.State != Stopping:
		return nil, ErrLost
	}
	w := &waiter{b.seq, make(chan error, 1)}
	s.waiters = append(s.waiters, w)
	if b.seq > s.covered {
		if s.wanted <= s.covered {
			s.since = time.Now()
		}
		s.wanted = max(s.wanted, b.seq)
		l.wakeWriter()
	}
	return w, nil
}

// due returns how long a ping may still wait: 0 if it is to be sent with the
// next flush, less than 0 if none is wanted.
func (s *barriers) due(now time.Time, queued uint64) time.Duration {
	switch {
	case s.wanted <= s.covered:
		return -1
	case len(s.pings) == 0:
		return 0
	case len(s.pings) >= barrierFlight:
		return -1 // the next answer makes room
	case queued-s.covered >= barrierStanzas:
		return 0
	}
	return max(0, barrierDelay-now.Sub(s.since))
}

// ping queues a barrier if one is due, or if the stream is about to be closed
// over stanzas that none covers. The lock is held.
func (l *Link) ping(now time.Time) {
	s := &l.barriers
	closing := l.status.State == Stopping && l.out.queued > s.covered
	if l.cfg.HostDomain == "" || s.due(now, l.out.queued) != 0 && !closing {
		return
	}
	s.n++
	id := "b" + strconv.FormatUint(l.epoch, 36) + "-" + strconv.FormatUint(s.n, 36)
	e := stream.Encoder{Domain: l.cfg.Domain}
	encodePing(&e, l.cfg.Domain, l.cfg.HostDomain, id)
	l.out.add(&e, true)
	s.covered = l.out.queued
	s.pings = append(s.pings, barrier{id, s.covered, now})
}

func encodePing(e *stream.Encoder, from, to, id string) {
	e.Start("iq", "", "type", "get", "id", id, "from", from, "to", to)
	e.Empty("ping", NSPing)
	e.End()
}

// pong takes the answer to a barrier and reports whether it was one.
func (l *Link) pong(st *stream.Stanza) bool {
	l.mu.Lock()
	s := &l.barriers
	i := 0
	for i < len(s.pings) && s.pings[i].id != st.ID {
		i++
	}
	if i == len(s.pings) || !addr.Same(st.From, l.cfg.HostDomain) {
		l.mu.Unlock()
		return false
	}
	answered := s.pings[i]
	stanzas := answered.covers - s.confirmed
	s.pings = append(s.pings[:0], s.pings[i+1:]...)
	l.confirmed(answered.covers)
	l.mu.Unlock()
	if t := l.cfg.Trace; t != nil && t.Confirmed != nil {
		t.Confirmed(l.cfg.Domain, int(stanzas), time.Since(answered.sent))
	}
	return true
}

// confirmed releases who waits for the first n stanzas. The lock is held.
func (l *Link) confirmed(n uint64) {
	s := &l.barriers
	s.confirmed = n
	s.release(n, nil)
	if s.wanted > s.covered {
		l.wakeWriter()
	}
}

// release ends the waiting for the first n stanzas.
func (s *barriers) release(n uint64, err error) {
	kept := s.waiters[:0]
	for _, w := range s.waiters {
		if w.seq <= n {
			w.done <- err
		} else {
			kept = append(kept, w)
		}
	}
	clear(s.waiters[len(kept):])
	s.waiters = kept
}

// expire gives up on pings without an answer. The lock is held.
func (l *Link) expire(now time.Time) {
	s := &l.barriers
	for len(s.pings) > 0 && now.Sub(s.pings[0].sent) >= barrierTimeout {
		s.release(s.pings[0].covers, errUnanswered)
		s.pings = append(s.pings[:0], s.pings[1:]...)
		l.log.Warn("barrier ping not answered", "host", l.cfg.HostDomain, "after", barrierTimeout)
	}
}

// next returns when to look at the pings again if nothing happens before; 0 if
// there is nothing to look at.
func (s *barriers) next(now time.Time, queued uint64) time.Duration {
	wait := max(0, s.due(now, queued))
	if len(s.pings) == 0 {
		return wait
	}
	expiry := max(1, s.pings[0].sent.Add(barrierTimeout).Sub(now))
	if wait == 0 {
		return expiry
	}
	return min(wait, expiry)
}
