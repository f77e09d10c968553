package muc

import (
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

// TestNicksThatServersTake29: a server answers an address that it cannot prepare with an error, and shows nothing.
func TestNicksThatServersTake29(t *testing.T) {
	for _, c := range []struct{ nick, want string }{
		{"dave", "dave"},
		{"אב", "אב"},
		{"אב גד", "אב גד"},
		{"אבword_", "□□word_"}, // a character of each direction
		{"אב_", "□□_"},         // does not end as it begins
		{"1אב", "1□□"},
		{"א1ב", "א1ב"},
		{"x\u061c", "x□"}, // the Arabic letter mark counts as a letter
		{"\u202eexe", "□exe"},
		{"a\x02b\ufffe", "a□b□"},
		{"\u0301\u0302e", "□\u0302e"}, // a mark with nothing to stand on
		{strings.Repeat("א", 600), strings.Repeat("א", 511)},
		{strings.Repeat("א", 600) + "a", strings.Repeat("א", 511)},
		{"a" + strings.Repeat("א", 600), "a" + strings.Repeat("□", 340)},
	} {
		if got := resource(c.nick); got != c.want {
			t.Errorf("%q is %q, want %q", c.nick, got, c.want)
		}
	}
	long := resource(strings.Repeat("\ufdfa", 300)) // eighteen characters each, once prepared
	if n := len(norm.NFKC.String(long)); n > maxResource || n < maxResource/2 {
		t.Errorf("a nick of %d bytes, once prepared", n)
	}
}
