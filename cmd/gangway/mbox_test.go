package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestSplitMbox(t *testing.T) {
	const from = "From bob@example.com Mon Nov  2 03:04:05 2026\n"
	for _, tt := range []struct {
		name, raw string
		want      int
	}{
		{"nothing", "", 1},
		{"one mail", "Subject: x\n\nhi\n\n" + from + "Subject: y\n\nhi", 1},
		{"one in an mbox", from + "Subject: x\n\nhi\n", 1},
		{"two", from + "Subject: x\n\nhi\n\n" + from + "Subject: y\n\nhi\n", 2},
		{"with CRLF", strings.ReplaceAll(from+"Subject: x\n\nhi\n\n"+from+"Subject: y\n\nhi\n", "\n", "\r\n"), 2},
		{"with a zone", from + "A: x\n\nhi\n\nFrom MAILER-DAEMON Fri Jul  8 12:08:34 EDT 2011\nB: y\n\nhi\n", 2},
		{"without an empty line", from + "Subject: x\n\nhi\n" + from + "Subject: y\n\nhi\n", 1},
		{"a sentence", from + "Subject: x\n\nhi\n\nFrom here on: nothing\nWell: no\n", 1},
		{"a quoted line", from + "Subject: x\n\nhi\n\n>" + from + "Subject: y\n", 1},
		{"without a header", from + "Subject: x\n\nhi\n\n" + from + "no header\n", 1},
		{"only lines", strings.Repeat(from, 1000), 1},
	} {
		got := splitMbox([]byte(tt.raw))
		if len(got) != tt.want || string(bytes.Join(got, nil)) != tt.raw {
			t.Errorf("%s: %d messages: %q", tt.name, len(got), got)
		}
	}
}

func FuzzSplitMbox(f *testing.F) {
	const one = "From bob@example.com Mon Nov  2 03:04:05 2026\nSubject: x\n\nhi\n\n"
	f.Add([]byte(one + one))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if got := bytes.Join(splitMbox(raw), nil); !bytes.Equal(got, raw) {
			t.Errorf("%q became %q", raw, got)
		}
	})
}
