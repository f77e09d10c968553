package email

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"gangway/core"
)

// Sizes of RFC 5321 section 4.5.3.1, in octets.
const (
	maxLocal  = 64
	maxDomain = 253
)

// address is a mail address taken apart. Its canonical text (String) is the core.Address: the local part as written,
// because its case may matter, and the domain in lower-case U-labels.
type address struct {
	local  string // without quotes
	domain string
	wire   string // the domain in A-labels
}

// Parse reads a typed address or a mailto: URI.
func (t *transport) Parse(s string) (core.Target, error) {
	a, err := parseAddress(typed(s))
	if err != nil {
		return core.Target{}, err
	}
	return core.Target{Address: a.address()}, nil
}

// Format is the canonical address itself.
func (t *transport) Format(target core.Target) string { return string(target.Address) }

// typed takes away what people paste along with an address.
func typed(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > len("mailto:") && strings.EqualFold(s[:len("mailto:")], "mailto:") {
		s, _, _ = strings.Cut(s[len("mailto:"):], "?")
		if u, err := url.PathUnescape(s); err == nil {
			s = u
		}
	}
	if strings.HasPrefix(s, "<") && strings.HasSuffix(s, ">") {
		s = s[1 : len(s)-1]
	}
	return s
}

func badAddress(text string) *core.Error { return core.E(core.Invalid, "email: address", text) }

// parseAddress reads one address, quoted local parts included. Its errors are for the user.
func parseAddress(s string) (address, error) {
	if len(s) > 1000 || !utf8.ValidString(s) {
		return address{}, badAddress("That is not an e-mail address. Write it like name@example.com.")
	}
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		return address{}, badAddress("An e-mail address has an @, as in name@example.com.")
	}
	local, quoted, ok := unquoteLocal(s[:i])
	if !ok || !quoted && strings.ContainsFunc(local, isSpecial) {
		return address{}, badAddress("The part before the @ has a character that an e-mail address cannot have.")
	}
	return newAddress(local, s[i+1:])
}

// newAddress makes an address of an unquoted local part and a domain.
func newAddress(local, domain string) (address, error) {
	switch {
	case local == "":
		return address{}, badAddress("There is nothing before the @ of this e-mail address.")
	case !utf8.ValidString(local) || strings.ContainsFunc(local, isIllegal):
		return address{}, badAddress("The part before the @ has a character that an e-mail address cannot have.")
	}
	wire, domain, err := parseDomain(domain)
	if err != nil {
		return address{}, err
	}
	a := address{local: local, domain: domain, wire: wire}
	if len(a.quotedLocal()) > maxLocal {
		return address{}, badAddress("The part before the @ is longer than an e-mail address can have (64 bytes).")
	}
	return a, nil
}

// parseDomain returns a domain in A-labels and in U-labels.
func parseDomain(s string) (wire, domain string, err error) {
	bad := badAddress("The part after the @ is not a domain name, such as example.com.")
	s = strings.TrimSuffix(s, ".")
	if s == "" || len(s) > 4*maxDomain || strings.ContainsAny(s, "[]:") {
		return "", "", bad
	}
	profile := idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.VerifyDNSLength(true))
	wire, err = profile.ToASCII(s)
	if err != nil || len(wire) > maxDomain {
		return "", "", bad
	}
	domain, err = profile.ToUnicode(wire)
	if err != nil {
		return "", "", bad
	}
	if again, err := profile.ToASCII(domain); err != nil || again != wire {
		return "", "", bad
	}
	last := wire[strings.LastIndexByte(wire, '.')+1:]
	if strings.Trim(last, "0123456789") == "" {
		return "", "", bad // an IP address
	}
	return wire, domain, nil
}

// unquoteLocal takes the quotes of a local part away (RFC 5321 section 4.1.2).
func unquoteLocal(s string) (local string, quoted, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		return s, false, true
	}
	if len(s) < 2 || !strings.HasSuffix(s, `"`) {
		return "", true, false
	}
	s = s[1 : len(s)-1]
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
		case s[i] == '\\', s[i] == '"':
			return "", true, false
		}
		b.WriteByte(s[i])
	}
	return b.String(), true, true
}

// isSpecial says which characters need quotes in a local part.
func isSpecial(r rune) bool { return strings.ContainsRune(`()<>[]:;@\," `, r) }

// isIllegal says which characters no local part can have, quoted or not.
func isIllegal(r rune) bool {
	return r < ' ' || r == 0x7f || r > 0x7f && (!unicode.IsGraphic(r) || unicode.IsSpace(r))
}

// quotedLocal writes the local part as it goes into an address: in quotes if it is no dot-atom.
func (a address) quotedLocal() string {
	atom := !strings.ContainsFunc(a.local, isSpecial) && !strings.HasPrefix(a.local, ".") &&
		!strings.HasSuffix(a.local, ".") && !strings.Contains(a.local, "..")
	if atom {
		return a.local
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(a.local) + `"`
}

// String is the canonical text.
func (a address) String() string { return a.quotedLocal() + "@" + a.domain }

func (a address) address() core.Address { return core.Address(a.String()) }

// envelope is the text for the wire; utf8 says that it needs SMTPUTF8 (RFC 6531).
func (a address) envelope() (text string, utf8 bool) {
	for i := range len(a.local) {
		utf8 = utf8 || a.local[i] >= 0x80
	}
	return a.quotedLocal() + "@" + a.wire, utf8
}

// folded is the address without case, for looking things up.
func (a address) folded() string { return strings.ToLower(a.String()) }
