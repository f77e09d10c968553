package outbox

import (
	"cmp"
	"slices"
)

// stats counts what is pending; live is false if the schedule knows nothing because Run does not run.
func (s *schedule) stats() (stats map[group]Stat, live bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats = make(map[group]Stat)
	if !s.active {
		return stats, false
	}
	oldest := make([]int64, len(s.groups))
	for _, l := range s.lanes {
		e := l.head
		if len(l.hand) > 0 {
			e = l.hand[0]
		}
		if e != nil && (oldest[e.group] == 0 || e.queued < oldest[e.group]) {
			oldest[e.group] = e.queued
		}
	}
	for i, g := range s.groups {
		if s.depth[i] > 0 {
			stats[g] = Stat{Pending: s.depth[i], Oldest: moment(oldest[i])}
		}
	}
	return stats, true
}

func sorted(stats map[group]Stat) []Stat {
	all := make([]Stat, 0, len(stats))
	for g, s := range stats {
		s.Direction, s.Network = g.direction, g.network
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Stat) int {
		return cmp.Or(cmp.Compare(a.Network, b.Network), cmp.Compare(a.Direction, b.Direction))
	})
	return all
}
