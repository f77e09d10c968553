// Package style reads and writes the styling of a message's text (core.Message.Text): the plain-text conventions of
// XEP-0393 that people type anyway. *strong*, _emphasis_, ~struck~ and `verbatim` mark words within a line; lines from
// ``` to ``` are preformatted, and lines that begin with ">" quote.
//
// A network with a formatting of its own turns it into this, and this into its own. All functions are pure.
package style

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Style is a set of ways to show words.
type Style uint8

// The styles. Nothing within Verbatim has another one.
const (
	Strong Style = 1 << iota
	Emphasis
	Struck
	Verbatim
)

// Directive returns the character that stands on both sides of words of one style.
func (s Style) Directive() byte {
	switch s {
	case Strong:
		return '*'
	case Emphasis:
		return '_'
	case Struck:
		return '~'
	case Verbatim:
		return '`'
	}
	return 0
}

// All returns the styles in the order in which their directives open.
func All() []Style { return []Style{Strong, Emphasis, Struck, Verbatim} }

// of returns the style of a directive, or none.
func of(c byte) Style {
	switch c {
	case '*':
		return Strong
	case '_':
		return Emphasis
	case '~':
		return Struck
	case '`':
		return Verbatim
	}
	return 0
}

// Span is words of one style in a line: Line[Start:End] is what stands between its two directives, which are at
// Start-1 and End. Spans lie within one another or apart.
type Span struct {
	Style      Style
	Start, End int
}

// maxDepth bounds how deep spans lie within one another: there are four styles, and none is in itself.
const maxDepth = 4

// Spans returns the spans of a line (XEP-0393 section 6), in the order of their beginning. It takes a time in the
// order of the line's length.
func Spans(line string) []Span {
	if !strings.ContainsAny(line, "*_~`") {
		return nil
	}
	var found []Span
	spans(line, 0, len(line), 0, maxDepth, &found)
	return found
}

// spans finds those in line[from:to], which is within the styles outer.
func spans(line string, from, to int, outer Style, depth int, found *[]Span) {
	var none Style // styles that nothing closes any more
	for i := from; i < to; {
		s := of(line[i])
		if s == 0 || s&(outer|none) != 0 || !mayOpen(line, from, to, i) {
			i++
			continue
		}
		end := closing(line, i+1, to, line[i])
		if end < 0 {
			none |= s
			i++
			continue
		}
		*found = append(*found, Span{s, i + 1, end})
		if s != Verbatim && depth > 1 {
			spans(line, i+1, end, outer|s, depth-1, found)
		}
		i = end + 1
	}
}

// mayOpen says whether the directive at i can open a span: at the beginning, after white space or after another
// directive, and before something that is neither white space nor the same again: "**" is no styling of anything.
func mayOpen(line string, from, to, i int) bool {
	if i+1 >= to || line[i+1] == line[i] {
		return false
	}
	if r, _ := utf8.DecodeRuneInString(line[i+1:]); unicode.IsSpace(r) {
		return false
	}
	if i == from {
		return true
	}
	r, _ := utf8.DecodeLastRuneInString(line[from:i])
	return unicode.IsSpace(r) || r < utf8.RuneSelf && of(byte(r)) != 0 && byte(r) != line[i]
}

// closing returns where the first directive that can close a span is: after something, which is not white space. -1 if
// there is none.
func closing(line string, from, to int, directive byte) int {
	for i := from; i < to; i++ {
		if line[i] != directive {
			continue
		}
		if r, _ := utf8.DecodeLastRuneInString(line[from:i]); !unicode.IsSpace(r) {
			return i
		}
	}
	return -1
}

// Apart says whether a span stands apart from the words around it, so that nobody can have meant its directives as
// ordinary characters: "_init_d" and "*a**" are not styled by everybody who could.
func (s Span) Apart(line string) bool {
	after, _ := utf8.DecodeRuneInString(line[s.End+1:])
	again := s.End+1 < len(line) && line[s.End+1] == line[s.End]
	return !again && !unicode.IsLetter(after) && !unicode.IsDigit(after)
}

// Kind is what a line of a text is part of.
type Kind uint8

// The kinds of lines.
const (
	Plain Kind = iota
	Quote      // begins with ">"; what follows is a line of its own
	Code       // preformatted
	Fence      // the first or the last line of what is preformatted
)

// Line is a line of a text, without its end.
type Line struct {
	Kind Kind
	Text string
}

const fence = "```"

// Lines takes a text apart (XEP-0393 section 5). What is preformatted ends with a line of "```" alone; without one,
// and where more than a word follows the first "```", nothing is: it was not meant so.
func Lines(text string) []Line {
	raw := strings.Split(text, "\n")
	lines := make([]Line, len(raw))
	end := -1 // of the preformatted lines at hand
	ends := fenceEnds(raw)
	for i, l := range raw {
		switch {
		case i < end:
			lines[i] = Line{Code, l}
		case i == end:
			lines[i], end = Line{Fence, l}, -1
		case opensFence(l) && ends[i] > 0:
			lines[i], end = Line{Fence, l}, ends[i]
		case strings.HasPrefix(l, ">"):
			lines[i] = Line{Quote, l}
		default:
			lines[i] = Line{Plain, l}
		}
	}
	return lines
}

// fenceEnds returns, for each line, the next line after it that is "```" alone; 0 if there is none.
func fenceEnds(raw []string) []int {
	ends := make([]int, len(raw))
	next := 0
	for i := len(raw) - 1; i >= 0; i-- {
		ends[i] = next
		if strings.TrimRight(raw[i], " \t") == fence {
			next = i
		}
	}
	return ends
}

// opensFence says whether a line begins what is preformatted: "```", and the name of a language at most.
func opensFence(line string) bool {
	rest, ok := strings.CutPrefix(line, fence)
	return ok && !strings.ContainsAny(strings.TrimRight(rest, " \t"), " \t`")
}
