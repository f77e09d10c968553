package outbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
	"gangway/core/store"
)

// held is a line of a conversation with the peer that lane names.
func heldItem(lane string, due time.Duration, texts ...string) *core.Item {
	h := &core.Held{Ref: core.Ref{Account: "a1", Peer: core.Address(lane)}}
	for _, text := range texts {
		h.Lines = append(h.Lines, &core.Message{Ref: h.Ref, IDs: core.IDs{ID: core.MessageID(text)}, Text: text})
	}
	return &core.Item{Direction: core.Window, Network: "sms", User: "alice@example.org", Lane: lane, Event: h, Queued: time.Now(), NotBefore: time.Now().Add(due)}
}

// letGo makes a message of what is held.
func letGo(held *core.Item) *core.Item {
	m := held.Event.(*core.Held).Fold()
	return &core.Item{Network: held.Network, User: held.User, Lane: string(m.ID), Event: m, Noted: true}
}

// say adds a line to what is held for 15 seconds after it.
func (r *rig) say(lane, text string) error {
	said := keyed(lane, text, text)
	return r.box.Amend(context.Background(), "sms", lane, said, func(held *core.Item) (core.Amendment, error) {
		if held == nil {
			return core.Amendment{Held: heldItem(lane, 15*time.Second, text)}, nil
		}
		h := held.Event.(*core.Held)
		held.Event = &core.Held{Ref: h.Ref, Lines: append(h.Lines, heldItem(lane, 0, text).Event.(*core.Held).Lines...)}
		held.NotBefore = time.Now().Add(15 * time.Second)
		return core.Amendment{Held: held}, nil
	})
}

func (r *rig) mustSay(lane, text string) {
	r.t.Helper()
	if err := r.say(lane, text); err != nil {
		r.t.Fatalf("say %s: %v", text, err)
	}
}

// windowed are the handlers of a queue with a window.
func (c *recorder) windowed() map[core.Direction]core.Handler {
	h := c.handler()
	h[core.Window] = core.Handler{Batch: 1, Workers: 2, Handle: func(_ context.Context, items []*core.Item) []core.Verdict {
		v := make([]core.Verdict, len(items))
		for i, it := range items {
			v[i].Then = []*core.Item{letGo(it)}
		}
		return v
	}}
	return h
}

func TestWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		var c recorder
		r.run(c.windowed())
		r.mustSay("bob", "1")
		pass(10 * time.Second)
		r.mustSay("bob", "2")
		pass(time.Second)
		r.mustSay("carol", "3")
		if err := r.say("bob", "2"); !errors.Is(err, core.ErrDuplicate) {
			t.Errorf("the same line again: %v", err)
		}
		pass(13 * time.Second)
		want(t, "let go", c.got(), "[]")
		want(t, "pending", len(r.pending()), 2)
		if all, err := r.box.Waiting(t.Context(), "alice@example.org", "sms"); err != nil || len(all) != 2 {
			t.Errorf("%d waiting, %v", len(all), err)
		}
		pass(3 * time.Second)
		want(t, "let go", c.got(), "[1\n2 3]")
		want(t, "pending", len(r.pending()), 0)
		want(t, "counted", r.box.pending.Load(), 0)
		want(t, "lanes", scan(t, r, "SELECT count(*) FROM outbox_window"), 0)
		r.close()
	})
}

// What is held is held on after a restart, until the time that was given at first.
func TestWindowOutlivesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		var c recorder
		r.mustSay("bob", "1") // before anything runs
		r.run(c.windowed())
		pass(5 * time.Second)
		r.halt()
		r.mustSay("bob", "2")
		pass(10 * time.Second)
		r.reopen()
		r.run(c.windowed())
		pass(4 * time.Second)
		want(t, "let go", c.got(), "[]")
		pass(2 * time.Second)
		want(t, "let go", c.got(), "[1\n2]")
		r.mustSay("bob", "3")
		r.halt()
		pass(time.Hour)
		r.reopen()
		r.run(c.windowed())
		pass(time.Millisecond) // it was due long ago
		want(t, "let go", c.got(), "[1\n2 3]")
		r.close()
	})
}

func TestWindowErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &ledger{}
		r := newRig(t, Config{Journal: j, MaxPending: 3})
		var c recorder
		r.run(c.windowed())
		r.mustSay("bob", "1")
		no := errors.New("no")
		said := keyed("bob", "2", "2")
		err := r.box.Amend(t.Context(), "sms", "bob", said, func(held *core.Item) (core.Amendment, error) {
			held.Event = nil // it is our own copy
			return core.Amendment{Held: held}, no
		})
		if !errors.Is(err, no) {
			t.Errorf("err = %v", err)
		}
		r.mustSay("bob", "2") // nothing of it is remembered
		want(t, "journal", r.ledger(), "[put 1 put 2]")
		// Taken back: nothing is left.
		err = r.box.Amend(t.Context(), "sms", "bob", nil, func(*core.Item) (core.Amendment, error) { return core.Amendment{}, nil })
		if err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		want(t, "let go", c.got(), "[]")
		want(t, "counted", r.box.pending.Load(), 0)
		for i := range 3 {
			r.mustSay(fmt.Sprint(i), fmt.Sprint("line ", i))
		}
		if err := r.say("x", "x"); !isKind(err, core.OverLimit) {
			t.Errorf("of a full queue: %v", err)
		}
		r.close()
	})
}

// The journal hears of each line once, and of what became of them; not of the message as of a new one.
func TestWindowAndJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &telling{}
		r := newRig(t, Config{Journal: j})
		var c recorder
		r.run(c.windowed())
		r.mustSay("bob", "1")
		r.mustSay("bob", "2")
		pass(time.Minute)
		r.mustSay("bob", "3")
		r.mustSay("bob", "4")
		err := r.box.Amend(t.Context(), "sms", "bob", nil, func(held *core.Item) (core.Amendment, error) {
			return core.Amendment{Put: []*core.Item{letGo(held)}, Withdrawn: []core.MessageID{"w"}}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		want(t, "told", j.lines, "[put 1 put 2 held: 1+1 [] sent 1 put 3 put 4 held: 3+1 [w] sent 3]")
		r.close()
	})
}

// telling is a Journal that keeps what it is told.
type telling struct {
	mu    sync.Mutex
	lines []string
}

func (j *telling) Put(_ context.Context, _ *store.Tx, it *core.Item) error {
	j.add("put", text(it))
	return nil
}

func (j *telling) Settle(_ context.Context, _ *store.Tx, it *core.Item, v core.Verdict) error {
	if it.Direction == core.Window {
		m := v.Then[0].Event.(*core.Message)
		j.add("held:", fmt.Sprintf("%s+%d %v", m.ID, len(m.Parts), v.Withdrawn))
		return nil
	}
	j.add("sent", string(it.Event.(*core.Message).ID))
	return nil
}

func (j *telling) add(what, of string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, what+" "+of)
}

// Who comes while what is held is being let go waits for that, and finds it gone.
func TestAmendWhileBeingLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		var c recorder
		begun, goOn := make(chan struct{}), make(chan struct{})
		handlers := c.windowed()
		inner := handlers[core.Window].Handle
		handlers[core.Window] = core.Handler{Batch: 1, Handle: func(ctx context.Context, items []*core.Item) []core.Verdict {
			begun <- struct{}{}
			<-goOn
			return inner(ctx, items)
		}}
		r.run(handlers)
		r.mustSay("bob", "1")
		<-begun
		said := make(chan error, 2)
		go func() { said <- r.say("bob", "2") }()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := r.box.Amend(ctx, "sms", "bob", nil, func(*core.Item) (core.Amendment, error) { return core.Amendment{}, nil })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who cannot wait: %v", err)
		}
		r.box.Await("sms", "bob", func(_, at time.Time) time.Time { t.Error("moved what is let go"); return at })
		goOn <- struct{}{}
		if err := <-said; err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		want(t, "let go", c.got(), "[1]")
		want(t, "pending", len(r.pending()), 1)
		<-begun
		goOn <- struct{}{}
		pass(time.Second)
		want(t, "let go", c.got(), "[1 2]")
		r.close()
	})
}

func TestAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		var c recorder
		r.run(c.windowed())
		pass(time.Millisecond) // it has read what there is
		r.box.Await("sms", "bob", func(_, at time.Time) time.Time { t.Error("nothing is held"); return at })
		r.mustSay("bob", "1")
		var moved time.Duration
		r.box.Await("sms", "bob", func(began, at time.Time) time.Time {
			moved = at.Sub(began)
			return began.Add(time.Minute)
		})
		want(t, "was due after", moved, 15*time.Second)
		pass(59 * time.Second)
		want(t, "let go", c.got(), "[]")
		pass(2 * time.Second)
		want(t, "let go", c.got(), "[1]")
		r.mustSay("bob", "2")
		r.box.Await("sms", "bob", func(began, _ time.Time) time.Time { return began.Add(time.Second) })
		pass(2 * time.Second)
		want(t, "let go", c.got(), "[1 2]")
		r.close()
	})
}

// The administrator's words go for what is held, too.
func TestWindowAdmin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		var c recorder
		r.run(c.windowed())
		r.mustSay("bob", "1")
		if err := r.box.Retry(t.Context(), r.pending()[0].Seq); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		want(t, "let go", c.got(), "[1]")
		r.mustSay("bob", "2")
		r.mustSay("bob", "3")
		stats, err := r.box.Stats(t.Context())
		if err != nil || len(stats) != 1 || stats[0].Direction != core.Window || stats[0].Pending != 1 {
			t.Errorf("%+v, %v", stats, err)
		}
		if err := r.box.Move(t.Context(), "alice@example.org", "alice@new.example"); err != nil {
			t.Fatal(err)
		}
		if all, err := r.box.Waiting(t.Context(), "alice@new.example", "sms"); err != nil || len(all) != 1 {
			t.Errorf("%d waiting, %v", len(all), err)
		}
		if err := r.box.Drop(t.Context(), r.pending()[0].Seq); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		want(t, "handled", c.got(), "[1 receipt failed receipt failed]")
		r.mustSay("bob", "4")
		if err := r.box.Erase(t.Context(), "alice@example.org"); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		want(t, "handled", len(c.got()), 3)
		want(t, "counted", r.box.pending.Load(), 0)
		want(t, "lanes", scan(t, r, "SELECT count(*) FROM outbox_window"), 0)
		r.close()
	})
}

// What is changed while the queue is being read at the start is in its lane afterwards, once, whether it had been read
// before the change, or between the change and its commit, or is read after it.
func TestAmendWhileLoading(t *testing.T) {
	at := func(seconds int64) *placed {
		return &placed{direction: core.Window, network: "sms", lane: "bob", entry: &entry{seq: 7, at: seconds * 1_000_000}}
	}
	later := time.Now().Unix() + 3600
	for when, read := range map[string]int{"before": 0, "between": 1, "after": 2} {
		s := newSchedule(0)
		if read == 0 {
			s.load(at(later))
		}
		changed := at(later + 15)
		e, _ := s.seize(changed)
		changed.seized = e != nil
		if read == 1 {
			s.load(at(later))
		}
		s.replace(changed)
		if read == 2 {
			s.load(at(later + 15))
		}
		if n := s.activate(); n != 1 || len(s.waiting) != 1 || s.waiting[0].wake != (later+15)*1_000_000 {
			t.Errorf("%s: %d entries, waiting %d", when, n, len(s.waiting))
		}
	}
}
