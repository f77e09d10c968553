package email

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"unicode/utf8"
)

const (
	lineFold = 78  // RFC 5322 section 2.1.1
	lineHard = 998 // the same
)

// headerWriter is the one way into a header: what could begin another field is refused.
type headerWriter struct {
	buf bytes.Buffer
	err error
}

// field writes a field of words, folding between them.
func (w *headerWriter) field(name string, words ...string) {
	w.buf.WriteString(name + ":")
	column := len(name) + 1
	for _, word := range words {
		if word == "" {
			continue
		}
		if w.refuses(word) {
			return
		}
		if column+1+len(word) > lineFold && column > len(name)+1 {
			w.buf.WriteString("\r\n")
			column = 0
		}
		w.buf.WriteString(" " + word)
		column += 1 + len(word)
	}
	w.buf.WriteString("\r\n")
}

// refuses says whether a value could begin another field, or have no end.
func (w *headerWriter) refuses(value string) bool {
	if strings.ContainsAny(value, "\r\n\x00") || len(value) > 10*lineHard {
		w.err = errors.New("a header field with a line break, a NUL or no end")
		return true
	}
	return false
}

// unstructured encodes text (RFC 2047) as words between which a field may be folded.
func (w *headerWriter) unstructured(s string) []string {
	if w.refuses(s) {
		return nil
	}
	if isPlain(s) {
		return strings.Split(s, " ")
	}
	return encodedWords(s)
}

// encodedWords writes text as encoded-words of at most 75 characters, none of which splits a character.
func encodedWords(s string) []string {
	const most = 45 // bytes, 60 characters in base64
	var words []string
	for s != "" {
		n := len(s)
		if n > most {
			for n = most; n > most-utf8.UTFMax && !utf8.RuneStart(s[n]); n-- {
			}
		}
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(s[:n]))+"?=")
		s = s[n:]
	}
	return words
}

// isPlain says whether text needs no encoding.
func isPlain(s string) bool {
	if strings.Contains(s, "=?") || strings.Contains(s, "  ") || strings.TrimSpace(s) != s {
		return false
	}
	run := 0
	for i := range len(s) {
		if s[i] >= 0x7f || s[i] < ' ' {
			return false
		}
		if run++; s[i] == ' ' {
			run = 0
		}
		if run > lineFold-20 {
			return false
		}
	}
	return true
}

// phrase writes a display name as words.
func (w *headerWriter) phrase(name string) []string {
	if name == "" || w.refuses(name) {
		return nil
	}
	if isPlain(name) && len(name) < lineFold-20 {
		return []string{`"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`}
	}
	return encodedWords(name)
}

// mailboxes writes addresses with commas between them. Those that a header of seven bits cannot hold are left out,
// unless the mail needs SMTPUTF8 anyhow.
func mailboxes(all []address, utf8 bool) []string {
	var words []string
	for _, a := range all {
		if text, wide := a.envelope(); !wide || utf8 {
			words = append(words, "<"+text+">,")
		}
	}
	if n := len(words); n > 0 {
		words[n-1] = strings.TrimSuffix(words[n-1], ",")
	}
	return words
}
