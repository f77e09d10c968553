package core_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
)

func TestStoredMessageIsSentOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, &fakeNet{}, core.Driver{})
		defer h.stop()
		m := message("hello")
		again := *m
		again.ID = core.NewID() // the edge names it anew when the client sends it again
		for _, m := range []*core.Message{m, &again} {
			if err := h.Submit(t.Context(), alice, m); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if sent := h.net.sends(); len(sent) != 1 || sent[0].ID != m.ID {
			t.Fatalf("sent %d", len(sent))
		}
		if got := of[*core.Receipt](h.edge); len(got) != 0 {
			t.Errorf("a receipt for what was only accepted: %+v", got[0])
		}
		for range 2 { // the network repeats itself
			r := &core.Receipt{IDs: core.IDs{ID: m.ID}, State: core.Delivered}
			if err := h.net.host.Deliver(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		late := &core.Receipt{Ref: core.Ref{Account: alice.ID}, IDs: core.IDs{Remote: "r-" + core.RemoteID(m.ID)}, State: core.Sent}
		if err := h.net.host.Deliver(t.Context(), late); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		got := of[*core.Receipt](h.edge)
		if len(got) != 1 || got[0].State != core.Delivered || got[0].Origin != m.Origin || got[0].Ref != m.Ref {
			t.Errorf("receipts: %+v", got)
		}
	})
}

func TestRetryThenDeadLetterWithReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &fakeNet{send: func(*core.Message, int) (core.Taken, error) { return core.Taken{}, errAway }}
		h := newHall(t, net, core.Driver{Lifetime: 10 * time.Minute, Retry: []time.Duration{time.Minute, 3 * time.Minute}})
		defer h.stop()
		if err := h.Submit(t.Context(), alice, message("hello")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * time.Minute)
		synctest.Wait()
		if n := len(net.sends()); n < 3 || n > 5 {
			t.Errorf("%d attempts in 9 minutes", n)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		waiting, dead, _ := h.queue.counts()
		got := of[*core.Receipt](h.edge)
		if waiting != 0 || dead != 1 || len(got) != 1 || got[0].State != core.Failed {
			t.Fatalf("waiting %d, dead %d, receipts %+v", waiting, dead, got)
		}
		if text := got[0].Err.Sentence(); !strings.Contains(text, "The network is away.") {
			t.Errorf("the sender reads %q", text)
		}
	})
}

func TestPermanentFailureIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &fakeNet{send: func(*core.Message, int) (core.Taken, error) {
			return core.Taken{}, core.E(core.NotFound, "fake", "No such address.")
		}}
		h := newHall(t, net, core.Driver{})
		defer h.stop()
		if err := h.Submit(t.Context(), alice, message("hello")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		got := of[*core.Receipt](h.edge)
		if len(got) != 1 || got[0].State != core.Failed || got[0].Err.Kind != core.NotFound {
			t.Errorf("receipts: %+v", got)
		}
	})
}

// costly is a session whose duplicates cost.
type costly struct {
	*fakeSession
	reconcile func(n int) (core.Taken, error)
	asked     *int
}

func (c *costly) Reconcile(context.Context, *core.Message, time.Time) (core.Taken, error) {
	*c.asked++
	return c.reconcile(*c.asked)
}

type costlyNet struct {
	*fakeNet
	reconcile func(n int) (core.Taken, error)
	asked     int
}

func (n *costlyNet) Open(a core.Account) (core.Session, error) {
	return &costly{&fakeSession{n.fakeNet, a}, n.reconcile, &n.asked}, nil
}

func (n *costlyNet) hall(t *testing.T) *hall {
	d := n.driver(core.Driver{Session: (*costly)(nil)})
	d.New = func(host core.Host, _ core.Decoder) (core.Transport, error) {
		n.host = host
		return n, nil
	}
	return newHallOf(t, n.fakeNet, d)
}

func TestUncertainSendIsReconciledNotRepeated(t *testing.T) {
	uncertain := core.E(core.Uncertain, "fake", "Nobody knows.")
	for _, c := range []struct {
		name      string
		reconcile func(n int) (core.Taken, error)
		sends     int
		failed    bool
	}{
		{"found at the second look", func(n int) (core.Taken, error) {
			if n == 1 {
				return core.Taken{}, &core.Error{Kind: core.Uncertain, After: time.Minute}
			}
			return core.Taken{Remote: "r", State: core.Accepted}, nil
		}, 1, false},
		{"surely not sent", func(int) (core.Taken, error) { return core.Taken{}, core.E(core.NotFound, "fake", "") }, 2, false},
		{"nobody will ever know", func(int) (core.Taken, error) { return core.Taken{}, uncertain }, 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				net := &costlyNet{fakeNet: &fakeNet{}, reconcile: c.reconcile}
				net.send = func(_ *core.Message, n int) (core.Taken, error) {
					if n == 1 {
						return core.Taken{}, uncertain
					}
					return core.Taken{Remote: "r2", State: core.Accepted}, nil
				}
				h := net.hall(t)
				defer h.stop()
				if err := h.Submit(t.Context(), alice, message("hello")); err != nil {
					t.Fatal(err)
				}
				time.Sleep(5 * time.Minute)
				synctest.Wait()
				if n := len(net.sends()); n != c.sends {
					t.Errorf("sent %d times, want %d", n, c.sends)
				}
				waiting, dead, began := h.queue.counts()
				if waiting != 0 || (dead == 1) != c.failed || began != c.sends {
					t.Errorf("waiting %d, dead %d, begun %d", waiting, dead, began)
				}
			})
		})
	}
}

func TestInboundIsHandedAgainUntilConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, &fakeNet{}, core.Driver{})
		defer h.stop()
		h.edge.refuse(core.E(core.Unavailable, "link", ""))
		in := func() error {
			return h.net.host.Deliver(t.Context(), &core.Message{
				Ref: core.Ref{Account: alice.ID, Peer: "peer"}, IDs: core.IDs{Remote: "net-1"}, Text: "hi",
			})
		}
		for range 2 {
			if err := in(); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(10 * time.Minute)
		h.edge.refuse(nil)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		got := of[*core.Message](h.edge)
		if len(got) != 1 || got[0].ID != core.IDFor(alice.ID, "net-1") {
			t.Errorf("shown: %+v", got)
		}
	})
}

func TestSessionsAreSupervisedApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &fakeNet{}
		net.run = func(ctx context.Context, a core.Account, n int) error {
			switch {
			case a.ID == alice.ID && n == 1:
				panic("planted")
			case a.ID == alice.ID:
				return errAway
			}
			<-ctx.Done()
			return nil
		}
		h := newHall(t, net, core.Driver{})
		defer h.stop()
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := net.ran(bob.ID); n != 1 {
			t.Errorf("bob's session ran %d times: it should never have noticed", n)
		}
		if n := net.ran(alice.ID); n < 10 || n > 60 {
			t.Errorf("alice's session ran %d times in an hour", n)
		}
		if st := h.Status(alice.ID); st.Link != core.Waiting || st.Text != "The network is away." {
			t.Errorf("alice's status: %+v", st)
		}
	})
}

func TestDeniedSessionIsNotRunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		denied := core.E(core.Denied, "fake", "Wrong password.")
		net := &fakeNet{run: func(context.Context, core.Account, int) error { return denied }}
		h := newHall(t, net, core.Driver{})
		defer h.stop()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if n := net.ran(alice.ID); n != 1 {
			t.Errorf("ran %d times", n)
		}
		if st := h.Status(alice.ID); st.Link != core.Refused || st.Text != "Wrong password." {
			t.Errorf("status %+v", st)
		}
		// The user is told once, however often it is tried.
		for range 3 {
			time.Sleep(time.Hour)
			_ = h.With(t.Context(), alice, func(core.Session) error { return nil })
		}
		if got := h.edge.heard(alice.User); len(got) != 1 || got[0] != `alice: Wrong password. Send "register" to change what it logs in with.` {
			t.Errorf("alice hears %q", got)
		}
		net.run = nil
		if _, err := h.Link(t.Context(), alice); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := net.ran(alice.ID); n != 5 {
			t.Errorf("after new credentials it ran %d times", n)
		}
	})
}

func TestLiveSessionOpensAtUseAndEndsWhenDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &fakeNet{run: func(ctx context.Context, _ core.Account, _ int) error {
			select {
			case <-ctx.Done():
			case <-time.After(time.Minute):
			}
			return nil
		}}
		h := newHall(t, net, core.Driver{Lane: core.Live, Implicit: true})
		defer h.stop()
		synctest.Wait()
		if n := net.ran(alice.ID); n != 0 {
			t.Fatalf("ran %d times before anybody wanted it", n)
		}
		carol, err := h.Account(t.Context(), "carol@example.test", "fake", "net1")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Account(t.Context(), "mallory@example.test", "fake", "net1"); kind(err) != core.Denied {
			t.Errorf("mallory: %v", err)
		}
		m := message("hi")
		m.Account = carol.ID
		if err := h.Submit(t.Context(), carol, m); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if st := h.Status(carol.ID); st.Link != core.Closed {
			t.Errorf("still %v", st.Link)
		}
		ran := net.ran(carol.ID)
		if err := h.Submit(t.Context(), carol, m); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := net.ran(carol.ID); n != ran+1 {
			t.Errorf("ran %d times, then %d: not opened again", ran, n)
		}
	})
}

// What was read in another app is shown at once, under our name of the message, and is no receipt of a message of the
// user's own: nothing of it is kept.
func TestReadElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, &fakeNet{}, core.Driver{})
		defer h.stop()
		read := &core.Receipt{Ref: core.Ref{Account: alice.ID, Peer: "bob"}, IDs: core.IDs{Remote: "r1"}, State: core.Read, Mine: true}
		for range 2 { // the same again is as true as before
			if err := h.net.host.Deliver(t.Context(), read); err != nil {
				t.Fatal(err)
			}
		}
		got := of[*core.Receipt](h.edge)
		if len(got) != 2 || !got[0].Mine || got[0].ID != core.IDFor(alice.ID, "r1") {
			t.Errorf("shown: %+v", got)
		}
		if waiting, dead, _ := h.queue.counts(); waiting != 0 || dead != 0 {
			t.Errorf("%d items queued, %d dead", waiting, dead)
		}
	})
}

func TestRoomEventsDoNotTouchTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, &fakeNet{}, core.Driver{Lane: core.Live})
		defer h.stop()
		e := &core.RoomJoined{Ref: core.Ref{Account: alice.ID, Peer: "#room"}}
		if err := h.net.host.Deliver(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if got := of[*core.RoomJoined](h.edge); len(got) != 1 || got[0] != e {
			t.Errorf("shown: %v", got)
		}
		if w, _, _ := h.queue.counts(); w != 0 {
			t.Errorf("%d items queued", w)
		}
	})
}

func TestWhatANetworkCannotDoIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, &fakeNet{}, core.Driver{})
		defer h.stop()
		edit := message("edited")
		edit.Replaces = core.IDs{ID: "x"}
		for _, e := range []core.Event{
			edit, &core.Typing{On: true}, &core.Reaction{}, &core.Retraction{}, &core.Receipt{State: core.Read},
			&core.RoomJoined{},
		} {
			err := h.Submit(t.Context(), alice, e)
			if kind(err) != core.Unsupported || core.AsError(err).Text == "" {
				t.Errorf("%T: %v", e, err)
			}
		}
	})
}

func TestTransportErrorEndsRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &fakeNet{}
		d := net.driver(core.Driver{})
		d.New = func(core.Host, core.Decoder) (core.Transport, error) { return failing{net}, nil }
		h := newHallOf(t, net, d)
		time.Sleep(time.Second)
		if err := h.stop(); err == nil || !strings.Contains(err.Error(), "transport fake: port taken") {
			t.Errorf("Run = %v", err)
		}
	})
}

type failing struct{ *fakeNet }

func (failing) Run(context.Context) error { return errors.New("port taken") }
