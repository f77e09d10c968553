package core_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
)

// memRequests is a core.Requests in memory.
type memRequests struct {
	mu      sync.Mutex
	seq     int64
	waits   []memWaits
	known   map[core.Ref]bool
	between func() // called, if set, when something begins to wait
}

type memWaits struct {
	seq  int64
	ref  core.Ref
	name string
	e    core.Event
	at   time.Time
}

func (m *memRequests) Welcome(_ context.Context, a core.AccountID, peer core.Address) (waiting bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	ref := core.Ref{Account: a, Peer: peer}
	m.known[ref] = true
	for _, w := range m.waits {
		waiting = waiting || w.ref == ref
	}
	return waiting, nil
}

func (m *memRequests) Welcomed(_ context.Context, a core.AccountID, peer core.Address) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.known[core.Ref{Account: a, Peer: peer}], nil
}

func (m *memRequests) Wait(_ context.Context, a core.AccountID, name string, e core.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.between != nil {
		m.between()
	}
	ref := core.Ref{Account: a, Peer: e.Where().Peer}
	for _, w := range m.waits {
		if w.ref == ref && w.name == name {
			return core.ErrDuplicate
		}
	}
	m.seq++
	m.waits = append(m.waits, memWaits{m.seq, ref, name, e, time.Now()})
	return nil
}

func (m *memRequests) Waiting(_ context.Context, a core.AccountID) ([]core.Request, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []core.Request
	index := map[core.Ref]int{}
	for _, w := range m.waits {
		if a != "" && w.ref.Account != a {
			continue
		}
		i, ok := index[w.ref]
		if !ok {
			i = len(all)
			index[w.ref] = i
			all = append(all, core.Request{Ref: w.ref, Since: w.at})
		}
		all[i].Messages++
	}
	return all, nil
}

func (m *memRequests) Waited(_ context.Context, a core.AccountID, peer core.Address) (all []core.Event, last int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.waits {
		if w.ref == (core.Ref{Account: a, Peer: peer}) {
			all, last = append(all, w.e), w.seq
		}
	}
	return all, last, nil
}

func (m *memRequests) DropWaited(_ context.Context, a core.AccountID, peer core.Address, last int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var kept []memWaits
	for _, w := range m.waits {
		if w.ref != (core.Ref{Account: a, Peer: peer}) || w.seq > last {
			kept = append(kept, w)
		}
	}
	m.waits = kept
	return nil
}

// strangers is a hall whose users are asked about strangers.
func strangers(t *testing.T, mode string, test func(h *hall, r *memRequests)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &memRequests{known: map[core.Ref]bool{}}
		h := newHallWith(t, &fakeNet{}, core.Driver{Lane: core.Stored}, func(c *core.Config) { c.Requests = r })
		defer h.stop()
		h.access.Store(&core.Access{Allow: func(core.UserID) bool { return true }, Admins: []core.UserID{bob.User}, Strangers: mode})
		test(h, r)
	})
}

func from(peer core.Address, text string) *core.Message {
	return &core.Message{
		Ref: core.Ref{Account: alice.ID, Peer: peer}, IDs: core.IDs{Remote: core.RemoteID(text)}, Subject: "Money",
		Text: "⚠ unverified sender\n*Money*\n" + text + "\nsecond line", Trust: core.Unverified,
	}
}

// lines are the first plain lines of what was shown to alice.
func (h *hall) lines() (all []string) {
	synctest.Wait()
	h.edge.mu.Lock()
	defer h.edge.mu.Unlock()
	for _, e := range h.edge.shown {
		if m, ok := e.(*core.Message); ok {
			all = append(all, strings.Split(m.Text, "\n")[2])
		}
	}
	return all
}

func (h *hall) deliver(t *testing.T, all ...core.Event) {
	t.Helper()
	for _, e := range all {
		if err := h.net.host.Deliver(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
}

func TestStrangersAreAccepted(t *testing.T) {
	for _, mode := range []string{"", core.AcceptStrangers} {
		strangers(t, mode, func(h *hall, _ *memRequests) {
			h.deliver(t, from("eve", "one"))
			if got := h.lines(); len(got) != 1 {
				t.Errorf("%q: %q", mode, got)
			}
		})
	}
}

func TestStrangersWait(t *testing.T) {
	strangers(t, core.AskAboutThem, func(h *hall, _ *memRequests) {
		h.edge.heard(alice.User)
		h.deliver(t, &core.Profile{Ref: core.Ref{Account: alice.ID, Peer: "eve"}, Name: "Eve E."},
			from("eve", "one"), from("eve", "two"), from("eve", "one"))
		if got := h.lines(); len(got) != 0 {
			t.Fatalf("shown %q", got)
		}
		told := h.edge.heard(alice.User)
		if len(told) != 1 {
			t.Fatalf("told %q", told)
		}
		for _, part := range []string{"Eve E. <eve> wants to write to you", "not verified", "Subject: Money\n> one\n", `"accept eve"`, `"block eve"`, `"report eve"`, "30 days"} {
			if !strings.Contains(told[0], part) {
				t.Errorf("%q is not in %q", part, told[0])
			}
		}
		if err := h.Accept(t.Context(), alice, "eve"); err != nil {
			t.Fatal(err)
		}
		h.deliver(t, from("eve", "three"))
		if got := strings.Join(h.lines(), " "); got != "one two three" {
			t.Errorf("shown %q", got)
		}
		if err := h.net.host.Receives(t.Context(), alice.ID, "eve"); err != nil {
			t.Error(err)
		}
	})
}

// Writing to somebody lets them in, and so does what makes a contact of them.
func TestStrangersAreMet(t *testing.T) {
	strangers(t, core.AskAboutThem, func(h *hall, r *memRequests) {
		h.deliver(t, from("peer", "one"), from("carol", "two"))
		if err := h.Submit(t.Context(), alice, message("hello")); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(h.lines(), " "); got != "one" {
			t.Errorf("who was written to: shown %q", got)
		}
		r.mu.Lock()
		r.known[core.Ref{Account: alice.ID, Peer: "carol"}] = true
		r.mu.Unlock()
		h.Reconsider(alice.User, "fake")
		if got := strings.Join(h.lines(), " "); got != "one two" {
			t.Errorf("who became a contact: shown %q", got)
		}
	})
}

// A message that comes while its sender is let in does not stay behind.
func TestStrangerIsLetInMeanwhile(t *testing.T) {
	strangers(t, core.AskAboutThem, func(h *hall, r *memRequests) {
		r.between = func() { r.known[core.Ref{Account: alice.ID, Peer: "eve"}] = true }
		h.deliver(t, from("eve", "one"))
		if got := strings.Join(h.lines(), " "); got != "one" {
			t.Errorf("shown %q", got)
		}
	})
}

func TestStrangersAreBlocked(t *testing.T) {
	strangers(t, core.AskAboutThem, func(h *hall, r *memRequests) {
		h.deliver(t, from("eve", "one"))
		h.choices.choose(core.Preferences{}, "eve")
		if err := h.Turned(t.Context(), alice, "eve"); err != nil {
			t.Fatal(err)
		}
		if got, _ := h.Requests(t.Context(), alice); len(got) != 0 {
			t.Errorf("%+v waits still", got)
		}
		if err := h.net.host.Receives(t.Context(), alice.ID, "eve"); kind(err) != core.Denied {
			t.Error(err)
		}
		if err := h.net.host.Deliver(t.Context(), from("eve", "two")); kind(err) != core.Denied {
			t.Error(err)
		}
	})
}

// The admins read who it is, what they wrote, and whether it was them.
func TestStrangersAreReported(t *testing.T) {
	strangers(t, core.AskAboutThem, func(h *hall, _ *memRequests) {
		h.deliver(t, from("eve", "one"))
		h.edge.heard(bob.User)
		if err := h.Denounce(t.Context(), alice, "eve", "It is\na fraud"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		told := strings.Join(h.edge.heard(bob.User), "|")
		for _, part := range []string{"alice@example.test reports eve.", "They say: It is a fraud", "not verified", "Subject: Money\n> one"} {
			if !strings.Contains(told, part) {
				t.Errorf("%q is not in %q", part, told)
			}
		}
	})
}

func TestStrangersAreRejected(t *testing.T) {
	strangers(t, core.RejectStrangers, func(h *hall, r *memRequests) {
		if err := h.net.host.Deliver(t.Context(), from("eve", "one")); kind(err) != core.Denied {
			t.Error(err)
		}
		if err := h.net.host.Receives(t.Context(), alice.ID, "eve"); kind(err) != core.Denied {
			t.Error(err)
		}
		h.deliver(t, &core.Profile{Ref: core.Ref{Account: alice.ID, Peer: "eve"}, Name: "Eve"})
		if _, err := r.Welcome(t.Context(), alice.ID, "eve"); err != nil {
			t.Fatal(err)
		}
		h.deliver(t, from("eve", "two"))
		if got := strings.Join(h.lines(), " "); got != "two" {
			t.Errorf("shown %q", got)
		}
	})
}

// What a user chose goes before what the configuration says.
func TestUserChoosesAboutStrangers(t *testing.T) {
	strangers(t, core.RejectStrangers, func(h *hall, _ *memRequests) {
		h.choices.choose(core.Preferences{Own: map[string]string{core.StrangersChoice: core.AcceptStrangers}}, "")
		h.deliver(t, from("eve", "one"))
		if got := h.lines(); len(got) != 1 {
			t.Errorf("shown %q", got)
		}
		s, ok := h.Network("fake").Setting(core.StrangersChoice, core.Target{})
		if !ok || s.Value != core.RejectStrangers {
			t.Errorf("%+v, %v", s, ok)
		}
	})
}

// The user's own messages, seen in another app, and what is about them, are nobody's requests.
func TestNoStrangers(t *testing.T) {
	strangers(t, core.RejectStrangers, func(h *hall, _ *memRequests) {
		mine := from("eve", "mine")
		mine.Mine = true
		h.deliver(t, mine)
		m := message("hello")
		if err := h.Submit(t.Context(), alice, m); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		h.deliver(t, &core.Receipt{Ref: core.Ref{Account: alice.ID, Peer: "peer"}, IDs: core.IDs{ID: m.ID}, State: core.Delivered})
		h.deliver(t, from("peer", "answer"))
		if got := strings.Join(h.lines(), " "); got != "mine answer" {
			t.Errorf("shown %q", got)
		}
	})
}

// After 30 days what nobody wanted is forgotten, with one notice for all of it.
func TestRequestsLapse(t *testing.T) {
	strangers(t, core.AskAboutThem, func(h *hall, _ *memRequests) {
		h.deliver(t, from("eve", "one"), from("mallory", "two"))
		synctest.Wait()
		h.edge.heard(alice.User)
		time.Sleep(core.RequestLife - time.Hour)
		if got := h.edge.heard(alice.User); len(got) != 0 {
			t.Errorf("too early: %q", got)
		}
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		got := h.edge.heard(alice.User)
		if len(got) != 1 || !strings.Contains(got[0], "forgotten: eve, mallory.") {
			t.Errorf("told %q", got)
		}
		if all, _ := h.Requests(t.Context(), alice); len(all) != 0 {
			t.Errorf("%+v waits still", all)
		}
	})
}
