package core

import "time"

// Limiter counts what is taken, by key, against limits: of those it knows 65536 keys at once. It is safe for concurrent
// use.
type Limiter struct{ l *limiter }

// NewLimiter makes one that has counted nothing.
func NewLimiter() *Limiter { return &Limiter{newLimiter()} }

// Take counts one more for a key, of which there may be n in d, or returns how long until there may be. No limit if n is 0.
func (l *Limiter) Take(key string, n int, d time.Duration) (wait time.Duration) {
	return l.l.take(key, n, d)
}

// Within writes a delay for people, rounded up: "a second", "40 minutes".
func Within(d time.Duration) string { return seconds(d) }
