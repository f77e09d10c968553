package mime

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

func base64Lines(n int) string {
	s := base64.StdEncoding.EncodeToString(make([]byte, n))
	var b strings.Builder
	for len(s) > 76 {
		b.WriteString(s[:76] + "\r\n")
		s = s[76:]
	}
	return b.String() + s + "\r\n"
}

func count(p *Part) (parts, depth int) {
	parts, depth = 1, 1
	for _, c := range p.Parts {
		n, d := count(c)
		parts += n
		depth = max(depth, d+1)
	}
	return parts, depth
}

// Structure, not time, is what is asserted: what is bounded here is what cost the known parsers their minutes.
func TestBombs(t *testing.T) {
	var nested, many, headers strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&nested, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
	}
	many.WriteString("Content-Type: multipart/mixed; boundary=b\n\n")
	many.WriteString(strings.Repeat("--b\n\n", 100_000))
	headers.WriteString(strings.Repeat("A: b\n", 1_000_000) + "\nstill read\n")
	l := DefaultLimits()
	for _, tt := range []struct {
		name, raw, text string
	}{
		{"nested", nested.String() + "\n\nx", ""},
		{"many parts", many.String(), ""},
		{"many headers", headers.String(), "still read"},
		{"one long header", "A: " + strings.Repeat("x", 5<<20) + "\nSubject: y\n\ntext", "text"},
		{"folded for ever", "A: x\n" + strings.Repeat(" y\n", 1_000_000) + "\ntext", "text"},
		{"boundaries of the same name", strings.Repeat("Content-Type: multipart/mixed; boundary=b\n\n--b\n", 5000), ""},
		{"long delimiter-like lines", "Content-Type: multipart/mixed; boundary=" + strings.Repeat("-", 70) + "\n\n" + strings.Repeat(strings.Repeat("-", 1000)+"\n", 2000), ""},
		{"parameters", "Content-Type: text/plain" + strings.Repeat("; a=b", 50_000) + "\n\ntext", "text"},
		{"comments", "Content-Type: text/plain " + strings.Repeat("(", 100_000) + "\n\ntext", "text"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := Parse([]byte(tt.raw))
			parts, depth := count(m.Root)
			if parts > l.Parts || depth > l.Depth+1 || len(m.Root.Header) > l.HeaderLines || len(m.Defects) > maxDefects {
				t.Errorf("%d parts, %d deep, %d fields, %d defects", parts, depth, len(m.Root.Header), len(m.Defects))
			}
			if b := m.Body(32 << 10); tt.text != "" && b.Text != tt.text {
				t.Errorf("text %.60q", b.Text)
			}
		})
	}
}

func TestDecodedBudget(t *testing.T) {
	l := DefaultLimits()
	l.Decoded, l.Text = 1000, 600
	raw := "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\n"+strings.Repeat("x", 5000)+"\n", 10)
	m := ParseLimits([]byte(raw), l)
	if got := m.Body(1 << 20).Text; len(strings.ReplaceAll(got, "\n", "")) != 1000 || m.decoded != 1000 {
		t.Errorf("%d bytes of text, %d decoded", len(got), m.decoded)
	}
}

func TestAddressBomb(t *testing.T) {
	m := Parse([]byte("From: " + strings.Repeat("a@b,", 60_000) + "\n\n"))
	if got := len(m.Root.Mailboxes("From")); got != 1000 {
		t.Errorf("%d addresses", got)
	}
}
