package irc

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"gangway/transports/irc/wire"
)

// parserTests reads one of the files of ircdocs' parser-tests into tests.
func parserTests(t *testing.T, name string, tests any) {
	t.Helper()
	data, err := os.ReadFile("wire/testdata/parser-tests/" + name)
	if err != nil {
		t.Fatal(err)
	}
	file := struct{ Tests any }{tests}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
}

// TestVectorsHostname asks of ircdocs' names of hosts which networks a user may name. Those that their authors would
// refuse to a server, and nobody to a network in somebody's house, are listed.
func TestVectorsHostname(t *testing.T) {
	var vectors []struct {
		Host  string
		Valid bool
	}
	parserTests(t, "validate-hostname.json", &vectors)
	if len(vectors) == 0 {
		t.Fatal("no vectors")
	}
	tr := transportOf(t, openConfig)
	for _, v := range vectors {
		house := slices.Contains([]string{"irc", "com", "_irc._sctp.lol.net.uk"}, v.Host)
		if _, err := tr.realm(v.Host); (err == nil) != (v.Valid || house) {
			t.Errorf("%q: %v", v.Host, err)
		}
	}
}

// TestVectorsMask bans with ircdocs' masks: each is one parameter of one line, and what they match, which has no
// wildcard, is a mask too, of one person.
func TestVectorsMask(t *testing.T) {
	var vectors []struct {
		Mask           string
		Matches, Fails []string
	}
	parserTests(t, "mask-match.json", &vectors)
	if len(vectors) == 0 {
		t.Fatal("no vectors")
	}
	for _, v := range vectors {
		for _, mask := range slices.Concat([]string{v.Mask}, v.Matches, v.Fails) {
			if !validMask(mask) {
				t.Errorf("%q is no mask", mask)
			}
			line, err := wire.Mode("#chan", "+b", mask).Append(nil, "", wire.MaxBody)
			if want := "MODE #chan +b " + mask + "\r\n"; err != nil || string(line) != want {
				t.Errorf("%q: wrote %q, %v", mask, line, err)
			}
		}
	}
}
