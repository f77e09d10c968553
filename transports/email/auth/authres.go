package auth

import (
	"strings"
)

// Bounds of what is read of Authentication-Results.
const (
	maxAuthFields  = 20
	maxAuthField   = 16 << 10 // bytes
	maxAuthResults = 50
	maxComments    = 20 // in one another
)

// outcome is one resinfo of RFC 8601 section 2.2.
type outcome struct {
	method string
	value  Value
	reason string
	props  map[string]string // "smtp.mailfrom" and the like, in lower case
}

// Report is an Authentication-Results field.
type report struct {
	server   string // authserv-id, in lower case
	outcomes []outcome
}

// parseReport reads the value of a field. ok is false if it is no such thing; results that cannot be read are left out,
// with all behind them.
func parseReport(value string) (r report, ok bool) {
	s := &words{rest: value[:min(len(value), maxAuthField)]}
	server, ok := s.word()
	if !ok {
		return report{}, false
	}
	r.server = lower(server)
	if version, ok := s.word(); ok && version != "1" {
		return report{}, false
	}
	for s.skip(';') && len(r.outcomes) < maxAuthResults {
		o, ok := s.outcome()
		if !ok {
			break
		}
		if o.method != "none" {
			r.outcomes = append(r.outcomes, o)
		}
	}
	return r, true
}

// words reads the words of a structured field (RFC 8601 section 2.2; RFC 2045 section 5.1).
type words struct{ rest string }

// blank passes over white space and comments.
func (s *words) blank() {
	for {
		s.rest = strings.TrimLeft(s.rest, " \t\r\n")
		if !strings.HasPrefix(s.rest, "(") {
			return
		}
		s.comment()
	}
}

// comment passes over one; one without an end, or with too many in it, takes all of the rest along.
func (s *words) comment() {
	depth := 0
	for i := 0; i < len(s.rest) && depth <= maxComments; i++ {
		switch s.rest[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				s.rest = s.rest[i+1:]
				return
			}
		}
	}
	s.rest = ""
}

// skip passes over a character, if it comes next.
func (s *words) skip(c byte) bool {
	s.blank()
	if s.rest == "" || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// word reads a quoted text, or all up to a blank or one of ;=( .
func (s *words) word() (string, bool) {
	s.blank()
	if strings.HasPrefix(s.rest, `"`) {
		return s.quoted()
	}
	i := strings.IndexAny(s.rest, " \t\r\n;=(")
	if i < 0 {
		i = len(s.rest)
	}
	w := s.rest[:i]
	s.rest = s.rest[i:]
	return w, w != ""
}

func (s *words) quoted() (string, bool) {
	var b strings.Builder
	for i := 1; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"':
			s.rest = s.rest[i+1:]
			return b.String(), true
		case c == '\\' && i+1 < len(s.rest):
			i++
			b.WriteByte(s.rest[i])
		default:
			b.WriteByte(c)
		}
	}
	s.rest = ""
	return "", false
}

// outcome reads method=value and what belongs to it.
func (s *words) outcome() (o outcome, ok bool) {
	method, ok := s.word()
	if !ok {
		return outcome{}, false
	}
	method, _, _ = strings.Cut(strings.ToLower(method), "/") // its version
	o = outcome{method: method, props: map[string]string{}}
	if !s.skip('=') {
		return o, method == "none"
	}
	value, ok := s.word()
	if !ok {
		return outcome{}, false
	}
	for o.value = known(value); ; {
		name, ok := s.word()
		if !ok {
			return o, true
		}
		if !s.skip('=') {
			return outcome{}, false
		}
		text, ok := s.value()
		if !ok {
			return outcome{}, false
		}
		switch name = strings.ToLower(name); {
		case name == "reason":
			o.reason = reason(text)
		case len(o.props) < 20 && o.props[name] == "":
			o.props[name] = text
		}
	}
}

// value reads a property's, which may have any character but blanks and ; such as the = of an envelope sender.
func (s *words) value() (string, bool) {
	s.blank()
	if strings.HasPrefix(s.rest, `"`) {
		local, ok := s.quoted()
		if ok && strings.HasPrefix(s.rest, "@") { // of an address
			domain, _ := s.value()
			return local + domain, true
		}
		return local, ok
	}
	i := strings.IndexAny(s.rest, " \t\r\n;")
	if i < 0 {
		i = len(s.rest)
	}
	v := s.rest[:i]
	s.rest = s.rest[i:]
	return v, v != ""
}

// domainOf is the domain of a property, which may be an address.
func domainOf(text string) string {
	text = lower(text[strings.LastIndexByte(text, '@')+1:])
	if !isHostname(text) {
		return ""
	}
	return text
}
