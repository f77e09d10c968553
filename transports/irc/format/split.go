package format

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"gangway/core/style"
	"gangway/transports/irc/wire"
)

const (
	actionOpen  = "\x01ACTION "
	actionClose = "\x01"
	meCommand   = "/me "
)

// Piece is one PRIVMSG of a message.
type Piece struct {
	Wire string // what is written
	Text string // what it shows, as the sender's own clients see it
	// Glue is what stood between this piece and the one before, where both are of the same line; Goes says that they are.
	Glue string
	Goes bool
	// Above is how many empty lines stood above it, which only a message of several lines can say.
	Above int
}

// Split makes the lines of a message: one for each of its lines that is not empty, each at most budget bytes, cut
// between words where there are any. A text that begins with "/me " makes an ACTION of its first line. With formats,
// what is styled in the text gets the formatting characters of IRC; else it goes as it was typed.
func Split(text string, budget int, formats bool) []Piece {
	var pieces []Piece
	above := 0
	for i, l := range lines(Sendable(text), formats) {
		if l.Text = strings.TrimRight(l.Text, " \t"); l.Text == "" {
			above++
			continue
		}
		first := len(pieces)
		pack := plain
		if formats {
			pack = func(line string, n int) []Piece { return format(style.Line{Kind: l.Kind, Text: line}, n) }
		}
		rest, action := strings.CutPrefix(l.Text, meCommand)
		if !action || i > 0 || strings.TrimSpace(rest) == "" {
			pieces = append(pieces, pack(l.Text, budget)...)
		} else {
			for _, p := range pack(rest, budget-len(actionOpen)-len(actionClose)) {
				pieces = append(pieces, Piece{Wire: actionOpen + p.Wire + actionClose, Text: meCommand + p.Text})
			}
		}
		if first > 0 && first < len(pieces) {
			pieces[first].Above = above
		}
		above = 0
	}
	return pieces
}

// lines takes a text apart, as styled text or as it is.
func lines(text string, formats bool) []style.Line {
	if formats {
		return style.Lines(text)
	}
	var all []style.Line
	for line := range strings.SplitSeq(text, "\n") {
		all = append(all, style.Line{Text: line})
	}
	return all
}

// Sendable is text without what may not stand in a line: CR becomes a line end, other controls go (a user cannot
// send CTCP), line and paragraph separators break lines.
func Sendable(text string) string {
	text = strings.ToValidUTF8(text, "\ufffd")
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r', r == '\u2028', r == '\u2029', r == '\u0085':
			return '\n'
		case r == '\n', r == '\t':
			return r
		case wire.IsControl(r):
			return -1
		}
		return r
	}, text)
}

// OneLine is text for a place that has no lines: a topic, a reason.
func OneLine(text string) string {
	return strings.TrimSpace(strings.ReplaceAll(Sendable(text), "\n", " "))
}

// part is a piece of a line, and what stood before it.
type part struct{ text, glue string }

// wrap cuts a line into parts of at most n bytes.
func wrap(line string, n int) []part {
	var parts []part
	glue := ""
	for len(line) > 0 {
		at := cut(line, n)
		text := strings.TrimRight(line[:at], " ")
		if text != "" {
			parts = append(parts, part{text, glue})
			glue = ""
		}
		rest := strings.TrimLeft(line[at:], " ")
		glue += line[len(text) : len(line)-len(rest)]
		line = rest
	}
	return parts
}

// cut returns where to cut s so that the first part has at most n bytes, and at least one rune: behind a space in
// its last third, else between two characters as a reader counts them, else between two runes.
func cut(s string, n int) int {
	if len(s) <= n {
		return len(s)
	}
	end := wire.RuneStart(s, n)
	if space := strings.LastIndexByte(s[:end], ' '); space > end*2/3 {
		return space + 1
	}
	at := end
	for at > end/2 && joined(s, at) {
		at = wire.RuneStart(s, at-1)
	}
	if at > 0 && !joined(s, at) {
		return at
	}
	if end > 0 {
		return end
	}
	_, size := utf8.DecodeRuneInString(s)
	return size
}

// joined says whether the runes before and at i belong to one character: marks, variation selectors, skin tones,
// and what a zero-width joiner joins.
func joined(s string, i int) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:i])
	r, _ := utf8.DecodeRuneInString(s[i:])
	const joiner = '\u200d'
	return before == joiner || r == joiner || unicode.In(r, unicode.Mn, unicode.Me, unicode.Mc) ||
		'\U0001F3FB' <= r && r <= '\U0001F3FF'
}

// CTCP splits a CTCP message into its command and the rest. The closing mark may be missing.
func CTCP(text string) (command, rest string, ok bool) {
	text, ok = strings.CutPrefix(text, "\x01")
	if !ok {
		return "", "", false
	}
	text, _, _ = strings.Cut(text, "\x01")
	command, rest, _ = strings.Cut(text, " ")
	return strings.ToUpper(command), rest, true
}

// Readable is what people see of a text from the network, and whether it is a CTCP message other than an ACTION.
func Readable(text string) (shown string, other bool) {
	command, rest, ok := CTCP(text)
	switch {
	case !ok && strings.Contains(text, "\n"): // draft/multiline
		lines := strings.Split(text, "\n")
		for i := range lines {
			lines[i] = Styled(lines[i])
		}
		return strings.Join(lines, "\n"), false
	case !ok:
		return Styled(text), false
	case command == "ACTION":
		return meCommand + Styled(rest), false
	}
	return "", true
}
