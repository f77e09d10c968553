package format

import (
	"strings"

	"gangway/core/style"
	"gangway/transports/irc/wire"
)

// styleOf returns the style that a formatting character switches, if our texts have it.
func styleOf(r rune) style.Style {
	switch r {
	case wire.BoldMark:
		return style.Strong
	case wire.ItalicMark:
		return style.Emphasis
	case wire.StrikeMark:
		return style.Struck
	case wire.MonospaceMark:
		return style.Verbatim
	}
	return 0
}

// Styled turns formatted IRC text into plain text with XEP-0393 directives, where those would work: around a whole
// word or more. Colours go; what cannot be shown is left plain, so that no sign stands where nobody typed one.
func Styled(text string) string {
	if !strings.ContainsFunc(text, wire.IsControl) {
		return text
	}
	var out style.Writer
	var run strings.Builder
	var now style.Style
	flush := func() {
		out.Write(run.String(), now)
		run.Reset()
	}
	for len(text) > 0 {
		r, width := rune(text[0]), 1
		switch {
		case r == wire.ResetMark:
			flush()
			now = 0
		case styleOf(r) != 0:
			flush()
			now ^= styleOf(r)
		case r == wire.ColourMark:
			width = colourLen(text)
		case r == wire.HexMark:
			width = hexLen(text)
		case r != '\t' && wire.IsControl(r):
			// underline, reverse and what means nothing
		default:
			run.WriteByte(text[0])
		}
		text = text[width:]
	}
	flush()
	return out.String()
}

// Unstyled is text without its styles and colours; other control characters stay.
func Unstyled(text string) string {
	if !strings.ContainsFunc(text, wire.IsControl) {
		return text
	}
	var out strings.Builder
	for len(text) > 0 {
		r, width := rune(text[0]), 1
		switch {
		case r == wire.ResetMark, styleOf(r) != 0:
		case r == wire.ColourMark:
			width = colourLen(text)
		case r == wire.HexMark:
			width = hexLen(text)
		default:
			out.WriteByte(text[0])
		}
		text = text[width:]
	}
	return out.String()
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
