package core_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
)

// A state is as old as its link's, not as the last word about it.
func TestStatusSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &fakeNet{}
		net.run = func(ctx context.Context, a core.Account, _ int) error {
			time.Sleep(time.Minute)
			_ = net.host.Deliver(ctx, &core.Status{Ref: core.Ref{Account: a.ID}, Link: core.Connected})
			<-ctx.Done()
			return nil
		}
		h := newHall(t, net, core.Driver{})
		defer h.stop()
		if _, err := h.Link(t.Context(), alice); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		first := h.Status(alice.ID)
		if first.Link != core.Connected || time.Since(first.Since) != time.Minute {
			t.Fatalf("%v since %v", first.Link, time.Since(first.Since))
		}
		if err := net.host.Deliver(t.Context(), &core.Status{Ref: core.Ref{Account: alice.ID}, Link: core.Connected, Text: "All is well."}); err != nil {
			t.Fatal(err)
		}
		if again := h.Status(alice.ID); again.Text != "All is well." || !again.Since.Equal(first.Since) {
			t.Errorf("%q since %v, first since %v", again.Text, again.Since, first.Since)
		}
	})
}
