package mapping

import "strings"

// escapable are the characters that XEP-0106 section 3 escapes, besides the backslash itself.
const escapable = " \"&'/:<>@"

const hexDigits = "0123456789abcdef"

// Escape writes text so that it may stand in the local part of a JID (XEP-0106). It escapes the characters that a
// local part may not have, and a backslash only where it would otherwise be read as the start of an escape
// sequence. Unescape(Escape(s)) == s for every s. It does not judge the result: see LocalPart.
func Escape(text string) string {
	if !strings.ContainsAny(text, escapable+`\`) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text) + 8)
	for i := 0; i < len(text); i++ {
		c := text[i]
		_, ambiguous := sequence(text[i:])
		if strings.IndexByte(escapable, c) < 0 && !ambiguous {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('\\')
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&15])
	}
	return b.String()
}

// Unescape reads what Escape wrote. A backslash that starts no escape sequence stands for itself. It is applied
// once: what it returns may hold sequences that somebody wrote literally.
func Unescape(local string) string {
	first := strings.IndexByte(local, '\\')
	if first < 0 {
		return local
	}
	var b strings.Builder
	b.Grow(len(local))
	b.WriteString(local[:first])
	for i := first; i < len(local); {
		if c, ok := sequence(local[i:]); ok {
			b.WriteByte(c)
			i += 3
			continue
		}
		b.WriteByte(local[i])
		i++
	}
	return b.String()
}

// sequence returns the character of the escape sequence that s starts with. Hex digits of either case count: a
// server folds a local part's case, so that \2F arrives as \2f.
func sequence(s string) (c byte, ok bool) {
	if len(s) < 3 || s[0] != '\\' {
		return 0, false
	}
	hi, lo := strings.IndexByte(hexDigits, lower(s[1])), strings.IndexByte(hexDigits, lower(s[2]))
	if hi < 0 || lo < 0 {
		return 0, false
	}
	c = byte(hi<<4 | lo)
	return c, c == '\\' || strings.IndexByte(escapable, c) >= 0
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
