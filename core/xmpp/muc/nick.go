package muc

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"
)

// maxResource is the limit of a resource in bytes (RFC 7622 section 3.4).
const maxResource = 1023

// resource is a nick as the resource of an occupant's address. What no server would take there is shown as a box:
// Resourceprep (RFC 6122 appendix B), which servers still use, prohibits even the U+FFFD that stands for what XML
// cannot carry. It is idempotent and never empty.
func resource(nick string) string {
	if usual(nick) {
		return nick
	}
	nick = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || prohibited(r) {
			return '□'
		}
		return r
	}, strings.ToValidUTF8(nick, "□"))
	if first, n := utf8.DecodeRuneInString(nick); unicode.Is(unicode.M, first) {
		nick = "□" + nick[n:] // a mark needs something to stand on; ejabberd refuses it
	}
	if nick = shorten(nick); astray(nick) {
		nick = shorten(strings.Map(func(r rune) rune {
			if rightToLeft(r) {
				return '□'
			}
			return r
		}, nick))
	}
	if !strings.ContainsFunc(nick, visible) {
		return "□"
	}
	return nick
}

// shorten cuts a nick to what a resource may be long, also when a server has prepared it: one character may become many.
func shorten(nick string) string {
	for {
		n := max(len(nick), len(norm.NFKC.String(nick)))
		if n <= maxResource {
			return nick
		}
		end := min(len(nick)*maxResource/n, len(nick)-1)
		for !utf8.RuneStart(nick[end]) {
			end--
		}
		nick = nick[:end]
	}
}

// astray says whether a nick breaks the rule of RFC 3454 section 6: what has a character that runs from right to left
// begins and ends with one, and has none that runs the other way.
func astray(nick string) bool {
	prepared := norm.NFKC.String(nick)
	if !strings.ContainsFunc(prepared, rightToLeft) {
		return false
	}
	first, _ := utf8.DecodeRuneInString(prepared)
	last, _ := utf8.DecodeLastRuneInString(prepared)
	return !rightToLeft(first) || !rightToLeft(last) || strings.ContainsFunc(prepared, func(r rune) bool {
		p, _ := bidi.LookupRune(r)
		return p.Class() == bidi.L
	})
}

func rightToLeft(r rune) bool {
	p, _ := bidi.LookupRune(r)
	return p.Class() == bidi.R || p.Class() == bidi.AL
}

// usual says whether a nick is short and of printable ASCII.
func usual(nick string) bool {
	if nick == "" || len(nick) > maxResource {
		return false
	}
	seen := false
	for i := range len(nick) {
		if nick[i] < ' ' || nick[i] > '~' {
			return false
		}
		seen = seen || nick[i] != ' '
	}
	return seen
}

// prohibited are the characters of RFC 3454, tables C.1.2 and C.2 to C.9, without those that B.1 takes away before.
func prohibited(r rune) bool {
	switch {
	case r == ' ':
		return false
	case unicode.In(r, unicode.Zs, unicode.Zl, unicode.Zp, unicode.Cc, unicode.Co, unicode.Cs):
		return true
	case r&0xfffe == 0xfffe, r >= 0xfdd0 && r <= 0xfdef: // no characters
		return true
	case r >= 0xfff9 && r <= 0xfffd, r >= 0x2ff0 && r <= 0x2ffb: // no plain text
		return true
	case r >= 0x202a && r <= 0x202e, r >= 0x2061 && r <= 0x206f, r == 0x200e, r == 0x200f, r == 0x340, r == 0x341: // order
		return true
	}
	return r == 0x6dd || r == 0x70f || r == 0x180e || r >= 0x1d173 && r <= 0x1d17a || r >= 0xe0000 && r <= 0xe007f
}

// visible says whether there is something to see of a character by itself.
func visible(r rune) bool {
	return r != ' ' && unicode.IsGraphic(r) && !unicode.Is(unicode.Mn, r)
}
