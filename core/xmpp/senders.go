package xmpp

import (
	"sync"

	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/stream"
)

// senders are the queues of all who have a stanza waiting. A queue exists as
// long as it has one.
//
// A queue whose turn it is waits in ready for a worker. At most one worker is on
// its way there at a time; each that arrives starts the next if more are ready.
// So a burst of quick stanzas is served by one or two goroutines, and still a
// handler that blocks holds up nobody but its sender.
type senders struct {
	cfg RouterConfig

	mu       sync.Mutex
	byKey    map[string]*sender
	ready    []*sender // first come, first served, from turn on
	turn     int
	starting bool      // a worker has been started and has not taken a queue yet
	idle     []*sender // for reuse
	count    int       // stanzas in all queues, those being served included
	bytes    int
}

// sender is the queue of one bare address. The lock of senders guards it.
type sender struct {
	key     string
	waiting []*stream.Stanza
	taken   []*stream.Stanza // its worker's
	count   int              // waiting or taken
	bytes   int
}

const idleSenders = 64

func (s *senders) init(cfg RouterConfig) {
	s.cfg = cfg
	s.byKey = make(map[string]*sender)
}

// put queues a stanza and reports whether it fits, and whether a worker must be
// started.
func (s *senders) put(st *stream.Stanza) (fits, start bool) {
	key := addr.Key(st.From) // what has no address shares one queue
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count >= s.cfg.Total || s.bytes+st.Size > s.cfg.TotalBytes {
		return false, false
	}
	q := s.byKey[key]
	if q == nil {
		q = s.fresh(key)
		s.byKey[key] = q
		s.enqueue(q)
	}
	if q.count >= s.cfg.PerSender || q.bytes+st.Size > s.cfg.PerSenderBytes {
		return false, false // it has others: this is not a queue just made
	}
	q.waiting = append(q.waiting, st)
	s.add(q, 1, st.Size)
	return true, s.needWorker()
}

// enqueue puts a queue last. The lock is held.
func (s *senders) enqueue(q *sender) {
	if len(s.ready) == cap(s.ready) && s.turn > len(s.ready)/2 {
		n := copy(s.ready, s.ready[s.turn:])
		clear(s.ready[n:])
		s.ready, s.turn = s.ready[:n], 0
	}
	s.ready = append(s.ready, q)
}

func (s *senders) add(q *sender, stanzas, bytes int) {
	q.count += stanzas
	q.bytes += bytes
	s.count += stanzas
	s.bytes += bytes
}

// needWorker reports whether the caller must start one. The lock is held.
func (s *senders) needWorker() bool {
	if s.starting || s.turn == len(s.ready) {
		return false
	}
	s.starting = true
	return true
}

func (s *senders) fresh(key string) *sender {
	if n := len(s.idle); n > 0 {
		q := s.idle[n-1]
		s.idle = s.idle[:n-1]
		q.key = key
		return q
	}
	return &sender{key: key}
}

// next gives a worker the queue whose turn it is, with its stanzas moved to
// taken; nil ends the worker. arriving says that it has only just been started.
// start says that another must be.
func (s *senders) next(arriving bool) (q *sender, start bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if arriving {
		s.starting = false
	}
	if s.turn == len(s.ready) {
		return nil, false
	}
	q = s.ready[s.turn]
	s.ready[s.turn] = nil
	if s.turn++; s.turn == len(s.ready) {
		s.ready, s.turn = s.ready[:0], 0
	}
	q.waiting, q.taken = q.taken[:0], q.waiting
	return q, s.needWorker()
}

// served ends a worker's turn at a queue, whose taken stanzas, of so many bytes,
// are done. A queue that has filled again waits for its next turn.
func (s *senders) served(q *sender, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(q, -len(q.taken), -bytes)
	clear(q.taken)
	q.taken = q.taken[:0]
	if len(q.waiting) > 0 {
		s.enqueue(q)
		return
	}
	delete(s.byKey, q.key)
	if len(s.idle) < idleSenders {
		q.key = ""
		s.idle = append(s.idle, q)
	}
}
