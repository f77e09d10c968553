package tnef

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
)

// writer makes a TNEF the way Outlook does.
type writer struct{ b []byte }

func (w *writer) u16(v uint16) { w.b = binary.LittleEndian.AppendUint16(w.b, v) }
func (w *writer) u32(v uint32) { w.b = binary.LittleEndian.AppendUint32(w.b, v) }

func newWriter() *writer {
	w := new(writer)
	w.u32(signature)
	w.u16(7)
	return w
}

func (w *writer) attribute(level byte, id uint32, data []byte) {
	w.b = append(w.b, level)
	w.u32(id)
	w.u32(uint32(len(data)))
	w.b = append(w.b, data...)
	sum := uint16(0)
	for _, c := range data {
		sum += uint16(c)
	}
	w.u16(sum)
}

type prop struct {
	kind, id uint16
	value    []byte
}

func list(props ...prop) []byte {
	w := new(writer)
	w.u32(uint32(len(props)))
	for _, p := range props {
		w.u16(p.kind)
		w.u16(p.id)
		if p.id >= namedFrom {
			w.b = append(w.b, make([]byte, 16)...)
			w.u32(1)
			w.u32(6)
			w.b = append(w.b, "a\x00b\x00\x00\x00\x00\x00"...)
		}
		if width(p.kind) == 0 {
			w.u32(1)
			w.u32(uint32(len(p.value)))
		}
		w.b = append(w.b, p.value...)
		for len(w.b)%4 != 0 {
			w.b = append(w.b, 0)
		}
	}
	return w.b
}

func wide(s string) []byte {
	var b []byte
	for _, u := range append(utf16.Encode([]rune(s)), 0) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func sample() []byte {
	w := newWriter()
	w.attribute(1, attOEMCodePage, []byte{0xe3, 0x04, 0, 0, 0, 0, 0, 0})
	w.attribute(1, attMAPIProps, list(
		prop{0x0003, 0x0e07, []byte{1, 0, 0, 0}}, prop{unicodeString, 0x8001, wide("x")},
		prop{binaryValue, pidHTML, []byte("<p>Hi</p>")}, prop{unicodeString, pidBody, wide("Höi")},
	))
	w.attribute(2, attAttachRendData, make([]byte, 14))
	w.attribute(2, attAttachTitle, []byte("REPORT~1.TXT\x00"))
	w.attribute(2, attAttachData, []byte("content"))
	w.attribute(2, attAttachment, list(
		prop{0x0040, 0x3007, make([]byte, 8)}, prop{unicodeString, pidAttachLongName, wide("report é.txt")},
		prop{string8, pidAttachMIMETag, []byte("text/plain\x00")},
	))
	w.attribute(2, attAttachRendData, make([]byte, 14))
	w.attribute(2, attAttachTitle, []byte("b.bin\x00"))
	w.attribute(2, attAttachData, []byte("two"))
	return w.b
}

func TestRead(t *testing.T) {
	m, err := Read(sample())
	if err != nil || !m.Complete || string(m.HTML) != "<p>Hi</p>" || string(m.Text) != "Höi" || m.Charset != "utf-8" || len(m.Files) != 2 {
		t.Fatalf("%+v, %v", m, err)
	}
	if got := fmt.Sprintf("%s %v %s %s", m.Files[0].Name, m.Files[0].Unicode, m.Files[0].Type, m.Files[0].Data); got != "report é.txt true text/plain content" {
		t.Error(got)
	}
	if got := fmt.Sprintf("%s %s %s", m.Files[1].Name, m.Files[1].Type, m.Files[1].Data); got != "b.bin  two" {
		t.Error(got)
	}
}

func TestReadOldBody(t *testing.T) {
	w := newWriter()
	w.attribute(1, attOEMCodePage, []byte{0xe3, 0x04, 0, 0})
	w.attribute(1, attBody, []byte("h\xe9\x00"))
	m, err := Read(w.b)
	if err != nil || string(m.Text) != "h\xe9" || m.Charset != "cp1251" {
		t.Fatalf("%+v, %v", m, err)
	}
}

// TestCut has a prefix of each length: what is whole is kept.
func TestCut(t *testing.T) {
	whole := sample()
	for n := range whole {
		m, err := Read(whole[:n])
		if n < 4 {
			if !errors.Is(err, ErrFormat) {
				t.Fatalf("%d bytes: %v", n, err)
			}
			continue
		}
		if err != nil || len(m.Files) > 2 {
			t.Fatalf("%d bytes: %+v, %v", n, m, err)
		}
	}
	if m, _ := Read(whole[:len(whole)-1]); len(m.Files) != 2 || string(m.Files[1].Data) != "two" {
		t.Error("the last file is lost")
	}
}

func TestNoTNEF(t *testing.T) {
	for _, s := range []string{"", "x", "PK\x03\x04 and so on", strings.Repeat("\x00", 100)} {
		if _, err := Read([]byte(s)); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(sample())
	f.Add(sample()[:200])
	w := newWriter()
	w.attribute(1, attMAPIProps, append(list(prop{string8 | multiple, 1, nil}), 0xff, 0xff, 0xff, 0xff))
	f.Add(w.b)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Read(b)
		if err != nil {
			return
		}
		size := len(m.Text)
		for _, file := range m.Files {
			size += len(file.Data)
		}
		if size > 3*len(b)+100 {
			t.Errorf("%d bytes out of %d", size, len(b))
		}
	})
}
