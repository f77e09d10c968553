package mapping

import "sync"

// memo keeps the answers to one kind of question, at most size of them. What is not in it may still exist.
//
// A reader that misses notes the generation before it looks into the database, and gives it back with what it found:
// if a write was committed in between, what it found may be old and is not kept.
type memo[K comparable, V any] struct {
	size int

	mu         sync.RWMutex
	generation uint64
	answers    map[K]V
}

func newMemo[K comparable, V any](size int) *memo[K, V] {
	return &memo[K, V]{size: size, answers: make(map[K]V)}
}

// get returns an answer, or the generation to fill in with. The answer is shared: nobody changes it.
func (m *memo[K, V]) get(k K) (v V, ok bool, generation uint64) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	v, ok = m.answers[k]
	return v, ok, m.generation
}

// fill keeps an answer that was found.
func (m *memo[K, V]) fill(generation uint64, k K, v V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if generation != m.generation {
		return
	}
	shrink(m.answers, m.size)
	m.answers[k] = v
}

// forget drops what a committed write has changed.
func (m *memo[K, V]) forget(keys ...K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.generation++
	for _, k := range keys {
		delete(m.answers, k)
	}
}

// forgetIf drops the answers to the questions that match.
func (m *memo[K, V]) forgetIf(match func(K) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.generation++
	for k := range m.answers {
		if match(k) {
			delete(m.answers, k)
		}
	}
}
