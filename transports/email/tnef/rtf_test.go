package tnef

import (
	"encoding/binary"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
)

func western(b []byte, _ string) string {
	s, _ := charmap.Windows1252.NewDecoder().Bytes(b)
	return string(s)
}

func compressed(magic uint32, size int, data string) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(data)+12))
	b = binary.LittleEndian.AppendUint32(b, uint32(size))
	b = binary.LittleEndian.AppendUint32(b, magic)
	return append(append(b, 0, 0, 0, 0), data...)
}

// The examples are those of [MS-OXRTFCP] section 3.
func TestDecompressRTF(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []byte
		want string
	}{
		{"simple", compressed(lzfuMagic, 0x2b, "\x03\x00\x0a\x00rcpg125\x42\x32\x0a\xf3 hel\x09\x00 bw\x05\xb0ld}\x0a\x80\x0f\xa0"),
			"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"},
		{"stored", compressed(storedMagic, 5, "hello, and more"), "hello"},
		{"nothing", nil, ""},
		{"other", compressed(7, 5, "hello"), ""},
	} {
		if got := string(decompressRTF(tt.in)); got != tt.want {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
}

func TestRTFText(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{`{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\*\generator x;}\pard Hello \b World\b0\par caf\'e9\par}`, "Hello World\ncafé"},
		{`{\rtf1\uc1 a\u8364?b \{c\} d\~e\tab f\emdash g}`, "a€b {c} d e\tf—g"},
		{`{\rtf1\uc2 \u-10179 xx\u233 yyz}`, "\uFFFDéz"},
		{`no RTF`, "no RTF"},
		{`{\rtf1 open {\b still`, "open still"},
		{`\`, ""},
		{`{\rtf1 \'e`, ""},
	} {
		if got := RTFText([]byte(tt.in), western); got != tt.want {
			t.Errorf("%s: %q", tt.in, got)
		}
	}
}

// TestRTFBounded: neither what is decompressed nor what is made of it grows beyond its bounds, and groups are no stack.
func TestRTFBounded(t *testing.T) {
	bomb := compressed(lzfuMagic, 1<<31, strings.Repeat("\xff"+strings.Repeat("\x00\x0f", 8), 200_000))
	if n := len(decompressRTF(bomb)); n == 0 || n > maxRTF {
		t.Errorf("%d bytes", n)
	}
	if n := len(RTFText([]byte(strings.Repeat(`{\b x`, 1<<20)), western)); n > maxRTFText+10 {
		t.Errorf("%d bytes of text", n)
	}
}

func FuzzRTF(f *testing.F) {
	f.Add(compressed(lzfuMagic, 0x2b, "\x03\x00\x0a\x00rcpg125\x42\x32\x0a\xf3 hel\x09\x00 bw\x05\xb0ld}\x0a\x80\x0f\xa0"))
	f.Add(compressed(storedMagic, 100, `{\rtf1\uc2 \u-10179 xx\'e9{\*\x y}\par}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got := decompressRTF(b); len(got) > maxRTF {
			t.Errorf("%d bytes", len(got))
		} else {
			RTFText(got, western)
		}
		RTFText(b, western)
	})
}

func TestReadRTF(t *testing.T) {
	w := newWriter()
	w.attribute(1, attMAPIProps, list(prop{binaryValue, pidRTF, compressed(storedMagic, 12, `{\rtf1 Tea?}`)}))
	m, err := Read(w.b)
	if err != nil || RTFText(m.RTF, western) != "Tea?" || len(m.Text)+len(m.HTML) > 0 {
		t.Errorf("%+v, %v", m, err)
	}
}
