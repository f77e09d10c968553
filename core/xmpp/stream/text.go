package stream

import (
	"bytes"
	"unicode/utf8"
)

// Where character data ends.
const untilTag byte = '<'

// text reads character data up to the next <.
func (p *parser) text() error {
	if p.peek() == '<' || p.pos == len(p.src) {
		return nil
	}
	start := len(p.data)
	if err := p.characters(untilTag); err != nil {
		return err
	}
	return p.addText(start)
}

func (p *parser) cdata() error {
	body := p.src[p.pos+len("<![CDATA["):]
	end := bytes.Index(body, []byte("]]>"))
	if end < 0 {
		return malformed("a CDATA section is cut off")
	}
	start := len(p.data)
	if err := p.literal(body[:end]); err != nil {
		return err
	}
	p.pos += len("<![CDATA[") + end + len("]]>")
	return p.addText(start)
}

// literal appends the characters of a CDATA section.
func (p *parser) literal(b []byte) error {
	for i := 0; i < len(b); {
		if b[i] == '\r' {
			p.data = append(p.data, '\n')
			i++
			if i < len(b) && b[i] == '\n' {
				i++
			}
			continue
		}
		n, err := charLen(b[i:])
		if err != nil {
			return err
		}
		p.data = append(p.data, b[i:i+n]...)
		i += n
	}
	return nil
}

// addText makes a node of the characters from start on; those that follow text
// directly are added to it.
func (p *parser) addText(start int) error {
	end := uint32(len(p.data))
	if uint32(start) == end {
		return nil
	}
	if last := p.frames[len(p.frames)-1].last; last != 0 {
		if el := &p.st.elems[last]; el.text && el.name.end == uint32(start) {
			el.name.end = end
			return nil
		}
	}
	i, err := p.add(true)
	if err != nil {
		return err
	}
	p.st.elems[i].name = span{uint32(start), end}
	return nil
}

// value reads an attribute value and the quote that ends it. Tabs and line
// ends in it are kept, as encoding/xml and expat's callers see them when they
// were written as references: XMPP servers write both ways.
func (p *parser) value(quote byte) (span, error) {
	start := len(p.data)
	if err := p.characters(quote); err != nil {
		return span{}, err
	}
	if p.peek() != quote {
		return span{}, malformed("an attribute value is cut off")
	}
	p.pos++
	return span{uint32(start), uint32(len(p.data))}, nil
}

// characters appends decoded characters up to end, a quote or untilTag.
func (p *parser) characters(end byte) error {
	src := p.src
	from := p.pos
	for p.pos < len(src) {
		run := p.pos
		for p.pos < len(src) && byteClass[src[p.pos]] == plain {
			p.pos++
		}
		p.data = append(p.data, src[run:p.pos]...)
		if p.pos == len(src) || src[p.pos] == end {
			return nil
		}
		if err := p.special(end, from); err != nil {
			return err
		}
	}
	return nil
}

// special appends the one character at pos that is not plain.
func (p *parser) special(end byte, from int) error {
	rest := p.src[p.pos:]
	switch c := rest[0]; c {
	case '<':
		return malformed("< in an attribute value")
	case '&':
		return p.reference(rest)
	case '\r':
		p.data = append(p.data, '\n')
		p.pos++
		if p.peek() == '\n' {
			p.pos++
		}
		return nil
	case '>':
		if end == untilTag && p.pos-from >= 2 && p.src[p.pos-1] == ']' && p.src[p.pos-2] == ']' {
			return malformed("]]> outside a CDATA section")
		}
		p.data = append(p.data, c)
		p.pos++
		return nil
	}
	n, err := charLen(rest)
	if err != nil {
		return err
	}
	p.data = append(p.data, rest[:n]...)
	p.pos += n
	return nil
}

// charLen returns the length of the character b begins with.
func charLen(b []byte) (int, error) {
	if b[0] < utf8.RuneSelf {
		if byteClass[b[0]] == banned {
			return 0, malformed("a control character")
		}
		return 1, nil
	}
	r, n := utf8.DecodeRune(b)
	if r == utf8.RuneError && n == 1 {
		return 0, malformed("invalid UTF-8")
	}
	if !isChar(r) {
		return 0, malformed("a character that XML forbids")
	}
	return n, nil
}

// longestReference is &#x0010FFFF; with room for some more leading zeros.
const longestReference = 32

// reference decodes one of the five entities or a character reference.
func (p *parser) reference(b []byte) error {
	end := bytes.IndexByte(b[:min(len(b), longestReference)], ';')
	if end < 0 {
		return malformed("& without a reference")
	}
	var r rune
	switch name := b[1:end]; string(name) {
	case "lt":
		r = '<'
	case "gt":
		r = '>'
	case "amp":
		r = '&'
	case "apos":
		r = '\''
	case "quot":
		r = '"'
	default:
		if len(name) < 2 || name[0] != '#' {
			return malformed("an undefined entity")
		}
		if r = number(name[1:]); !isChar(r) {
			return malformed("a reference to a character that XML forbids")
		}
	}
	p.data = utf8.AppendRune(p.data, r)
	p.pos += end + 1
	return nil
}

// number returns the value of the digits of a character reference, or -1.
func number(digits []byte) rune {
	base := rune(10)
	if digits[0] == 'x' {
		base, digits = 16, digits[1:]
	}
	if len(digits) == 0 {
		return -1
	}
	var r rune
	for _, c := range digits {
		d := rune(c) - '0'
		switch {
		case c >= '0' && c <= '9':
		case base == 16 && c >= 'a' && c <= 'f':
			d = rune(c) - 'a' + 10
		case base == 16 && c >= 'A' && c <= 'F':
			d = rune(c) - 'A' + 10
		default:
			return -1
		}
		if r = r*base + d; r > utf8.MaxRune {
			return -1
		}
	}
	return r
}
