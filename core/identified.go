package core

import (
	"context"
	"net/netip"
	"slices"
	"strings"
)

// Identified returns the accounts of whom a network knows by a word or an address, as a complaint has it: "word",
// "~word@2001:db8::1", or the whole "nick!~word@host". NotFound if there is nobody.
func (g *Gateway) Identified(ctx context.Context, text string) ([]Account, error) {
	words := complaint(text)
	var found []Account
	for _, n := range g.Networks() {
		if n.TransportCaps.Identifier == nil || len(words) == 0 {
			continue
		}
		accounts, err := g.cfg.Accounts.Accounts(ctx, n.Driver.Name)
		if err != nil {
			return nil, err
		}
		is := map[UserID]bool{}
		for _, a := range accounts {
			known, asked := is[a.User]
			if !asked {
				all, err := n.TransportCaps.Identifier.Identify(ctx, a.User)
				if err != nil {
					return nil, err
				}
				known = slices.ContainsFunc(words, func(w string) bool { return slices.Contains(all, w) })
				is[a.User] = known
			}
			if known {
				found = append(found, a)
			}
		}
	}
	if len(found) == 0 {
		return nil, E(NotFound, "core: identify", "Nobody here is known by that.")
	}
	return found, nil
}

// complaint takes apart how somebody is called in a complaint.
func complaint(text string) (words []string) {
	text = strings.ToLower(strings.TrimSpace(text))
	text = text[strings.LastIndexByte(text, '!')+1:]
	for part := range strings.SplitSeq(text, "@") {
		part = strings.Trim(strings.TrimLeft(part, "~"), "[]")
		if addr, err := netip.ParseAddr(part); err == nil {
			part = addr.String()
		}
		if part != "" {
			words = append(words, part)
		}
	}
	return words
}
