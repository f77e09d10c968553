package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// treeCPU is the processor time of a process and of all that descend from it, those included that have ended and were
// waited for.
func treeCPU(root int) (time.Duration, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	parents, used := map[int]int{}, map[int]time.Duration{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue // it has just ended; its parent has its time
		}
		if parents[pid], used[pid], err = statTree(string(text)); err != nil {
			return 0, fmt.Errorf("/proc/%d/stat: %w", pid, err)
		}
	}
	if _, ok := used[root]; !ok {
		return 0, fmt.Errorf("process %d is gone", root)
	}
	total := time.Duration(0)
	for pid := range used {
		for p, hops := pid, 0; p > 0 && hops < 100; p, hops = parents[p], hops+1 {
			if p == root {
				total += used[pid]
				break
			}
		}
	}
	return total, nil
}

// statTree reads the parent, and the time of the process and of its children that have ended, from proc_pid_stat(5).
func statTree(stat string) (parent int, used time.Duration, err error) {
	rest, ok := afterLast(stat, ") ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 15 {
		return 0, 0, fmt.Errorf("%q is not understood", stat)
	}
	if parent, err = strconv.Atoi(fields[1]); err != nil {
		return 0, 0, err
	}
	for _, f := range fields[11:15] {
		ticks, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, 0, err
		}
		used += time.Duration(ticks) * (time.Second / 100)
	}
	return parent, used, nil
}
