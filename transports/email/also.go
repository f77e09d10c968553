package email

import (
	"strings"

	"gangway/core"
)

// maxAlso bounds the further recipients of a mail that are told.
const maxAlso = 20

// also are the others whom a mail was written to, so that it can be answered to all of them; not who it is from, nor
// own, with or without a subaddress. On a list nobody asks for that.
func (l *letter) also(own core.Address) []core.Address {
	if l.list != nil {
		return nil
	}
	mine := map[string]bool{l.from.folded(): true}
	if a, err := parseAddress(string(own)); err == nil {
		mine[unextended(a)] = true
	}
	var others []core.Address
	for _, field := range []string{"To", "Cc"} {
		for _, mb := range l.mail.Root.Mailboxes(field) {
			a, err := parseAddress(mb.Addr)
			if err != nil || mine[unextended(a)] || mine[a.folded()] || len(others) == maxAlso {
				continue
			}
			mine[a.folded()] = true
			others = append(others, a.address())
		}
	}
	return others
}

// unextended is an address without its subaddress, folded.
func unextended(a address) string {
	a.local, _, _ = strings.Cut(a.local, "+")
	return a.folded()
}

// copied are the addresses of Cc: whom the same message goes to by itself. Those that a header of seven bits cannot
// hold are left out; they get it all the same.
func copied(also []core.Address) []string {
	var words []string
	for _, peer := range also {
		a, err := parseAddress(string(peer))
		if err != nil {
			continue
		}
		if text, utf8 := a.envelope(); !utf8 {
			words = append(words, "<"+text+">,")
		}
	}
	if n := len(words); n > 0 {
		words[n-1] = strings.TrimSuffix(words[n-1], ",")
	}
	return words
}
