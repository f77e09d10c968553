package core_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
)

func TestBackoffGrowsWithJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Time
		net := &fakeNet{}
		net.run = func(_ context.Context, a core.Account, _ int) error {
			if a.ID == alice.ID {
				at = append(at, time.Now())
			}
			return errAway
		}
		h := newHall(t, net, core.Driver{})
		time.Sleep(2 * time.Hour)
		_ = h.stop()
		if len(at) < 20 {
			t.Fatalf("%d tries in two hours", len(at))
		}
		same := 0
		for i := 1; i < len(at); i++ {
			d := at[i].Sub(at[i-1])
			if d < 50*time.Millisecond || d > 5*time.Minute {
				t.Errorf("delay %d is %v", i, d)
			}
			if i > 12 && i+1 < len(at) && d == at[i+1].Sub(at[i]) {
				same++
			}
		}
		if same > 1 {
			t.Errorf("%d delays without jitter", same)
		}
	})
}
