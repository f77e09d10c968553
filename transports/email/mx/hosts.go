package mx

import (
	"sync"
	"time"
)

const (
	maxAway   = 10_000 // servers that are remembered
	firstAway = time.Minute
	lastAway  = 16 * time.Minute
	closedFor = 5 * time.Minute // after 421, which means not now
)

// hosts remembers which servers are away, so that not every mail waits for them in vain. It is safe for concurrent use.
type hosts struct {
	mu   sync.Mutex
	away map[string]absence
}

type absence struct {
	until time.Time
	last  time.Duration
}

// wait is for how long a server is to be left alone; zero: it may be tried.
func (h *hosts) wait(host string, now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return max(0, h.away[host].until.Sub(now))
}

// missed notes that a server could not be reached: for a minute, then for twice as long each time.
func (h *hosts) missed(host string, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	d := min(max(2*h.away[host].last, firstAway), lastAway)
	h.note(host, absence{now.Add(d), d}, now)
}

// closed notes that a server wants to be left alone (RFC 5321 section 3.8).
func (h *hosts) closed(host string, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.note(host, absence{until: now.Add(closedFor)}, now)
}

// note bounds what is remembered. mu is held.
func (h *hosts) note(host string, a absence, now time.Time) {
	if h.away == nil {
		h.away = map[string]absence{}
	}
	if len(h.away) >= maxAway {
		for k, a := range h.away {
			if !a.until.After(now) {
				delete(h.away, k)
			}
		}
	}
	if len(h.away) < maxAway {
		h.away[host] = a
	}
}

// reached notes that a server is there.
func (h *hosts) reached(host string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.away, host)
}
