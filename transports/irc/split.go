package irc

import (
	"slices"
	"strings"
	"time"

	"gangway/core"
)

const (
	splitFor  = 30 * time.Second // how long who was lost in a netsplit is waited for
	settleFor = 5 * time.Second  // how long who is back from one is given to have their rank again
)

// parted is a member who was lost in a netsplit, and who the edge still shows as there.
type parted struct {
	was    member
	reason string
	due    time.Time
	back   bool // they are in again; due is when to look what is different now
}

// isSplit says whether a reason is that of a netsplit: the names of the two servers that lost each other.
func isSplit(reason string) bool {
	near, far, ok := strings.Cut(reason, " ")
	return ok && isServerName(near) && isServerName(far) && near != far
}

func isServerName(name string) bool {
	return len(name) > 3 && strings.Contains(name[1:len(name)-1], ".") && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '-' && r != '*'
	})
}

// split takes a member out of a room who may be back in a moment; nobody is told before that is over.
func (s *session) split(r *room, nick, reason string) {
	key := s.key(nick)
	one, ok := r.members.get(key)
	if !ok {
		return
	}
	was := one
	if p, again := r.parted[key]; again {
		was = p.was // what the edge knows
	}
	r.members.drop(key)
	if r.parted == nil {
		r.parted = map[name]parted{}
	}
	r.parted[key] = parted{was: was, reason: reason, due: time.Now().Add(splitFor)}
}

// rejoined takes a member in again who was lost in a netsplit: true if that was so, and nobody needs to be told yet.
// Somebody else under the same nick is somebody new.
func (s *session) rejoined(r *room, one member) bool {
	key := s.key(one.nick.String())
	p, ok := r.parted[key]
	if !ok || p.back {
		return false
	}
	if p.was.real != one.real && p.was.real != (name{}) {
		delete(r.parted, key)
		s.missed(r, p)
		return false
	}
	one.person, one.away, one.staff = p.was.person, p.was.away, p.was.staff
	r.members.put(key, one)
	p.back, p.due = true, time.Now().Add(settleFor)
	r.parted[key] = p
	return true
}

// missed shows that a member is gone for good.
func (s *session) missed(r *room, p parted) {
	r.unclaim(p.was)
	s.changed(r, &core.MemberChanged{Change: core.Went, Member: s.shown(p.was), Why: core.Quit, Reason: p.reason})
}

// settle shows what has become of a netsplit: who has not come back is gone, and who has is shown if anything about
// them is different. It returns when there is more to settle; zero if there is not. All of it, when the room is to be
// shown to somebody new.
func (s *session) settle(r *room, now time.Time, all bool) (next time.Time) {
	var over []name
	for key, p := range r.parted {
		switch {
		case all || !now.Before(p.due):
			over = append(over, key)
		case next.IsZero() || p.due.Before(next):
			next = p.due
		}
	}
	slices.SortFunc(over, func(a, b name) int { return strings.Compare(a.String(), b.String()) })
	for _, key := range over {
		p := r.parted[key]
		delete(r.parted, key)
		if !p.back {
			s.missed(r, p)
			continue
		}
		if one, ok := r.members.get(key); ok && s.shown(one) != s.shown(p.was) {
			s.changed(r, &core.MemberChanged{Change: core.Updated, Member: s.shown(one)})
		}
	}
	if len(r.parted) == 0 {
		r.parted = nil
	}
	return next
}

// settleAll settles what is due in all rooms.
func (s *session) settleAll(now time.Time) (next time.Time) {
	for _, r := range s.rooms {
		if len(r.parted) == 0 {
			continue
		}
		if at := s.settle(r, now, false); !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}
