package mapping

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"

	"gangway/core"
)

// maxPart is the most bytes that a part of a JID may have (RFC 7622 section 3.1).
const maxPart = 1023

// LocalPart returns the local part of the JID of the contact or room whose address text is. Local parts have no
// case, so it is made of the folded text: the contact's row keeps the exact one. It refuses, with a sentence, what
// a host server would refuse (RFC 6122 appendix A, XEP-0106 section 5.1), since a server may end the whole stream
// over such a sender; such an address needs an alias.
func LocalPart(text string) (string, error) {
	const op = "mapping: local part"
	folded := Fold(text)
	if folded == "" {
		return "", core.E(core.Invalid, op, "The address is empty.")
	}
	if strings.HasPrefix(folded, " ") || strings.HasSuffix(folded, " ") {
		return "", core.E(core.Invalid, op, "An address may not begin or end with a space.")
	}
	if why := illegal(folded); why != "" {
		return "", core.E(core.Invalid, op, "That address "+why+", which XMPP does not allow.")
	}
	local := Escape(folded)
	if len(local) > maxPart {
		return "", core.E(core.Invalid, op, fmt.Sprintf("That address is too long: %d bytes, of at most %d.", len(local), maxPart))
	}
	return local, nil
}

// AddressText returns the text that LocalPart made the local part of: the folded address.
func AddressText(local string) string { return Fold(Unescape(local)) }

// JID returns the bare JID of the address on a component's domain. See LocalPart for its errors.
func JID(text, domain string) (string, error) {
	local, err := LocalPart(text)
	if err != nil {
		return "", err
	}
	return local + "@" + domain, nil
}

// Fold returns the form in which two spellings of one address are equal. It maps as servers map a local part
// (Nodeprep, RFC 6122 appendix A: case folded, NFKC, invisible characters dropped), so that an address is found
// again after a server has folded it. It is idempotent.
func Fold(s string) string {
	if folded, ok := foldASCII(s); ok {
		return folded
	}
	for range 4 { // one round is enough but for a few characters whose normal form folds again
		next := norm.NFKC.String(cases.Fold().String(strings.Map(dropIgnorable, s)))
		if next == s {
			break
		}
		s = next
	}
	return s
}

func foldASCII(s string) (folded string, ok bool) {
	upper := false
	for i := range len(s) {
		c := s[i]
		if c >= utf8.RuneSelf {
			return "", false
		}
		upper = upper || 'A' <= c && c <= 'Z'
	}
	if upper {
		s = strings.ToLower(s)
	}
	return s, true
}

// dropIgnorable is RFC 3454 table B.1. It is given to strings.Map, and so turns invalid UTF-8 into U+FFFD.
func dropIgnorable(r rune) rune {
	switch {
	case r == 0xAD, r == 0x34F, r == 0x1806, 0x180B <= r && r <= 0x180D, 0x200B <= r && r <= 0x200D,
		r == 0x2060, 0xFE00 <= r && r <= 0xFE0F, r == 0xFEFF:
		return -1
	}
	return r
}

// illegal says what in a folded text no local part may hold (RFC 3454 tables C.1 to C.9 and section 6), or "".
func illegal(s string) string {
	var left, right bool
	for _, r := range s {
		switch {
		case r == utf8.RuneError:
			return "has bytes that are not UTF-8"
		case unicode.IsControl(r):
			return "has control characters"
		case r != ' ' && unicode.IsSpace(r):
			return "has unusual spaces"
		case 0xFFF9 <= r && r <= 0xFFFC, r&0xFFFE == 0xFFFE, 0xFDD0 <= r && r <= 0xFDEF, unicode.Is(unicode.Co, r),
			0x2FF0 <= r && r <= 0x2FFB, unicode.Is(unicode.Zs, r) && r != ' ', unicode.Is(unicode.Cf, r),
			r == 0x340, r == 0x341:
			return "has characters that cannot be shown"
		}
		switch class(r) {
		case bidi.L:
			left = true
		case bidi.R, bidi.AL:
			right = true
		}
	}
	if right && (left || !endsRight(s)) {
		return "mixes left-to-right and right-to-left letters"
	}
	return ""
}

// endsRight says whether s begins and ends with a right-to-left letter (RFC 3454 section 6, rule 3).
func endsRight(s string) bool {
	first, _ := utf8.DecodeRuneInString(s)
	last, _ := utf8.DecodeLastRuneInString(s)
	isRight := func(c bidi.Class) bool { return c == bidi.R || c == bidi.AL }
	return isRight(class(first)) && isRight(class(last))
}

func class(r rune) bidi.Class {
	if r < utf8.RuneSelf { // bidi.LookupRune allocates
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return bidi.L
		}
		return bidi.ON
	}
	p, _ := bidi.LookupRune(r)
	return p.Class()
}
