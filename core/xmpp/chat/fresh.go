package chat

import (
	"sync"
	"time"
)

// fresh is a bounded table whose rows are forgotten between one and two lives
// after they were put there.
type fresh[K comparable, V any] struct {
	now      func() time.Time
	life     time.Duration
	capacity int // rows put within one life, before it ends early

	mu         sync.Mutex
	began      time.Time // of young
	young, old map[K]V
}

func newFresh[K comparable, V any](now func() time.Time, life time.Duration, capacity int) *fresh[K, V] {
	return &fresh[K, V]{now: now, life: life, capacity: capacity, young: map[K]V{}}
}

func (f *fresh[K, V]) put(k K, v V) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.turn()
	f.young[k] = v
}

func (f *fresh[K, V]) get(k K) (V, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.turn()
	if v, ok := f.young[k]; ok {
		return v, true
	}
	v, ok := f.old[k]
	return v, ok
}

// turn makes the young generation the old one when its time is over or it is
// full.
func (f *fresh[K, V]) turn() {
	now := f.now()
	age := now.Sub(f.began)
	if age < f.life && len(f.young) < f.capacity {
		return
	}
	f.old = f.young
	if age >= 2*f.life {
		f.old = nil
	}
	f.young, f.began = map[K]V{}, now
}
