// Package tnef reads the files out of Outlook's winmail.dat: the Transport-Neutral Encapsulation Format ([MS-OXTNEF])
// with the MAPI properties ([MS-OXCDATA]) in it. It never reads past what is there, and takes the time and the memory
// of the input's length.
package tnef

import (
	"encoding/binary"
	"errors"
)

const (
	signature      = 0x223e9f78
	maxAttachments = 200
	maxProperties  = 5000 // of the message, or of one attachment
)

// ErrFormat says that the bytes are no TNEF at all.
var ErrFormat = errors.New("no TNEF")

// Message is what a winmail.dat holds.
type Message struct {
	Text     []byte // in Charset
	HTML     []byte // in the charset that it says itself
	RTF      []byte // decompressed: see RTFText
	Charset  string // of Text and of names; "" if it is not known
	Files    []File
	Complete bool // false: it breaks off, and there may have been more
}

// File is an attachment. Its bytes are those of the input.
type File struct {
	Name string // bytes in Message.Charset, or UTF-8 with Unicode set
	// Unicode says that Name is UTF-8.
	Unicode bool
	Type    string
	Data    []byte
}

// The attributes that matter ([MS-OXTNEF] section 2.1.3.2).
const (
	attBody           = 0x0002800c
	attAttachData     = 0x0006800f
	attAttachTitle    = 0x00018010
	attAttachRendData = 0x00069002
	attMAPIProps      = 0x00069003
	attAttachment     = 0x00069005
	attOEMCodePage    = 0x00069007
)

// Read takes a winmail.dat apart. What breaks off gives what came before.
func Read(b []byte) (*Message, error) {
	r := &reader{rest: b}
	if r.uint32() != signature || r.short {
		return nil, ErrFormat
	}
	r.uint16() // a key that is of no use
	m := new(Message)
	for len(r.rest) > 0 {
		r.take(1) // of the message, or of an attachment: the attributes are different ones
		id, size := r.uint32(), r.uint32()
		data := r.take(size)
		r.uint16() // a checksum, which many writers do not care for
		if r.short && data == nil {
			return m, nil
		}
		m.attribute(id, data)
		if r.short {
			return m, nil
		}
	}
	m.Complete = true
	return m, nil
}

func (m *Message) attribute(id uint32, data []byte) {
	switch id {
	case attOEMCodePage:
		if len(data) >= 4 {
			m.Charset = codePage(binary.LittleEndian.Uint32(data))
		}
	case attBody:
		m.Text = trimNUL(data)
	case attMAPIProps:
		for _, p := range properties(data) {
			m.property(p)
		}
	case attAttachRendData:
		if len(m.Files) < maxAttachments {
			m.Files = append(m.Files, File{})
		}
	}
	if len(m.Files) == 0 {
		return
	}
	f := &m.Files[len(m.Files)-1]
	switch id {
	case attAttachTitle:
		if f.Name == "" {
			f.Name = string(trimNUL(data))
		}
	case attAttachData:
		f.Data = data
	case attAttachment:
		for _, p := range properties(data) {
			f.property(p)
		}
	}
}

// The properties that matter ([MS-OXPROPS]).
const (
	pidBody           = 0x1000
	pidRTF            = 0x1009
	pidHTML           = 0x1013
	pidAttachData     = 0x3701
	pidAttachFilename = 0x3704
	pidAttachLongName = 0x3707
	pidAttachMIMETag  = 0x370e
)

func (m *Message) property(p property) {
	switch p.id {
	case pidBody:
		if m.Text == nil || p.kind == unicodeString {
			m.Text = p.text()
			if p.kind == unicodeString {
				m.Charset = "utf-8"
			}
		}
	case pidHTML:
		m.HTML = p.text()
	case pidRTF:
		if m.RTF == nil && p.kind == binaryValue {
			m.RTF = decompressRTF(p.value)
		}
	}
}

func (f *File) property(p property) {
	switch p.id {
	case pidAttachLongName:
		f.Name, f.Unicode = string(p.text()), p.kind == unicodeString
	case pidAttachFilename:
		if f.Name == "" {
			f.Name, f.Unicode = string(p.text()), p.kind == unicodeString
		}
	case pidAttachMIMETag:
		f.Type = string(p.text())
	case pidAttachData:
		if f.Data == nil && p.kind == binaryValue {
			f.Data = p.value
		}
	}
}

func trimNUL(b []byte) []byte {
	for len(b) > 0 && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	return b
}
