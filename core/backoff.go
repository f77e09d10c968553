package core

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff is the delay before the try after tries failures: exponential, with full jitter above a tenth of it.
func backoff(tries int) time.Duration {
	d := lastBackoff
	if tries < 9 {
		d = min(firstBackoff<<tries, lastBackoff)
	}
	return d/10 + rand.N(d-d/10)
}

// sleep waits for d, or returns false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
