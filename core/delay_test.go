package core_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
)

// told says when Alice was told that a message is still on its way, and what.
func (h *hall) told(began time.Time) (all []string) {
	for _, m := range of[*core.Message](h.edge) {
		if m.Notice {
			all = append(all, m.At.Sub(began).Round(time.Minute).String()+" "+m.Text)
		}
	}
	return all
}

func TestDelayIsTold(t *testing.T) {
	d := core.Driver{
		Order: core.PerMessage, Lifetime: 8 * time.Hour, Delays: []time.Duration{time.Hour, 4 * time.Hour},
		Retry: []time.Duration{7 * time.Minute, 50 * time.Minute},
	}
	const (
		why   = "This message has not been delivered yet. The network is away. The gateway goes on trying until 1 Jan 08:00 UTC."
		until = " The gateway goes on trying until 1 Jan 08:00 UTC."
	)
	for name, c := range map[string]struct {
		send func(began time.Time) error
		want []string
	}{
		"until it is given up": {func(time.Time) error { return errAway }, []string{"1h0m0s " + why, "4h0m0s " + why}},
		"until it arrives": {func(began time.Time) error {
			if time.Since(began) < 2*time.Hour {
				return errAway
			}
			return nil
		}, []string{"1h0m0s " + why}},
		"not of what arrives just then": {func(began time.Time) error {
			if time.Since(began) < time.Hour {
				return errAway
			}
			return nil
		}, nil},
		"not of what fails just then": {func(began time.Time) error {
			if time.Since(began) < time.Hour {
				return errAway
			}
			return core.E(core.NotFound, "fake", "Nobody there.")
		}, nil},
		"with the reason of the last attempt": {func(began time.Time) error {
			if time.Since(began) < time.Hour {
				return errAway
			}
			return core.E(core.Unavailable, "fake", "")
		}, []string{
			"1h0m0s This message has not been delivered yet. The other network does not answer." + until,
			"4h0m0s This message has not been delivered yet. The other network does not answer." + until,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				net, began := &fakeNet{}, time.Now()
				net.send = func(*core.Message, int) (core.Taken, error) {
					return core.Taken{State: core.Accepted}, c.send(began)
				}
				h := newHall(t, net, d)
				defer h.stop()
				m := message("hello")
				h.must(t, m)
				after(24 * time.Hour)
				if got := h.told(began); !slices.Equal(got, c.want) {
					t.Errorf("told %q, want %q", got, c.want)
				}
				for _, said := range of[*core.Message](h.edge) {
					if said.ReplyTo.ID != m.ID || said.Peer != m.Peer {
						t.Errorf("said about %+v in %+v", said.ReplyTo, said.Ref)
					}
				}
			})
		})
	}
}

// A gateway that was down in the meantime speaks of the last of the times that have passed, once.
func TestDelayIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &fakeNet{send: func(*core.Message, int) (core.Taken, error) { return core.Taken{}, errAway }}
		h := newHall(t, net, core.Driver{
			Order: core.PerMessage, Lifetime: 24 * time.Hour, Delays: []time.Duration{time.Hour, 4 * time.Hour}, Retry: []time.Duration{time.Minute},
		})
		defer h.stop()
		m := message("hello")
		it := &core.Item{Network: "fake", User: alice.User, Event: m, Queued: time.Now().Add(-5 * time.Hour), Lane: "l", Expires: time.Now().Add(time.Hour)}
		if err := h.queue.Put(t.Context(), it); err != nil {
			t.Fatal(err)
		}
		after(30 * time.Minute)
		if got := h.told(time.Now()); len(got) != 1 || !strings.Contains(got[0], "The network is away.") {
			t.Errorf("told %q", got)
		}
	})
}

// A network that has asked for patience is not asked again only to tell a user about it.
func TestDelayHeedsTheNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		net := &fakeNet{send: func(*core.Message, int) (core.Taken, error) {
			return core.Taken{}, &core.Error{Kind: core.Unavailable, Text: "Later.", After: 3 * time.Hour}
		}}
		h := newHall(t, net, core.Driver{Lifetime: 24 * time.Hour, Delays: []time.Duration{time.Hour}, Retry: []time.Duration{time.Minute}})
		defer h.stop()
		h.must(t, message("hello"))
		after(4 * time.Hour)
		if got := h.told(began); len(got) != 1 || !strings.HasPrefix(got[0], "3h0m0s") || len(net.sends()) != 2 {
			t.Errorf("told %q after %d attempts", got, len(net.sends()))
		}
	})
}
