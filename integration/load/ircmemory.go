package main

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"
)

// ircTargetUser is what a further user with one channel may cost, in KiB of resident memory.
const ircTargetUser = 40

// ircRest is how long the users are idle before the memory is taken.
const ircRest = 5 * time.Second

// ircMemory measures what users cost: each alone in a channel, and all in one.
func ircMemory(o ircOptions, kinds []ircKind, counts []int, out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "resident memory, KiB\tusers\t")
	for _, k := range kinds {
		fmt.Fprintf(w, "%s\teach further\t", k.name)
	}
	fmt.Fprintln(w, "\t")
	for _, layout := range []struct {
		name    string
		channel func(i int) string
	}{
		{"each alone in a channel", func(i int) string { return "#load" + strconv.Itoa(i) }},
		{"all in one channel", func(int) string { return "#load" }},
	} {
		tables := make([][]int, len(kinds))
		for i, k := range kinds {
			var err error
			if tables[i], err = residents(o, k, counts, layout.channel); err != nil {
				return err
			}
		}
		for j, n := range counts {
			fmt.Fprintf(w, "%s\t%d\t", layout.name, n)
			for i := range kinds {
				further := ""
				if j > 0 {
					further = fmt.Sprintf("%.1f", perUser(tables[i], counts, j))
				}
				fmt.Fprintf(w, "%d\t%s\t", tables[i][j], further)
			}
			if j > 0 {
				fmt.Fprintf(w, "%s (<= %d)", verdict(perUser(tables[0], counts, j) <= ircTargetUser), ircTargetUser)
			}
			fmt.Fprintln(w, "\t")
		}
		if err := w.Flush(); err != nil { // the next takes minutes
			return err
		}
	}
	return nil
}

func perUser(rss, counts []int, j int) float64 {
	return float64(rss[j]-rss[j-1]) / float64(counts[j]-counts[j-1])
}

// residents is the gateway's memory at each number of users.
func residents(o ircOptions, k ircKind, counts []int, channel func(int) string) ([]int, error) {
	s, err := newIRCStage(o, k)
	if err != nil {
		return nil, err
	}
	defer s.close()
	rss := make([]int, len(counts))
	joined := 0
	for i, n := range counts {
		if err := s.joinAll(joined, n, channel); err != nil {
			return nil, err
		}
		joined = n
		if _, err := s.child.settled(s.ctx); err != nil {
			return nil, err
		}
		time.Sleep(ircRest)
		if rss[i], err = s.child.rss(); err != nil {
			return nil, err
		}
	}
	return rss, nil
}
