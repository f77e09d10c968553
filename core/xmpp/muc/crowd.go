package muc

import (
	"context"
	"slices"
	"time"
	"unique"

	"gangway/core"
	"gangway/core/xmpp/stream"
)

const (
	crowdBurst = 50                     // changes of members that are shown at once
	crowdRate  = 25                     // and each second after that
	crowdTick  = 200 * time.Millisecond // how often more of them are shown
	maxCrowd   = 10_000                 // members whose changes are held back in one room
)

// crowd holds back what happens to a room's members when it is too much at once: after a netsplit, when a server is
// back, in a flood. Who has gone again by the time that they would be shown never is, and who is back as they were was
// never away. The zero crowd holds nothing; its owner guards it.
type crowd struct {
	spent float64 // of the burst, as of at
	at    time.Time
	order []string // the nicks of held, first in first out; one that is held no more may still be in it
	held  map[string]held
}

// held is what has happened under a nick since clients were told last.
type held struct {
	there bool   // clients see somebody under it
	went  change // how that one went
	now   change // who is there now, or how they are now
}

// change is what has happened to a member, without the Ref of the room: in a flood all users of a channel are told the
// same, and it is in memory once for all of them. The zero change is none.
type change struct {
	e unique.Handle[core.MemberChanged]
}

func changeOf(e *core.MemberChanged) change {
	bare := *e
	bare.Ref = core.Ref{}
	return change{unique.Make(bare)}
}

func (c change) none() bool { return c == change{} }

func (c change) event() *core.MemberChanged {
	e := c.e.Value()
	return &e
}

// may says whether one more change may be shown now, and counts it.
func (c *crowd) may(now time.Time) bool {
	c.spent = max(0, c.spent-crowdRate*now.Sub(c.at).Seconds())
	c.at = now
	if c.spent > crowdBurst-1 {
		return false
	}
	c.spent++
	return true
}

// take returns what is to be shown now that a member has changed.
func (c *crowd) take(e *core.MemberChanged, now time.Time) []*core.MemberChanged {
	if e.Change == core.Renamed {
		return c.rename(e, now)
	}
	h, ok := c.held[e.Member.Nick]
	switch {
	case ok:
	case len(c.held) == 0 && c.may(now) || len(c.held) >= maxCrowd:
		return []*core.MemberChanged{e}
	default:
		h.there = e.Change != core.Came
	}
	c.merge(h, e)
	return nil
}

// hold holds back what has happened under a nick, for the first time or once more.
func (c *crowd) hold(nick string, h held) {
	if c.held == nil {
		c.held = map[string]held{}
	}
	_, already := c.held[nick]
	if c.held[nick] = h; already {
		return
	}
	if c.order = append(c.order, nick); len(c.order) > 2*len(c.held)+crowdBurst {
		seen := map[string]bool{}
		c.order = slices.DeleteFunc(c.order, func(nick string) bool {
			again := seen[nick]
			seen[nick] = true
			_, still := c.held[nick]
			return again || !still
		})
	}
}

// merge adds a change to what is held back already.
func (c *crowd) merge(h held, e *core.MemberChanged) {
	nick := e.Member.Nick
	switch {
	case e.Change != core.Went:
		h.now = changeOf(e)
	case !h.there:
		delete(c.held, nick)
		return
	case h.went.none():
		h.went, h.now = changeOf(e), change{}
	default:
		h.now = change{}
	}
	c.hold(nick, h)
}

// rename passes on that a member has another nick: who has been shown under the old one is seen to change it.
func (c *crowd) rename(e *core.MemberChanged, now time.Time) []*core.MemberChanged {
	h, ok := c.held[e.Old]
	if _, taken := c.held[e.Member.Nick]; ok && !h.there && !taken {
		delete(c.held, e.Old)
		came := *e
		came.Change, came.Old = core.Came, ""
		c.hold(came.Member.Nick, held{now: changeOf(&came)})
		return nil
	}
	c.may(now)
	return append(append(c.of(e.Old), c.of(e.Member.Nick)...), e)
}

// of returns what is held back of a nick, and holds it no more.
func (c *crowd) of(nick string) []*core.MemberChanged {
	h, ok := c.held[nick]
	if !ok {
		return nil
	}
	delete(c.held, nick)
	return h.shown()
}

// shown is the least that makes what clients see true.
func (h held) shown() []*core.MemberChanged {
	switch {
	case h.now.none() && h.went.none():
		return nil
	case h.now.none():
		return []*core.MemberChanged{h.went.event()}
	case h.went.none():
		return []*core.MemberChanged{h.now.event()}
	}
	went, now := h.went.event(), h.now.event()
	switch {
	case went.Member == now.Member:
		return nil
	case went.Member.Person != now.Member.Person:
		return []*core.MemberChanged{went, now}
	}
	return []*core.MemberChanged{now}
}

// due returns what may be shown by now, oldest first.
func (c *crowd) due(now time.Time) []*core.MemberChanged {
	var all []*core.MemberChanged
	for len(c.order) > 0 {
		nick := c.order[0]
		if _, still := c.held[nick]; still && !c.may(now) {
			break
		}
		c.order = c.order[1:]
		all = append(all, c.of(nick)...)
	}
	if len(c.order) == 0 {
		c.order, c.held = nil, nil
	}
	return all
}

// all returns everything that is held back, and holds it no more.
func (c *crowd) all() []*core.MemberChanged {
	var all []*core.MemberChanged
	for _, nick := range c.order {
		all = append(all, c.of(nick)...)
	}
	c.order, c.held = nil, nil
	return all
}

// member shows that a member came, went or is different, now or when there is less to be shown. What happens to
// oneself is never held back.
func (rm *room) member(enc *stream.Encoder, e *core.MemberChanged) {
	rm.mu.Lock()
	show, waits := []*core.MemberChanged{e}, false
	if len(rm.in) > 0 && !e.Mine {
		show = rm.crowd.take(e, rm.rooms.now())
		waits = len(rm.crowd.held) > 0
	}
	rm.mu.Unlock()
	rm.changes(enc, show)
	if waits {
		rm.rooms.crowded(rm)
	}
}

func (rm *room) changes(enc *stream.Encoder, all []*core.MemberChanged) {
	for _, e := range all {
		rm.changed(enc, e)
	}
}

// introduce shows what is held back of somebody before they say something.
func (rm *room) introduce(enc *stream.Encoder, nick string) {
	rm.mu.Lock()
	all := rm.crowd.of(nick)
	rm.mu.Unlock()
	rm.changes(enc, all)
}

// catchUp shows all that is held back.
func (rm *room) catchUp(enc *stream.Encoder) {
	rm.mu.Lock()
	all := rm.crowd.all()
	rm.mu.Unlock()
	rm.changes(enc, all)
}

// release shows what may be shown by now of what is held back.
func (rm *room) release(enc *stream.Encoder) {
	rm.mu.Lock()
	if len(rm.in) == 0 {
		rm.crowd = crowd{}
	}
	all := rm.crowd.due(rm.rooms.now())
	rm.mu.Unlock()
	rm.changes(enc, all)
}

// crowded notes that a room holds something back.
func (r *Rooms) crowded(rm *room) {
	r.mu.Lock()
	r.busy[rm] = true
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run shows by and by what is held back in rooms where too much happened at once. It returns nil when ctx ends.
func (r *Rooms) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-r.wake:
		}
		for r.releaseAll() {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(crowdTick):
			}
		}
	}
}

// releaseAll says whether anything is still held back.
func (r *Rooms) releaseAll() bool {
	r.mu.Lock()
	busy := make([]*room, 0, len(r.busy))
	for rm := range r.busy {
		if r.rooms[rm.ref] == rm {
			busy = append(busy, rm)
		} else {
			delete(r.busy, rm) // nobody is in any more
		}
	}
	r.mu.Unlock()
	for _, rm := range busy {
		// A link that is down has nobody to tell, and clients join again when it is back.
		_ = rm.domain.InTurn(rm.ref.Account, rm.release)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rm := range busy {
		rm.mu.Lock()
		if len(rm.crowd.held) == 0 {
			delete(r.busy, rm)
		}
		rm.mu.Unlock()
	}
	return len(r.busy) > 0
}
