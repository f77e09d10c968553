package outbox

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
)

// An entry whose row is gone is finished: it must neither be handled nor block its lane.
func TestGoneIsFinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{Resident: 1})
		var c recorder
		r.run(c.handler())
		for i := range 3 {
			it := item("a", fmt.Sprint(i))
			it.NotBefore = time.Now().Add(time.Minute)
			r.put(it)
		}
		mustExec(t, r, "DELETE FROM outbox WHERE seq = (SELECT min(seq) FROM outbox)")
		pass(time.Hour)
		want(t, "handled", c.got(), "[1 2]")
		want(t, "count", r.box.pending.Load(), 0)
		r.close()
	})
}

func TestPanicsEndAsDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []core.Verdict
		r := newRig(t, Config{Trace: &core.Trace{Attempted: func(_ *core.Item, v core.Verdict, _ time.Duration) {
			told = append(told, v)
		}}})
		poisoned := 0
		c := recorder{decide: func(it *core.Item) core.Verdict {
			if text(it) == "poison" {
				poisoned++
				panic("no good")
			}
			return core.Verdict{}
		}}
		r.put(item("a", "1"), item("a", "poison"), item("a", "2"))
		r.put(item("b", "x"))
		r.run(c.handlers(10, 2))
		pass(time.Millisecond)
		if got := strings.Join(c.lane("a"), " "); !strings.HasPrefix(got, "1 poison 1 poison") {
			t.Errorf("handled in lane a: %s", got)
		}
		r.halt()
		r.reopen() // the count survives
		r.run(c.handlers(10, 2))
		pass(time.Hour)
		dead := r.dead()
		if len(dead) != 1 || text(&dead[0].Item) != "poison" || !strings.Contains(dead[0].LastErr.Err.Error(), "no good") {
			t.Fatalf("dead: %+v", dead)
		}
		want(t, "panics, with that of the batch", poisoned, 1+maxPanics)
		want(t, "pending", len(r.pending()), 0)
		want(t, "handled last", c.got()[len(c.got())-1], "2")
		want(t, "traced", len(told), 1)
		r.close()
	})
}

func TestWrongNumberOfVerdicts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		r.put(item("a", "1"))
		r.run(map[core.Direction]core.Handler{core.ToNetwork: {
			Handle: func(context.Context, []*core.Item) []core.Verdict { return nil }}})
		pass(time.Hour)
		want(t, "dead", len(r.dead()), 1)
		r.close()
	})
}

func TestUndecodableIsADeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		r.put(item("a", "1"), item("a", "2"), item("a", "3"))
		mustExec(t, r, "UPDATE outbox SET event = 'from the future' WHERE seq = 2")
		var c recorder
		r.run(c.handlers(3, 1))
		pass(time.Second)
		want(t, "handled", c.got(), "[1 3]")
		dead := r.dead()
		if len(dead) != 1 || dead[0].Event != nil || !strings.Contains(dead[0].LastErr.Error(), "unknown event") {
			t.Errorf("dead: %+v", dead)
		}
		r.close()
	})
}
