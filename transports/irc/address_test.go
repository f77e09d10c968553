package irc

import (
	"strings"
	"testing"

	"gangway/core"
	"gangway/core/transporttest"
	"gangway/transports/irc/wire"
)

func transportOf(t testing.TB, config string) *transport {
	t.Helper()
	tr, err := newTransport(transporttest.NewHost(t), settingsOf(config))
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

const openConfig = `
networks = ["*"]
[network."irc.libera.chat"]
address = "ircs://irc.eu.libera.chat:6697"
[network."irc.oftc.net"]
alias = ["oftc2"]
[network.localhost]
address = "irc://127.0.0.1:6667"
`

func TestParse(t *testing.T) {
	tr := transportOf(t, openConfig)
	for text, want := range map[string]core.Target{
		"#chan%irc.libera.chat":                    {Realm: "irc.libera.chat", Address: "#chan", Room: true},
		"#Chan%IRC.Libera.Chat":                    {Realm: "irc.libera.chat", Address: "#chan", Room: true},
		"#100%real%irc.example.org":                {Realm: "irc.example.org", Address: "#100%real", Room: true},
		"#a/b@c:d%irc.example.org.":                {Realm: "irc.example.org", Address: "#a/b@c:d", Room: true},
		"&SERVER%localhost":                        {Realm: "localhost", Address: "&server", Room: true},
		"Nick%irc.libera.chat":                     {Realm: "irc.libera.chat", Address: "nick"},
		"nick[m]%irc.libera.chat":                  {Realm: "irc.libera.chat", Address: "nick[m]"},
		"irc.libera.chat":                          {Realm: "irc.libera.chat"},
		"libera":                                   {Realm: "irc.libera.chat"},
		"libera/#chan":                             {Realm: "irc.libera.chat", Address: "#chan", Room: true},
		"libera/nick":                              {Realm: "irc.libera.chat", Address: "nick"},
		"oftc2/#chan":                              {Realm: "irc.oftc.net", Address: "#chan", Room: true},
		"#chan%oftc":                               {Realm: "irc.oftc.net", Address: "#chan", Room: true},
		"irc.example.org/#chan":                    {Realm: "irc.example.org", Address: "#chan", Room: true},
		"irc://irc.example.org/#chan":              {Realm: "irc.example.org", Address: "#chan", Room: true},
		"IRCS://irc.example.org:6697/chan":         {Realm: "irc.example.org", Address: "#chan", Room: true},
		"irc://irc.example.org:6667/%23%23chan":    {Realm: "irc.example.org", Address: "##chan", Room: true},
		"ircs://irc.example.org/bob,isnick":        {Realm: "irc.example.org", Address: "bob"},
		"ircs://irc.example.org/":                  {Realm: "irc.example.org"},
		"ircs://irc.example.org":                   {Realm: "irc.example.org"},
		"#" + strings.Repeat("x", 100) + "%a.test": {Realm: "a.test", Address: core.Address("#" + strings.Repeat("x", 100)), Room: true},
	} {
		got, err := tr.Parse(text)
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %+v, %v, want %+v", text, got, err, want)
			continue
		}
		again, err := tr.Parse(tr.Format(got))
		if err != nil || again != got {
			t.Errorf("Parse(%q) = %+v, %v, want %+v", tr.Format(got), again, err, got)
		}
	}
	for _, text := range bad {
		if got, err := tr.Parse(text); err == nil || core.AsError(err).Text == "" {
			t.Errorf("Parse(%q) = %+v, %v", text, got, err)
		}
	}
}

var bad = []string{
	"#chan", "%irc.test", "#%irc.test", "#a b%irc.test", "#a,b%irc.test", "a b%irc.test", "nick!u@h%irc.test", "#chan%",
	"nick%-bad", "nick%bad..host", "nick%host:6697", "ircs://host:22/#chan", "ircs:///#chan", "ircs://host/%zz", "ircs://host/%0a",
	"$$*.net%irc.test", "nick%irc test", "libera/", "*%irc.test", "#" + strings.Repeat("x", 300) + "%irc.test",
}

func TestParseOnAnAllowList(t *testing.T) {
	tr := transportOf(t, `networks = ["irc.example.org"]`)
	if _, err := tr.Parse("#chan%irc.example.org"); err != nil {
		t.Error(err)
	}
	_, err := tr.Parse("#chan%irc.other.org")
	if core.KindOf(err) != core.Denied || !strings.Contains(core.AsError(err).Text, "irc.example.org") {
		t.Errorf("Parse = %v", err)
	}
	if _, err := tr.Open(core.Account{Realm: "irc.other.org"}); core.KindOf(err) != core.Denied {
		t.Errorf("Open = %v", err)
	}
}

func TestParseWithAFixedNetwork(t *testing.T) {
	tr := transportOf(t, "networks = [\"*\"]\nfixed_network = \"irc.example.org\"")
	if tr.Single() != "irc.example.org" || transportOf(t, openConfig).Single() != "" {
		t.Errorf("the gateway stands for %q", tr.Single())
	}
	for text, want := range map[string]core.Target{
		"#Chan":           {Realm: "irc.example.org", Address: "#chan", Room: true},
		"#a%b.c":          {Realm: "irc.example.org", Address: "#a%b.c", Room: true},
		"Nick":            {Realm: "irc.example.org", Address: "nick"},
		"irc.example.org": {Realm: "irc.example.org"},
	} {
		got, err := tr.Parse(text)
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %+v, %v, want %+v", text, got, err, want)
		}
		if again, err := tr.Parse(tr.Format(got)); err != nil || again != got {
			t.Errorf("Parse(Format(%+v)) = %+v, %v", got, again, err)
		}
	}
	if _, err := tr.Parse("ircs://irc.other.org/#chan"); core.KindOf(err) != core.Denied {
		t.Errorf("another network = %v", err)
	}
	if s, err := tr.Open(core.Account{}); err != nil || s.(*session).net.name != "irc.example.org" {
		t.Errorf("Open without a realm = %v, %v", s, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range bad {
		f.Add(text)
	}
	f.Add("#Chan%irc.Libera.chat")
	f.Add("ircs://İ.test/%C4%B0")
	tr := transportOf(f, `networks = ["*"]`)
	fixed := transportOf(f, "networks = [\"*\"]\nfixed_network = \"irc.example.org\"")
	f.Fuzz(func(t *testing.T, text string) {
		for _, tr := range []*transport{tr, fixed} {
			got, err := tr.Parse(text)
			if err != nil {
				continue
			}
			again, err := tr.Parse(tr.Format(got))
			if err != nil || again != got {
				t.Errorf("Parse(%q) = %+v, but Parse(%q) = %+v, %v", text, got, tr.Format(got), again, err)
			}
			if _, err := wire.Privmsg(string(got.Address), "x").Append(nil, "", 1024); got.Address != "" && err != nil {
				t.Errorf("%q cannot be written to: %v", got.Address, err)
			}
		}
	})
}

func TestSettingsRefused(t *testing.T) {
	for text, want := range map[string]string{
		``:                                 "networks",
		`networks = ["a b"]`:               "no host name",
		`networks = ["x"]` + "\nqueue = 0": "queue",
		`networks = ["x"]` + "\nflood_burst = -1":                            "flood_burst",
		`networks = ["x"]` + "\nping_every = \"1ms\"":                        "ping_every",
		`networks = ["x"]` + "\nlinger = \"-1s\"":                            "negative",
		`networks = ["x"]` + "\ncharset = \"klingon\"":                       "charset",
		`networks = ["x"]` + "\nfixed_network = \"y\"":                       "fixed_network",
		`networks = ["x"]` + "\nquit_message = \"a\\nb\"":                    "one line",
		"[network.\"irc.test\"]\naddress = \"http://x\"":                     "ircs://",
		"[network.\"irc.test\"]\naddress = \"ircs://u@x\"":                   "ircs://",
		"[network.\"irc.test\"]\ncharset = \"klingon\"":                      "charset",
		"[network.\"irc.test\"]\nca = \"/nonexistent\"":                      "ca",
		"[network.\"irc.test\"]\nca = \"address.go\"":                        "no certificate",
		"[network.\"irc.test\"]\naddress = \"irc://x\"\nca = \"address.go\"": "no certificate",
		"[network.\"irc.test\"]\npassword = \"a\\r\\nb\"":                    "one line",
		"[network.\"a b\"]\naddress = \"irc://x\"":                           "named like a host",
		"networks = [\"x\"]\nunknown = 1":                                    "",
	} {
		_, err := newTransport(transporttest.NewHost(t), settingsOf(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
