package wire

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrUnwritable is the reason for a line that was not written: what it was made of would have been more than one.
var ErrUnwritable = errors.New("not one IRC line")

// Append appends one line with its CRLF: the only way to the network. It refuses CR, LF and NUL in any field,
// and fields that would become several, and cuts the last parameter so that the line, without its tag, has at most
// limit bytes. (CVE-2022-29166 is what a bridge without such a place looks like.)
func Append(dst []byte, label, verb string, params []string, limit int) ([]byte, error) {
	start := len(dst)
	if !validCommand(verb) || strings.ContainsRune(verb, ' ') {
		return dst, fmt.Errorf("%w: command %q", ErrUnwritable, verb)
	}
	if label != "" {
		dst = append(dst, "@label="...)
		dst = append(dst, label...)
		dst = append(dst, ' ')
	}
	body := len(dst)
	dst = append(dst, verb...)
	for i, p := range params {
		if strings.ContainsAny(p, "\r\n\x00") {
			return dst[:start], fmt.Errorf("%w: line end in a field", ErrUnwritable)
		}
		last := i == len(params)-1
		if !last && (p == "" || p[0] == ':' || strings.Contains(p, " ")) {
			return dst[:start], fmt.Errorf("%w: space or colon in a field", ErrUnwritable)
		}
		dst = append(dst, ' ')
		if last && (p == "" || p[0] == ':' || strings.Contains(p, " ")) {
			dst = append(dst, ':')
		}
		if room := limit - len("\r\n") - (len(dst) - body); last && len(p) > room {
			p = p[:RuneStart(p, max(room, 0))]
		}
		dst = append(dst, p...)
	}
	if len(dst)-body+len("\r\n") > limit {
		return dst[:start], fmt.Errorf("%w: too long", ErrUnwritable)
	}
	return append(dst, "\r\n"...), nil
}

// RuneStart returns the last index up to n at which a rune of s starts.
func RuneStart(s string, n int) int {
	if n >= len(s) {
		return len(s)
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return n
}
