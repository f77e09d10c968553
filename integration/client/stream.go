package client

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	maxStanza = 4 << 20 // bytes
	maxDepth  = 100
	nsStream  = "http://etherx.jabber.org/streams"
)

// wire hands out bytes one by one and remembers them, so that a stanza can be shown as it came. The XML decoder does
// not read ahead of an io.ByteReader, hence the memory ends exactly where the stanza does.
type wire struct {
	r   *bufio.Reader
	mem []byte
}

var (
	errTooLong   = errors.New("stanza is too long")
	errForbidden = errors.New("comments, instructions and directives have no place in XMPP") // RFC 6120, section 11.1
)

// Read is never used by a decoder that has ReadByte; it completes io.Reader.
func (w *wire) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b, err := w.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = b
	return 1, nil
}

// ReadByte reads and remembers one byte.
func (w *wire) ReadByte() (byte, error) {
	if len(w.mem) >= maxStanza {
		return 0, errTooLong
	}
	b, err := w.r.ReadByte()
	if err == nil {
		w.mem = append(w.mem, b)
	}
	return b, err
}

// reader reads the elements of one XML stream. After SASL and the like a stream starts anew: restart.
type reader struct {
	wire *wire
	dec  *xml.Decoder
}

func newReader(r io.Reader) *reader {
	rd := &reader{wire: &wire{r: bufio.NewReader(r)}}
	rd.restart()
	return rd
}

func (r *reader) restart() { r.dec = xml.NewDecoder(r.wire) }

// header reads up to and including the stream's opening tag.
func (r *reader) header() error {
	for {
		tok, err := r.dec.Token()
		if err != nil {
			return err
		}
		start, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		if start.Name.Space != nsStream || start.Name.Local != "stream" {
			return fmt.Errorf("the server does not open an XMPP stream but <%s xmlns=%q>", start.Name.Local, start.Name.Space)
		}
		return nil
	}
}

// next reads one child of the stream. It returns io.EOF when the server closes the stream, and a stream error as error.
func (r *reader) next() (*Stanza, error) {
	r.wire.mem = nil
	for {
		tok, err := r.dec.Token()
		if err != nil {
			return nil, err
		}
		switch tok := tok.(type) {
		case xml.EndElement:
			return nil, io.EOF
		case xml.CharData:
			if strings.TrimLeft(string(tok), " \t\r\n") != "" {
				return nil, fmt.Errorf("text between stanzas: %q", tok)
			}
		case xml.StartElement:
			e, err := r.element(tok, 1)
			if err != nil {
				return nil, err
			}
			if e.Name.Space == nsStream && e.Name.Local == "error" {
				return nil, streamError(e)
			}
			return &Stanza{Element: e, Raw: strings.TrimSpace(string(r.wire.mem)), At: time.Now()}, nil
		default:
			return nil, errForbidden
		}
	}
}

func (r *reader) element(start xml.StartElement, depth int) (*Element, error) {
	if depth > maxDepth {
		return nil, errors.New("elements are nested too deeply")
	}
	e := &Element{Name: start.Name, Attrs: attributes(start)}
	var text strings.Builder
	for {
		tok, err := r.dec.Token()
		if err != nil {
			return nil, err
		}
		switch tok := tok.(type) {
		case xml.CharData:
			text.Write(tok)
		case xml.StartElement:
			child, err := r.element(tok, depth+1)
			if err != nil {
				return nil, err
			}
			e.Children = append(e.Children, child)
		case xml.EndElement:
			e.Text = text.String()
			return e, nil
		default:
			return nil, errForbidden
		}
	}
}

// attributes drops the namespace declarations, which the decoder has resolved.
func attributes(start xml.StartElement) []xml.Attr {
	var kept []xml.Attr
	for _, a := range start.Copy().Attr {
		if a.Name.Local != "xmlns" && a.Name.Space != "xmlns" {
			kept = append(kept, a)
		}
	}
	return kept
}

// streamError names the condition of RFC 6120, section 4.9.
func streamError(e *Element) error {
	text, condition := "", "undefined-condition"
	for _, c := range e.Children {
		if c.Name.Local == "text" {
			text = ": " + c.Text
			continue
		}
		condition = c.Name.Local
	}
	return fmt.Errorf("stream error %s%s", condition, text)
}
