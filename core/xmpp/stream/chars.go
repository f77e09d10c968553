package stream

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// Classes of the bytes of character data. A run of bytes of class plain needs no
// further look.
const (
	plain  = iota
	markup // < & > quotes and carriage return: they mean something somewhere
	multi  // the lead or tail of a longer UTF-8 sequence
	banned // C0 controls that XML 1.0 has no way to write
)

// byteClass is the class of each byte.
var byteClass = classes()

func classes() (t [256]uint8) {
	for c := range t {
		switch {
		case c >= utf8.RuneSelf:
			t[c] = multi
		case bytes.IndexByte([]byte("<>&'\"\r"), byte(c)) >= 0:
			t[c] = markup
		case c < ' ' && c != '\t' && c != '\n':
			t[c] = banned
		}
	}
	return t
}

// Classes of the bytes of a qualified name.
const (
	notInName     = iota
	unusualInName // the colon, and every byte beyond ASCII: to be looked at closely
	asciiInName   // but not at its beginning
	startOfName
)

// nameClass is the class of each byte.
var nameClass = nameClasses()

func nameClasses() (t [256]uint8) {
	for c := range t {
		switch {
		case c < utf8.RuneSelf && isASCIIStart(byte(c)):
			t[c] = startOfName
		case c >= utf8.RuneSelf, c == ':':
			t[c] = unusualInName
		case isASCIILater(byte(c)):
			t[c] = asciiInName
		}
	}
	return t
}

// isChar reports whether XML 1.0 allows the character (section 2.2, Char).
func isChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' ||
		r >= 0x20 && r <= 0xd7ff ||
		r >= 0xe000 && r <= 0xfffd ||
		r >= 0x10000 && r <= 0x10ffff
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func isASCIIStart(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
}

func isASCIILater(c byte) bool {
	return isASCIIStart(c) || '0' <= c && c <= '9' || c == '-' || c == '.'
}

// isNCName reports whether s is a name without a colon (Namespaces in XML 1.0).
func isNCName[T []byte | string](s T) bool {
	if len(s) == 0 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c >= utf8.RuneSelf {
			return isWideName(string(s))
		}
		if i == 0 && !isASCIIStart(c) || !isASCIILater(c) {
			return false
		}
	}
	return true
}

func isWideName(s string) bool {
	for i, r := range s {
		if r < utf8.RuneSelf {
			if i == 0 && !isASCIIStart(byte(r)) || !isASCIILater(byte(r)) {
				return false
			}
			continue
		}
		if unicode.Is(nameStart, r) || i > 0 && unicode.Is(nameLater, r) {
			continue
		}
		return false // U+FFFD of an invalid sequence is in neither table
	}
	return true
}
