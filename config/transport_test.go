package config

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

type common struct {
	Retry time.Duration `toml:"retry"`
}

type settings struct {
	common
	Relay    string        `toml:"relay"`
	Token    string        `toml:"token"`
	Key      []byte        `toml:"key"`
	Numbers  []string      `toml:"numbers"`
	Timeout  time.Duration `toml:"timeout"`
	Limit    uint8         `toml:"limit"`
	Ratio    float64       `toml:"ratio"`
	On       *bool         `toml:"on"`
	Since    time.Time     `toml:"since"`
	Prefix   netip.Prefix  `toml:"prefix"`
	Networks map[string]struct {
		Address string `toml:"address"`
		File    string `toml:"file"`
	} `toml:"network"`
	Hosts []struct {
		Name string
		Port int
	} `toml:"host"`
	Ignored string `toml:"-"`
}

const table = minimal + `relay = "smtp://127.0.0.1:25"
token = { file = "secrets/twilio" }
key = { env = "GANGWAY_SMS_SECRET" }
numbers = ["+1", { env = "GANGWAY_SMS_SECRET" }]
timeout = "90s"
retry = "1h"
limit = 255
ratio = 1
on = false
since = 2026-11-22T10:00:00Z
prefix = "2001:db8::/64"
[transport.irc.network."irc.libera.chat"]
address = "ircs://irc.libera.chat:6697"
[transport.irc.network.plain]
file = "x"
[[transport.irc.host]]
name = "a"
port = 1
[[transport.irc.host]]
name = "b"
port = 2
`

func TestTransportDecode(t *testing.T) {
	tr := mustParse(t, table).Transports[0]
	got := settings{Relay: "default", Ignored: "kept"}
	if err := tr.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.On == nil || *got.On || got.Relay != "smtp://127.0.0.1:25" || got.Ignored != "kept" {
		t.Errorf("%+v", got)
	}
	if got.Token != "twilio-canary" || string(got.Key) != "sms-canary" || !reflect.DeepEqual(got.Numbers, []string{"+1", "sms-canary"}) {
		t.Errorf("secrets: %q %q %q", got.Token, got.Key, got.Numbers)
	}
	if got.Timeout != 90*time.Second || got.Retry != time.Hour || got.Limit != 255 || got.Ratio != 1 ||
		got.Since.Year() != 2026 || got.Prefix.Bits() != 64 {
		t.Errorf("%+v", got)
	}
	if got.Networks["irc.libera.chat"].Address != "ircs://irc.libera.chat:6697" || got.Networks["plain"].File != "x" {
		t.Errorf("networks: %+v", got.Networks)
	}
	if len(got.Hosts) != 2 || got.Hosts[1].Name != "b" || got.Hosts[1].Port != 2 {
		t.Errorf("hosts: %+v", got.Hosts)
	}
}

func TestTransportDecodeKeepsDefaults(t *testing.T) {
	tr := mustParse(t, minimal).Transports[0]
	got := settings{Relay: "default", Limit: 7}
	if err := tr.Decode(&got); err != nil || got.Relay != "default" || got.Limit != 7 {
		t.Errorf("%+v, %v", got, err)
	}
}

// A mail server needs to know its own domain: the common keys are there for who wants them.
func TestTransportDecodeCommonKeys(t *testing.T) {
	tr := mustParse(t, minimal).Transports[0]
	var got struct {
		Domain string `toml:"domain"`
	}
	if err := tr.Decode(&got); err != nil || got.Domain != "irc.example.org" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestTransportMistakes(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unknown":         {"relais = \"x\"\n", `gangway.toml:9: transport.irc.relais: unknown key; did you mean "relay"?`},
		"common":          {"domian = \"x\"\n", `did you mean "domain"?`},
		"nested":          {"[transport.irc.network.\"irc.libera.chat\"]\n\naddrss = \"x\"\n", `gangway.toml:11: transport.irc.network."irc.libera.chat".addrss: unknown key; did you mean "address"?`},
		"array of tables": {"[[transport.irc.host]]\nname = \"a\"\n[[transport.irc.host]]\nprot = 1\n", `gangway.toml:12: transport.irc.host.1.prot: unknown key; did you mean "port"?`},
		"inline":          {"network = { a = { address = 1 } }\n", "gangway.toml:9: transport.irc.network.a.address: must be text in quotes, not the number 1"},
		"dotted":          {"network.a.address = true\n", "gangway.toml:9: transport.irc.network.a.address: must be text in quotes, not true"},
		"duration":        {"timeout = \"90\"\n", `gangway.toml:9: transport.irc.timeout: "90" is not a duration; write a number and a unit`},
		"duration number": {"timeout = 90\n", "must be a duration in quotes"},
		"overflow":        {"limit = 256\n", "gangway.toml:9: transport.irc.limit: must be a whole number that is not negative, not the number 256"},
		"negative":        {"limit = -1\n", "not the number -1"},
		"nan":             {"ratio = nan\n", "must be a number"},
		"reads itself":    {"prefix = \"x\"\n", "gangway.toml:9: transport.irc.prefix: "},
		"date":            {"relay = 2026-11-22\n", "must be text in quotes, not a date or time"},
		"list for text":   {"relay = [\"a\"]\n", "must be text in quotes, not a list"},
		"list for bytes":  {"key = [1]\n", "must be text in quotes, not a list"},
		"missing secret":  {"token = { file = \"/nowhere\" }\n", "gangway.toml:9: transport.irc.token: the secret cannot be read from /nowhere"},
		"form for list":   {"numbers = { env = \"GANGWAY_SMS_SECRET\" }\n", "must be a list in [ ], not a table"},
		"the wrong table": {"admins = []\n", "gangway.toml:9: transport.irc.admins: unknown key"},
	} {
		tr := mustParse(t, minimal+c.text).Transports[0]
		err := tr.Decode(&settings{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got\n\t%v\nwant\n\t%s", name, err, c.want)
		}
	}
}

func TestDecodeIntoNothing(t *testing.T) {
	tr := mustParse(t, minimal).Transports[0]
	if err := new(Transport).Decode(&settings{}); err != nil {
		t.Errorf("a transport without a file: %v", err)
	}
	for _, into := range []any{nil, settings{}, (*settings)(nil), new(int)} {
		if err := tr.Decode(into); err == nil {
			t.Errorf("%T was accepted", into)
		}
	}
}

func TestTransportErrorf(t *testing.T) {
	tr := mustParse(t, table).Transports[0]
	if got := tr.Errorf("timeout", "is too long", "make it shorter").Error(); got != "gangway.toml:13: transport.irc.timeout: is too long; make it shorter" {
		t.Error(got)
	}
	if got := tr.Errorf("", "is unknown", "").Error(); got != "gangway.toml:6: transport.irc: is unknown" {
		t.Error(got)
	}
}
