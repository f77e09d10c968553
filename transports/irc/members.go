package irc

import (
	"unique"

	"gangway/core"
	"gangway/transports/irc/isupport"
)

// name is a string that all sessions share, since many see the same nicks and hosts; the zero name is empty.
type name struct{ h unique.Handle[string] }

func nameOf(s string) name {
	if s == "" {
		return name{}
	}
	return name{unique.Make(s)}
}

// String is safe on the zero name, which a Handle is not.
func (n name) String() string {
	if n == (name{}) {
		return ""
	}
	return n.h.Value()
}

// member is somebody in a room.
type member struct {
	nick    name
	real    name // user@host; empty: not known
	account name // empty: none, or not known
	person  name // see person.go
	ranks   isupport.Ranks
	away    bool
	staff   bool // an operator of the network
}

// members are a room's, by folded nick.
type members map[name]member

// maxMembers is what a session remembers of one room at most.
const maxMembers = 100_000

// shown says whether the edge knows the room as it is.
func (r *room) shown() bool { return r.stage == inside && !r.unasked }

// put adds or replaces a member.
func (r *room) put(key name, one member) {
	if r.members == nil {
		r.members = members{}
	}
	if _, ok := r.members[key]; ok || len(r.members) < maxMembers {
		r.members[key] = one
	}
}

// shown is a member as the edge knows members.
func (s *session) shown(m member) core.Member {
	nick := m.nick.String()
	out := core.Member{
		Nick: nick, Address: lower(nick), Real: m.real.String(), Account: m.account.String(), Away: m.away,
		Person: m.person.String(), Staff: m.staff,
	}
	if s.link != nil {
		out.Rank = s.link.support.Rank(m.ranks)
	}
	return out
}

// key is how a nick is found in members.
func (s *session) key(nick string) name { return nameOf(s.fold.Fold(nick)) }

// newMember is somebody of whom only the nick is known.
func newMember(nick string) member {
	return member{nick: nameOf(nick)}
}

// realOf is the user@host of a prefix or a name in NAMES; empty if there is none.
func realOf(user, host string) name {
	if user == "" || host == "" {
		return name{}
	}
	return nameOf(user + "@" + host)
}
