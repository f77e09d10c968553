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
	starting bool          // a worker has been started and has not taken a queue yet
	spare    []*sender     // for reuse
	empty    chan struct{} // closed when no stanza is left; nil if nobody waits for that
	count    int           // stanzas in all queues, those being served included
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

const spareSenders = 64

func (s *senders) init(cfg RouterConfig) {
	s.cfg = cfg
	s.byKey = make(map[string]*sender)
}

// arrival is a stanza on its way into its sender's queue.
type arrival struct {
	key string // of the sender; what has no address shares one queue
	st  *stream.Stanza
}

func arrived(st *stream.Stanza) arrival { return arrival{addr.Key(st.From), st} }

// put queues what came together. It returns what does not fit, in the place of
// what it was given, and whether a worker must be started.
func (s *senders) put(came []arrival) (refused []arrival, start bool) {
	refused = came[:0]
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range came {
		if !s.queue(a) {
			refused = append(refused, a)
		}
	}
	return refused, s.needWorker()
}

// queue reports whether the stanza fits. The lock is held.
func (s *senders) queue(a arrival) bool {
	size := a.st.Size
	if s.count >= s.cfg.Total || s.bytes+size > s.cfg.TotalBytes {
		return false
	}
	q := s.byKey[a.key]
	if q == nil {
		q = s.fresh(a.key)
		s.byKey[a.key] = q
		s.enqueue(q)
	}
	if q.count >= s.cfg.PerSender || q.bytes+size > s.cfg.PerSenderBytes {
		return false // it has others: this is not a queue just made
	}
	q.waiting = append(q.waiting, a.st)
	s.add(q, 1, size)
	return true
}

// idle returns a channel that is closed as soon as no stanza is left.
func (s *senders) idle() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count == 0 {
		none := make(chan struct{})
		close(none)
		return none
	}
	if s.empty == nil {
		s.empty = make(chan struct{})
	}
	return s.empty
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
	if n := len(s.spare); n > 0 {
		q := s.spare[n-1]
		s.spare = s.spare[:n-1]
		q.key = key
		return q
	}
	return &sender{key: key}
}

// next gives a worker the queue whose turn it is, with its stanzas moved to
// taken; nil ends the worker. done is the queue it had before, whose taken
// stanzas of so many bytes are served, or nil if it has only just been started.
// start says that another worker must be.
func (s *senders) next(done *sender, bytes int) (q *sender, start bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if done == nil {
		s.starting = false
	} else {
		s.served(done, bytes)
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

// served ends a worker's turn at a queue. One that has filled again waits for its
// next turn. The lock is held.
func (s *senders) served(q *sender, bytes int) {
	s.add(q, -len(q.taken), -bytes)
	if s.count == 0 && s.empty != nil {
		close(s.empty)
		s.empty = nil
	}
	clear(q.taken)
	q.taken = q.taken[:0]
	if len(q.waiting) > 0 {
		s.enqueue(q)
		return
	}
	delete(s.byKey, q.key)
	if len(s.spare) < spareSenders {
		q.key = ""
		s.spare = append(s.spare, q)
	}
}
