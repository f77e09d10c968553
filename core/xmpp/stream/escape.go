package stream

import "unicode/utf8"

const replacement = "\uFFFD"

// appendEscaped appends s as character data or, with quoted, as the inside of a
// single-quoted attribute value. What XML 1.0 cannot carry, even as a
// reference, becomes U+FFFD: C0 controls, U+FFFE, U+FFFF, and every byte that
// is not UTF-8, lone surrogates with them.
func appendEscaped(dst []byte, s string, quoted bool) []byte {
	from := 0 // what is before it has been appended
	for i := 0; i < len(s); {
		c := s[i]
		if byteClass[c] == plain && (c >= ' ' || !quoted) {
			i++
			continue
		}
		esc, n := escape(s[i:], quoted)
		if esc != "" {
			dst = append(dst, s[from:i]...)
			dst = append(dst, esc...)
			from = i + n
		}
		i += n
	}
	return append(dst, s[from:]...)
}

// escape returns what to write for the character s begins with, "" for the
// character itself, and its length in s.
func escape(s string, quoted bool) (string, int) {
	switch c := s[0]; {
	case c == '<':
		return "&lt;", 1
	case c == '>':
		return "&gt;", 1 // for the sake of ]]>
	case c == '&':
		return "&amp;", 1
	case c == '\'' && quoted:
		return "&apos;", 1
	case c == '\r':
		return "&#xD;", 1
	case c == '\n' && quoted:
		return "&#xA;", 1
	case c == '\t' && quoted:
		return "&#x9;", 1
	case byteClass[c] == banned:
		return replacement, 1
	case c < utf8.RuneSelf:
		return "", 1
	}
	r, n := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && n == 1 || !isChar(r) {
		return replacement, n
	}
	return "", n
}
