package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"gopkg.in/irc.v4"
)

// ErrBad is the reason for a line that is no IRC message.
var ErrBad = errors.New("not an IRC message")

// Parse turns what a server sent into a message. It is the guard in front of irc.ParseMessage, which panics on
// "@a=b " and takes what is no message. Of the control characters only those that format text are left, and CTCP's.
// Text that is not UTF-8 is read in charset.
func Parse(line []byte, charset encoding.Encoding, body int) (*irc.Message, error) {
	if tooLong(line, max(MaxBody, body)) {
		return nil, ErrTooLong
	}
	text, err := decode(line, charset)
	if err != nil {
		return nil, err
	}
	tags, rest := "", text
	if strings.HasPrefix(rest, "@") {
		var ok bool
		if tags, rest, ok = strings.Cut(rest, " "); !ok || len(tags) > MaxTags {
			return nil, fmt.Errorf("%w: tags without end", ErrBad)
		}
		rest = strings.TrimLeft(rest, " ")
	}
	prefix, command := "", strings.TrimLeft(rest, " ")
	if strings.HasPrefix(command, ":") {
		prefix, command, _ = strings.Cut(command, " ")
		command = strings.TrimLeft(command, " ")
	}
	if !validCommand(command) || prefix == ":" {
		return nil, fmt.Errorf("%w: no command", ErrBad)
	}
	m, err := irc.ParseMessage(join(tags, prefix, command))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBad, err)
	}
	clean(m)
	return m, nil
}

// tooLong says whether a line is longer than so many bytes without its tags. The bytes of the wire count: another
// charset's letters are more of them in UTF-8.
func tooLong(line []byte, body int) bool {
	if len(line) > 0 && line[0] == '@' {
		_, line, _ = bytes.Cut(line, []byte(" "))
		line = bytes.TrimLeft(line, " ")
	}
	return len(line) > body
}

// decode returns the line as UTF-8 without control characters that mean nothing in a message.
func decode(line []byte, charset encoding.Encoding) (string, error) {
	if !utf8.Valid(line) {
		decoded, err := charset.NewDecoder().Bytes(line)
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrBad, err)
		}
		line = decoded
	}
	if bytes.ContainsFunc(line, meaningless) {
		return strings.ToValidUTF8(strings.Map(func(r rune) rune {
			if meaningless(r) {
				return -1
			}
			return r
		}, string(line)), "\ufffd"), nil
	}
	return strings.ToValidUTF8(string(line), "\ufffd"), nil
}

// meaningless control characters are dropped wherever they stand.
func meaningless(r rune) bool {
	switch r {
	case '\t', CTCPMark, BoldMark, ColourMark, HexMark, ResetMark, MonospaceMark, ReverseMark, ItalicMark, StrikeMark, UnderlineMark:
		return false
	}
	return r < ' ' || r == 0x7f
}

// validCommand says whether a line without tags and prefix begins with a word or a numeric.
func validCommand(s string) bool {
	word, _, _ := strings.Cut(s, " ")
	digits, letters := 0, 0
	for _, c := range []byte(word) {
		switch {
		case '0' <= c && c <= '9':
			digits++
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			letters++
		default:
			return false
		}
	}
	return digits == 3 && letters == 0 || digits == 0 && letters > 0
}

func join(tags, prefix, command string) string {
	switch {
	case tags == "" && prefix == "":
		return command
	case tags == "":
		return prefix + " " + command
	case prefix == "":
		return tags + " " + command
	}
	return tags + " " + prefix + " " + command
}

// clean takes the formatting out of everything that is not text: names, modes, tags.
func clean(m *irc.Message) {
	m.Name, m.User, m.Host = Bare(m.Name), Bare(m.User), Bare(m.Host)
	for i := range m.Params {
		if i < len(m.Params)-1 || !endsInText(m) {
			m.Params[i] = Bare(m.Params[i])
		}
	}
	for k, v := range m.Tags {
		if strings.ContainsFunc(v, IsControl) {
			m.Tags[k] = Bare(v)
		}
	}
}

// endsInText says whether the last parameter is for people to read.
func endsInText(m *irc.Message) bool {
	switch m.Command {
	case "JOIN", "NICK", "MODE", "INVITE", "ACCOUNT", "CHGHOST", "CAP", "BATCH", "PING", "PONG", "TAGMSG", "MARKREAD", irc.RPL_NAMREPLY:
		return false
	case "PART":
		return len(m.Params) > 1
	case "REDACT":
		return len(m.Params) > 2
	}
	return true
}

// IsControl says whether a rune is an ASCII control character.
func IsControl(r rune) bool { return r < ' ' || r == 0x7f }

// Bare is s without control characters.
func Bare(s string) string {
	if !strings.ContainsFunc(s, IsControl) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if IsControl(r) {
			return -1
		}
		return r
	}, s)
}
