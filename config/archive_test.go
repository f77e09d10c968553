package config

import (
	"strings"
	"testing"
	"time"
)

func TestArchive(t *testing.T) {
	const rest = `
[xmpp]
server = "127.0.0.1:5347"
[transport.irc]
domain = "irc.example.org"
secret = "s"
`
	for _, c := range []struct {
		name, text, complaint string
		want                  Archive
	}{
		{"nothing said", "", "", Archive{true, 720 * time.Hour, 10_000}},
		{"all said", "[archive]\nkeep = \"24h\"\nlimit = 5", "", Archive{true, 24 * time.Hour, 5}},
		{"none", "[archive]\nenabled = false\nlimit = 0", "", Archive{false, 720 * time.Hour, 0}},
		{"no time", "[archive]\nkeep = \"1s\"", "archive.keep: is less than a minute", Archive{}},
		{"no room", "[archive]\nlimit = 0", "archive.limit: is less than one message", Archive{}},
		{"no unit", "[archive]\nkeep = 30", "archive.keep: must be a duration", Archive{}},
	} {
		cfg, err := parse("gangway.toml", []byte(c.text+rest), sources{})
		switch {
		case c.complaint == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.complaint == "" && cfg.Archive != c.want:
			t.Errorf("%s: %+v", c.name, cfg.Archive)
		case c.complaint != "" && (err == nil || !strings.Contains(err.Error(), c.complaint)):
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
