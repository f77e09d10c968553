package ircclient

import (
	"errors"
	"strings"
	"time"
)

// Line is a line from the server (RFC 2812, section 2.3.1, with IRCv3 tags).
type Line struct {
	Raw     string
	Tags    map[string]string // unescaped
	Source  string            // the prefix, without ":"
	Command string            // upper case, or three digits
	Params  []string
	At      time.Time // when it was read
}

// String is the line as it came.
func (l Line) String() string { return l.Raw }

// Nick is the nick in the source, or the server's name.
func (l Line) Nick() string {
	nick, _, _ := strings.Cut(l.Source, "!")
	return nick
}

// Param is the n-th parameter, counted from 0, or "".
func (l Line) Param(n int) string {
	if n < 0 || n >= len(l.Params) {
		return ""
	}
	return l.Params[n]
}

// Last is the last parameter, which most commands use for text, or "".
func (l Line) Last() string { return l.Param(len(l.Params) - 1) }

var errNoCommand = errors.New("line without a command")

// Parse reads a line without its CR LF.
func Parse(raw string) (Line, error) {
	l := Line{Raw: raw}
	rest := raw
	if tags, ok := strings.CutPrefix(rest, "@"); ok {
		tags, rest, _ = strings.Cut(tags, " ")
		l.Tags = parseTags(tags)
		rest = strings.TrimLeft(rest, " ")
	}
	if source, ok := strings.CutPrefix(rest, ":"); ok {
		l.Source, rest, _ = strings.Cut(source, " ")
		rest = strings.TrimLeft(rest, " ")
	}
	l.Command, rest, _ = strings.Cut(rest, " ")
	l.Command = strings.ToUpper(l.Command)
	if l.Command == "" {
		return Line{}, errNoCommand
	}
	for {
		rest = strings.TrimLeft(rest, " ")
		if rest == "" {
			return l, nil
		}
		if text, ok := strings.CutPrefix(rest, ":"); ok {
			l.Params = append(l.Params, text)
			return l, nil
		}
		var param string
		param, rest, _ = strings.Cut(rest, " ")
		l.Params = append(l.Params, param)
	}
}

func parseTags(s string) map[string]string {
	tags := map[string]string{}
	for tag := range strings.SplitSeq(s, ";") {
		if key, value, _ := strings.Cut(tag, "="); key != "" {
			tags[key] = unescape(value)
		}
	}
	return tags
}

// unescape reads a tag's value (IRCv3 message-tags, "Escaping values").
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		i++
		if i == len(s) {
			break
		}
		switch s[i] {
		case ':':
			b.WriteByte(';')
		case 's':
			b.WriteByte(' ')
		case 'r':
			b.WriteByte('\r')
		case 'n':
			b.WriteByte('\n')
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
