package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// What a program in Go needs of memory is up to twice what it uses, and what a rush has needed it keeps for minutes. A
// gateway is at rest most of the time, often on a small machine, and has processor time to spare: it collects garbage
// twice as often as by default, and at rest it gives back what it does not use.
const (
	gcPercent   = 50 // garbage for what is in use; GOGC in the environment has the last word
	restTick    = 2 * time.Second
	restAllocs  = 256 << 10 // bytes allocated in a tick, at most, by a program at rest
	trimLeast   = 1 << 20   // bytes that are worth giving back
	trimPortion = 8         // and at least this part of what is in use: so it costs a thousandth of a processor at most
)

// heap is how the heap stands.
type heap struct {
	allocated uint64 // bytes, since the program began
	used      uint64 // bytes that the last collection found in use
	unused    uint64 // bytes of garbage since, and of what is free and not given back
}

func readHeap() heap {
	s := []metrics.Sample{
		{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(s)
	used, objects := s[1].Value.Uint64(), s[2].Value.Uint64()
	return heap{s[0].Value.Uint64(), used, objects - min(used, objects) + s[3].Value.Uint64()}
}

// trims says whether it is time to give back what is not used, a tick after the heap stood as before.
func (h heap) trims(before heap) bool {
	return h.allocated-before.allocated <= restAllocs && h.unused >= max(trimLeast, h.used/trimPortion)
}

// trim gives memory back whenever the program is at rest, until ctx ends. It begins with what building the program has
// needed, such as the buffers that migrations are read with; pools keep theirs through one collection.
func trim(ctx context.Context) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	runtime.GC()
	debug.FreeOSMemory()
	tick := time.NewTicker(restTick)
	defer tick.Stop()
	for before := readHeap(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := readHeap()
		if now.trims(before) {
			debug.FreeOSMemory()
			now = readHeap()
		}
		before = now
	}
}
