package register

import (
	"sync"
	"time"

	"gangway/core"
)

const (
	visitFor    = 15 * time.Minute // an unfinished conversation is forgotten after
	maxVisitors = 10_000           // who came within that time
	maxTurns    = 30               // answers to one user in a minute: two machines may be talking
	maxRequests = 120              // of one user in a minute, by forms
)

// visitors are those who came to the desk a short while ago, by chat or by form.
// The lock is not held while a command runs; a visitor's fields belong to whoever
// serves their stanza, one after the other.
type visitors struct {
	now func() time.Time

	mu     sync.Mutex
	byUser map[core.UserID]*visitor
}

type visitor struct {
	talk     *talk // by chat; nil: in no conversation
	talked   time.Time
	lapsed   bool // a talk was given up, and they have not been told
	last     time.Time
	since    time.Time // of turns and requests
	turns    int
	requests int
}

func newVisitors(now func() time.Time) visitors {
	return visitors{now: now, byUser: map[core.UserID]*visitor{}}
}

// turn finds or makes a visitor who writes, and counts.
func (v *visitors) turn(user core.UserID) (*visitor, error) {
	return v.enter(user, func(p *visitor) bool {
		now := v.now()
		if p.talk != nil && now.Sub(p.talked) >= visitFor {
			p.talk, p.lapsed = nil, true
		}
		p.talked = now
		p.turns++
		return p.turns <= maxTurns
	})
}

// request counts a request of a visitor.
func (v *visitors) request(user core.UserID) error {
	_, err := v.enter(user, func(p *visitor) bool { p.requests++; return p.requests <= maxRequests })
	return err
}

// talking reports whether a visitor is in the middle of a talk.
func (v *visitors) talking(user core.UserID) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	p := v.byUser[user]
	return p != nil && p.talk != nil && v.now().Sub(p.talked) < visitFor
}

// talk has a visitor be in the middle of a talk.
func (v *visitors) talk(user core.UserID, t *talk) error {
	p, err := v.enter(user, func(*visitor) bool { return true })
	if err == nil {
		p.talk, p.talked = t, v.now()
	}
	return err
}

func (v *visitors) enter(user core.UserID, count func(*visitor) bool) (*visitor, error) {
	now := v.now()
	v.mu.Lock()
	defer v.mu.Unlock()
	p := v.byUser[user]
	if p == nil {
		if v.forget(now); len(v.byUser) >= maxVisitors {
			return nil, core.E(core.OverLimit, "register: visitors", "")
		}
		p = &visitor{since: now}
		v.byUser[user] = p
	}
	if now.Sub(p.since) >= time.Minute {
		p.since, p.turns, p.requests = now, 0, 0
	}
	p.last = now
	if !count(p) {
		return nil, core.E(core.OverLimit, "register: visitors", "That was a lot at once. Please wait a minute.")
	}
	return p, nil
}

// forget drops whoever has been silent for long, when the table is full. The
// lock is held.
func (v *visitors) forget(now time.Time) {
	if len(v.byUser) < maxVisitors {
		return
	}
	for u, p := range v.byUser {
		if now.Sub(p.last) >= visitFor {
			delete(v.byUser, u)
		}
	}
}
