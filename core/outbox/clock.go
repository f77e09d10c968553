package outbox

import (
	"context"
	"time"
)

// clock wakes lanes whose time has come, until ctx ends.
func (s *schedule) clock(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(s.wakeDue())
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-s.sooner:
		}
	}
}

// wakeDue makes the lanes ready whose time has come and returns how long it is until the next; an hour at most.
func (s *schedule) wakeDue() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now().UnixMicro()
	for len(s.waiting) > 0 && s.waiting[0].wake <= now {
		l := s.waiting[0]
		s.leaveHeap(l)
		s.makeReady(l)
	}
	if len(s.waiting) == 0 {
		return time.Hour
	}
	return min(time.Duration(s.waiting[0].wake-now)*time.Microsecond, time.Hour)
}

// laneHeap orders waiting lanes by when they wake.
type laneHeap []*lane

func (h laneHeap) Len() int           { return len(h) }
func (h laneHeap) Less(i, j int) bool { return h[i].wake < h[j].wake }
func (h laneHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].heap, h[j].heap = int32(i), int32(j)
}

// Push implements heap.Interface.
func (h *laneHeap) Push(x any) {
	l := x.(*lane)
	l.heap = int32(len(*h))
	*h = append(*h, l)
}

// Pop implements heap.Interface.
func (h *laneHeap) Pop() any {
	old := *h
	l := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return l
}
