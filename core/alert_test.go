package core_test

import (
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
)

// What only the administrator can change is told to them once for each attempt, and for each report of the network's.
func TestAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &fakeNet{send: func(_ *core.Message, n int) (core.Taken, error) {
			switch n {
			case 1:
				return core.Taken{}, &core.Error{Kind: core.Internal, Alert: true}
			case 2:
				return core.Taken{Remote: "r", State: core.Accepted}, nil
			}
			return core.Taken{}, core.E(core.NotFound, "fake", "")
		}}
		h := newHall(t, net, core.Driver{})
		defer h.stop()
		first := message("tried twice")
		if err := h.Submit(t.Context(), alice, first); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if n := h.alerts.Load(); n != 1 {
			t.Errorf("%d alerts after two attempts", n)
		}
		late := &core.Receipt{Ref: first.Ref, IDs: core.IDs{ID: first.ID}, State: core.Failed, Err: &core.Error{Kind: core.Denied, Alert: true}}
		for range 2 { // the second is one that was told before
			if err := net.host.Deliver(t.Context(), late); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.Submit(t.Context(), alice, message("refused")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := h.alerts.Load(); n != 2 {
			t.Errorf("%d alerts after a report, and a refusal that is the user's matter", n)
		}
	})
}

// patientNet is a fakeNet that is configured to try for long.
type patientNet struct{ *fakeNet }

func (patientNet) Lifetime() time.Duration { return 5 * 24 * time.Hour }

// A transport may be configured to try for longer than its driver says.
func TestLifetimeAsConfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &fakeNet{send: func(*core.Message, int) (core.Taken, error) { return core.Taken{}, errAway }}
		d := net.driver(core.Driver{Lifetime: time.Hour, Retry: []time.Duration{time.Hour}})
		made := d.New
		d.New = func(h core.Host, settings core.Decoder) (core.Transport, error) {
			_, err := made(h, settings)
			return patientNet{net}, err
		}
		h := newHallOf(t, net, d)
		defer h.stop()
		if err := h.Submit(t.Context(), alice, message("hello")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5*24*time.Hour - time.Minute)
		synctest.Wait()
		if got := of[*core.Receipt](h.edge); len(got) != 0 {
			t.Errorf("given up early: %+v", got)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if got := of[*core.Receipt](h.edge); len(got) != 1 || got[0].State != core.Failed {
			t.Errorf("receipts: %+v", got)
		}
	})
}
