// Package journal is the memory of a test client: everything that came in, in order, and a way to wait for what must
// come that cannot miss what came already.
package journal

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// Journal is an unbounded, ordered log. Its methods may be called from several goroutines. The zero value is ready.
type Journal[T any] struct {
	mu      sync.Mutex
	entries []T
	taken   []bool
	first   int           // no entry before it is free
	changed chan struct{} // closed, and forgotten, at each change
	closed  bool
	err     error // why nothing more will come
}

// Append adds an entry at the end.
func (j *Journal[T]) Append(v T) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = append(j.entries, v)
	j.taken = append(j.taken, false)
	j.wake()
}

// Close says that nothing more will come, and why. The first call counts.
func (j *Journal[T]) Close(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return
	}
	j.closed, j.err = true, err
	j.wake()
}

// wake tells the waiting that something changed. The caller holds mu.
func (j *Journal[T]) wake() {
	if j.changed != nil {
		close(j.changed)
		j.changed = nil
	}
}

// All returns every entry so far, whether handed out or not.
func (j *Journal[T]) All() []T {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.entries)
}

// Take returns the oldest entry that matches and that no Take or Wait was given before, if there is one now.
func (j *Journal[T]) Take(match func(T) bool) (T, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.take(match)
}

// take is Take for those who hold mu.
func (j *Journal[T]) take(match func(T) bool) (v T, ok bool) {
	for i := j.first; i < len(j.entries); i++ {
		if j.taken[i] || !match(j.entries[i]) {
			continue
		}
		j.taken[i] = true
		for j.first < len(j.taken) && j.taken[j.first] {
			j.first++
		}
		return j.entries[i], true
	}
	return v, false
}

// Wait is Take that waits: it returns the oldest matching entry that nobody was given, be it from before the call or
// after. An entry that does not match stays for others. It fails when the context ends, or when nothing more can come.
func (j *Journal[T]) Wait(ctx context.Context, match func(T) bool) (T, error) {
	for {
		v, ok, changed, err := j.try(match)
		if ok || err != nil {
			return v, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return v, fmt.Errorf("wait: %w; %s", context.Cause(ctx), j.summary())
		}
	}
}

func (j *Journal[T]) try(match func(T) bool) (v T, ok bool, changed <-chan struct{}, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if v, ok = j.take(match); ok {
		return v, true, nil, nil
	}
	if j.closed {
		return v, false, nil, fmt.Errorf("wait: nothing more will come: %w", j.err)
	}
	if j.changed == nil {
		j.changed = make(chan struct{})
	}
	return v, false, j.changed, nil
}

// summary shows the last entries nobody was given, for the error of a wait in vain.
func (j *Journal[T]) summary() string {
	const show = 5
	j.mu.Lock()
	defer j.mu.Unlock()
	var free []T
	for i := len(j.entries) - 1; i >= j.first && len(free) < show; i-- {
		if !j.taken[i] {
			free = append(free, j.entries[i])
		}
	}
	slices.Reverse(free)
	return fmt.Sprintf("%d came in, the last that did not match: %v", len(j.entries), free)
}
