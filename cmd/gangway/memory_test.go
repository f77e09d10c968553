package main

import "testing"

// Memory is given back at rest only, and only where it is worth a collection.
func TestTrims(t *testing.T) {
	const mib = 1 << 20
	before := heap{allocated: 100 * mib}
	for name, c := range map[string]struct {
		now  heap
		want bool
	}{
		"at rest":            {heap{100 * mib, 8 * mib, 2 * mib}, true},
		"little to do":       {heap{100*mib + restAllocs, 8 * mib, 2 * mib}, true},
		"at work":            {heap{101 * mib, 8 * mib, 20 * mib}, false},
		"nothing to give":    {heap{100 * mib, 2 * mib, mib - 1}, false},
		"little of much":     {heap{100 * mib, 800 * mib, 99 * mib}, false},
		"much of even more":  {heap{100 * mib, 800 * mib, 100 * mib}, true},
		"after a first rush": {heap{100 * mib, 0, 50 * mib}, true},
	} {
		if got := c.now.trims(before); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestReadHeap(t *testing.T) {
	before := readHeap()
	kept := make([]byte, 1<<20)
	now := readHeap()
	if now.allocated < before.allocated+uint64(len(kept)) {
		t.Errorf("%+v after %+v and a mebibyte", now, before)
	}
}
