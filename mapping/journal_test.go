package mapping

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"

	"gangway/core"
	"gangway/core/store"
)

// put notes an event as the queue does, and checks how that ends.
func put(t testing.TB, m *Map, d core.Direction, e core.Event, want error) {
	t.Helper()
	if err := tryPut(t, m, d, e); !errors.Is(err, want) {
		t.Errorf("put %T: got %v, want %v", e, err, want)
	}
}

func tryPut(t testing.TB, m *Map, d core.Direction, e core.Event) error {
	return m.db.Write(t.Context(), func(tx *store.Tx) error {
		return m.Put(t.Context(), tx, &core.Item{Direction: d, Event: e})
	})
}

func settle(t testing.TB, m *Map, e core.Event, v core.Verdict) {
	t.Helper()
	err := m.db.Write(t.Context(), func(tx *store.Tx) error {
		return m.Settle(t.Context(), tx, &core.Item{Direction: core.ToNetwork, Event: e}, v)
	})
	if err != nil {
		t.Errorf("settle: %v", err)
	}
}

func entry(t testing.TB, m *Map, id core.MessageID) core.Entry {
	t.Helper()
	e, err := m.Message(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func receipt(id core.MessageID, s core.State) *core.Receipt {
	return &core.Receipt{Ref: ref, IDs: core.IDs{ID: id}, State: s}
}

var ref = core.Ref{Account: "acc", Peer: "+15550100009"}

func submitted(id core.MessageID) *core.Message {
	return &core.Message{Ref: ref, IDs: core.IDs{ID: id}, Mine: true, Thread: "t1", Text: "hello",
		Origin: core.Origin{ID: "origin-" + string(id), From: "alice@example.org/phone"}}
}

func TestJournalToNetwork(t *testing.T) {
	m, _ := newMap(t)
	msg := submitted("m1")
	put(t, m, core.ToNetwork, msg, nil)
	want := core.Entry{Ref: ref, IDs: core.IDs{ID: "m1"}, Origin: msg.Origin, Thread: "t1", Mine: true, State: core.Queued}
	if got := entry(t, m, "m1"); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	put(t, m, core.ToNetwork, msg, core.ErrDuplicate)

	settle(t, m, msg, core.Verdict{Outcome: core.Retry, Err: core.E(core.Unavailable, "", "")})
	if got := entry(t, m, "m1"); !reflect.DeepEqual(got, want) {
		t.Errorf("after retry: %+v", got)
	}
	settle(t, m, msg, core.Verdict{Outcome: core.Done, Taken: core.Taken{Remote: "SM1", State: core.Accepted}})
	want.Remote, want.State = "SM1", core.Accepted
	if got := entry(t, m, "m1"); !reflect.DeepEqual(got, want) {
		t.Errorf("after done: %+v", got)
	}
	if got, err := m.ByRemote(t.Context(), "acc", "SM1"); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("by remote: %+v, %v", got, err)
	}
	if got, err := m.ByOrigin(t.Context(), "acc", "origin-m1"); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("by origin: %+v, %v", got, err)
	}
	for _, r := range []core.Receipt{{Ref: ref, IDs: core.IDs{Remote: "SM1"}, State: core.Sent}, {Ref: ref, IDs: core.IDs{ID: "m1"}, State: core.Delivered}} {
		put(t, m, core.ToXMPP, &r, nil)
		put(t, m, core.ToXMPP, &r, core.ErrDuplicate)
		if got := entry(t, m, "m1"); got.State != r.State {
			t.Errorf("state %v, want %v", got.State, r.State)
		}
	}
	put(t, m, core.ToXMPP, receipt("m1", core.Sent), core.ErrDuplicate)   // late
	put(t, m, core.ToXMPP, receipt("m1", core.Failed), core.ErrDuplicate) // after the sender was told: delivered
	put(t, m, core.ToXMPP, receipt("m1", core.Read), nil)
	settle(t, m, msg, core.Verdict{Outcome: core.Dead})
	if got := entry(t, m, "m1"); got.State != core.Read {
		t.Errorf("state %v went back", got.State)
	}
}

// A receipt can overtake the answer to the request: the callback comes before the response.
func TestJournalReceiptBeforeSettle(t *testing.T) {
	m, _ := newMap(t)
	msg := submitted("m1")
	put(t, m, core.ToNetwork, msg, nil)
	r := receipt("m1", core.Delivered)
	r.Remote = "SM1"
	put(t, m, core.ToXMPP, r, nil)
	settle(t, m, msg, core.Verdict{Outcome: core.Done, Taken: core.Taken{Remote: "SM1", State: core.Accepted}})
	if got := entry(t, m, "m1"); got.State != core.Delivered || got.Remote != "SM1" {
		t.Errorf("%+v", got)
	}
}

// What a verdict settles, and the receipt in its Then that tells the sender, are noted in one transaction in either
// order: the receipt is new both ways, and only once.
func TestJournalVerdictWithReceipt(t *testing.T) {
	for name, c := range map[string]struct {
		verdict core.Verdict
		state   core.State
	}{
		"dead":      {core.Verdict{Outcome: core.Dead, Err: core.E(core.NotFound, "", "")}, core.Failed},
		"delivered": {core.Verdict{Outcome: core.Done, Taken: core.Taken{Remote: "R", State: core.Delivered}}, core.Delivered},
	} {
		for _, settleFirst := range []bool{true, false} {
			m, _ := newMap(t)
			msg := submitted("m1")
			put(t, m, core.ToNetwork, msg, nil)
			it := &core.Item{Direction: core.ToNetwork, Event: msg}
			then := &core.Item{Direction: core.ToXMPP, Event: receipt("m1", c.state)}
			err := m.db.Write(t.Context(), func(tx *store.Tx) error {
				if !settleFirst {
					return errors.Join(m.Put(t.Context(), tx, then), m.Settle(t.Context(), tx, it, c.verdict))
				}
				return errors.Join(m.Settle(t.Context(), tx, it, c.verdict), m.Put(t.Context(), tx, then))
			})
			if err != nil {
				t.Errorf("%s, settled first %v: %v", name, settleFirst, err)
			}
			if got := entry(t, m, "m1"); got.State != c.state {
				t.Errorf("%s, settled first %v: %v", name, settleFirst, got.State)
			}
			put(t, m, core.ToXMPP, receipt("m1", c.state), core.ErrDuplicate)
		}
	}
}

func TestJournalSendAgainAfterFailure(t *testing.T) {
	m, _ := newMap(t)
	msg := submitted("m1")
	put(t, m, core.ToNetwork, msg, nil)
	settle(t, m, msg, core.Verdict{Outcome: core.Dead})
	put(t, m, core.ToXMPP, receipt("m1", core.Failed), nil)
	msg.Origin.ID = "second"
	put(t, m, core.ToNetwork, msg, nil)
	if got := entry(t, m, "m1"); got.State != core.Queued || got.Origin.ID != "second" {
		t.Errorf("%+v", got)
	}
	put(t, m, core.ToNetwork, msg, core.ErrDuplicate)
	settle(t, m, msg, core.Verdict{Outcome: core.Dead})
	put(t, m, core.ToXMPP, receipt("m1", core.Failed), nil) // told of the second failure too

	thief := submitted("m1")
	thief.Account = "other"
	put(t, m, core.ToNetwork, thief, core.ErrDuplicate)
}

func TestJournalToXMPP(t *testing.T) {
	m, _ := newMap(t)
	in := &core.Message{Ref: ref, IDs: core.IDs{ID: core.IDFor("acc", "SM7"), Remote: "SM7"}, Thread: "t"}
	put(t, m, core.ToXMPP, in, nil)
	put(t, m, core.ToXMPP, in, core.ErrDuplicate)
	again := *in
	again.ID = core.NewID()
	put(t, m, core.ToXMPP, &again, core.ErrDuplicate) // the same by the network's name
	got, err := m.ByRemote(t.Context(), "acc", "SM7")
	if err != nil || got.ID != in.ID || got.Mine || got.Peer != ref.Peer || got.Thread != "t" {
		t.Errorf("%+v, %v", got, err)
	}
	other := *in
	other.Account, other.ID = "other", ""
	put(t, m, core.ToXMPP, &other, nil) // another user's, by the same name there
	if _, err := m.Message(t.Context(), core.IDFor("other", "SM7")); err != nil {
		t.Error(err)
	}
	nameless := &core.Message{Ref: ref, IDs: core.IDs{ID: core.NewID()}}
	put(t, m, core.ToXMPP, nameless, nil)
	put(t, m, core.ToXMPP, nameless, nil)
	if n := count(t, m, "messages", "1 = 1"); n != 2 {
		t.Errorf("%d rows, want 2", n)
	}
}

// A mail to oneself is sent and received under one name: neither is the duplicate of the other.
func TestJournalMailToOneself(t *testing.T) {
	m, _ := newMap(t)
	out := submitted("m1")
	put(t, m, core.ToNetwork, out, nil)
	settle(t, m, out, core.Verdict{Outcome: core.Done, Taken: core.Taken{Remote: "<1@gw>", State: core.Accepted}})
	in := &core.Message{Ref: ref, IDs: core.IDs{ID: core.IDFor("acc", "<1@gw>"), Remote: "<1@gw>"}}
	put(t, m, core.ToXMPP, in, nil)
	put(t, m, core.ToXMPP, in, core.ErrDuplicate)
	if got, err := m.ByRemote(t.Context(), "acc", "<1@gw>"); err != nil || got.ID != "m1" {
		t.Errorf("%+v, %v", got, err)
	}
	put(t, m, core.ToXMPP, &core.Receipt{Ref: ref, IDs: core.IDs{Remote: "<1@gw>"}, State: core.Delivered}, nil)
	if got := entry(t, m, "m1"); got.State != core.Delivered {
		t.Errorf("%+v", got)
	}
}

func TestJournalPasses(t *testing.T) {
	m, _ := newMap(t)
	for _, r := range []*core.Receipt{receipt("unknown", core.Failed), {Ref: ref, IDs: core.IDs{Remote: "unknown"}, State: core.Failed}} {
		put(t, m, core.ToXMPP, r, nil) // better told than not
	}
	for _, e := range []core.Event{&core.Reaction{Ref: ref}, &core.Retraction{Ref: ref}, &core.Presence{Ref: ref}, &core.Profile{Ref: ref}} {
		put(t, m, core.ToNetwork, e, nil)
		put(t, m, core.ToXMPP, e, nil)
		settle(t, m, e, core.Verdict{Outcome: core.Dead})
	}
	put(t, m, core.ToNetwork, receipt("unknown", core.Read), nil)
	wantKind(t, "no id", tryPut(t, m, core.ToNetwork, submitted("")), core.Invalid)
	if n := count(t, m, "messages", "1 = 1"); n != 0 {
		t.Errorf("%d rows", n)
	}
}

// Against a model: states only go forward, and a receipt is told once, if it says something that may follow.
func TestJournalStatesAgainstModel(t *testing.T) {
	m, _ := newMap(t)
	r := rand.New(rand.NewPCG(7, 7))
	for range 60 {
		msg := submitted(core.NewID())
		put(t, m, core.ToNetwork, msg, nil)
		state, told := core.Queued, core.Queued
		for range 8 {
			s := core.State(1 + r.IntN(int(core.Failed)))
			if r.IntN(2) == 0 {
				v := core.Verdict{Outcome: core.Done, Taken: core.Taken{State: s}}
				if s == core.Failed {
					v = core.Verdict{Outcome: core.Dead}
				}
				settle(t, m, msg, v)
				if s.Follows(state) {
					state = s
				}
			} else {
				var want error
				if !s.Follows(told) || s != state && !s.Follows(state) {
					want = core.ErrDuplicate
				} else {
					state, told = s, s
				}
				put(t, m, core.ToXMPP, receipt(msg.ID, s), want)
			}
			if got := entry(t, m, msg.ID); got.State != state {
				t.Fatalf("state %v, want %v", got.State, state)
			}
		}
	}
}

func TestLedgerNotFound(t *testing.T) {
	m, _ := newMap(t)
	put(t, m, core.ToNetwork, &core.Message{Ref: ref, IDs: core.IDs{ID: "m1"}}, nil)
	_, err := m.Message(t.Context(), "m2")
	wantKind(t, "message", err, core.NotFound)
	_, err = m.ByRemote(t.Context(), "acc", "")
	wantKind(t, "by no remote", err, core.NotFound)
	_, err = m.ByOrigin(t.Context(), "acc", "")
	wantKind(t, "by no origin", err, core.NotFound)
	put(t, m, core.ToNetwork, submitted("m3"), nil)
	_, err = m.ByOrigin(t.Context(), "other", "origin-m3")
	wantKind(t, "another account's", err, core.NotFound)
}
