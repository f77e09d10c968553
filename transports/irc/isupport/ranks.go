package isupport

import (
	"math/bits"
	"strings"

	"gangway/core"
)

// MaxRanks is how many prefix modes a network may have: the bits of ranks.
const MaxRanks = 8

// Ranks is the set of a member's prefix modes; bit i is the i-th of the network's PREFIX, so that the lowest bit is
// the highest rank.
type Ranks uint8

// Rank is the highest of a set in core's words. What stands above operators is an owner, whatever a network calls it.
func (s *Support) Rank(r Ranks) core.Rank {
	if r == 0 {
		return core.Plain
	}
	i := bits.TrailingZeros8(uint8(r))
	if i >= len(s.Modes) {
		return core.Plain
	}
	switch op := strings.IndexByte(s.Modes, 'o'); {
	case s.Modes[i] == 'o':
		return core.Operator
	case s.Modes[i] == 'h':
		return core.Half
	case s.Modes[i] == 'v':
		return core.Voice
	case i < op:
		return core.Owner
	}
	return core.Voice
}

// Bit is the set of one prefix mode; zero if the network has none such.
func (s *Support) Bit(mode byte) Ranks {
	i := strings.IndexByte(s.Modes, mode)
	if i < 0 {
		return 0
	}
	return 1 << i
}

// Signs splits "@+nick" into the ranks of its signs and the rest.
func (s *Support) Signs(text string) (Ranks, string) {
	var r Ranks
	for text != "" {
		i := strings.IndexByte(s.Prefixes, text[0])
		if i < 0 {
			break
		}
		r |= 1 << i
		text = text[1:]
	}
	return r, text
}
