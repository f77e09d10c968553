package core_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
)

// Behaviour 53: sessions of one network start one after the other, at the program's start and after the network was
// away alike; those of another wait for nobody.
func TestSessionsStartOneAfterAnother53(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const pace = 10 * time.Second
		var mu sync.Mutex
		var starts []time.Time
		net := &fakeNet{run: func(_ context.Context, _ core.Account, _ int) error {
			mu.Lock()
			defer mu.Unlock()
			starts = append(starts, time.Now())
			return errAway
		}}
		h := newHall(t, net, core.Driver{Pace: pace})
		defer h.stop()
		for _, a := range []core.Account{alice, bob} {
			_ = h.With(t.Context(), a, func(core.Session) error { return nil })
		}
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if len(starts) < 10 {
			t.Fatalf("%d starts", len(starts))
		}
		slices.SortFunc(starts, time.Time.Compare)
		for i := 1; i < len(starts); i++ {
			if d := starts[i].Sub(starts[i-1]); d < pace {
				t.Errorf("start %d came %s after the one before", i, d)
			}
		}
	})
}
