package addr

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
)

// plain reports whether a bare address is its own key: ASCII without upper case,
// without a punycode label and without a dot at the end.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return !strings.HasSuffix(s, ".") && !strings.Contains(s, "xn--")
}

// normalLocal follows RFC 7622 section 3.3 where it can. What PRECIS refuses is
// lower-cased and composed, so that it stays apart from everything it is not.
func normalLocal(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	n, err := precis.UsernameCaseMapped.String(s)
	if err == nil && !strings.ContainsAny(n, "\"&'/:<>@") { // full-width forms of these become separators
		return n
	}
	return fold(s)
}

// normalDomain prefers the Unicode form (RFC 7622 section 3.2.1) of a domain
// whose two forms stand for each other.
func normalDomain(s string) string {
	s = fold(s)
	if t := strings.TrimRight(s, "."); t != "" {
		s = t
	}
	if !strings.Contains(s, "xn--") {
		return s
	}
	u, err := idna.ToUnicode(s)
	if err != nil || fold(u) != u {
		return s
	}
	if back, err := idna.ToASCII(u); err != nil || back != s {
		return s
	}
	return u
}

// fold lower-cases by the full mapping: strings.ToLower would make i of a
// dotted capital I, and so one person of two.
func fold(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	return norm.NFC.String(cases.Lower(language.Und, cases.HandleFinalSigma(false)).String(s))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
