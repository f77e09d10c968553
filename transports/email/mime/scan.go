package mime

import (
	"bytes"
	"strings"
)

// Message is a message taken apart. It refers to the bytes it was parsed from and is not safe for concurrent use.
type Message struct {
	Root    *Part
	Defects []string // what was repaired, in words for an operator

	limits  Limits
	words   int // encoded-words decoded so far
	decoded int // bytes decoded so far
	nested  int // messages that this one is in
	deeper  int // multiparts that were too deep, around this one
}

// Part is a leaf, or a multipart with its Parts.
type Part struct {
	Header Header
	Type   string            // lower case, "text/plain" when absent or not understood
	Params map[string]string // of Content-Type, keys in lower case
	Parts  []*Part           // of a multipart, in order

	unsure bool     // Type is a default
	body   []byte   // of a leaf, still encoded
	read   *reading // of a leaf whose text was decoded
	msg    *Message
}

// Raw returns the bytes of a leaf as they came, transfer encoding and all.
func (p *Part) Raw() []byte { return p.body }

// Parse takes a message apart within DefaultLimits.
func Parse(raw []byte) *Message { return ParseLimits(raw, DefaultLimits()) }

// ParseLimits takes a message apart.
func ParseLimits(raw []byte, l Limits) *Message {
	m := &Message{limits: l}
	m.parse(raw)
	return m
}

func (m *Message) parse(raw []byte) {
	if bytes.IndexByte(raw, '\n') < 0 && bytes.IndexByte(raw, '\r') >= 0 {
		raw = bytes.ReplaceAll(raw, []byte{'\r'}, []byte{'\n'})
		m.defect("lines end in bare CR")
	}
	s := scanner{msg: m, src: raw}
	s.skipMboxLine()
	m.Root = s.entity("text/plain")
	s.run()
}

func (m *Message) defect(what string) {
	if len(m.Defects) < maxDefects {
		m.Defects = append(m.Defects, what)
	}
}

// scanner walks over the message once. The open multiparts are a stack, so that an outer boundary also ends inner
// multiparts that were never closed.
type scanner struct {
	msg   *Message
	src   []byte
	pos   int // of the line that is looked at next
	stack []level
	leaf  *Part // whose body is being read; nil in a preamble or an epilogue
	start int   // of the leaf's body
	parts int
}

type level struct {
	part     *Part
	boundary string
	start    int // of what is before its first part
}

func (s *scanner) skipMboxLine() {
	if bytes.HasPrefix(s.src, []byte("From ")) || bytes.HasPrefix(s.src, []byte(">From ")) {
		s.line()
	}
}

// line returns the next line without its end, and moves on.
func (s *scanner) line() []byte {
	rest := s.src[s.pos:]
	i := bytes.IndexByte(rest, '\n')
	if i < 0 {
		s.pos = len(s.src)
		return rest
	}
	s.pos += i + 1
	return bytes.TrimSuffix(rest[:i], []byte{'\r'})
}

// run reads bodies up to the end.
func (s *scanner) run() {
	for s.pos < len(s.src) {
		if len(s.stack) == 0 {
			s.pos = len(s.src)
			break
		}
		if !bytes.HasPrefix(s.src[s.pos:], []byte("--")) {
			i := bytes.Index(s.src[s.pos:], []byte("\n--"))
			if i < 0 {
				s.pos = len(s.src)
				break
			}
			s.pos += i + 1
		}
		at := s.pos
		line := s.line()
		if i, closing := s.match(line); i >= 0 {
			s.boundary(at, i, closing)
		}
	}
	s.endLeaf(len(s.src))
	if len(s.stack) > 0 {
		s.msg.defect("multipart is not closed")
	}
	s.pop(0, len(s.src))
}

// pop closes the multiparts from level n of the stack on, which end at an offset.
func (s *scanner) pop(n, at int) {
	for _, l := range s.stack[n:] {
		body := trimEnd(s.src[l.start:max(at, l.start)])
		if len(l.part.Parts) > 0 || len(bytes.TrimSpace(body)) == 0 {
			continue
		}
		s.msg.defect("multipart without parts") // its delimiter is nowhere: what is there is text
		if s.parts >= s.msg.limits.Parts {
			l.part.Type, l.part.body = "text/plain", body
			continue
		}
		s.parts++
		l.part.Parts = []*Part{{Type: "text/plain", body: body, msg: s.msg}}
	}
	s.stack = s.stack[:n]
}

// delimited says whether a boundary delimits anything in what is left.
func (s *scanner) delimited(boundary string) bool {
	rest := s.src[s.pos:]
	for range 1000 {
		i := bytes.Index(rest, []byte("--"+boundary))
		if i < 0 {
			return false
		}
		rest = rest[i+2+len(boundary):]
		if len(rest) == 0 || bytes.IndexByte([]byte("\r\n \t-"), rest[0]) >= 0 {
			return true
		}
	}
	return true
}

func trimEnd(b []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(b, []byte{'\n'}), []byte{'\r'})
}

// match finds the innermost open multipart that a line starting with "--" delimits.
func (s *scanner) match(line []byte) (level int, closing bool) {
	line = bytes.TrimRight(line[2:], " \t\r")
	for i := len(s.stack) - 1; i >= 0; i-- {
		rest, ok := bytes.CutPrefix(line, []byte(s.stack[i].boundary))
		if ok && (len(rest) == 0 || string(rest) == "--") {
			return i, len(rest) > 0
		}
	}
	return -1, false
}

// boundary ends what is being read at offset at, and begins the next part of the stack's level i.
func (s *scanner) boundary(at, i int, closing bool) {
	if !closing && s.parts >= s.msg.limits.Parts {
		s.msg.defect("too many parts")
		s.stack = s.stack[:0] // the rest stays in the last part
		return
	}
	s.endLeaf(at)
	if i < len(s.stack)-1 {
		s.msg.defect("multipart is not closed")
	}
	if closing {
		s.pop(i, at)
		return
	}
	s.pop(i+1, at)
	parent := s.stack[i].part
	kind := "text/plain"
	if parent.Type == "multipart/digest" {
		kind = "message/rfc822" // RFC 2046 section 5.1.5
	}
	parent.Parts = append(parent.Parts, s.entity(kind))
}

// endLeaf closes the body being read; the line break before a boundary belongs to the boundary.
func (s *scanner) endLeaf(at int) {
	if s.leaf == nil {
		return
	}
	body := s.src[s.start:max(at, s.start)]
	if at < len(s.src) {
		body = trimEnd(body)
	}
	s.leaf.body = body
	s.leaf = nil
}

// entity reads a header and opens what it announces.
func (s *scanner) entity(kind string) *Part {
	s.parts++
	p := &Part{msg: s.msg, Type: kind}
	p.Header = s.header()
	p.setType()
	if strings.HasPrefix(p.Type, "multipart/") && s.open(p) {
		return p
	}
	s.leaf, s.start = p, s.pos
	return p
}

// open pushes a multipart; false if it has to be taken for a leaf.
func (s *scanner) open(p *Part) bool {
	if len(s.stack) >= s.msg.limits.Depth {
		s.msg.defect("nested too deeply")
		return false
	}
	boundary := strings.TrimRight(p.Params["boundary"], " \t")
	if boundary == "" {
		if boundary = s.guessBoundary(); boundary == "" {
			s.msg.defect("multipart without boundary")
			p.Type, p.Params = "text/plain", nil
			return false
		}
		s.msg.defect("multipart without boundary: guessed")
	} else if len(s.stack) == 0 && !s.delimited(boundary) {
		if guess := s.guessBoundary(); guess != "" {
			s.msg.defect("multipart with another boundary than it says: guessed")
			boundary = guess
		}
	}
	s.stack = append(s.stack, level{p, boundary, s.pos})
	return true
}

// guessBoundary takes the next few lines' first delimiter that a header field follows.
func (s *scanner) guessBoundary() string {
	at := s.pos
	defer func() { s.pos = at }()
	for n := 0; n < 20 && s.pos < len(s.src); n++ {
		line := s.line()
		if len(line) < 3 || len(line) > 200 || !bytes.HasPrefix(line, []byte("--")) {
			continue
		}
		rest := s.src[s.pos:]
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			rest = rest[:i]
		}
		if name, _ := splitField(rest); name != "" {
			return string(bytes.TrimRight(line[2:], " \t"))
		}
	}
	return ""
}
