package core_test

import (
	"context"
	"testing"
	"testing/synctest"

	"gangway/core"
)

// sullen is a session that takes reactions and retractions, and refuses them.
type sullen struct{ *fakeSession }

func (sullen) React(context.Context, *core.Reaction) error {
	return core.E(core.Denied, "fake: react", "Not that one.")
}

func (sullen) Retract(context.Context, *core.Retraction) error {
	return core.E(core.Denied, "fake: retract", "Too late.")
}

type sullenNet struct{ *fakeNet }

func (n sullenNet) Open(a core.Account) (core.Session, error) {
	return &sullen{&fakeSession{n.fakeNet, a}}, nil
}

// Whoever reacted, or took a message back, hears that it failed; the message that
// it was about has not failed.
func TestFailedReactionIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &fakeNet{}
		d := net.driver(core.Driver{Session: (*sullen)(nil)})
		d.New = func(host core.Host, _ core.Decoder) (core.Transport, error) {
			net.host = host
			return sullenNet{net}, nil
		}
		h := newHallOf(t, net, d)
		defer h.stop()
		ref, ids := core.Ref{Account: alice.ID, Peer: "bob"}, core.IDs{ID: core.NewID()}
		origins := []core.Origin{{ID: "c1", From: "alice/phone"}, {ID: "c2", From: "alice/phone"}}
		for _, e := range []core.Event{
			&core.Reaction{Ref: ref, IDs: ids, Origin: origins[0], Emoji: []string{"👍"}},
			&core.Retraction{Ref: ref, IDs: ids, Origin: origins[1]},
		} {
			if err := h.Submit(t.Context(), alice, e); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		got := of[*core.Receipt](h.edge)
		if len(got) != 2 {
			t.Fatalf("%d receipts", len(got))
		}
		for i, r := range got {
			if r.State != core.Failed || r.Origin != origins[i] || r.Ref != ref || r.Known() || r.Err.Text == "" {
				t.Errorf("receipt %+v", r)
			}
		}
	})
}

// What the network says about a message has our name of it: the ledger's, or the
// one that it was delivered under.
func TestAboutMessagesByOurNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, &fakeNet{}, core.Driver{})
		defer h.stop()
		m := message("hello")
		if err := h.Submit(t.Context(), alice, m); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		ref := core.Ref{Account: alice.ID, Peer: "bob"}
		for _, e := range []core.Event{
			&core.Reaction{Ref: ref, IDs: core.IDs{Remote: "r-" + core.RemoteID(m.ID)}},
			&core.Reaction{Ref: ref, IDs: core.IDs{Remote: "theirs"}},
			&core.Retraction{Ref: ref, IDs: core.IDs{Remote: "theirs"}},
		} {
			if err := h.net.host.Deliver(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		reactions, retractions := of[*core.Reaction](h.edge), of[*core.Retraction](h.edge)
		if len(reactions) != 2 || len(retractions) != 1 {
			t.Fatalf("%d and %d events", len(reactions), len(retractions))
		}
		their := core.IDFor(alice.ID, "theirs")
		if reactions[0].ID != m.ID || reactions[1].ID != their || retractions[0].ID != their {
			t.Errorf("about %q, %q, %q", reactions[0].ID, reactions[1].ID, retractions[0].ID)
		}
		if reactions[0].At.IsZero() || retractions[0].At.IsZero() {
			t.Error("without the time that tells them apart")
		}
	})
}
