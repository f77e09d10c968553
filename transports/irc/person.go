package irc

import (
	"strconv"
	"time"
)

// A member's person is what outlives their nick: the services account that they came in with, or the nick that they
// were first seen under. It is kept for those only whose nick does not tell it.

// claim notes that a member keeps being known by a nick that somebody else may take now.
func (r *room) claim(person name) {
	if r.claims == nil {
		r.claims = map[name]bool{}
	}
	r.claims[person] = true
}

// unclaim forgets it when they are gone.
func (r *room) unclaim(m member) {
	if delete(r.claims, m.person); len(r.claims) == 0 {
		r.claims = nil
	}
}

// named gives a newcomer a person of their own, if their nick is what somebody else is known by.
func (r *room) named(key name, one member) member {
	if one.account != (name{}) {
		one.person = nameOf("account " + one.account.String())
	} else if r.claims[key] {
		one.person = nameOf(key.String() + " " + strconv.FormatInt(time.Now().UnixNano(), 36))
	}
	return one
}

// renamed is a member under another nick.
func (r *room) renamed(old name, one member, nick string) member {
	if one.person == (name{}) {
		one.person = old
		r.claim(old)
	}
	one.nick = nameOf(nick)
	return one
}

// personOf is who speaks in a room under a nick; empty if the nick tells it.
func (s *session) personOf(r *room, nick string) string {
	if r == nil {
		return ""
	}
	if s.mine(nick) {
		return r.self.person.String()
	}
	key := s.key(nick)
	if one, ok := r.members.get(key); ok {
		return one.person.String()
	}
	if r.claims[key] {
		return key.String() + " outside"
	}
	return ""
}
