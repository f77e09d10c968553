package outbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
)

var errNotHeld = errors.New("not held")

// writers is what must have happened to what was written: whatever was taken back in time went nowhere, everything else
// went out once, in the order in which it was written to somebody, with its last correction; and who was told that he came
// too late did not change anything.
type writers struct {
	t   *testing.T
	r   *rig
	rnd *rand.Rand
	n   int

	mu    sync.Mutex
	texts map[string][]string // to whom: what they must have got, and what is held for them
	names map[string][]string // the same by names
	sent  map[string][]string
	wrote []string // "peer name"
}

func TestPropertyWindow(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := Config{Watch: time.Hour}
				if seed%2 == 1 {
					cfg.Resident = 1 // nothing is kept in memory
				}
				w := &writers{t: t, rnd: rand.New(rand.NewPCG(seed, 2)), texts: map[string][]string{}, names: map[string][]string{}, sent: map[string][]string{}}
				w.r = newRig(t, cfg)
				for range 6 {
					w.round()
				}
				w.finish()
			})
		})
	}
}

// round lets somebody write for a while, before, during and after the queue runs.
func (w *writers) round() {
	w.act(5)
	w.r.run(w.handlers())
	for range 10 {
		w.act(w.rnd.IntN(5))
		pass(time.Duration(w.rnd.IntN(12_000)) * time.Millisecond)
	}
	w.r.halt()
	w.act(3)
	if w.rnd.IntN(2) == 0 {
		w.r.reopen()
	}
}

func (w *writers) act(n int) {
	for range n {
		peer := fmt.Sprint("peer", w.rnd.IntN(3))
		switch k := w.rnd.IntN(8); {
		case k < 4 || len(w.wrote) == 0:
			w.write(peer)
		case k == 4:
			w.correct()
		case k == 5:
			w.takeBack()
		case k == 6:
			w.sendNow(peer)
		default:
			w.r.box.Await("sms", peer, func(began, _ time.Time) time.Time { return began.Add(time.Minute) })
		}
	}
}

func (w *writers) write(peer string) {
	w.n++
	name := fmt.Sprint("line", w.n)
	w.r.mustSay(peer, name)
	w.mu.Lock()
	w.texts[peer], w.names[peer] = append(w.texts[peer], name), append(w.names[peer], name)
	w.wrote = append(w.wrote, peer+" "+name)
	w.mu.Unlock()
	if w.rnd.IntN(4) == 0 { // a client whose stream broke
		if err := w.r.say(peer, name); !errors.Is(err, core.ErrDuplicate) {
			w.t.Errorf("%s again: %v", name, err)
		}
	}
}

// change changes the line of a name, if it is held.
func (w *writers) change(peer, name string, change func(h *core.Held, i int) *core.Held) bool {
	err := w.r.box.Amend(context.Background(), "sms", peer, nil, func(held *core.Item) (core.Amendment, error) {
		if held == nil {
			return core.Amendment{}, errNotHeld
		}
		h := held.Event.(*core.Held)
		i := slices.IndexFunc(h.Lines, func(l *core.Message) bool { return l.ID == core.MessageID(name) })
		if i < 0 {
			return core.Amendment{}, errNotHeld
		}
		if h = change(h, i); len(h.Lines) == 0 {
			return core.Amendment{}, nil
		}
		held.Event = h
		return core.Amendment{Held: held}, nil
	})
	if err != nil && !errors.Is(err, errNotHeld) {
		w.t.Fatal(err)
	}
	return err == nil
}

func (w *writers) some() (peer, name string) {
	peer, name, _ = strings.Cut(w.wrote[len(w.wrote)-1-w.rnd.IntN(min(len(w.wrote), 6))], " ")
	return peer, name
}

func (w *writers) correct() {
	peer, name := w.some()
	w.n++
	text := fmt.Sprint(name, "v", w.n)
	if !w.change(peer, name, func(h *core.Held, i int) *core.Held { h.Lines[i].Text = text; return h }) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if i := slices.Index(w.names[peer], name); i >= 0 {
		w.texts[peer][i] = text
	} else {
		w.t.Errorf("%s was corrected, and not there", name)
	}
}

func (w *writers) takeBack() {
	peer, name := w.some()
	if !w.change(peer, name, func(h *core.Held, i int) *core.Held { h.Lines = slices.Delete(h.Lines, i, i+1); return h }) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if i := slices.Index(w.names[peer], name); i >= 0 {
		w.texts[peer], w.names[peer] = slices.Delete(w.texts[peer], i, i+1), slices.Delete(w.names[peer], i, i+1)
	}
}

func (w *writers) sendNow(peer string) {
	err := w.r.box.Amend(context.Background(), "sms", peer, nil, func(held *core.Item) (core.Amendment, error) {
		if held == nil {
			return core.Amendment{}, errNotHeld
		}
		return core.Amendment{Put: []*core.Item{w.letGo(held)}}, nil
	})
	if err != nil && !errors.Is(err, errNotHeld) {
		w.t.Fatal(err)
	}
}

// letGo keeps a conversation's messages in order, so that what arrived can be compared with what was written.
func (w *writers) letGo(held *core.Item) *core.Item {
	it := letGo(held)
	it.Lane = held.Lane
	return it
}

func (w *writers) handlers() map[core.Direction]core.Handler {
	return map[core.Direction]core.Handler{
		core.ToNetwork: {Batch: 1 + w.rnd.IntN(3), Workers: 3, Handle: w.deliver},
		core.Window: {Batch: 1, Workers: 1 + w.rnd.IntN(3), Handle: func(ctx context.Context, items []*core.Item) []core.Verdict {
			v := make([]core.Verdict, len(items))
			for i, it := range items {
				select {
				case <-time.After(100 * time.Millisecond): // somebody writes meanwhile
				case <-ctx.Done():
					v[i].Outcome = core.Retry // stopping
					continue
				}
				v[i].Then = []*core.Item{w.letGo(it)}
			}
			return v
		}},
	}
}

func (w *writers) deliver(ctx context.Context, items []*core.Item) []core.Verdict {
	select {
	case <-time.After(50 * time.Millisecond):
	case <-ctx.Done():
		return retryAll(items)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, it := range items {
		w.sent[it.Lane] = append(w.sent[it.Lane], strings.Split(text(it), "\n")...)
	}
	return make([]core.Verdict, len(items))
}

func (w *writers) finish() {
	w.r.run(w.handlers())
	pass(5 * time.Minute)
	w.r.halt()
	want(w.t, "pending", len(w.r.pending()), 0)
	want(w.t, "counted", w.r.box.pending.Load(), 0)
	want(w.t, "lanes", scan(w.t, w.r, "SELECT count(*) FROM outbox_window"), 0)
	for peer, texts := range w.texts {
		if !slices.Equal(texts, w.sent[peer]) {
			w.t.Errorf("%s got\n%v, want\n%v", peer, w.sent[peer], texts)
		}
	}
	w.r.close()
}
