package core

import (
	"sync"
	"time"
)

// Limits are how much is taken from one user. Zero: no limit.
type Limits struct {
	Messages            int // messages, corrections, reactions and retractions that a user sends, a minute
	Registrations       int // attempts of a user to register, an hour
	DomainRegistrations int // attempts of all users of a domain, an hour
}

// maxBuckets is the most keys that a limiter knows at once: about 6 MiB.
const maxBuckets = 1 << 16

// limiter is a table of token buckets, one for each key. A bucket of n per d holds n and is filled evenly, one token
// every d/n; it is kept as the time at which it will be full again (the generic cell rate algorithm).
type limiter struct {
	mu   sync.Mutex
	full map[string]time.Time
}

func newLimiter() *limiter { return &limiter{full: map[string]time.Time{}} }

// take takes a token from a key's bucket of n per d, or returns how long until there will be one. No limit if n is 0.
func (l *limiter) take(key string, n int, d time.Duration) (wait time.Duration) {
	if n <= 0 {
		return 0
	}
	each := d / time.Duration(n)
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	full, known := l.full[key]
	if full.Before(now) {
		full = now
	}
	next := full.Add(each)
	if over := next.Sub(now) - d; over > 0 {
		return over
	}
	if !known && len(l.full) >= maxBuckets {
		l.shrink(now)
	}
	l.full[key] = next
	return 0
}

// shrink makes room: what is full says nothing. Should there be nothing of that kind, an eighth is forgotten, which
// can only be in somebody's favour.
func (l *limiter) shrink(now time.Time) {
	for k, full := range l.full {
		if !full.After(now) {
			delete(l.full, k)
		}
	}
	for k := range l.full {
		if len(l.full) < maxBuckets*7/8 {
			return
		}
		delete(l.full, k)
	}
}
