package email

import (
	"slices"
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

// goesTo is where a message in a conversation goes.
func (r *row) goesTo(peer core.Address) (address, error) {
	if r.To != "" {
		peer = r.To
	}
	return parseAddress(string(peer))
}

// recipients are whom a mail names. The same message goes to each of them by itself, in the same words, so that whoever
// of them answers to all answers the same mail. Who gets it blind is named to nobody.
func (r *row) recipients(m *core.Message) (to, cc []address) {
	all := company(m)
	if len(all) == 0 {
		all = []core.Address{m.Peer}
		if r.To != "" {
			all[0] = r.To
		}
	}
	for _, peer := range all {
		a, err := parseAddress(string(peer))
		switch {
		case err != nil: // each has an event of its own, which says so
		case slices.ContainsFunc(m.Copied, func(c core.Address) bool { return strings.EqualFold(string(c), string(peer)) }):
			cc = append(cc, a)
		default:
			to = append(to, a)
		}
	}
	return to, cc
}
