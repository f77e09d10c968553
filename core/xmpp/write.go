package xmpp

import (
	"errors"

	"gangway/core/xmpp/stream"
)

// Write implements Sender.
func (l *Link) Write(fn func(*stream.Encoder)) error {
	_, err := l.put(fn, false, false)
	return err
}

// WriteWait implements Sender.
func (l *Link) WriteWait(fn func(*stream.Encoder)) error {
	_, err := l.put(fn, false, true)
	return err
}

// Send implements Sender.
func (l *Link) Send(fn func(*stream.Encoder)) (Batch, error) {
	return l.put(fn, true, false)
}

// put encodes outside the lock, so that nobody waits for somebody else's fn.
func (l *Link) put(fn func(*stream.Encoder), bound, waits bool) (Batch, error) {
	e := l.encoders.Get().(*stream.Encoder)
	defer func() {
		e.Reset()
		l.encoders.Put(e)
	}()
	fn(e)
	var b Batch
	err := e.Err()
	if err == nil {
		b, err = l.enqueue(e, bound, waits)
	}
	if err != nil {
		e.Refuse()
	}
	return b, err
}

func (l *Link) enqueue(e *stream.Encoder, bound, waits bool) (Batch, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.admits(len(e.Bytes()), bound)
	for waits && errors.Is(err, ErrFull) && len(l.out.buf) > 0 { // what is more than the queue may hold goes alone
		l.moved.Wait()
		err = l.admits(len(e.Bytes()), bound)
	}
	if err != nil && (!waits || !errors.Is(err, ErrFull)) {
		return Batch{}, err
	}
	l.out.add(e, bound)
	l.wakeWriter()
	return Batch{l.epoch, l.out.queued}, nil
}

// admits says why so many bytes may not be queued now. The lock is held.
func (l *Link) admits(n int, bound bool) error {
	n += len(l.out.buf)
	switch {
	case l.ended || l.status.State == Stopping:
		return ErrStopping
	case l.status.State == Online && n > l.cfg.MaxQueue:
		return ErrFull
	case l.status.State != Online && (bound || n > l.cfg.MaxHeld):
		return ErrDown
	}
	return nil
}

// wakeWriter may be called with or without the lock.
func (l *Link) wakeWriter() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// queue holds the stanzas that wait to be written, whole, in order.
type queue struct {
	buf    []byte
	marks  []mark // one for each stanza
	queued uint64 // stanzas queued for the current connection so far
}

// mark is the end of a stanza in the queue.
type mark struct {
	end   int
	bound bool // to the connection it was queued for: dropped when that is lost
}

func (q *queue) add(e *stream.Encoder, bound bool) {
	base := len(q.buf)
	q.buf = append(q.buf, e.Bytes()...)
	for _, end := range e.Ends() {
		q.marks = append(q.marks, mark{base + end, bound})
	}
	q.queued += uint64(e.Count())
}

// rest returns a queue of the stanzas that may go to the next connection: those
// not bound to the last one and not wholly among its first n bytes.
func (q *queue) rest(n int) queue {
	var r queue
	start := 0
	for _, m := range q.marks {
		if !m.bound && m.end > n {
			r.buf = append(r.buf, q.buf[start:m.end]...)
			r.marks = append(r.marks, mark{end: len(r.buf)})
		}
		start = m.end
	}
	return r
}

// join appends the stanzas of other.
func (q *queue) join(other queue) {
	base := len(q.buf)
	q.buf = append(q.buf, other.buf...)
	for _, m := range other.marks {
		q.marks = append(q.marks, mark{base + m.end, m.bound})
	}
}

const keptQueue = 256 << 10 // a larger buffer is not kept for the next flush

// empty forgets the stanzas and keeps the memory, unless there is much of it.
func (q *queue) empty() {
	if cap(q.buf) > keptQueue {
		*q = queue{}
		return
	}
	q.buf, q.marks = q.buf[:0], q.marks[:0]
}
