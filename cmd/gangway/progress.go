package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// progress shows how far something has come: a bar that is drawn over on a terminal, else a line for every tenth.
type progress struct {
	out         io.Writer
	unit        string // what is counted, in the plural; empty: lines
	bar         bool
	done, total int64
	shown       int64 // tenths that have a line
	drawn       time.Time
}

const (
	barWidth = 40
	barEvery = 100 * time.Millisecond
)

func newProgress(out io.Writer) *progress { return &progress{out: out, bar: isTerminal(out)} }

func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (p *progress) begin(total int64) { p.total = total }

// add notes that n more of the total are done.
func (p *progress) add(n int64) {
	p.done += n
	switch {
	case p.total <= 0:
	case p.bar:
		if p.done >= p.total || time.Since(p.drawn) >= barEvery {
			p.draw()
		}
	default:
		if tenth := 10 * p.done / p.total; tenth > p.shown {
			p.shown = tenth
			fmt.Fprintf(p.out, "%d of %d %s\n", p.done, p.total, cmp.Or(p.unit, "lines"))
		}
	}
}

func (p *progress) draw() {
	p.drawn = time.Now()
	share := min(p.done, p.total)
	full := int(barWidth * share / p.total)
	fmt.Fprintf(p.out, "\r[%s%s] %3d%% of %d %s", strings.Repeat("#", full), strings.Repeat(".", barWidth-full), 100*share/p.total, p.total, cmp.Or(p.unit, "lines"))
}

// say writes a line of the result, with the bar out of its way.
func (p *progress) say(out io.Writer, format string, args ...any) {
	p.clear()
	fmt.Fprintf(out, format+"\n", args...)
	if p.bar && p.total > 0 {
		p.draw()
	}
}

func (p *progress) clear() {
	if p.bar && !p.drawn.IsZero() {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}

// end leaves the line of the bar.
func (p *progress) end() { p.clear() }
