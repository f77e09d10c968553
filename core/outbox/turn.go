package outbox

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"gangway/core"
	"gangway/core/store"
)

const (
	maxPanics  = 5
	pauseAfter = time.Second // before a turn that could not begin, or led nowhere, is taken again
)

// held is an item in hand and what came of it.
type held struct {
	e       *entry
	it      *core.Item
	v       core.Verdict
	own     bool   // the verdict is the queue's, not the handler's
	panics  uint8  // Retry: what the row will say
	then    []*row // of v.Then, encoded
	decoded bool
	gone    bool // set by the transaction: the row is not there any more
}

// turn handles a lane's oldest entries and carries out the verdicts. An error means that the queue cannot go on.
func (o *Outbox) turn(ctx context.Context, h core.Handler, l *lane, hand []*entry) error {
	holds, gone, err := o.hold(ctx, hand)
	if err != nil {
		if ctx.Err() == nil {
			o.log.Warn("outbox: reading items failed; they will be read again", "err", err)
		}
		o.postpone(l, hand)
		return o.db.Err()
	}
	o.handle(ctx, h, l, holds)
	return o.carryOut(ctx, &settling{lane: l, holds: holds, gone: gone})
}

// postpone puts entries back as they are, for a moment.
func (o *Outbox) postpone(l *lane, hand []*entry) {
	at := micros(time.Now().Add(pauseAfter))
	for _, e := range hand {
		e.at = max(e.at, at)
	}
	o.lanes.giveBack(l, hand, nil)
}

// hold returns the entries with their items, which it reads if they are not in memory. An entry whose row is not
// there any more is finished: somebody dropped it.
func (o *Outbox) hold(ctx context.Context, hand []*entry) (holds []*held, gone []*entry, err error) {
	missing := make(map[int64]*held)
	var seqs []any
	holds = make([]*held, 0, len(hand))
	for _, e := range hand {
		h := &held{e: e, it: e.item, decoded: true}
		holds = append(holds, h)
		if h.it == nil {
			missing[e.seq] = h
			seqs = append(seqs, e.seq)
		}
	}
	if len(seqs) == 0 {
		return holds, nil, nil
	}
	err = o.db.Read(ctx, func(tx *store.Tx) error {
		return inChunks(seqs, func(seqs []any) error { return o.fetch(ctx, tx, seqs, missing) })
	})
	if err != nil {
		return nil, nil, err
	}
	here := holds[:0]
	for _, h := range holds {
		if h.it == nil {
			gone = append(gone, h.e)
			continue
		}
		here = append(here, h)
	}
	return here, gone, nil
}

func (o *Outbox) fetch(ctx context.Context, tx *store.Tx, seqs []any, into map[int64]*held) error {
	rows, err := tx.Query(ctx, "SELECT "+columns+", not_before, begun FROM outbox WHERE seq IN ("+repeat("?", len(seqs))+")",
		seqs...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var at, begun int64
		it, undecodable, err := scanItem(rows.Scan, &at, &begun)
		if err != nil {
			return err
		}
		it.NotBefore, it.Begun = moment(at), moment(begun)
		h := into[it.Seq]
		h.it = it
		if undecodable != nil {
			h.decoded, h.own = false, true
			h.v = core.Verdict{Outcome: core.Dead, Err: &core.Error{Kind: core.Internal, Op: "outbox: decode",
				Text: "The gateway cannot read this message any more.", Err: undecodable}}
			continue
		}
		o.lanes.keepResident(h.e, it)
	}
	return rows.Err()
}

// handle sets the verdicts.
func (o *Outbox) handle(ctx context.Context, h core.Handler, l *lane, holds []*held) {
	var asked []*held
	var items []*core.Item
	for _, h := range holds {
		if h.decoded {
			asked = append(asked, h)
			items = append(items, h.it)
		}
	}
	if len(items) > 0 {
		verdicts, err := call(ctx, h, items)
		if err != nil {
			o.log.Error("outbox: the handler failed", "seq", items[0].Seq, "items", len(items), "err", err)
			o.panicked(l, asked, err)
		} else {
			for i, h := range asked {
				h.v, h.panics = verdicts[i], h.e.panics
			}
		}
	}
	for _, h := range holds {
		o.encodeThen(h)
		if t := o.cfg.Trace; h.own && h.v.Outcome == core.Dead && t != nil && t.Attempted != nil {
			t.Attempted(h.it, h.v, time.Since(h.it.Queued))
		}
	}
}

// call calls the handler; its panic, or a wrong number of verdicts, is an error.
func call(ctx context.Context, h core.Handler, items []*core.Item) (verdicts []core.Verdict, err error) {
	defer func() {
		if p := recover(); p != nil {
			verdicts, err = nil, fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	verdicts = h.Handle(ctx, items)
	if len(verdicts) != len(items) {
		return nil, fmt.Errorf("%d verdicts for %d items", len(verdicts), len(items))
	}
	return verdicts, nil
}

// panicked makes the verdicts after a handler's panic. Of several items it is not known which is to blame: they are
// tried one at a time, and nothing is counted against them yet.
func (o *Outbox) panicked(l *lane, holds []*held, cause error) {
	if len(holds) > 1 {
		l.single = int32(len(holds))
		for _, h := range holds {
			h.own, h.panics = true, h.e.panics
			h.v = core.Verdict{Outcome: core.Retry, Begun: true}
		}
		return
	}
	h := holds[0]
	h.own, h.panics = true, h.e.panics+1
	e := core.Wrap(core.Internal, "outbox: handle", errors.New(firstLine(cause.Error()))) // the stack is in the log
	if h.panics >= maxPanics {
		h.v = core.Verdict{Outcome: core.Dead, Err: e}
		return
	}
	h.v = core.Verdict{Outcome: core.Retry, At: time.Now().Add(time.Second << h.e.panics), Err: e, Begun: true}
}

func firstLine(s string) string {
	for i := range s {
		if s[i] == '\n' {
			return s[:i]
		}
	}
	return s
}

// encodeThen encodes the items that a verdict puts.
func (o *Outbox) encodeThen(h *held) {
	now := time.Now()
	for _, it := range h.v.Then {
		r, err := o.newRow(it, now)
		if err != nil { // an event of the live kind: a mistake in the handler that nobody can be told of
			o.log.Error("outbox: an item cannot be stored", "after", h.it.Seq, "err", err)
			continue
		}
		h.then = append(h.then, r)
	}
}
