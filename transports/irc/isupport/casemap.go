package isupport

import "strings"

// Casemap is a network's CASEMAPPING: which spellings of a nick or channel are the same.
type Casemap uint8

// The mappings.
const (
	RFC1459 Casemap = iota // the default: {}|~ are the lower case of []\^
	RFC1459Strict
	ASCII
	PRECIS // rfc7613 and rfc8265, and whatever else a network has: Unicode's lower case
)

// String is what networks call the mapping.
func (c Casemap) String() string {
	return [...]string{"rfc1459", "strict-rfc1459", "ascii", "rfc8265"}[c%4]
}

// CasemapNamed returns the mapping that a network calls so.
func CasemapNamed(name string) Casemap {
	switch strings.ToLower(name) {
	case "", "rfc1459":
		return RFC1459
	case "strict-rfc1459", "rfc1459-strict":
		return RFC1459Strict
	case "ascii":
		return ASCII
	}
	return PRECIS
}

// Fold returns the spelling that stands for all that are the same as s.
func (c Casemap) Fold(s string) string {
	if c == PRECIS {
		return strings.ToLower(s)
	}
	for i := range len(s) {
		if c.lower(s[i]) != s[i] {
			return c.foldFrom(s, i)
		}
	}
	return s
}

func (c Casemap) foldFrom(s string, i int) string {
	b := []byte(s)
	for ; i < len(b); i++ {
		b[i] = c.lower(b[i])
	}
	return string(b)
}

func (c Casemap) lower(b byte) byte {
	switch {
	case 'A' <= b && b <= 'Z':
		return b + 'a' - 'A'
	case c == ASCII:
		return b
	case '[' <= b && b <= ']':
		return b + '{' - '['
	case b == '^' && c == RFC1459:
		return '~'
	}
	return b
}
