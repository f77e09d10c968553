package stream

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Element writes a copy of el with everything in it. As the whole stanza it is
// written in the namespace of the stream, inside another element in its own.
func (e *Encoder) Element(el *Element) {
	if el == nil {
		return
	}
	e.startCopy(el)
	e.Content(el)
	e.End()
}

// Content writes copies of everything inside el, text included.
func (e *Encoder) Content(el *Element) {
	if el == nil {
		return
	}
	for c := el.firstNode(); c != nil && e.err == nil; c = c.nextNode() {
		if c.text {
			e.Text(el.st.str(c.name))
		} else {
			e.Element(c)
		}
	}
}

func (e *Encoder) startCopy(el *Element) {
	e.start(el.Local(), el.Space())
	prefixes := 0
	for name, value := range el.Attrs() {
		switch name.Space {
		case "":
			e.Attr(name.Local, value)
		case NSXML:
			e.Attr("xml:"+name.Local, value)
		default:
			prefixes++
			e.foreignAttr("ns"+strconv.Itoa(prefixes), name, value)
		}
	}
}

// foreignAttr writes an attribute of another namespace and the prefix it needs.
func (e *Encoder) foreignAttr(prefix string, name Name, value string) {
	if e.err != nil {
		return
	}
	e.attr("xmlns:"+prefix, name.Space)
	e.attr(prefix+":"+name.Local, value)
}

// Value writes what encoding/xml makes of v, through the same checks as
// everything else. It is for payload types off the hot path.
func (e *Encoder) Value(v any) error {
	b, err := xml.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode payload: %w", err)
	}
	st, err := parseIn("", string(b))
	if err != nil {
		return fmt.Errorf("encode payload: %w", err)
	}
	e.Element(st.Element)
	return e.err
}

// Unmarshal decodes the element into v by the rules of encoding/xml. It is for
// payload types off the hot path.
func (el *Element) Unmarshal(v any) error {
	if el == nil {
		return fmt.Errorf("decode payload: %w", io.ErrUnexpectedEOF)
	}
	if err := xml.Unmarshal([]byte(el.String()), v); err != nil {
		return fmt.Errorf("decode payload: %w", err)
	}
	return nil
}

// String returns the element as XML. That of a stanza names no namespace for
// the stream's own.
func (el *Element) String() string {
	if el == nil {
		return ""
	}
	e := Encoder{Max: 8 * DefaultMaxStanza} // escapes are longer than what they stand for
	e.Element(el)
	return string(e.Bytes())
}

// Parse reads one stanza as it would stand on a component stream.
func Parse(s string) (*Stanza, error) { return parseIn(NSComponent, s) }

func parseIn(space, s string) (*Stanza, error) {
	rd := NewReader(strings.NewReader("<stream:stream xmlns='"+space+"' xmlns:stream='"+NSStream+"'>"+s+"</stream:stream>"), Limits{})
	if _, err := rd.ReadHeader(); err != nil {
		return nil, err
	}
	st, err := rd.Next()
	if err != nil {
		return nil, err
	}
	switch _, err := rd.Next(); {
	case err == nil:
		return nil, fmt.Errorf("%w: more than one stanza", ErrNotWellFormed)
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	return st, nil
}
