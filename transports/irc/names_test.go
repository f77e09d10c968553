package irc

import (
	"strings"
	"testing"
)

func TestNickFrom(t *testing.T) {
	for in, want := range map[string]string{
		"alice": "alice", "Alice Smith": "Alice_Smith", "1up": "_1up", "": "guest", "a!b@c": "a_b_c", "élan": "élan", "x\r\nQUIT": "x__QUIT",
		"[x]{y}|^`-": "[x]{y}|^`-", "-x": "_-x", "a\xffb": "a_b", strings.Repeat("é", 50): strings.Repeat("é", 16),
	} {
		if got := nickFrom(in); got != want || !validNick(got) {
			t.Errorf("nickFrom(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{"élan vital": "lan_vital", "日本": "guest", "abcdefghijkl": "abcdefghij", "__": "guest"} {
		if got := asciiNick(in, 10); got != want {
			t.Errorf("asciiNick(%q) = %q, want %q", in, got, want)
		}
	}
}
