package config

import (
	"reflect"
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	base := "admins = [\"admin@example.org\"]\n" + minimal + "relay = \"a\"\ntoken = { file = \"secrets/twilio\" }\n"
	swap := func(old, new string) string {
		if !strings.Contains(base, old) {
			t.Fatalf("%q is not there", old)
		}
		return strings.Replace(base, old, new, 1)
	}
	for name, c := range map[string]struct {
		after string
		want  Changes
	}{
		"nothing":  {base, Changes{}},
		"comments": {"# x\n" + base, Changes{}},
		"admins":   {swap("admin@", "root@"), Changes{Reload: []string{"admins"}}},
		"access":   {swap("*@example.org", "*@example.net"), Changes{Reload: []string{"access.allow"}}},
		"log":      {base + "[log]\nlevel = \"debug\"\n", Changes{Reload: []string{"log.level"}}},
		"archive":  {base + "[archive]\nenabled = false\nkeep = \"1h\"\nlimit = 5\n", Changes{Reload: []string{"archive.keep", "archive.limit"}, Restart: []string{"archive.enabled"}}},
		"media": {base + "[media]\ndir = \"/x\"\nquota = 1\ntrusted = []\nuser_quota = 1\n",
			Changes{Reload: []string{"media.quota", "media.user_quota"}, Restart: []string{"media.dir", "media.trusted"}}},
		"setting": {swap(`relay = "a"`, `relay = "b"`), Changes{Reload: []string{"transport.irc.relay"}, Transports: []string{"irc"}}},
		"gone":    {swap("relay = \"a\"\n", ""), Changes{Reload: []string{"transport.irc.relay"}, Transports: []string{"irc"}}},
		"where from": {swap(`{ file = "secrets/twilio" }`, `"twilio-canary"`),
			Changes{Reload: []string{"transport.irc.token"}, Transports: []string{"irc"}}},
		"server":           {swap("5347", "5348"), Changes{Restart: []string{"xmpp.server"}}},
		"store":            {base + "[store]\nurl = \"sqlite:/x\"\n", Changes{Restart: []string{"store.url"}}},
		"web":              {base + "[web]\nlisten = \"127.0.0.1:1\"\n", Changes{Restart: []string{"web.listen"}}},
		"component domain": {swap("irc.example.org", "irc2.example.org"), Changes{Restart: []string{"transport.irc.domain"}}},
		"component secret": {swap("irc-canary", "other-canary"), Changes{Restart: []string{"transport.irc.secret"}}},
		"new transport": {base + "[transport.b]\ndomain = \"b.example.org\"\nsecret = \"x\"\nk = 1\n",
			Changes{Restart: []string{"transport.b.domain", "transport.b.k", "transport.b.secret"}}},
	} {
		if got := Diff(mustParse(t, base), mustParse(t, c.after)); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

// A secret that was changed where it is kept is a change, though the file is the same.
func TestDiffSeesRotatedSecrets(t *testing.T) {
	text := []byte(minimal + "token = { file = \"secrets/twilio\" }\n")
	w := exampleWorld()
	before, err := parse("gangway.toml", text, w.sources())
	if err != nil {
		t.Fatal(err)
	}
	w.files["/etc/gangway/secrets/twilio"] = "rotated"
	after, err := parse("gangway.toml", text, w.sources())
	if err != nil {
		t.Fatal(err)
	}
	want := Changes{Reload: []string{"transport.irc.token"}, Transports: []string{"irc"}}
	if got := Diff(before, after); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
