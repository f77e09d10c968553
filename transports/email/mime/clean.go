package mime

import (
	"strings"
	"unicode/utf8"
)

// Clean makes text safe for every XML stream and terminal: line ends become \n, control characters and what XML 1.0
// cannot carry are dropped, and what would turn the reading direction of other text around becomes U+FFFD.
func Clean(s string) string {
	if isClean(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return r
		case r < 0x20, 0x7f <= r && r < 0xa0, r == 0xfeff, r == 0xfffe, r == 0xffff:
			return -1
		case r == 0x202d, r == 0x202e, r == utf8.RuneError:
			return utf8.RuneError
		}
		return r
	}, newlines(s))
}

// isClean says whether text is plain ASCII as it should be, as most is. It is several times faster than to look at
// characters one by one.
func isClean(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= 0x7f || c < 0x20 && c != '\n' && c != '\t' {
			return false
		}
	}
	return true
}

func newlines(s string) string {
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.ReplaceAll(s, "\r", "\n")
}

// OneLine is Clean for what must be one line: names, subjects, file names. White space is folded to single spaces,
// and no direction marks at all are kept.
func OneLine(s string) string {
	s = Clean(strings.Map(func(r rune) rune {
		switch {
		case 0x202a <= r && r <= 0x202e, 0x2066 <= r && r <= 0x2069, r == 0x200e, r == 0x200f:
			return -1
		case r == 0x2028, r == 0x2029, r == 0x85:
			return ' '
		}
		return r
	}, s))
	return strings.Join(strings.Fields(s), " ")
}

// Truncate cuts s to at most n bytes, between characters.
func Truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
