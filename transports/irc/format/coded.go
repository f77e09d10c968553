package format

import (
	"strings"

	"gangway/core/style"
	"gangway/transports/irc/wire"
)

// codes is the most bytes that open styles take at the beginning of a line.
const codes = 4

// markOf is the formatting character of a style.
func markOf(s style.Style) byte {
	switch s {
	case style.Strong:
		return wire.BoldMark
	case style.Emphasis:
		return wire.ItalicMark
	case style.Struck:
		return wire.StrikeMark
	}
	return wire.MonospaceMark
}

// coded turns the styles of a line of our text into formatting characters, where nobody can have meant something else
// by the directives. Those of bold and italic go, as every program shows these. The others stay: without them
// "~never~" would say the opposite to those whose programs strike nothing out.
func coded(line string) string {
	at := map[int]string{}
	for _, s := range style.Spans(line) {
		if !s.Apart(line) {
			continue
		}
		mark, open, shut := string(rune(markOf(s.Style))), "", ""
		if s.Style == style.Struck || s.Style == style.Verbatim {
			open, shut = line[s.Start-1:s.Start], line[s.End:s.End+1]
		}
		at[s.Start-1], at[s.End] = mark+open, shut+mark
	}
	if len(at) == 0 {
		return line
	}
	var b strings.Builder
	for i := range len(line) {
		if code, ok := at[i]; ok {
			b.WriteString(code)
		} else {
			b.WriteByte(line[i])
		}
	}
	return b.String()
}

// wrapCoded cuts a line with formatting characters into parts of at most n bytes. Each begins with the styles that the
// one before ended in: on IRC none outlives its line.
func wrapCoded(line string, n int) []Piece {
	var pieces []Piece
	var now style.Style
	for i, part := range wrap(line, n-codes) {
		var open []byte
		for _, s := range style.All() {
			if now&s != 0 {
				open = append(open, markOf(s))
			}
		}
		for j := range len(part.text) {
			now ^= styleOf(rune(part.text[j]))
		}
		wire := string(open) + part.text
		if text := Styled(wire); text != "" {
			pieces = append(pieces, Piece{Wire: wire, Text: text, Glue: part.glue, Goes: i > 0})
		}
	}
	return pieces
}

// format makes the pieces of one line, of a kind, in our style.
func format(l style.Line, n int) []Piece {
	switch l.Kind {
	case style.Fence:
		return nil
	case style.Code:
		if strings.TrimSpace(l.Text) == "" {
			return nil
		}
		return wrapCoded(string(rune(wire.MonospaceMark))+l.Text, n)
	}
	if line := coded(l.Text); line != l.Text {
		return wrapCoded(line, n)
	}
	return plain(l.Text, n)
}

// plain makes the pieces of a line as it was typed.
func plain(line string, n int) []Piece {
	var pieces []Piece
	for i, part := range wrap(line, n) {
		pieces = append(pieces, Piece{Wire: part.text, Text: part.text, Glue: part.glue, Goes: i > 0})
	}
	return pieces
}
