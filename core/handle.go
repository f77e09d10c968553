package core

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

const (
	reconcileDelay = 30 * time.Second // an uncertain attempt is looked into after this at the earliest
	defaultRetry   = time.Minute
	stopGrace      = 5 * time.Second // for an attempt in hand when the gateway stops
	xmppRetryLast  = time.Minute
)

// The lanes that are handled at once, of each network.
const (
	toNetworkLanes = 64
	toXMPPLanes    = 256
	windowLanes    = 4 // of all networks: it waits for nothing but the disk
)

// handlers are what the queue calls. A network that hangs, or whose component link does, holds up no other.
func (g *Gateway) handlers() map[Direction]Handler {
	n := max(len(g.networks), 1)
	return map[Direction]Handler{
		ToNetwork: {Batch: 1, Workers: toNetworkLanes * n, Share: toNetworkLanes, Handle: func(ctx context.Context, items []*Item) []Verdict {
			v := make([]Verdict, len(items))
			for i, it := range items {
				v[i] = g.attempt(ctx, it)
				g.cfg.Trace.attempted(it, v[i], time.Since(it.Queued))
			}
			return v
		}},
		ToXMPP: {Batch: 100, Workers: toXMPPLanes * n, Share: toXMPPLanes, Handle: g.hand},
		Window: {Batch: 1, Workers: windowLanes, Handle: g.due},
	}
}

// attempt tries one item toward its network.
func (g *Gateway) attempt(ctx context.Context, it *Item) Verdict {
	n := g.networks[it.Network]
	if n == nil {
		return g.dead(it, E(Unavailable, "core: attempt", "This network is not connected to the gateway any more."))
	}
	a, err := g.cfg.Accounts.Account(ctx, it.Event.Where().Account)
	if err != nil && KindOf(err) == NotFound {
		return g.dead(it, E(Unenrolled, "core: attempt", "The account that this was to be sent from is gone."))
	}
	if err != nil {
		return g.again(ctx, n, it, AsError(err))
	}
	if it.Begun.IsZero() && it.over() {
		return g.expired(it)
	}
	var taken Taken
	inHand, cancel := grace(ctx, stopGrace)
	defer cancel()
	err = g.With(inHand, a, func(s Session) (err error) {
		defer g.recovered("send", a, &err)
		taken, err = g.send(inHand, a, s, it)
		return err
	})
	return g.judge(ctx, n, it, taken, err)
}

// grace is ctx, but ends d later: what is in hand when the gateway stops is finished, not cut off.
func grace(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	inHand, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if sleep(inHand, d) {
			cancel()
		}
	})
	return inHand, func() {
		stop()
		cancel()
	}
}

// send makes the attempt; where a duplicate costs, it never sends what may have been taken already.
func (g *Gateway) send(ctx context.Context, a Account, s Session, it *Item) (Taken, error) {
	rec := CapsOf(s).Reconciler
	m, ok := it.Event.(*Message)
	if rec == nil || !ok {
		return g.dispatch(ctx, a, s, it.Event)
	}
	if !it.Begun.IsZero() {
		if entry, err := g.cfg.Ledger.Message(ctx, m.ID); err == nil && entry.State >= Accepted && entry.State != Failed {
			return Taken{Remote: entry.Remote, State: entry.State}, nil
		}
		taken, err := rec.Reconcile(ctx, m, it.Begun)
		if err == nil || KindOf(err) != NotFound {
			return taken, err
		}
	}
	if err := g.cfg.Queue.Begin(ctx, it); err != nil {
		return Taken{}, err
	}
	taken, err := g.dispatch(ctx, a, s, m)
	if err == nil {
		return taken, nil
	}
	switch e := *AsError(err); e.Kind {
	case Internal: // who knows how far it came
	case Uncertain:
		e.After = max(e.After, reconcileDelay)
		return taken, &e
	default:
		it.Begun = time.Time{} // a clear answer: not taken
	}
	return taken, err
}

// judge turns the end of an attempt into a verdict.
func (g *Gateway) judge(ctx context.Context, n *Network, it *Item, taken Taken, err error) Verdict {
	if err == nil {
		v := Verdict{Outcome: Done, Taken: taken}
		if m, ok := it.Event.(*Message); ok && taken.State >= Delivered {
			r := &Receipt{Ref: m.Ref, IDs: IDs{ID: m.ID, Remote: taken.Remote}, Origin: m.Origin, State: taken.State}
			v.Then = it.receipts(r, m.Parts)
		}
		return v
	}
	e := AsError(err)
	g.alert(it.Network, e)
	if e.Kind == Uncertain && n.Caps.Reconciler != nil && e.After > 0 {
		// After a long time away the first look is not the last.
		if last := it.LastErr; it.over() && last != nil && last.Kind == Uncertain && ctx.Err() == nil {
			return g.dead(it, e)
		}
		return Verdict{Outcome: Retry, At: time.Now().Add(e.After), Err: e, Begun: true}
	}
	if e.Kind.Retried() {
		return g.again(ctx, n, it, e)
	}
	return g.dead(it, e)
}

// alert has the administrator told of what stays so until they do something. Where it is about one message, the user is
// told as well.
func (g *Gateway) alert(network string, e *Error) {
	if e == nil || !e.Alert {
		return
	}
	g.log.Error("the administrator is needed", "network", network, "op", e.Op, "code", e.Code, "by", e.By, "kind", e.Kind)
	g.cfg.Trace.alerted(network, e)
}

// again schedules the next attempt, at the latest when the item expires.
func (g *Gateway) again(ctx context.Context, n *Network, it *Item, e *Error) Verdict {
	v := Verdict{Outcome: Retry, Err: e, Begun: !it.Begun.IsZero()}
	if ctx.Err() != nil {
		return v // stopping: not the attempt's fault
	}
	if v.Begun && it.over() {
		return g.dead(it, Wrap(Uncertain, "core: expired", errors.New("never cleared up")))
	}
	delay := defaultRetry
	if r := n.Driver.Retry; len(r) > 0 {
		delay = r[min(it.Attempts, len(r)-1)]
	}
	delay += time.Duration((rand.Float64() - 0.5) * 0.2 * float64(delay))
	now := time.Now()
	v.At = n.Driver.punctual(it.Queued, now.Add(max(delay, e.After)), now.Add(e.After))
	v.Then = n.Driver.delayed(it, e)
	if !it.Expires.IsZero() && v.At.After(it.Expires) {
		v.At = it.Expires
	}
	return v
}

// expired gives up on an item whose time is over, for the reason of its last attempt.
func (g *Gateway) expired(it *Item) Verdict {
	text := "The other network could not be reached in time. The message was not delivered."
	e := &Error{Kind: Unavailable, Op: "core: expired", Text: text}
	if last := it.LastErr; last != nil {
		e.Code, e.Err = last.Code, last
		e.Reason, e.By, e.Alert = last.Reason, last.By, last.Alert
		if last.Text != "" {
			e.Text = text + " " + last.Text
		}
	}
	return g.dead(it, e)
}

// dead gives up on an item and tells whoever submitted it.
func (g *Gateway) dead(it *Item, e *Error) Verdict {
	return Verdict{Outcome: Dead, Err: e, Then: it.Failures(e)}
}

// Failures are the items that tell whoever submitted it that it will not arrive, one for each of its parts; none if it
// was not submitted, or is nothing to be told of. They have no Seq yet.
func (it *Item) Failures(e *Error) []*Item {
	if it.Direction == ToXMPP {
		return nil
	}
	r := &Receipt{Ref: it.Event.Where(), State: Failed, Err: e}
	switch ev := it.Event.(type) {
	case *Held:
		m := ev.Fold()
		r.IDs, r.Origin = m.IDs, m.Origin
		return it.receipts(r, m.Parts)
	case *Message:
		r.IDs, r.Origin = ev.IDs, ev.Origin
		return it.receipts(r, ev.Parts)
	case *Reaction: // without IDs: the message that it is about has not failed
		r.Origin = ev.Origin
	case *Retraction:
		r.Origin = ev.Origin
	default:
		return nil
	}
	return it.receipts(r, nil)
}

// over says whether an item's time to be tried has passed.
func (it *Item) over() bool { return !it.Expires.IsZero() && !time.Now().Before(it.Expires) }

// receipts are the items of a receipt about an item and what went within it.
func (it *Item) receipts(r *Receipt, parts []Part) []*Item {
	all := []*Item{it.receipt(r)}
	for _, p := range parts {
		within := *r
		within.IDs, within.Origin, within.Whole = IDs{ID: p.ID}, p.Origin, r.ID
		all = append(all, it.receipt(&within))
	}
	return all
}

// receipt is the item of a receipt about an item.
func (it *Item) receipt(r *Receipt) *Item {
	return &Item{
		Direction: ToXMPP, Network: it.Network, User: it.User, Event: r, Queued: time.Now(),
		Lane: string(r.Account) + " " + string(r.Peer),
	}
}

// hand shows a lane's items on XMPP.
func (g *Gateway) hand(ctx context.Context, items []*Item) []Verdict {
	verdicts := make([]Verdict, len(items))
	handings := make([]Handing, 0, len(items))
	index := make([]int, 0, len(items))
	for i, it := range items {
		a, err := g.addressee(ctx, it)
		switch {
		case err == nil:
			handings = append(handings, Handing{Account: a, Event: it.Event})
			index = append(index, i)
		case KindOf(err) == NotFound:
			verdicts[i] = Verdict{Outcome: Dead, Err: E(Unenrolled, "core: hand", "The account that this was for is gone.")}
		default:
			verdicts[i] = g.later(ctx, it, AsError(err))
		}
	}
	if len(handings) > 0 {
		for j, err := range g.edge.Hand(ctx, handings) {
			verdicts[index[j]] = g.handed(ctx, items[index[j]], err)
		}
	}
	for i, it := range items {
		g.cfg.Trace.attempted(it, verdicts[i], time.Since(it.Queued))
	}
	return verdicts
}

// addressee is the account that an item toward XMPP is for.
func (g *Gateway) addressee(ctx context.Context, it *Item) (Account, error) {
	if _, ok := it.Event.(*Notice); ok {
		return Account{User: it.User, Network: it.Network}, nil
	}
	return g.cfg.Accounts.Account(ctx, it.Event.Where().Account)
}

func (g *Gateway) handed(ctx context.Context, it *Item, err error) Verdict {
	if err == nil {
		return Verdict{Outcome: Done}
	}
	e := AsError(err)
	if e.Kind.Retried() || errors.Is(err, context.Canceled) {
		return g.later(ctx, it, e)
	}
	return Verdict{Outcome: Dead, Err: e}
}

// later tries again toward XMPP, for as long as it takes: nobody there can be told that it failed.
func (g *Gateway) later(ctx context.Context, it *Item, e *Error) Verdict {
	v := Verdict{Outcome: Retry, Err: e}
	if ctx.Err() == nil {
		v.At = time.Now().Add(max(min(firstBackoff<<min(it.Attempts, 6), xmppRetryLast), e.After))
	}
	return v
}
