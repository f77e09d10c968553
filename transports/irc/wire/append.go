package wire

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"gangway/transports/irc/charset"
)

// ErrUnwritable is the reason for a line that was not written: what it was made of would have been more than one.
var ErrUnwritable = errors.New("not one IRC line")

// maxClientTags is the most that a client may put before its line, with "@" and space (IRCv3 message-tags), but for
// the label, which is the network's own business.
const maxClientTags = 4094

// Append appends one line with its CRLF: the only way to the network. It refuses CR, LF and NUL in any field,
// and fields that would become several, and cuts the last parameter so that the line, without its tags, has at most
// limit bytes. (CVE-2022-29166 is what a bridge without such a place looks like.)
func (c Command) Append(dst []byte, label string, limit int) ([]byte, error) {
	start := len(dst)
	if c.err != nil {
		return dst, c.err
	}
	if !validCommand(c.verb) || strings.ContainsRune(c.verb, ' ') {
		return dst, fmt.Errorf("%w: command %q", ErrUnwritable, c.verb)
	}
	dst, err := c.appendTags(dst, label)
	if err != nil {
		return dst[:start], err
	}
	body := len(dst)
	dst = append(dst, c.verb...)
	for i, p := range c.params {
		if strings.ContainsAny(p, "\r\n\x00") {
			return dst[:start], fmt.Errorf("%w: line end in a field", ErrUnwritable)
		}
		last := i == len(c.params)-1
		if !last && (p == "" || p[0] == ':' || strings.Contains(p, " ")) {
			return dst[:start], fmt.Errorf("%w: space or colon in a field", ErrUnwritable)
		}
		dst = append(dst, ' ')
		if last && (p == "" || p[0] == ':' || strings.Contains(p, " ")) {
			dst = append(dst, ':')
		}
		if room := limit - len("\r\n") - (len(dst) - body); last && c.charset != nil {
			p = charset.Encode(p, c.charset, room)
		} else if last && len(p) > room {
			p = p[:RuneStart(p, max(room, 0))]
		}
		dst = append(dst, p...)
	}
	if len(dst)-body+len("\r\n") > limit {
		return dst[:start], fmt.Errorf("%w: too long", ErrUnwritable)
	}
	return append(dst, "\r\n"...), nil
}

// appendTags appends the tags with their "@" and the space behind them, if there are any.
func (c Command) appendTags(dst []byte, label string) ([]byte, error) {
	if label == "" && len(c.tags) == 0 {
		return dst, nil
	}
	start := len(dst)
	separator := byte('@')
	add := func(t Tag) {
		dst = append(dst, separator)
		dst = append(dst, t.Key...)
		if t.Value != "" {
			dst = append(dst, '=')
			dst = appendEscaped(dst, t.Value)
		}
		separator = ';'
	}
	for _, t := range c.tags {
		if !validKey(t.Key) || !utf8.ValidString(t.Value) || strings.Contains(t.Value, "\x00") {
			return dst, fmt.Errorf("%w: tag %q", ErrUnwritable, t.Key)
		}
		add(t)
	}
	if len(dst)-start+1 > maxClientTags {
		return dst, fmt.Errorf("%w: tags too long", ErrUnwritable)
	}
	if label != "" {
		add(Tag{"label", label})
	}
	return append(dst, ' '), nil
}

// appendEscaped appends a tag's value as IRCv3 message-tags escapes it.
func appendEscaped(dst []byte, value string) []byte {
	for i := range len(value) {
		switch value[i] {
		case ';':
			dst = append(dst, `\:`...)
		case ' ':
			dst = append(dst, `\s`...)
		case '\\':
			dst = append(dst, `\\`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\n':
			dst = append(dst, `\n`...)
		default:
			dst = append(dst, value[i])
		}
	}
	return dst
}

// validKey says whether a tag may be called so: "+" for what clients make, a vendor before "/", letters, digits and
// hyphens.
func validKey(key string) bool {
	key = strings.TrimPrefix(key, "+")
	vendor, name, ok := strings.Cut(key, "/")
	if !ok {
		vendor, name = "x", key
	}
	other := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
	}
	return vendor != "" && name != "" && !strings.ContainsFunc(name, other) &&
		!strings.ContainsFunc(strings.ReplaceAll(vendor, ".", ""), other)
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
