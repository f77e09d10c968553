package mime

import (
	"bytes"
	"strings"
)

// Header is a header block in its order.
type Header []Field

// Field is one header field. Its value may be folded and encoded.
type Field struct {
	Name string // as written
	raw  []byte
}

// Value returns the value unfolded and trimmed, undecoded.
func (f Field) Value() string {
	if bytes.IndexByte(f.raw, '\n') < 0 {
		return string(bytes.TrimSpace(f.raw))
	}
	out := make([]byte, 0, len(f.raw))
	for _, c := range f.raw {
		if c != '\r' && c != '\n' {
			out = append(out, c)
		}
	}
	return string(bytes.TrimSpace(out))
}

// Get returns the first field's value, undecoded, or "".
func (h Header) Get(name string) string {
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			return f.Value()
		}
	}
	return ""
}

// Has says whether a field is there at all.
func (h Header) Has(name string) bool {
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			return true
		}
	}
	return false
}

// All returns the values of all fields of a name, undecoded, at most limit.
func (h Header) All(name string, limit int) []string {
	var all []string
	for _, f := range h {
		if len(all) == limit {
			break
		}
		if strings.EqualFold(f.Name, name) {
			all = append(all, f.Value())
		}
	}
	return all
}

// Count counts the fields of a name.
func (h Header) Count(name string) int {
	n := 0
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			n++
		}
	}
	return n
}

// Text returns the first field's value, decoded (RFC 2047) and cleaned to one line.
func (p *Part) Text(name string) string {
	v := p.Header.Get(name)
	if v == "" {
		return ""
	}
	return OneLine(p.msg.decodeWords(v))
}

// splitField splits a header line. The name is empty if it is none.
func splitField(line []byte) (name string, value []byte) {
	i := bytes.IndexByte(line, ':')
	if i <= 0 || i > 200 {
		return "", nil
	}
	n := bytes.TrimRight(line[:i], " \t")
	for _, c := range n {
		if c <= ' ' || c >= 0x7f {
			return "", nil
		}
	}
	return string(n), line[i+1:]
}

// header reads fields up to the empty line, a boundary, or what can only be body.
func (s *scanner) header() Header {
	var h Header
	begin, lines := s.pos, 0
	value := -1 // where the value begins that a folded line goes on with; -1: none
	for s.pos < len(s.src) {
		at := s.pos
		line := s.line()
		if len(bytes.TrimRight(line, " \t\r")) == 0 {
			return h
		}
		if s.boundaryInHeader(line) {
			s.pos = at
			return h
		}
		if lines++; lines > s.msg.limits.HeaderLines || s.pos-begin > s.msg.limits.HeaderBytes {
			if value >= 0 || lines == 1 {
				s.msg.defect("header is too long")
			}
			value = -1
			continue
		}
		if line[0] == ' ' || line[0] == '\t' {
			if value >= 0 {
				h[len(h)-1].raw = s.src[value : at+len(line)]
			}
			continue
		}
		name, raw := splitField(line)
		if name != "" {
			value = at + len(line) - len(raw)
			h = append(h, Field{Name: name, raw: raw})
			continue
		}
		value = -1
		if line[0] != ':' && !s.moreFields(len(h)) {
			s.msg.defect("body begins without an empty line")
			s.pos = at
			return h
		}
		s.msg.defect("junk in the header")
	}
	return h
}

// boundaryInHeader says whether a header line is a delimiter of an open multipart.
func (s *scanner) boundaryInHeader(line []byte) bool {
	if len(s.stack) == 0 || !bytes.HasPrefix(line, []byte("--")) {
		return false
	}
	i, _ := s.match(line)
	if i >= 0 {
		s.msg.defect("header without an empty line after it")
	}
	return i >= 0
}

// moreFields says whether the line after a junk line is a field, so that the junk can be passed over.
func (s *scanner) moreFields(seen int) bool {
	if seen == 0 {
		return false
	}
	rest := s.src[s.pos:]
	if i := bytes.IndexByte(rest, '\n'); i >= 0 {
		rest = rest[:i]
	}
	name, _ := splitField(bytes.TrimSuffix(rest, []byte{'\r'}))
	return name != "" && !strings.HasPrefix(name, "--")
}
