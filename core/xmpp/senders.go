package xmpp

import (
	"sync"

	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/stream"
)

// senders are the queues of all who have a stanza waiting. A queue exists, and
// has one goroutine, as long as it is not empty.
type senders struct {
	cfg     RouterConfig
	workers sync.WaitGroup

	mu    sync.Mutex
	byKey map[string]*sender
	idle  []*sender // for reuse
	count int       // stanzas in all queues, those being served included
	bytes int
}

// sender is the queue of one bare address. The lock of senders guards it.
type sender struct {
	key     string
	waiting []*stream.Stanza
	count   int // waiting or taken and not yet served
	bytes   int
}

const idleSenders = 64

func (s *senders) init(cfg RouterConfig) {
	s.cfg = cfg
	s.byKey = make(map[string]*sender)
}

// put queues a stanza and starts work for a queue that was empty. It returns
// false if the stanza does not fit.
func (s *senders) put(st *stream.Stanza, work func(*sender)) bool {
	key := addr.Key(st.From) // what has no address shares one queue
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count >= s.cfg.Total || s.bytes+st.Size > s.cfg.TotalBytes {
		return false
	}
	q := s.byKey[key]
	begin := q == nil
	if begin {
		q = s.fresh(key)
	}
	if q.count >= s.cfg.PerSender || q.bytes+st.Size > s.cfg.PerSenderBytes {
		return false
	}
	q.waiting = append(q.waiting, st)
	q.count++
	q.bytes += st.Size
	s.count++
	s.bytes += st.Size
	if begin {
		s.byKey[key] = q
		s.workers.Go(func() { work(q) })
	}
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

// take exchanges the waiting stanzas for the served batch. An empty result ends
// the queue.
func (s *senders) take(q *sender, served []*stream.Stanza) []*stream.Stanza {
	s.mu.Lock()
	defer s.mu.Unlock()
	batch := q.waiting
	q.waiting = served[:0]
	if len(batch) > 0 {
		return batch
	}
	delete(s.byKey, q.key)
	if len(s.idle) < idleSenders {
		q.key = ""
		s.idle = append(s.idle, q)
	}
	return nil
}

// served makes the room of one stanza free.
func (s *senders) served(q *sender, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q.count--
	q.bytes -= size
	s.count--
	s.bytes -= size
}
