package tnef

import (
	"encoding/binary"
	"fmt"
	"unicode/utf16"
)

// The types of properties ([MS-OXCDATA] section 2.11.1) of any length.
const (
	objectValue   = 0x000d
	string8       = 0x001e
	unicodeString = 0x001f
	binaryValue   = 0x0102
	multiple      = 0x1000 // a flag: several values
	namedFrom     = 0x8000 // ids that have a name of their own
)

type property struct {
	id, kind uint16
	value    []byte // the first, of several
}

// text is a string in UTF-8, or in the message's charset.
func (p property) text() []byte {
	if p.kind != unicodeString {
		return trimNUL(p.value)
	}
	units := make([]uint16, len(p.value)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(p.value[2*i:])
	}
	return trimNUL([]byte(string(utf16.Decode(units))))
}

// properties reads a list, as far as it is understood.
func properties(b []byte) []property {
	r := &reader{rest: b}
	count := r.uint32()
	var all []property
	for range min(count, maxProperties) {
		p := property{kind: r.uint16(), id: r.uint16()}
		if p.id >= namedFrom {
			r.name()
		}
		p.value = r.value(p.kind)
		if r.short {
			break
		}
		all = append(all, p)
	}
	return all
}

// reader reads numbers and bytes; short is set when there are none left.
type reader struct {
	rest  []byte
	short bool
}

func (r *reader) take(n uint32) []byte {
	if uint64(n) > uint64(len(r.rest)) {
		r.short, r.rest = true, nil
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) uint16() uint16 {
	if b := r.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// padded takes n bytes and what fills them up to a multiple of four.
func (r *reader) padded(n uint32) []byte {
	b := r.take(n)
	if pad := -n % 4; !r.short && int(pad) <= len(r.rest) {
		r.take(pad)
	}
	return b
}

// name passes over the name of a named property.
func (r *reader) name() {
	r.take(16)
	if r.uint32() == 0 {
		r.uint32()
		return
	}
	r.padded(r.uint32())
}

// value takes a property's value; what is of an unknown type ends the reading.
func (r *reader) value(kind uint16) []byte {
	count := uint32(1)
	variable := false
	switch kind &^ multiple {
	case objectValue, string8, unicodeString, binaryValue:
		variable = true
	}
	if kind&multiple != 0 || variable {
		count = r.uint32()
	}
	var first []byte
	for i := range count {
		var v []byte
		if variable {
			v = r.padded(r.uint32())
		} else {
			v = r.take(width(kind &^ multiple))
			r.short = r.short || len(v) == 0
		}
		if r.short {
			return nil
		}
		if i == 0 {
			first = v
		}
	}
	return first
}

// width is that of a type of fixed width, in a list; 0 if it is not known.
func width(kind uint16) uint32 {
	switch kind {
	case 0x0002, 0x0003, 0x0004, 0x000a, 0x000b: // int16, int32, float, error, bool
		return 4
	case 0x0005, 0x0006, 0x0007, 0x0014, 0x0040: // double, currency, time, int64, system time
		return 8
	case 0x0048: // GUID
		return 16
	}
	return 0
}

// codePage names a Windows code page.
func codePage(n uint32) string {
	if n == 0 || n > 65535 {
		return ""
	}
	return fmt.Sprintf("cp%d", n)
}
