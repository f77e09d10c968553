package transporttest

import (
	"context"
	"slices"
	"time"

	"gangway/core"
)

// slack is by how much a Mark's time is set back, as in the gateway's archive.
const slack = 30 * time.Second

// histories is a core.History in memory: what was delivered of rooms is what is kept. What Fill brings that was not
// there is among the Host's events, with Past set.
type histories struct{ h *Host }

// History is kept in memory. Keep and Open say what it is about.
func (h *Host) History() core.History { return histories{h} }

// Keep puts messages into the history as if they had been delivered in an earlier life of the program.
func (h *Host) Keep(all ...*core.Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept = append(h.kept, all...)
}

// Open says whether a room has a gap that nobody has filled.
func (h *Host) Open(room core.Ref) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, open := h.gaps[room]
	return open
}

// known are the messages of a room, the oldest first. The lock is held.
func (h *Host) known(room core.Ref) (all []*core.Message) {
	for _, m := range h.kept {
		if m.Ref == room {
			all = append(all, m)
		}
	}
	for _, e := range h.events {
		if m, ok := e.(*core.Message); ok && m.Ref == room && m.Author != "" {
			all = append(all, m)
		}
	}
	slices.SortStableFunc(all, func(a, b *core.Message) int { return a.At.Compare(b.At) })
	return all
}

func (p histories) Since(_ context.Context, room core.Ref) (core.Mark, error) {
	p.h.mu.Lock()
	defer p.h.mu.Unlock()
	if at, open := p.h.gaps[room]; open {
		return at, nil
	}
	all := p.h.known(room)
	if begun, ok := p.h.begun[room]; ok && len(all) == 0 {
		p.h.gaps[room] = begun
		return begun, nil
	}
	if len(all) == 0 {
		return core.Mark{}, core.E(core.NotFound, "transporttest: history", "")
	}
	at := core.Mark{At: all[len(all)-1].At.Add(-slack)}
	for _, m := range all {
		if m.Remote != "" {
			at.Remote = m.Remote
		}
	}
	p.h.gaps[room] = at
	return at, nil
}

func (p histories) Begin(_ context.Context, room core.Ref) error {
	p.h.mu.Lock()
	defer p.h.mu.Unlock()
	if p.h.refusal != nil {
		return p.h.refusal
	}
	if _, ok := p.h.begun[room]; !ok {
		at := core.Mark{At: time.Now().Add(-slack)}
		p.h.begun[room], p.h.gaps[room] = at, at
	}
	return nil
}

// Recall keeps what it is given out of the Host's events; Recalled returns it.
func (p histories) Recall(_ context.Context, room core.Ref, page []core.Event) error {
	p.h.mu.Lock()
	defer p.h.mu.Unlock()
	if p.h.refusal != nil {
		return p.h.refusal
	}
	old := p.h.known(room)
	for _, e := range page {
		if m, ok := e.(*core.Message); ok && !took(&old, m) {
			m.Room, m.Past = true, true
			p.h.kept = append(p.h.kept, m)
		}
	}
	return nil
}

// Recalled is what is kept of a room without having been delivered, the oldest first.
func (h *Host) Recalled(room core.Ref) (all []*core.Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.kept {
		if m.Ref == room {
			all = append(all, m)
		}
	}
	return all
}

func (p histories) Fill(_ context.Context, room core.Ref, page []core.Event) error {
	p.h.mu.Lock()
	defer p.h.mu.Unlock()
	if p.h.refusal != nil {
		return p.h.refusal
	}
	old := p.h.known(room)
	for _, e := range page {
		if e.Where() != room {
			return core.E(core.Invalid, "transporttest: fill", "An event is of another room.")
		}
		if m, ok := e.(*core.Message); ok {
			if m.Author == "" || m.At.IsZero() {
				p.h.t.Errorf("filled without an author or a time: %+v", m)
			}
			if took(&old, m) {
				continue
			}
			if m.Room, m.Past = true, true; m.Remote != "" {
				old = append(old, m)
			}
		}
		p.h.add(e)
	}
	if n := len(page); n > 0 {
		if m, ok := page[n-1].(*core.Message); ok {
			p.h.gaps[room] = core.Mark{Remote: m.Remote, At: m.At.Add(-slack)}
		}
	}
	return nil
}

// took takes a message out of those that were known: false if it was not among them.
func took(old *[]*core.Message, m *core.Message) bool {
	i := slices.IndexFunc(*old, func(o *core.Message) bool {
		if o.Remote != "" && m.Remote != "" {
			return o.Remote == m.Remote
		}
		return o.Author == m.Author && o.Text == m.Text && o.At.Sub(m.At).Abs() <= slack
	})
	if i < 0 {
		return false
	}
	if one := (*old)[i]; one.Remote == "" || m.Remote == "" { // the next one that says the same is another
		*old = slices.Delete(*old, i, i+1)
	}
	return true
}

func (p histories) Filled(_ context.Context, room core.Ref) error {
	p.h.mu.Lock()
	defer p.h.mu.Unlock()
	delete(p.h.gaps, room)
	return nil
}
