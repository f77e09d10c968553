package stream

import "bytes"

// What the scanner is inside of.
type scanState uint8

const (
	inText    scanState = iota
	inOpen              // just after <
	inBang              // just after <!
	inTag               // a start tag, outside quotes
	inValue             // a quoted attribute value
	inEndTag            // after </
	inComment           // after <!--
	inCDATA             // after <![CDATA[
	inPI                // after <?
)

// scanner finds where a stanza ends, and nothing else. It keeps its place
// between calls, so every byte is looked at once however the bytes trickle in.
//
// It follows only what XML delimits without doubt; where two readers could
// disagree about where a stanza ends, one of them could be made to take a part
// of it for a stanza of its own, so there the stream ends (RFC 6120 section
// 4.9.1.1).
type scanner struct {
	state scanState
	quote byte
	slash bool // the last byte of the start tag was a /
	depth int
}

// scan looks at buf from pos on and returns the position it got to and whether
// the element that began is complete there. Bytes before the returned position
// need not be shown again.
func (s *scanner) scan(buf []byte, pos int) (int, bool, error) {
	for pos < len(buf) {
		before := pos
		var done bool
		var err error
		switch s.state {
		case inText:
			pos = s.text(buf, pos)
		case inOpen:
			pos = s.open(buf, pos)
		case inBang:
			pos, err = s.bang(buf, pos)
		case inTag:
			pos, done, err = s.tag(buf, pos)
		case inValue:
			pos = s.until(buf, pos, s.quote, inTag)
		case inEndTag:
			pos, done, err = s.endTag(buf, pos)
		case inComment:
			pos = s.untilString(buf, pos, "-->")
		case inCDATA:
			pos = s.untilString(buf, pos, "]]>")
		case inPI:
			pos = s.untilString(buf, pos, "?>")
		}
		if done || err != nil {
			return pos, done, err
		}
		if pos == before && s.waits() {
			return pos, false, nil
		}
	}
	return pos, false, nil
}

// waits reports whether the state needs more than one byte to go on.
func (s *scanner) waits() bool {
	return s.state == inBang || s.state == inComment || s.state == inCDATA || s.state == inPI
}

func (s *scanner) text(buf []byte, pos int) int { return s.until(buf, pos, '<', inOpen) }

func (s *scanner) until(buf []byte, pos int, c byte, next scanState) int {
	i := bytes.IndexByte(buf[pos:], c)
	if i < 0 {
		return len(buf)
	}
	s.state = next
	return pos + i + 1
}

// untilString stays before what may be the beginning of end.
func (s *scanner) untilString(buf []byte, pos int, end string) int {
	i := bytes.Index(buf[pos:], []byte(end))
	if i < 0 {
		return max(pos, len(buf)-len(end)+1)
	}
	s.state = inText
	return pos + i + len(end)
}

func (s *scanner) open(buf []byte, pos int) int {
	switch buf[pos] {
	case '/':
		s.state = inEndTag
	case '!':
		s.state = inBang
	case '?':
		s.state = inPI
	default:
		s.state, s.slash = inTag, false
		return pos
	}
	return pos + 1
}

func (s *scanner) bang(buf []byte, pos int) (int, error) {
	const comment, cdata = "--", "[CDATA["
	have := buf[pos:]
	switch {
	case bytes.HasPrefix(have, []byte(comment)):
		s.state = inComment
		return pos + len(comment), nil
	case bytes.HasPrefix(have, []byte(cdata)):
		s.state = inCDATA
		return pos + len(cdata), nil
	case bytes.HasPrefix([]byte(comment), have), bytes.HasPrefix([]byte(cdata), have):
		return pos, nil
	}
	return pos, &StreamError{"restricted-xml", "a declaration inside a stanza"}
}

func (s *scanner) tag(buf []byte, pos int) (int, bool, error) {
	for ; pos < len(buf); pos++ {
		c := buf[pos]
		if s.slash && c != '>' {
			return pos, false, &StreamError{"not-well-formed", "/ inside a start tag"}
		}
		switch c {
		case '>':
			s.state = inText
			if !s.slash {
				s.depth++
			}
			return pos + 1, s.depth == 0, nil
		case '/':
			s.slash = true
		case '"', '\'':
			s.state, s.quote = inValue, c
			return pos + 1, false, nil
		case '<':
			return pos, false, &StreamError{"not-well-formed", "< inside a start tag"}
		}
	}
	return pos, false, nil
}

func (s *scanner) endTag(buf []byte, pos int) (int, bool, error) {
	for ; pos < len(buf); pos++ {
		switch buf[pos] {
		case '>':
			s.state = inText
			s.depth--
			return pos + 1, s.depth == 0, nil
		case '<':
			return pos, false, &StreamError{"not-well-formed", "< inside an end tag"}
		}
	}
	return pos, false, nil
}
