package irc

import "strings"

// The characters that format IRC text, as https://modern.ircdocs.horse/formatting has them.
const (
	ctcpMark      = '\x01'
	boldMark      = '\x02'
	colourMark    = '\x03'
	hexMark       = '\x04'
	resetMark     = '\x0f'
	monospaceMark = '\x11'
	reverseMark   = '\x16'
	italicMark    = '\x1d'
	strikeMark    = '\x1e'
	underlineMark = '\x1f'
)

// style is a set of what XEP-0393 can show.
type style uint8

const (
	bold style = 1 << iota
	italic
	strike
	monospace
)

// toggle returns the style that a formatting character switches, if XEP-0393 has it.
func toggle(r rune) style {
	switch r {
	case boldMark:
		return bold
	case italicMark:
		return italic
	case strikeMark:
		return strike
	case monospaceMark:
		return monospace
	}
	return 0
}

// directive is the sign for one style.
func (s style) directive() byte {
	switch s {
	case bold:
		return '*'
	case italic:
		return '_'
	case strike:
		return '~'
	}
	return '`'
}

// styled turns formatted IRC text into plain text with XEP-0393 directives, where those would work: around a whole
// word or more. Colours go; what cannot be shown is left plain, so that no sign stands where nobody typed one.
func styled(text string) string {
	if !strings.ContainsFunc(text, isControl) {
		return text
	}
	var out, run strings.Builder
	var now style
	flush := func() {
		write(&out, run.String(), now)
		run.Reset()
	}
	for len(text) > 0 {
		r, width := rune(text[0]), 1
		switch {
		case r == resetMark:
			flush()
			now = 0
		case toggle(r) != 0:
			flush()
			now ^= toggle(r)
		case r == colourMark:
			width = colourLen(text)
		case r == hexMark:
			width = hexLen(text)
		case r != '\t' && isControl(r):
			// underline, reverse and what means nothing
		default:
			run.WriteByte(text[0])
		}
		text = text[width:]
	}
	flush()
	return out.String()
}

// write appends a run of one style.
func write(out *strings.Builder, run string, s style) {
	inner := strings.Trim(run, " \t")
	before, after, _ := strings.Cut(run, inner)
	if s == 0 || inner == "" || before == "" && !mayOpen(out.String()) {
		out.WriteString(run)
		return
	}
	if s&monospace != 0 {
		s = monospace // nothing is styled inside
	}
	var marks []byte
	for _, one := range []style{bold, italic, strike, monospace} {
		if s&one != 0 && strings.IndexByte(inner, one.directive()) < 0 {
			marks = append(marks, one.directive())
		}
	}
	out.WriteString(before)
	out.Write(marks)
	out.WriteString(inner)
	for i := len(marks) - 1; i >= 0; i-- {
		out.WriteByte(marks[i])
	}
	out.WriteString(after)
}

// mayOpen says whether a directive may stand here: at the beginning or after a space (XEP-0393 section 6.1).
func mayOpen(before string) bool {
	return before == "" || before[len(before)-1] == ' ' || before[len(before)-1] == '\t'
}

// colourLen is the length of a colour code: up to two digits, and after a comma two more.
func colourLen(s string) int {
	n := 1 + digits(s[1:], 2, isDecimal)
	if n > 1 && n < len(s) && s[n] == ',' {
		if d := digits(s[n+1:], 2, isDecimal); d > 0 {
			n += 1 + d
		}
	}
	return n
}

// hexLen is the length of a colour code with six hexadecimal digits, and six more after a comma.
func hexLen(s string) int {
	if digits(s[1:], 6, isHex) < 6 {
		return 1
	}
	if len(s) > 7 && s[7] == ',' && digits(s[8:], 6, isHex) == 6 {
		return 14
	}
	return 7
}

func digits(s string, most int, is func(byte) bool) int {
	n := 0
	for n < most && n < len(s) && is(s[n]) {
		n++
	}
	return n
}

func isDecimal(c byte) bool { return '0' <= c && c <= '9' }

func isHex(c byte) bool {
	return isDecimal(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
