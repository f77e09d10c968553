package config

import (
	"slices"
	"strings"
)

// nearest returns the known key that key was probably meant to be, or "".
func nearest(key string, known []string) string {
	if len(key) > 64 {
		return ""
	}
	best, least := "", 1+max(1, len(key)/3)
	for _, k := range slices.Sorted(slices.Values(known)) {
		if n := distance(plain(key), plain(k)); n < least {
			best, least = k, n
		}
	}
	return best
}

// plain makes spellings equal that people mix up.
func plain(key string) string { return strings.ReplaceAll(strings.ToLower(key), "-", "_") }

// distance counts the insertions, deletions, replacements and swaps of neighbours that make a of b (optimal string
// alignment).
func distance(a, b string) int {
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
