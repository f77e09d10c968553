package muc

import (
	"testing"

	"gangway/core"
)

// The table of the network's ranks in XEP-0045's words, and what of it can be asked for.
func TestStanding(t *testing.T) {
	for _, c := range []struct {
		rank core.Rank
		want standing
	}{
		{core.Plain, standing{"none", "participant"}},
		{core.Voice, standing{"member", "participant"}},
		{core.Half, standing{"member", "moderator"}},
		{core.Operator, standing{"admin", "moderator"}},
		{core.Owner, standing{"owner", "moderator"}},
		{core.Spectator, standing{"none", "visitor"}},
		{core.Rank(99), standing{"none", "participant"}},
	} {
		got := standingOf(c.rank)
		if got != c.want {
			t.Errorf("rank %d is shown as %v, want %v", c.rank, got, c.want)
		}
		if c.rank > core.Owner {
			continue // nobody can be made one
		}
		if back, ok := rankOf(got.affiliation, got.role); !ok || back != c.rank {
			t.Errorf("%v asks for rank %d, %v; want %d", got, back, ok, c.rank)
		}
	}
}

func TestRankOf(t *testing.T) {
	for _, c := range []struct {
		affiliation, role string
		want              core.Rank
		ok                bool
	}{
		{"owner", "", core.Owner, true},
		{"admin", "", core.Operator, true},
		{"member", "", core.Voice, true},
		{"none", "", core.Plain, true},
		{"", "moderator", core.Operator, true},
		{"", "participant", core.Voice, true},
		{"", "visitor", core.Plain, true},
		{"outcast", "", 0, false},
		{"king", "moderator", 0, false},
		{"", "king", 0, false},
		{"", "", 0, false},
	} {
		if got, ok := rankOf(c.affiliation, c.role); got != c.want || ok != c.ok {
			t.Errorf("rankOf(%q, %q) = %d, %v; want %d, %v", c.affiliation, c.role, got, ok, c.want, c.ok)
		}
	}
}
