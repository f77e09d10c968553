package chat

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gangway/core/xmpp/stream"
)

// stripFallback returns body without what a client put there only for those who
// do not know the protocol forNS (XEP-0428): the ranges that it names, counted
// in code points (XEP-0426). Ranges that make no sense are ignored.
func stripFallback(st *stream.Stanza, body, forNS string) string {
	var ranges [][2]int
	for f := range st.Children() {
		if !f.Is(nsFallback, "fallback") || f.Attr("for") != forNS {
			continue
		}
		found, whole := bodyRanges(f)
		if whole {
			return ""
		}
		ranges = append(ranges, found...)
	}
	return cut(body, ranges)
}

// splitFallback returns body without what a client put there for those who do not
// know replies, and what it quotes in that, without the marks of a quotation.
func splitFallback(st *stream.Stanza, body, forNS string) (rest, quoted string) {
	rest = stripFallback(st, body, forNS)
	if rest == body {
		return body, ""
	}
	// Quotations stand before the answer; whatever a client puts elsewhere is none.
	before, ok := strings.CutSuffix(body, rest)
	if !ok {
		return rest, ""
	}
	var lines []string
	for line := range strings.Lines(before) {
		if line, ok = strings.CutPrefix(line, ">"); ok {
			lines = append(lines, strings.TrimRight(strings.TrimPrefix(line, " "), " \r\n"))
		}
	}
	return rest, strings.Clone(strings.Trim(strings.Join(lines, "\n"), "\n"))
}

// bodyRanges returns the ranges of the body in a <fallback/>, or that it is the
// whole body: one without <body/> and <subject/>, or a <body/> without range.
func bodyRanges(f *stream.Element) (ranges [][2]int, whole bool) {
	none := true
	for c := range f.Children() {
		none = false
		if !c.Is(nsFallback, "body") {
			continue
		}
		start, end := c.Attr("start"), c.Attr("end")
		if start == "" && end == "" {
			return nil, true
		}
		from, err1 := strconv.Atoi(start)
		to, err2 := strconv.Atoi(end)
		if err1 == nil && err2 == nil && 0 <= from && from < to {
			ranges = append(ranges, [2]int{from, to})
		}
	}
	return ranges, none
}

// cut takes ranges of code points out of s.
func cut(s string, ranges [][2]int) string {
	if len(ranges) == 0 {
		return s
	}
	slices.SortFunc(ranges, func(a, b [2]int) int { return a[0] - b[0] })
	var kept strings.Builder
	point, at := 0, 0 // the same place, in code points and in bytes
	advance := func(to int) int {
		for point < to && at < len(s) {
			_, n := utf8.DecodeRuneInString(s[at:])
			at += n
			point++
		}
		return at
	}
	for _, r := range ranges {
		from := at
		if r[0] > point {
			kept.WriteString(s[from:advance(r[0])])
		}
		advance(r[1])
	}
	kept.WriteString(s[at:])
	return kept.String()
}
