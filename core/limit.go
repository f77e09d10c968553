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

// maxBuckets is the most keys that a limiter knows at once: about 10 MiB.
const maxBuckets = 1 << 16

// limiter is a table of buckets, one for each key. A bucket holds what has been taken lately; a limit of n per d drains
// it evenly, one every d/n. What it holds is a count, not a time, so that another limit is in force at once: with more
// there is room for more, and with less it takes longer.
type limiter struct {
	mu      sync.Mutex
	buckets map[string]bucket
}

type bucket struct {
	taken float64   // at the time at
	at    time.Time //
	empty time.Time // when it will be, as the limit was then: it says nothing any more
}

func newLimiter() *limiter { return &limiter{buckets: map[string]bucket{}} }

// take puts one into a key's bucket for n per d, or returns how long until there will be room. No limit if n is 0.
func (l *limiter) take(key string, n int, d time.Duration) (wait time.Duration) {
	if n <= 0 {
		return 0
	}
	each := d / time.Duration(n)
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	b, known := l.buckets[key]
	taken := max(0, min(b.taken, float64(n))-float64(now.Sub(b.at))/float64(each))
	if over := taken + 1 - float64(n); over > 1e-6 {
		return time.Duration(over * float64(each))
	}
	if !known && len(l.buckets) >= maxBuckets {
		l.shrink(now)
	}
	taken++
	l.buckets[key] = bucket{taken, now, now.Add(time.Duration(taken * float64(each)))}
	return 0
}

// shrink makes room: what is empty says nothing. Should there be nothing of that kind, an eighth is forgotten, which
// can only be in somebody's favour.
func (l *limiter) shrink(now time.Time) {
	for k, b := range l.buckets {
		if !b.empty.After(now) {
			delete(l.buckets, k)
		}
	}
	for k := range l.buckets {
		if len(l.buckets) < maxBuckets*7/8 {
			return
		}
		delete(l.buckets, k)
	}
}
