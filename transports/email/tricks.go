package email

import (
	"strings"
	"unicode"

	"gangway/transports/email/mime"
)

// What a sender's name or address may do to look like somebody else's. Each is what the user reads of it; such a name is
// not shown.
const (
	trickAddress  = "the sender's name is another address"
	trickAlphabet = "the sender's name mixes alphabets"
	trickOrder    = "the sender's name has characters that turn the text around"
	trickDomain   = "the sender's address mixes alphabets"
)

// tricks are those of a mailbox, whose address is from.
func tricks(mb mime.Mailbox, from address) []string {
	var all []string
	if anotherAddress(mb.Name, from) {
		all = append(all, trickAddress)
	}
	if mb.Turned {
		all = append(all, trickOrder)
	}
	if mixed(mb.Name) {
		all = append(all, trickAlphabet)
	}
	if mixed(from.String()) {
		all = append(all, trickDomain)
	}
	return all
}

// anotherAddress says whether an address in the name is not the sender's.
func anotherAddress(name string, from address) bool {
	name = strings.Map(func(r rune) rune {
		switch r {
		case 0xFF20, 0xFE6B: // @ in other widths
			return '@'
		}
		return r
	}, name)
	if !strings.Contains(name, "@") {
		return false
	}
	bare := strings.Trim(mime.OneLine(name), `'"<>() `)
	return !strings.EqualFold(bare, from.String()) && !strings.EqualFold(bare, from.quotedLocal()+"@"+from.wire)
}

// mixed says whether a word has letters of several alphabets that look alike.
func mixed(text string) bool {
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }) {
		found := 0
		for _, alphabet := range lookalikes() {
			if strings.ContainsFunc(word, func(r rune) bool { return unicode.Is(alphabet, r) }) {
				found++
			}
		}
		if found > 1 {
			return true
		}
	}
	return false
}

func lookalikes() []*unicode.RangeTable {
	return []*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee, unicode.Coptic, unicode.Lisu}
}
