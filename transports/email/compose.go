package email

import (
	"bytes"
	"encoding/base64"
	"errors"
	"mime/quotedprintable"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	lineFold = 78  // RFC 5322 section 2.1.1
	lineHard = 998 // the same
)

// outgoing is a mail to be written.
type outgoing struct {
	id         string // Message-ID, with brackets
	from, to   address
	also       []string // the words of Cc
	name       string   // the sender's
	at         time.Time
	subject    string
	inReplyTo  string
	references []string
	loop       string // our domain
	text       string
	files      []part
}

// compose writes the mail: seven bits, folded, with CRLF. The same mail gives the same bytes.
func compose(o outgoing) ([]byte, error) {
	var w headerWriter
	from, _ := o.from.envelope()
	to, _ := o.to.envelope()
	w.field("Date", o.at.UTC().Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	w.field("From", append(w.phrase(o.name), "<"+from+">")...)
	w.field("To", "<"+to+">")
	if len(o.also) > 0 {
		w.field("Cc", o.also...)
	}
	w.field("Message-ID", o.id)
	w.field("Subject", w.unstructured(o.subject)...)
	if o.inReplyTo != "" {
		w.field("In-Reply-To", o.inReplyTo)
	}
	if len(o.references) > 0 {
		w.field("References", o.references...)
	}
	w.field(loopField, o.loop)
	w.field("MIME-Version", "1.0")
	if len(o.files) == 0 {
		w.text(o.text)
	} else {
		w.mixed(o)
	}
	return w.buf.Bytes(), w.err
}

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

// encodeText chooses the transfer encoding: as it is, where that is safe with every server.
func encodeText(text string) (body []byte, encoding string) {
	text = strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\r\n") + "\r\n"
	if isSevenBit(text) {
		return []byte(text), "7bit"
	}
	var b bytes.Buffer
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(text)) // a bytes.Buffer takes everything
	_ = w.Close()
	return b.Bytes(), "quoted-printable"
}

func isSevenBit(text string) bool {
	for line := range strings.SplitSeq(text, "\r\n") {
		if len(line) > lineFold-2 || strings.HasSuffix(line, " ") || strings.HasSuffix(line, "\t") || strings.HasPrefix(line, "From ") {
			return false
		}
		for i := range len(line) {
			if c := line[i]; c >= 0x7f || c < ' ' && c != '\t' {
				return false
			}
		}
	}
	return true
}
