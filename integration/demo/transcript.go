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
	"unicode/utf8"
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

// hang sets in the second and further lines of a text.
const hang = "    "

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
	if more != "" {
		more = "  " + t.paint(dim, more)
	}
	t.write("\n" + t.paint(bold, strings.ToUpper(name)) + more + "\n")
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
	text := wrap(printable(l.who + ": " + l.text))
	text = t.paint(bold, l.who+":") + strings.TrimPrefix(text, l.who+":")
	t.write(figure(l.took) + "  " + text + "\n" + t.route(l.route))
}

// note is something that people see, but that nobody says.
func (t *transcript) note(text, route string, took time.Duration) {
	t.write(figure(took) + "  " + t.paint(green, wrap(printable(text))) + "\n" + t.route(route))
}

func (t *transcript) route(text string) string {
	if text == "" {
		return ""
	}
	return margin + t.paint(dim, text) + "\n"
}

// wrap breaks lines between words so that they fit beside a figure on 80 columns; what continues is set in.
func wrap(text string) string {
	const width = 80 - len(margin)
	var b strings.Builder
	column := 0
	for line := range strings.SplitSeq(text, "\n") {
		if column > 0 {
			b.WriteString("\n")
			column = 0
		}
		for word := range strings.FieldsSeq(line) {
			n := utf8.RuneCountInString(word)
			switch {
			case b.Len() == 0:
			case column == 0:
				b.WriteString(margin + hang)
				column = len(hang)
			case column+1+n > width:
				b.WriteString("\n" + margin + hang)
				column = len(hang)
			default:
				b.WriteString(" ")
				column++
			}
			b.WriteString(word)
			column += n
		}
	}
	return strings.TrimRight(b.String(), "\n")
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
		wide = max(wide, utf8.RuneCountInString(r.step))
		if r.err != nil {
			failed++
		}
	}
	t.title("Summary", "")
	t.write(fmt.Sprintf("  %-6s  %-*s  %-6s  %10s\n", "over", wide, "step", "ok", "latency"))
	last := ""
	for _, r := range rows {
		scene, ok, sgr := "", "yes", green
		if r.scene != last {
			scene, last = r.scene, r.scene
		}
		if r.err != nil {
			ok, sgr = "FAILED", red
		}
		latency := cmp.Or(strings.TrimRight(figure(r.took), " "), "         -")
		t.write(fmt.Sprintf("  %-6s  %-*s  %s  %s\n", scene, wide, r.step, t.paint(sgr, fmt.Sprintf("%-6s", ok)), latency))
	}
	t.write(fmt.Sprintf("  %d steps, %d failed, in %.1f s\n", len(rows), failed, total.Seconds()))
}
