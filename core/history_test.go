package core_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
)

// memArchive is a core.Archive that knows what it was given, by its ids.
type memArchive struct {
	known  map[core.MessageID]core.Archived
	calls  []string
	refuse error
}

func (m *memArchive) Since(_ context.Context, room core.Ref) (core.Mark, error) {
	m.calls = append(m.calls, "since "+string(room.Peer))
	return core.Mark{Remote: "r1", At: time.Unix(1e9, 0)}, m.refuse
}

func (m *memArchive) Begin(_ context.Context, room core.Ref) error {
	m.calls = append(m.calls, "begin "+string(room.Peer))
	return m.refuse
}

func (m *memArchive) Fill(_ context.Context, room core.Ref, page []core.Archived) (fresh []core.Archived, err error) {
	m.calls = append(m.calls, "fill "+string(room.Peer))
	if m.refuse != nil {
		return nil, m.refuse
	}
	for _, e := range page {
		if _, ok := m.known[e.ID]; !ok {
			m.known[e.ID], fresh = e, append(fresh, e)
		}
	}
	return fresh, nil
}

func (m *memArchive) Filled(_ context.Context, room core.Ref) error {
	m.calls = append(m.calls, "filled "+string(room.Peer))
	return m.refuse
}

func (m *memArchive) Forget(_ context.Context, account core.AccountID) error {
	m.calls = append(m.calls, "forget "+string(account))
	return m.refuse
}

// What a session fills a gap with is named as it would have been at the time, kept, and shown as of the past, but only
// what is new.
func TestFill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &fakeNet{}
		h := newHall(t, net, core.Driver{Lane: core.Live})
		defer h.stop()
		ctx, ref := t.Context(), core.Ref{Account: alice.ID, Peer: "#c"}
		past := net.host.History()
		if m, err := past.Since(ctx, ref); err != nil || m.Remote != "r1" {
			t.Fatalf("since %+v, %v", m, err)
		}
		at := time.Now().Add(-time.Hour)
		said := &core.Message{Ref: ref, IDs: core.IDs{Remote: "r2"}, Author: "dave", Text: "missed", At: at, ReplyTo: core.IDs{Remote: "r1"}}
		page := []core.Event{
			said,
			&core.Reaction{Ref: ref, IDs: core.IDs{Remote: "r2"}, Author: "eve", Emoji: []string{"+"}, At: at.Add(time.Second)},
			&core.Retraction{Ref: ref, IDs: core.IDs{Remote: "r2"}, Author: "dave", At: at.Add(time.Minute)},
		}
		for range 2 {
			if err := past.Fill(ctx, ref, page); err != nil {
				t.Fatal(err)
			}
		}
		id := core.IDFor(alice.ID, "r2")
		e := h.archive.known[id]
		m, ok := e.Event.(*core.Message)
		if !ok || m.ID != id || m.ReplyTo.ID != core.IDFor(alice.ID, "r1") || !m.Room || !e.At.Equal(at) || len(h.archive.known) != 3 {
			t.Errorf("kept %+v of %d", e, len(h.archive.known))
		}
		if said.ID != "" || said.Past {
			t.Error("what the session handed over has been changed")
		}
		if all := of[*core.Message](h.edge); len(all) != 1 || !all[0].Past || all[0].ID != id {
			t.Errorf("shown %+v", all)
		}
		if re, rt := of[*core.Reaction](h.edge), of[*core.Retraction](h.edge); len(re) != 1 || len(rt) != 1 || re[0].ID != id || rt[0].ID != id || !re[0].Past || !rt[0].Past {
			t.Errorf("shown %+v, %+v", re, rt)
		}
		if err := past.Filled(ctx, ref); err != nil || h.archive.calls[len(h.archive.calls)-1] != "filled #c" {
			t.Errorf("%v, %v", h.archive.calls, err)
		}
	})
}

func TestFillRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &fakeNet{}
		h := newHall(t, net, core.Driver{Lane: core.Live})
		defer h.stop()
		ctx, ref := t.Context(), core.Ref{Account: alice.ID, Peer: "#c"}
		past := net.host.History()
		one := func(ref core.Ref) core.Event { return &core.Message{Ref: ref, Author: "dave", Text: "x"} }
		for what, c := range map[string]struct {
			room core.Ref
			e    core.Event
			want core.Kind
		}{
			"nothing":            {ref, nil, core.Invalid},
			"another room":       {ref, one(core.Ref{Account: alice.ID, Peer: "#d"}), core.Invalid},
			"nothing that lasts": {ref, &core.Typing{Ref: ref}, core.Invalid},
			"nobody's":           {core.Ref{Account: "gone", Peer: "#c"}, one(ref), core.NotFound},
		} {
			if err := past.Fill(ctx, c.room, []core.Event{c.e}); kind(err) != c.want {
				t.Errorf("%s: %v", what, err)
			}
		}
		h.archive.refuse = errors.New("full")
		for what, err := range map[string]error{
			"fill": past.Fill(ctx, ref, []core.Event{one(ref)}), "filled": past.Filled(ctx, ref),
			"begin": past.Begin(ctx, ref), "recall": past.Recall(ctx, ref, []core.Event{one(ref)}),
		} {
			if !errors.Is(err, h.archive.refuse) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if all := of[*core.Message](h.edge); len(all) != 0 {
			t.Errorf("shown, and not kept: %+v", all)
		}
	})
}

// What was said before the account ever came is kept under the names that it would have had, and shown to nobody.
func TestRecall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &fakeNet{}
		h := newHall(t, net, core.Driver{Lane: core.Live})
		defer h.stop()
		ref := core.Ref{Account: alice.ID, Peer: "#c"}
		past := net.host.History()
		said := &core.Message{Ref: ref, IDs: core.IDs{Remote: "r7"}, Author: "dave", Text: "x", At: time.Unix(1e9, 0)}
		if err := errors.Join(past.Begin(t.Context(), ref), past.Recall(t.Context(), ref, []core.Event{said})); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(h.archive.calls, []string{"begin #c", "fill #c"}) {
			t.Errorf("%v", h.archive.calls)
		}
		kept, ok := h.archive.known[core.IDFor(alice.ID, "r7")]
		if m, is := kept.Event.(*core.Message); !ok || !is || !m.Past || !m.Room {
			t.Errorf("kept %+v", h.archive.known)
		}
		if all := of[*core.Message](h.edge); len(all) != 0 {
			t.Errorf("shown: %+v", all)
		}
	})
}

// What was kept for an account goes with it, at once.
func TestUnenrollForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, &fakeNet{}, core.Driver{Lane: core.Live})
		defer h.stop()
		if err := h.Unenroll(t.Context(), alice.User, "fake"); err != nil || !slices.Equal(h.archive.calls, []string{"forget alice1"}) {
			t.Errorf("%v, %v", h.archive.calls, err)
		}
	})
}

// A gateway that keeps no history says so.
func TestNoHistory(t *testing.T) {
	g := core.NewGateway(core.Config{})
	net := &fakeNet{}
	if err := g.Add(net.driver(core.Driver{}), func(any) error { return nil }); err != nil {
		t.Fatal(err)
	}
	past, ref := net.host.History(), core.Ref{Account: alice.ID, Peer: "#c"}
	_, err := past.Since(t.Context(), ref)
	for _, err := range []error{
		err, past.Fill(t.Context(), ref, nil), past.Filled(t.Context(), ref), past.Begin(t.Context(), ref), past.Recall(t.Context(), ref, nil),
	} {
		if kind(err) != core.Unsupported {
			t.Error(err)
		}
	}
}
