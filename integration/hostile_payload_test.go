//go:build integration

package integration

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// class is a kind of hostile text.
type class struct {
	name string
	text func(r *rand.Rand) string
}

// hostileClasses are what has ended streams, or could: of everything that a network may send, what XML, UTF-8, JIDs or a
// careless program cannot bear. None has a NUL or a line end, which IRC has for its own use: see withLines.
func hostileClasses() []class {
	return []class{
		{"C0 controls", some(60, func(r *rand.Rand) string {
			c := byte(1 + r.IntN(31))
			if c == '\r' || c == '\n' {
				c = 0x02
			}
			return string([]byte{c}) + "a"
		})},
		{"DEL and C1 controls", some(40, func(r *rand.Rand) string { return string(rune(0x7f + r.IntN(33))) })},
		{"invalid UTF-8", some(60, func(r *rand.Rand) string { return string([]byte{byte(0x80 + r.IntN(128))}) })},
		{"cut and overlong UTF-8", pick("\xc0\xaf", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xf8\x88\x80\x80\x80", "\xe2\x82", "\xf0\x9f\x98", "\xc0\xbc\xc0\xbe")},
		{"lone surrogates", some(30, func(r *rand.Rand) string {
			n := 0xd800 + r.IntN(0x800)
			return string([]byte{byte(0xe0 | n>>12), byte(0x80 | n>>6&0x3f), byte(0x80 | n&0x3f)})
		})},
		{"non-characters", pick("\ufffe", "\uffff", "\U0001fffe", "\U0010ffff", "\ufdd0", "\ufdef", "\ufeff", "\ufffd")},
		{"beyond Unicode", pick("\xf4\x90\x80\x80", "\xf7\xbf\xbf\xbf", "\xfb\xbf\xbf\xbf\xbf")},
		{"markup", pick("</body></message>", "</stream:stream>", "<body>", "<message to='x'>", "<!DOCTYPE x [<!ENTITY y 'z'>]>", "<?xml version='1.1'?>",
			"<!-- -- -->", "<:m/>", "<a b='1' b='2'/>", "<stream:error/>", "<\x00x", "' or \"=\"", "<x xmlns=''>")},
		{"CDATA", pick("]]>", "<![CDATA[", "]]]]>>", "]]>]]>", "<![CDATA[]]>]]>", "]]&gt;")},
		{"entities", pick("&#2;", "&#x0;", "&#xFFFE;", "&#xD800;", "&lt;", "&bogus;", "&", "&amp", "&#999999999999;", "&y;", "&#0000000000000000060;")},
		{"right to left", pick("\u202e", "\u202d", "\u2066", "\u2069", "\u200f", "\u061c", "אב", "\u202egnp.exe", "\u2067\u2067")},
		{"no width", pick("\u200b", "\u200c", "\u200d", "\u2060", "\u00ad", "\u034f", "\u180e", "\u3164", "\U000e0041", "\ufe0f")},
		{"heaped marks", some(80, func(r *rand.Rand) string { return string(rune(0x300 + r.IntN(0x70))) })},
		{"astral", pick("👨‍👩‍👧‍👦", "🏴\U000e0067\U000e0062\U000e007f", "𝓐", "\U0010fffd", "\ue000", "🇩🇪🇩", "\U0002f800")},
		{"line separators", pick("\u2028", "\u2029", "\u0085", "\v", "\f", "\u00a0", "\u3000")},
		{"formatting", pick("\x02", "\x03", "\x0399,99", "\x04zzzzzz", "\x1d", "\x1f", "\x16", "\x0f", "*_~`", "```", "> ", "/me ", "%s%n", "$(x)", "'; --")},
		{"long", func(r *rand.Rand) string { return strings.Repeat("long & <longer> ", 10+r.IntN(30)) }},
		{"any bytes", some(200, func(r *rand.Rand) string {
			c := byte(1 + r.IntN(255))
			if c == '\r' || c == '\n' {
				c = ' '
			}
			return string([]byte{c})
		})},
	}
}

// some repeats what next says, up to n times.
func some(n int, next func(r *rand.Rand) string) func(*rand.Rand) string {
	return func(r *rand.Rand) string {
		var b strings.Builder
		for range 1 + r.IntN(n) {
			b.WriteString(next(r))
		}
		return b.String()
	}
}

// pick strings some of these together, with ordinary words between.
func pick(these ...string) func(*rand.Rand) string {
	return some(12, func(r *rand.Rand) string {
		return strings.ReplaceAll(these[r.IntN(len(these))], "\x00", "") + []string{"", " ", "a", "word "}[r.IntN(4)]
	})
}

// withLines puts NULs and line ends between, for networks that can carry them.
func withLines(r *rand.Rand, text string) string {
	ends := []string{"\x00", "\n", "\r", "\r\n", "\n.\n", "\n\n"}
	at := r.IntN(len(text) + 1)
	return text[:at] + ends[r.IntN(len(ends))] + text[at:]
}

// hostileNick is a nick that only a hostile server would let in.
func hostileNick(r *rand.Rand, c class) string {
	nick := strings.NewReplacer(" ", "_", "!", "_", "@", "_", ":", "_", "\x00", "_").Replace(c.text(r))
	if r.IntN(50) == 0 {
		nick += strings.Repeat("n", 2000)
	}
	return nick
}

// tally counts what became of a class.
type tally struct{ sent, refused, arrived int }

// table is the outcome by where it came from and by class, in order of coming.
type table struct {
	rows  []string
	count map[string]*tally
}

func (t *table) of(row string) *tally {
	if t.count == nil {
		t.count = map[string]*tally{}
	}
	if t.count[row] == nil {
		t.count[row] = &tally{}
		t.rows = append(t.rows, row)
	}
	return t.count[row]
}

func (t *table) total() (all tally) {
	for _, c := range t.count {
		all.sent += c.sent
		all.refused += c.refused
		all.arrived += c.arrived
	}
	return all
}

func (t *table) String() string {
	var b strings.Builder
	line := func(name string, c tally) {
		fmt.Fprintf(&b, "  %-36s %8d %8d %8d\n", name, c.sent, c.arrived, c.refused)
	}
	fmt.Fprintf(&b, "  %-36s %8s %8s %8s\n", "", "sent", "arrived", "refused")
	for _, row := range t.rows {
		line(row, *t.count[row])
	}
	line("all", t.total())
	return b.String()
}
