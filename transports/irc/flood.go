package irc

import "time"

// bucket is a flood control: burst lines at once, then one per interval. It is a leaky bucket kept as one moment
// (the generic cell rate algorithm), so that an idle session needs no timer.
type bucket struct {
	burst    int
	interval time.Duration // zero: no limit
	full     time.Time     // when the bucket will have leaked empty
}

// wait returns how long until the next line may go; zero: now.
func (b *bucket) wait(now time.Time) time.Duration {
	if b.interval == 0 || b.full.Before(now) {
		return 0
	}
	return max(0, b.full.Sub(now)-time.Duration(b.burst-1)*b.interval)
}

// spend counts a line that goes now, allowed or not.
func (b *bucket) spend(now time.Time) {
	if b.full.Before(now) {
		b.full = now
	}
	b.full = b.full.Add(b.interval)
}
