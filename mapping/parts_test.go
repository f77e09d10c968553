package mapping

import (
	"reflect"
	"testing"

	"gangway/core"
	"gangway/core/store"
)

// held are lines on their way to become one message.
func held(ids ...core.MessageID) *core.Item {
	h := &core.Held{Ref: ref}
	for _, id := range ids {
		h.Lines = append(h.Lines, submitted(id))
	}
	return &core.Item{Direction: core.Window, Network: "email", Event: h}
}

// window notes what became of what was held.
func window(t *testing.T, m *Map, it *core.Item, v core.Verdict) {
	t.Helper()
	err := m.db.Write(t.Context(), func(tx *store.Tx) error { return m.Settle(t.Context(), tx, it, v) })
	if err != nil {
		t.Fatal(err)
	}
}

// What went within a message has its state and its name on the network, and names of its own here.
func TestJournalParts(t *testing.T) {
	m, _ := newMap(t)
	for _, id := range []core.MessageID{"m1", "m2", "m3"} {
		put(t, m, core.ToNetwork, submitted(id), nil)
	}
	it := held("m1", "m2", "m3")
	whole := it.Event.(*core.Held).Fold()
	window(t, m, it, core.Verdict{Outcome: core.Done, Then: []*core.Item{{Direction: core.ToNetwork, Event: whole}}})
	if e := entry(t, m, "m1"); !reflect.DeepEqual(e.Parts, []core.MessageID{"m2", "m3"}) || e.Whole != "" {
		t.Errorf("the whole: %+v", e)
	}
	settle(t, m, whole, core.Verdict{Outcome: core.Done, Taken: core.Taken{Remote: "<m1@gw>", State: core.Accepted}})
	want := core.Entry{Ref: ref, IDs: core.IDs{ID: "m2", Remote: "<m1@gw>"}, Origin: submitted("m2").Origin, Thread: "t1", Mine: true, State: core.Accepted, Whole: "m1"}
	if e := entry(t, m, "m2"); !reflect.DeepEqual(e, want) {
		t.Errorf("a part:\n%+v, want\n%+v", e, want)
	}
	if e, err := m.ByOrigin(t.Context(), "acc", "origin-m3"); err != nil || e.Whole != "m1" {
		t.Errorf("by origin: %+v, %v", e, err)
	}
	// An answer is to the whole, whose name it is.
	if e, err := m.ByRemote(t.Context(), "acc", "<m1@gw>"); err != nil || e.ID != "m1" {
		t.Errorf("by remote: %+v, %v", e, err)
	}
	// Each is told once.
	for _, id := range []core.MessageID{"m1", "m2", "m3"} {
		put(t, m, core.ToXMPP, receipt(id, core.Delivered), nil)
		put(t, m, core.ToXMPP, receipt(id, core.Delivered), core.ErrDuplicate)
	}
}

func TestJournalPartsFailAndAreSentAgain(t *testing.T) {
	m, _ := newMap(t)
	put(t, m, core.ToNetwork, submitted("m1"), nil)
	put(t, m, core.ToNetwork, submitted("m2"), nil)
	it := held("m1", "m2")
	whole := it.Event.(*core.Held).Fold()
	window(t, m, it, core.Verdict{Outcome: core.Done, Then: []*core.Item{{Direction: core.ToNetwork, Event: whole}}})
	settle(t, m, whole, core.Verdict{Outcome: core.Dead})
	for _, id := range []core.MessageID{"m1", "m2"} {
		if e := entry(t, m, id); e.State != core.Failed {
			t.Errorf("%s is %s", id, e.State)
		}
	}
	put(t, m, core.ToNetwork, whole, nil) // a dead letter that is tried again
	for _, id := range []core.MessageID{"m1", "m2"} {
		if e := entry(t, m, id); e.State != core.Queued || e.Origin.ID != "origin-"+string(id) {
			t.Errorf("%s: %+v", id, e)
		}
	}
	if e := entry(t, m, "m2"); e.Whole != "m1" {
		t.Errorf("a part of %q", e.Whole)
	}
}

func TestJournalHeldIsGivenUp(t *testing.T) {
	m, _ := newMap(t)
	put(t, m, core.ToNetwork, submitted("m1"), nil)
	put(t, m, core.ToNetwork, submitted("m2"), nil)
	window(t, m, held("m1", "m2"), core.Verdict{Outcome: core.Dead})
	for _, id := range []core.MessageID{"m1", "m2"} {
		if e := entry(t, m, id); e.State != core.Failed {
			t.Errorf("%s is %s", id, e.State)
		}
	}
}

// What was taken back stays so, whatever comes.
func TestJournalWithdrawn(t *testing.T) {
	m, _ := newMap(t)
	put(t, m, core.ToNetwork, submitted("m1"), nil)
	window(t, m, held("m1"), core.Verdict{Outcome: core.Done, Withdrawn: []core.MessageID{"m1"}})
	if e := entry(t, m, "m1"); e.State != core.Withdrawn {
		t.Errorf("it is %s", e.State)
	}
	put(t, m, core.ToNetwork, submitted("m1"), core.ErrDuplicate)
	put(t, m, core.ToXMPP, receipt("m1", core.Delivered), core.ErrDuplicate)
	settle(t, m, submitted("m1"), core.Verdict{Outcome: core.Dead})
	if e := entry(t, m, "m1"); e.State != core.Withdrawn {
		t.Errorf("it is %s", e.State)
	}
}
