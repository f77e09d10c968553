package irc

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"gangway/transports/irc/isupport"
)

// Whatever is done to a list, it is what a map would be, in the order of the folded nicks.
func TestMembers(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var all members
	want := map[string]member{}
	for range 20_000 {
		folded := fmt.Sprint("n", rng.IntN(300))
		key := nameOf(folded)
		if rng.IntN(3) == 0 {
			all.drop(key)
			delete(want, folded)
		} else {
			one := member{nick: nameOf(fmt.Sprint("N", folded)), ranks: isupport.Ranks(rng.IntN(3)), away: rng.IntN(2) == 0}
			all.put(key, one)
			one.key = key
			want[folded] = one
		}
		got, ok := all.get(key)
		if expected, there := want[folded]; ok != there || got != expected {
			t.Fatalf("%s is %v, %v; want %v, %v", folded, got, ok, expected, there)
		}
	}
	var keys []string
	for one := range all.each {
		keys = append(keys, one.key.String())
		if one != want[one.key.String()] {
			t.Errorf("%v is another", one)
		}
	}
	if sorted := slices.Sorted(maps.Keys(want)); !slices.Equal(keys, sorted) {
		t.Errorf("the order is %v, want %v", keys, sorted)
	}
}

// Two views of one channel do not see each other's changes, though they share what they know alike.
func TestMembersApart(t *testing.T) {
	var one, other members
	key := nameOf("nick")
	one.put(key, newMember("Nick"))
	other.put(key, newMember("Nick"))
	if one[0] != other[0] {
		t.Error("who is the same is there twice")
	}
	away, _ := one.get(key)
	away.away = true
	one.put(key, away)
	if got, _ := other.get(key); got.away {
		t.Error("a change in one view shows in another")
	}
	one.drop(key)
	if _, ok := other.get(key); !ok {
		t.Error("who left one view is gone from another")
	}
}

// A list that is full takes nobody in, but goes on changing.
func TestMembersBounded(t *testing.T) {
	var all members
	all.put(nameOf("nick"), newMember("Nick"))
	all = slices.Repeat(all, maxMembers)
	all.put(nameOf("other"), newMember("Other"))
	if len(all) != maxMembers {
		t.Errorf("there are %d members, want %d at most", len(all), maxMembers)
	}
	known := newMember("Nick")
	known.away = true
	all.put(nameOf("nick"), known)
	if got, _ := all.get(nameOf("nick")); !got.away {
		t.Error("who is in does not change any more")
	}
}

// BenchmarkMembership is what one more user costs in a channel of 1,000, for each of its members: the bytes that stay.
func BenchmarkMembership(b *testing.B) {
	const size, users = 1000, 100
	keys := make([]name, size)
	for i := range keys {
		keys[i] = nameOf(fmt.Sprint("nick", i))
	}
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	views := make([]members, users)
	b.ReportAllocs()
	for b.Loop() {
		for i := range views {
			views[i] = nil
			for _, key := range keys {
				views[i].put(key, member{nick: key, real: key})
			}
		}
	}
	b.ReportMetric(float64(heap()-before)/(size*users), "B/membership")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size*users), "ns/membership")
	runtime.KeepAlive(views)
}

// BenchmarkFind is what it takes to know who speaks in a channel of 1,000.
func BenchmarkFind(b *testing.B) {
	var all members
	keys := make([]name, 1000)
	for i := range keys {
		keys[i] = nameOf(fmt.Sprint("nick", i))
		all.put(keys[i], member{nick: keys[i]})
	}
	for i := 0; b.Loop(); i++ {
		if _, ok := all.get(keys[i%len(keys)]); !ok {
			b.Fatal("somebody is missing")
		}
	}
}
