package irc

import "strings"

// casemap is a network's CASEMAPPING: which spellings of a nick or channel are the same.
type casemap uint8

const (
	rfc1459 casemap = iota // the default: {}|~ are the lower case of []\^
	rfc1459Strict
	asciiOnly
	precis // rfc7613 and rfc8265, and whatever else a network has: Unicode's lower case
)

func casemapNamed(name string) casemap {
	switch strings.ToLower(name) {
	case "", "rfc1459":
		return rfc1459
	case "strict-rfc1459", "rfc1459-strict":
		return rfc1459Strict
	case "ascii":
		return asciiOnly
	}
	return precis
}

// fold returns the spelling that stands for all that are the same as s.
func (c casemap) fold(s string) string {
	if c == precis {
		return strings.ToLower(s)
	}
	for i := range len(s) {
		if c.lower(s[i]) != s[i] {
			return c.foldFrom(s, i)
		}
	}
	return s
}

func (c casemap) foldFrom(s string, i int) string {
	b := []byte(s)
	for ; i < len(b); i++ {
		b[i] = c.lower(b[i])
	}
	return string(b)
}

func (c casemap) lower(b byte) byte {
	switch {
	case 'A' <= b && b <= 'Z':
		return b + 'a' - 'A'
	case c == asciiOnly:
		return b
	case '[' <= b && b <= ']':
		return b + '{' - '['
	case b == '^' && c == rfc1459:
		return '~'
	}
	return b
}
