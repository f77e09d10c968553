package demo

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"
)

// SGR sequences (ECMA-48). Everything else on the screen is plain text.
const (
	bold  = "\x1b[1m"
	dim   = "\x1b[2m"
	red   = "\x1b[31m"
	green = "\x1b[32m"
	reset = "\x1b[0m"
)

// margin stands below a figure.
const margin = "            "

// transcript writes what happens as people read it. Its methods may be called from several goroutines.
type transcript struct {
	mu     sync.Mutex
	out    io.Writer
	colour bool
	rows   []row
}

// row is a step in the table at the end.
type row struct {
	scene, step string
	took        time.Duration
	err         error
}

func newTranscript(out io.Writer) *transcript {
	return &transcript{out: out, colour: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(out)}
}

func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (t *transcript) write(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprint(t.out, text)
}

func (t *transcript) paint(sgr, text string) string {
	if !t.colour || text == "" {
		return text
	}
	return sgr + text + reset
}

func (t *transcript) title(name, more string) {
	t.write("\n" + t.paint(bold, strings.ToUpper(name)) + " " + t.paint(dim, more) + "\n")
}

func (t *transcript) started(name, where string, took time.Duration) {
	t.write(fmt.Sprintf("%s  %-20s %s\n", figure(took), name, t.paint(dim, where)))
}

// said is a line of the conversation.
type said struct {
	who   string
	text  string
	route string        // from where to where, over what
	took  time.Duration // until it had arrived; 0: not known yet
}

func (t *transcript) say(l said) {
	text := strings.ReplaceAll(printable(l.text), "\n", "\n"+margin+strings.Repeat(" ", len(l.who)+2))
	line := figure(l.took) + "  " + t.paint(bold, l.who+":") + " " + text + "\n"
	if l.route != "" {
		line += margin + t.paint(dim, l.route) + "\n"
	}
	t.write(line)
}

// note is something that people see, but that nobody says.
func (t *transcript) note(text, route string, took time.Duration) {
	line := figure(took) + "  " + t.paint(green, printable(text)) + "\n"
	if route != "" {
		line += margin + t.paint(dim, route) + "\n"
	}
	t.write(line)
}

// printable is text without what would move the cursor about.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && unicode.IsControl(r) {
			return '\uFFFD'
		}
		return r
	}, text)
}

// figure is a latency, right-aligned: tenths below 10 ms, where they matter.
func figure(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case d == 0:
		return fmt.Sprintf("%10s", "")
	case ms < 10:
		return fmt.Sprintf("%7.1f ms", ms)
	}
	return fmt.Sprintf("%7.0f ms", ms)
}

func (t *transcript) done(r row) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows = append(t.rows, r)
}

// table sums up.
func (t *transcript) table(total time.Duration) {
	t.mu.Lock()
	rows := t.rows
	t.mu.Unlock()
	wide, failed := len("step"), 0
	for _, r := range rows {
		wide = max(wide, len(r.step))
		if r.err != nil {
			failed++
		}
	}
	t.title("Summary", "")
	t.write(fmt.Sprintf("  %-8s  %-*s  %-6s  %10s\n", "over", wide, "step", "ok", "latency"))
	last := ""
	for _, r := range rows {
		scene, ok, sgr := "", "yes", green
		if r.scene != last {
			scene, last = r.scene, r.scene
		}
		if r.err != nil {
			ok, sgr = "FAILED", red
		}
		t.write(fmt.Sprintf("  %-8s  %-*s  %s  %s\n", scene, wide, r.step, t.paint(sgr, fmt.Sprintf("%-6s", ok)), cmp.Or(strings.TrimRight(figure(r.took), " "), "         -")))
	}
	t.write(fmt.Sprintf("  %d steps, %d failed, in %.1f s\n", len(rows), failed, total.Seconds()))
}
