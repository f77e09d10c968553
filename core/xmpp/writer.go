package xmpp

import (
	"net"
	"runtime"
	"time"

	"gangway/core/xmpp/stream"
)

// writeLoop writes what is queued, all of it at each wake-up, until done is
// closed, the stream is closed politely, or a write fails. What it could not
// write goes back to the queue for the next connection.
func (l *Link) writeLoop(conn net.Conn, done <-chan struct{}) error {
	var spare queue
	var deadline time.Time
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-l.wake:
		case <-timer.C:
		case <-done:
			return nil
		}
		runtime.Gosched() // whoever is about to write gets into this flush
		chunk, wait, last := l.takeQueue(spare)
		n, err := 0, l.extend(conn, &deadline)
		if err == nil {
			n, err = l.flush(conn, chunk, last)
		}
		if err != nil {
			l.putBack(chunk.rest(n))
			return err
		}
		if last {
			return nil
		}
		chunk.empty()
		spare = chunk
		if wait > 0 {
			timer.Reset(wait)
		}
	}
}

// takeQueue exchanges the queue for an empty one. last says that nothing will
// follow; wait, if not 0, when to come again.
func (l *Link) takeQueue(spare queue) (chunk queue, wait time.Duration, last bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.expire(now)
	l.ping(now)
	wait = l.barriers.next(now, l.out.queued)
	chunk = l.out
	spare.queued = chunk.queued
	l.out = spare
	l.moved.Broadcast()
	return chunk, wait, l.status.State == Stopping
}

// extend moves the write deadline when half of it is over: a flush has between
// half of WriteTimeout and all of it.
func (l *Link) extend(conn net.Conn, deadline *time.Time) error {
	now := time.Now()
	if deadline.Sub(now) > l.cfg.WriteTimeout/2 {
		return nil
	}
	*deadline = now.Add(l.cfg.WriteTimeout)
	return conn.SetWriteDeadline(*deadline)
}

// flush writes the chunk and, if it is the last, the closing tag. It returns how
// many bytes of the chunk were taken.
func (l *Link) flush(conn net.Conn, chunk queue, last bool) (int, error) {
	stanzas := len(chunk.marks)
	if last {
		chunk.buf = append(chunk.buf, stream.CloseTag...)
	}
	if len(chunk.buf) == 0 {
		return 0, nil
	}
	n, err := conn.Write(chunk.buf)
	if err != nil {
		return n, err
	}
	if l.cfg.HostDomain == "" {
		l.mu.Lock()
		l.barriers.covered = chunk.queued
		l.confirmed(chunk.queued)
		l.mu.Unlock()
	}
	if t := l.cfg.Trace; t != nil && t.Out != nil && stanzas > 0 {
		t.Out(l.cfg.Domain, stanzas, n)
	}
	return n, nil
}

// putBack returns stanzas to the head of the queue.
func (l *Link) putBack(r queue) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.queued = l.out.queued
	r.join(l.out)
	l.out = r
}
