package email

import (
	"strings"
	"unicode/utf8"
)

const qpLine = 76 // RFC 2045 section 6.7, rule 5

// text ends the header with those of a text, and writes it. A line of the text stays one, however long: what people
// write in a chat is a paragraph, which every program wraps to its window. So it is not format=flowed (RFC 3676), which
// Gmail and Outlook show as the short lines that it is made of.
func (w *headerWriter) text(kind, text string) {
	body, encoding := encodeText(text)
	w.field("Content-Type", "text/"+kind+";", "charset=utf-8")
	w.field("Content-Transfer-Encoding", encoding)
	w.buf.WriteString("\r\n")
	w.buf.WriteString(body)
}

// encodeText chooses the transfer encoding: as it is, where that is safe with every server.
func encodeText(text string) (body, encoding string) {
	text = strings.TrimRight(text, "\n") + "\n"
	if isSevenBit(text) {
		return strings.ReplaceAll(text, "\n", "\r\n"), "7bit"
	}
	var b strings.Builder
	b.Grow(len(text) + len(text)/2)
	for line := range strings.Lines(text) {
		quotedPrintable(&b, strings.TrimSuffix(line, "\n"))
		b.WriteString("\r\n")
	}
	return b.String(), "quoted-printable"
}

// quotedPrintable writes a line in as many as it takes, none of which ends within a character, or could be taken for
// the beginning of another mail in a mailbox.
func quotedPrintable(b *strings.Builder, line string) {
	const hex = "0123456789ABCDEF"
	column := 0
	for len(line) > 0 {
		_, n := utf8.DecodeRuneInString(line)
		c := line[0]
		plain := n == 1 && (c > ' ' && c < 0x7f && c != '=' || (c == ' ' || c == '\t') && len(line) > 1)
		if column == 0 && strings.HasPrefix(line, "From ") {
			plain = false
		}
		width := 1
		if !plain {
			width = 3 * n
		}
		if column+width > qpLine-1 && (column+width > qpLine || n < len(line)) {
			b.WriteString("=\r\n")
			column = 0
			continue // it may have to be encoded now
		}
		for i := range n {
			if plain {
				b.WriteByte(line[i])
				continue
			}
			b.WriteByte('=')
			b.WriteByte(hex[line[i]>>4])
			b.WriteByte(hex[line[i]&15])
		}
		line, column = line[n:], column+width
	}
}

func isSevenBit(text string) bool {
	for line := range strings.SplitSeq(text, "\n") {
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
