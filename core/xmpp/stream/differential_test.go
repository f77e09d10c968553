package stream

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

// outline writes a tree so that two of them can be compared.
func outline(b *strings.Builder, el *Element) {
	fmt.Fprintf(b, "<%q %q", el.Space(), el.Local())
	for name, value := range el.Attrs() {
		fmt.Fprintf(b, " %q %q=%q", name.Space, name.Local, value)
	}
	b.WriteString(">")
	for c := el.firstNode(); c != nil; c = c.nextNode() {
		if c.text {
			fmt.Fprintf(b, "%q", el.st.str(c.name))
		} else {
			outline(b, c)
		}
	}
	b.WriteString("</>")
}

// readOurs returns the outline of all stanzas in doc, or false if any is refused.
func readOurs(doc string) (string, bool) {
	rd := NewReader(strings.NewReader(testHeader+doc+"</stream:stream>"), Limits{})
	if _, err := rd.ReadHeader(); err != nil {
		return "", false
	}
	var b strings.Builder
	for {
		st, err := rd.Next()
		if errors.Is(err, io.EOF) {
			return b.String(), rd.Buffered() == len("</stream:stream>") // nothing behind a closing tag of its own
		}
		if err != nil {
			return "", false
		}
		outline(&b, st.Element)
		st.Release()
	}
}

// readTheirs does the same with encoding/xml.
func readTheirs(doc string) (string, error) {
	d := xml.NewDecoder(strings.NewReader(testHeader + doc + "</stream:stream>"))
	var b, text strings.Builder
	depth := 0
	flush := func() {
		if depth > 1 && text.Len() > 0 {
			fmt.Fprintf(&b, "%q", text.String())
		}
		text.Reset()
	}
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return b.String(), nil
		}
		if err != nil {
			return "", err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			flush()
			if depth++; depth > 1 {
				theirStart(&b, tok)
			}
		case xml.EndElement:
			flush()
			if depth--; depth > 0 {
				b.WriteString("</>")
			}
		case xml.CharData:
			text.Write(tok)
		}
	}
}

func theirStart(b *strings.Builder, tok xml.StartElement) {
	fmt.Fprintf(b, "<%q %q", tok.Name.Space, tok.Name.Local)
	for _, a := range tok.Attr {
		if a.Name.Space != "xmlns" && a.Name != (xml.Name{Local: "xmlns"}) {
			fmt.Fprintf(b, " %q %q=%q", a.Name.Space, a.Name.Local, a.Value)
		}
	}
	b.WriteString(">")
}

func compare(t *testing.T, doc string) (accepted bool) {
	t.Helper()
	ours, ok := readOurs(doc)
	if !ok {
		return false
	}
	theirs, err := readTheirs(doc)
	if err != nil {
		t.Fatalf("accepted, but encoding/xml says %v: %q", err, doc)
	}
	if ours != theirs {
		t.Fatalf("two trees of %q:\nours   %s\ntheirs %s", doc, ours, theirs)
	}
	return true
}

func TestLikeEncodingXML(t *testing.T) {
	for _, doc := range goodStanzas() {
		if !compare(t, doc) {
			t.Errorf("refused: %s", doc)
		}
	}
	for name, doc := range badStanzas() {
		if compare(t, doc) {
			t.Errorf("accepted: %s", name)
		}
	}
}

// TestLikeEncodingXMLMutated changes every second byte of every stanza, in turn,
// to each of the bytes that mean something, and also leaves it out and repeats
// it.
func TestLikeEncodingXMLMutated(t *testing.T) {
	accepted, refused := 0, 0
	for _, doc := range goodStanzas() {
		for i := len(doc) % 2; i < len(doc); i += 2 {
			mutants := []string{doc[:i] + doc[i+1:], doc[:i] + doc[i:i+1] + doc[i:]}
			for _, c := range []byte("<>/&;:'=! \r\x00\xff") {
				mutants = append(mutants, doc[:i]+string([]byte{c})+doc[i+1:])
			}
			for _, m := range mutants {
				if compare(t, m) {
					accepted++
				} else {
					refused++
				}
			}
		}
	}
	t.Logf("accepted %d, refused %d", accepted, refused)
	if accepted == 0 || refused == 0 {
		t.Error("the mutants prove nothing")
	}
}

// TestNameTables compares the names we accept with those of encoding/xml.
func TestNameTables(t *testing.T) {
	for r := rune(0); r < 0x11000; r++ {
		if !utf8.ValidRune(r) || r == ':' {
			continue
		}
		for _, name := range []string{string(r), "a" + string(r)} {
			tok, err := xml.NewDecoder(strings.NewReader("<" + name + "/>")).RawToken()
			start, ok := tok.(xml.StartElement)
			theirs := err == nil && ok && start.Name.Local == name
			if ours := isNCName(name); ours != theirs {
				t.Fatalf("%q (%U): %v, encoding/xml %v", name, r, ours, theirs)
			}
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, doc := range goodStanzas() {
		f.Add(doc)
	}
	for _, doc := range badStanzas() {
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		compare(t, doc)
		checkResync(t, doc)
	})
}

// checkResync proves that the pieces in which bytes arrive change nothing, and
// that no refusal is both final and not.
func checkResync(t *testing.T, doc string) {
	t.Helper()
	whole := transcript(strings.NewReader(testHeader + doc))
	trickled := transcript(&oneByte{testHeader + doc})
	if whole != trickled {
		t.Fatalf("%q\nwhole    %s\ntrickled %s", doc, whole, trickled)
	}
}

type oneByte struct{ s string }

func (r *oneByte) Read(b []byte) (int, error) {
	if r.s == "" {
		return 0, io.EOF
	}
	n := copy(b[:1], r.s)
	r.s = r.s[n:]
	return n, nil
}

func transcript(r io.Reader) string {
	rd := NewReader(r, Limits{Stanza: 4096, Depth: 8, Attrs: 8, Elements: 64, Prefixes: 4, Skip: 16 << 10})
	if _, err := rd.ReadHeader(); err != nil {
		return err.Error()
	}
	var b strings.Builder
	for {
		st, err := rd.Next()
		var refused *StanzaError
		switch {
		case err == nil:
			outline(&b, st.Element)
			st.Release()
		case errors.As(err, &refused):
			fmt.Fprintf(&b, "%+v", *refused)
		default:
			b.WriteString(err.Error())
			return b.String()
		}
	}
}
