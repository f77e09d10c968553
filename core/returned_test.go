package core_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"gangway/core"
)

// returnedNet is a fakeNet that hears what came back.
type returnedNet struct {
	*fakeNet
	mu    sync.Mutex
	heard []string
}

func (r *returnedNet) Returned(_ context.Context, a core.Account, peer core.Address, id core.RemoteID, because core.Kind, reason core.Reason) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard = append(r.heard, string(a.ID)+" "+string(peer)+" "+string(id)+" "+because.String()+fmt.Sprint(" ", reason))
	return nil
}

// What the user's server did not take is told to the network that it came from, if it was the user's.
func TestReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &returnedNet{fakeNet: &fakeNet{}}
		d := net.driver(core.Driver{})
		made := d.New
		d.New = func(h core.Host, settings core.Decoder) (core.Transport, error) {
			_, err := made(h, settings)
			return net, err
		}
		h := newHallOf(t, net.fakeNet, d)
		defer h.stop()
		in := &core.Message{Ref: core.Ref{Account: alice.ID, Peer: "peer"}, IDs: core.IDs{Remote: "<r1>"}, Text: "hello"}
		if err := net.host.Deliver(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		own := message("mine")
		if err := h.Submit(t.Context(), alice, own); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for _, c := range []struct {
			user    core.UserID
			network string
			id      core.MessageID
		}{{bob.User, "fake", in.ID}, {alice.User, "another", in.ID}, {alice.User, "fake", "unknown"}, {alice.User, "fake", own.ID}, {alice.User, "fake", in.ID}} {
			if err := h.Returned(t.Context(), c.user, c.network, c.id, core.NotFound, core.NoHost); err != nil {
				t.Errorf("%+v: %v", c, err)
			}
		}
		if want := string(alice.ID) + " peer <r1> not-found 1"; len(net.heard) != 1 || net.heard[0] != want {
			t.Errorf("heard %q, want %q", net.heard, want)
		}
	})
}
