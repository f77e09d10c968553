package irc

import (
	"slices"
	"strings"
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
	key     name // the folded nick
	nick    name
	real    name // user@host; empty: not known
	account name // empty: none, or not known
	person  name // see person.go
	ranks   isupport.Ranks
	away    bool
	staff   bool // an operator of the network
}

// members are a room's, in the order of their folded nicks. Each session has a list of its own, since one may lag
// behind another or be told more; but who is in it is there once for all sessions that know the same of them. So a
// further user of a channel costs eight bytes for each of its members.
type members []unique.Handle[member]

// maxMembers is what a session remembers of one room at most.
const maxMembers = 100_000

// find says where a member is, or would be.
func (all members) find(key name) (at int, ok bool) {
	folded := key.String()
	return slices.BinarySearchFunc(all, folded, func(one unique.Handle[member], folded string) int {
		return strings.Compare(one.Value().key.String(), folded)
	})
}

// get returns a member as they are now.
func (all members) get(key name) (one member, ok bool) {
	at, ok := all.find(key)
	if !ok {
		return member{}, false
	}
	return all[at].Value(), true
}

// put adds or replaces a member; nobody is added to a list that is full.
func (all *members) put(key name, one member) {
	one.key = key
	at, ok := all.find(key)
	switch {
	case ok:
		(*all)[at] = unique.Make(one)
	case len(*all) < maxMembers:
		*all = slices.Insert(*all, at, unique.Make(one))
	}
}

// drop takes a member out.
func (all *members) drop(key name) {
	if at, ok := all.find(key); ok {
		*all = slices.Delete(*all, at, at+1)
	}
}

// each yields all of them.
func (all members) each(yield func(member) bool) {
	for _, one := range all {
		if !yield(one.Value()) {
			return
		}
	}
}

// shown says whether the edge knows the room as it is.
func (r *room) shown() bool { return r.stage == inside && !r.unasked }

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
