package outbox

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"gangway/core"
)

func of(user core.UserID, it *core.Item) *core.Item {
	it.User = user
	return it
}

// A dropped message's sender learns from it what they sent and why it did not arrive; what came in is told to nobody.
func TestDropTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		out, in := item("a", "out"), item("b", "in")
		out.NotBefore = time.Now().Add(time.Hour)
		in.NotBefore, in.Direction = out.NotBefore, core.ToXMPP
		m := out.Event.(*core.Message)
		m.ID, m.Origin = "m1", core.Origin{ID: "stanza1", From: "alice@example.org/phone"}
		r.put(out, in)
		var told []*core.Receipt
		h := core.Handler{Batch: 10, Handle: func(_ context.Context, items []*core.Item) []core.Verdict {
			for _, it := range items {
				told = append(told, it.Event.(*core.Receipt))
			}
			return make([]core.Verdict, len(items))
		}}
		r.run(map[core.Direction]core.Handler{core.ToXMPP: h})
		for _, it := range []*core.Item{out, in} {
			if err := r.box.Drop(context.Background(), it.Seq); err != nil {
				t.Fatal(err)
			}
		}
		pass(time.Minute)
		if len(told) != 1 || told[0].State != core.Failed || told[0].ID != "m1" || told[0].Origin != m.Origin || told[0].Err == nil ||
			told[0].Err.Kind != core.Denied {
			t.Errorf("told %+v", told)
		}
		want(t, "pending", len(r.pending()), 0)
		want(t, "count", r.box.pending.Load(), 0)
		r.close()
	})
}

// A second Retry before the first has been carried out changes nothing: the journal hears of the item as of a new one.
func TestRetryTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		r := newRig(t, Config{Journal: &ledger{}})
		c := recorder{decide: dies}
		it := item("a", "1")
		r.put(it)
		r.run(c.handler())
		pass(time.Second)
		r.halt()
		for range 2 {
			if err := r.box.Retry(ctx, it.Seq); err != nil {
				t.Fatal(err)
			}
		}
		c.decide = nil
		r.run(c.handler())
		pass(time.Second)
		want(t, "ledger", r.ledger(), "[put 1 settle 2 1 put 1 settle 0 1]")
		r.close()
	})
}

func TestMoveAndErase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		r := newRig(t, Config{Journal: &ledger{}})
		const old, neu, other = core.UserID("old@example.org"), core.UserID("new@example.org"), core.UserID("other@example.org")
		started := make(chan core.UserID, 10)
		c := recorder{decide: func(it *core.Item) core.Verdict {
			switch started <- it.User; text(it) {
			case "dies":
				return dies(it)
			case "slow":
				time.Sleep(time.Hour)
				return dies(it)
			}
			return core.Verdict{}
		}}
		r.put(of(old, item("a", "dies")), of(other, item("b", "dies")))
		late := of(old, item("c", "late"))
		late.NotBefore = time.Now().Add(time.Minute)
		r.put(late)
		r.run(c.handler())
		pass(time.Second)
		if err := r.box.Move(ctx, old, neu); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Minute)
		close(started)
		var users []core.UserID
		for u := range started {
			users = append(users, u)
		}
		want(t, "the one that was late is", users[len(users)-1], neu)
		letters, err := r.box.List(ctx, Filter{Dead: true, User: neu})
		if err != nil || len(letters) != 1 {
			t.Errorf("%d dead letters moved, %v", len(letters), err)
		}

		started = make(chan core.UserID, 10)
		far := of(neu, item("d", "far"))
		far.NotBefore = time.Now().Add(24 * time.Hour)
		r.put(of(neu, item("e", "slow")), far)
		pass(time.Second)
		if err := r.box.Erase(ctx, neu); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		want(t, "pending but for the one in hand", len(r.pending()), 1)
		pass(2 * time.Hour)
		want(t, "pending", len(r.pending()), 0)
		dead := r.dead()
		if len(dead) != 1 || dead[0].User != other {
			t.Errorf("dead letters: %+v", dead)
		}
		want(t, "count", r.box.pending.Load(), 0)
		want(t, "orders", scan(t, r, "SELECT count(*) FROM outbox_order"), 0)
		r.close()
	})
}

// A network that hangs keeps only its own share of the workers busy.
func TestAHangingNetworkStarvesNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Config{})
		hang := make(chan struct{})
		c := recorder{decide: func(it *core.Item) core.Verdict {
			if it.Network == "email" {
				<-hang
			}
			return core.Verdict{}
		}}
		var mails, all []*core.Item
		for i := range 20 {
			it := item(fmt.Sprint("mail ", i), "mail")
			it.Network = "email"
			mails = append(mails, it)
		}
		r.put(mails...)
		h := core.Handler{Batch: 1, Workers: 8, Share: 4, Handle: c.handle}
		r.run(map[core.Direction]core.Handler{core.ToNetwork: h})
		pass(time.Second)
		want(t, "mails in hand", len(c.got()), 4)
		for i := range 20 {
			all = append(all, item(fmt.Sprint("lane ", i), "sms"))
		}
		r.put(all...)
		pass(time.Second)
		want(t, "handled and in hand", len(c.got()), 24)
		close(hang)
		pass(time.Second)
		want(t, "handled", len(c.got()), 40)
		want(t, "pending", len(r.pending()), 0)
		r.close()
	})
}
