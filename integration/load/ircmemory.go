package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"text/tabwriter"
	"time"
)

// ircTargetUser is what a further user with one channel may cost, in KiB of resident memory.
const ircTargetUser = 40

// ircMemory measures what users cost who are each alone in a channel.
func ircMemory(o ircOptions, kinds []ircKind, counts []int, out io.Writer) error {
	alone := func(i int) string { return "#load" + strconv.Itoa(i) }
	tables, err := ircResidents(o, kinds, counts, alone)
	if err != nil {
		return err
	}
	return ircMemoryTable(out, "each alone in a channel", kinds, counts, tables, func(further []float64) string {
		return fmt.Sprintf("%s (<= %d)", verdict(further[0] <= ircTargetUser), ircTargetUser)
	})
}

// ircCrowd measures what users cost who are all in one channel: each of them sees all the others.
func ircCrowd(o ircOptions, kinds []ircKind, counts []int, out io.Writer) error {
	tables, err := ircResidents(o, kinds, counts, func(int) string { return "#load" })
	if err != nil {
		return err
	}
	return ircMemoryTable(out, "all in one channel", kinds, counts, tables, func(further []float64) string {
		if len(further) < 2 || further[1] == 0 {
			return ""
		}
		return verdict(further[0] <= further[1]) + " (<= " + kinds[1].name + "'s)"
	})
}

// ircResidents is the memory of each gateway at each number of users. A peer that does not get so far in time has none:
// what gangway needs is measured all the same.
func ircResidents(o ircOptions, kinds []ircKind, counts []int, channel func(i int) string) ([][]int, error) {
	tables := make([][]int, len(kinds))
	for i, k := range kinds {
		var err error
		switch tables[i], err = residents(o, k, counts, channel); {
		case err != nil && i == 0:
			return nil, err
		case err != nil:
			fmt.Fprintf(os.Stderr, "%s was not measured to the end: %v\n", k.name, err)
		}
	}
	return tables, nil
}

// ircMemoryTable prints what was measured; judge says how what each further user costs stands to the target.
func ircMemoryTable(out io.Writer, name string, kinds []ircKind, counts []int, tables [][]int, judge func(further []float64) string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "resident memory, KiB: %s\tusers\t", name)
	for _, k := range kinds {
		fmt.Fprintf(w, "%s\teach further\t", k.name)
	}
	fmt.Fprintln(w, "\t")
	for j, n := range counts {
		fmt.Fprintf(w, "\t%d\t", n)
		further := make([]float64, len(kinds))
		for i := range kinds {
			if j >= len(tables[i]) {
				fmt.Fprint(w, "-\t\t")
				continue
			}
			fmt.Fprintf(w, "%d\t", tables[i][j])
			if j > 0 {
				further[i] = perUser(tables[i], counts, j)
				fmt.Fprintf(w, "%.1f", further[i])
			}
			fmt.Fprint(w, "\t")
		}
		if j > 0 {
			fmt.Fprint(w, judge(further))
		}
		fmt.Fprintln(w, "\t")
	}
	return w.Flush()
}

func perUser(rss, counts []int, j int) float64 {
	return float64(rss[j]-rss[j-1]) / float64(counts[j]-counts[j-1])
}

// residents is the gateway's memory at each number of users, as far as it came.
func residents(o ircOptions, k ircKind, counts []int, channel func(int) string) ([]int, error) {
	s, err := newIRCStage(o, k)
	if err != nil {
		return nil, err
	}
	defer s.close()
	var rss []int
	joined := 0
	for _, n := range counts {
		if err := s.joinAll(joined, n, channel); err != nil {
			return rss, err
		}
		joined = n
		if _, err := s.child.settled(s.ctx); err != nil {
			return rss, err
		}
		time.Sleep(o.rest)
		now, err := s.child.rss()
		if err != nil {
			return rss, err
		}
		rss = append(rss, now)
	}
	return rss, nil
}
