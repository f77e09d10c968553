package mailbox

import (
	"bytes"
	"strconv"
)

// lines follows what a server says: where lines and literals begin and end. It keeps none of it.
type lines struct {
	warned func() // called for a NO that answers no command; go-imap keeps it to itself

	literal int64 // bytes of the literal that are still to come
	length  int   // of the current line, so far
	inside  bool  // of an answer: the line goes on after a literal
	ours    bool  // the line is about our IDLE, and not for go-imap
	head    []byte
	tail    []byte
}

const (
	headSize = 64 // of a line: what tells a status, and the answer to IDLE
	tailSize = 24 // enough for {18446744073709551615+} and the line's end
)

// take looks at the next bytes and moves those that are for go-imap to their front. The answer to idle is for idle,
// which is nil again from then on.
func (l *lines) take(b []byte, most int64, current **idle) (int, error) {
	kept := 0
	for rest := b; len(rest) > 0; {
		part, ours := rest, false
		if l.literal > 0 {
			part = rest[:min(int64(len(rest)), l.literal)]
			l.literal -= int64(len(part))
		} else {
			if i := bytes.IndexByte(rest, '\n'); i >= 0 {
				part = rest[:i+1]
			}
			var err error
			if ours, err = l.line(part, most, current); err != nil {
				return 0, err
			}
		}
		rest = rest[len(part):]
		if !ours {
			kept += copy(b[kept:], part)
		}
	}
	return kept, nil
}

// line looks at a line or a part of one, and says whether it is about our IDLE.
func (l *lines) line(part []byte, most int64, current **idle) (ours bool, err error) {
	if l.length == 0 {
		l.head, l.tail = l.head[:0], l.tail[:0]
		// Everything that is not an answer to a command of go-imap's, of which there is none now, starts with a star.
		l.ours = !l.inside && *current != nil && part[0] != '*'
	}
	if l.length += len(part); l.length > maxLine {
		return false, errLine
	}
	l.head = append(l.head, part[:min(len(part), headSize-len(l.head))]...)
	l.tail = append(l.tail, part[max(0, len(part)-tailSize):]...)
	l.tail = l.tail[max(0, len(l.tail)-tailSize):]
	if part[len(part)-1] != '\n' {
		return l.ours, nil
	}
	ours, l.length = l.ours, 0
	if ours {
		return true, (*current).answer(l.head, current)
	}
	if !l.inside && isText(l.head) {
		if l.warned != nil && word(l.head) == "NO" {
			l.warned()
		}
		return false, nil
	}
	l.literal, l.inside = literal(l.tail)
	if l.literal < 0 || l.literal > most {
		return false, errLiteral
	}
	return false, nil
}

// isText says whether a line ends in text for people, where braces mean nothing (RFC 9051 section 7.1).
func isText(head []byte) bool {
	switch word(head) {
	case "OK", "NO", "BAD", "BYE", "PREAUTH":
		return true
	}
	return head[0] != '*'
}

// word is the first one after a star, in capitals.
func word(head []byte) string {
	rest, ok := bytes.CutPrefix(head, []byte("*"))
	if !ok {
		return ""
	}
	first, _, _ := bytes.Cut(bytes.TrimLeft(rest, " "), []byte(" "))
	return string(bytes.ToUpper(bytes.TrimRight(first, "\r\n")))
}

// literal reads the announcement at the end of a line: how many bytes follow. -1: more than can be.
func literal(tail []byte) (size int64, ok bool) {
	line := bytes.TrimSuffix(bytes.TrimSuffix(tail, []byte("\n")), []byte("\r"))
	line, ok = bytes.CutSuffix(line, []byte("}"))
	if !ok {
		return 0, false
	}
	line = bytes.TrimSuffix(line, []byte("+"))
	digits := len(line)
	for digits > 0 && line[digits-1] >= '0' && line[digits-1] <= '9' {
		digits--
	}
	switch {
	case digits == len(line):
		return 0, false
	case digits == 0:
		return -1, true // so long that its start is out of sight
	case line[digits-1] != '{':
		return 0, false
	}
	size, err := strconv.ParseInt(string(line[digits:]), 10, 64)
	if err != nil {
		return -1, true
	}
	return size, true
}
