package main

import (
	"bytes"
	"regexp"
)

// fromLine is what stands above each message of an mbox (RFC 4155): whom it is from, and when it came.
var fromLine = regexp.MustCompile(`^From \S.{0,300} (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) ` +
	`[ \d]\d \d\d:\d\d(?::\d\d)?(?: [A-Z+\-]\S{0,9})? \d{4}(?: [+\-]\d{4})?\s*$`)

// firstField is a line that can begin a header.
var firstField = regexp.MustCompile(`^>?(?:From |[A-Za-z][A-Za-z0-9-]{0,60}:)`)

// splitMbox returns the messages of an mbox; of anything else, the one that it is. A message begins after an empty line,
// where there is such a line as at the beginning of the file, and a field below it.
func splitMbox(raw []byte) [][]byte {
	if !startsMessage(raw) {
		return [][]byte{raw}
	}
	var all [][]byte
	start, at := 0, 0
	for {
		i := bytes.Index(raw[at:], []byte("\nFrom "))
		if i < 0 {
			return append(all, raw[start:])
		}
		at += i + 1
		if before := bytes.TrimSuffix(raw[start:at], []byte("\n")); emptyAtEnd(before) && startsMessage(raw[at:]) {
			all = append(all, raw[start:at])
			start = at
		}
	}
}

// emptyAtEnd says whether the last line is empty.
func emptyAtEnd(b []byte) bool {
	b = bytes.TrimSuffix(b, []byte("\r"))
	return len(b) == 0 || b[len(b)-1] == '\n'
}

// startsMessage says whether the first line is one above a message.
func startsMessage(b []byte) bool {
	line, rest, _ := bytes.Cut(b[:min(len(b), 2000)], []byte("\n"))
	return bytes.HasPrefix(line, []byte("From ")) && fromLine.Match(line) && firstField.Match(rest)
}
