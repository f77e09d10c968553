package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

// Whatever is printed of a configuration, in whatever way, none of its secrets is in it.
func TestSecretsAreNeverPrinted(t *testing.T) {
	c := mustParse(t, string(Example())+"[transport.loopback]\ndomain = \"l.example.org\"\nsecret = \"plain-canary\"\n")
	if c.Transports[2].Secret.Reveal() != "plain-canary" {
		t.Fatalf("the canary is not there: %+v", c.Transports)
	}
	unexported := struct{ s Secret }{NewSecret("hidden-canary")}
	for _, v := range []any{c, *c, c.Transports, c.Transports[0], &c.Transports[0], c.Store, c.Store.Key, &c.Store.Key,
		unexported, &unexported, []Secret{NewSecret("list-canary")}, map[string]Secret{"k": NewSecret("map-canary")}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			if out := fmt.Sprintf(verb, v); leaks(out) {
				t.Errorf("%s of %T: %s", verb, v, out)
			}
		}
		if out, err := json.Marshal(v); err != nil || leaks(string(out)) {
			t.Errorf("json of %T: %s %v", v, out, err)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		if leaks(log.String()) {
			t.Errorf("slog of %T: %s", v, log.String())
		}
	}
	if out, err := toml.Marshal(c); err != nil || leaks(string(out)) {
		t.Errorf("toml: %s %v", out, err)
	}
	if out := fmt.Sprint(NewSecret("x")); out != "[secret]" {
		t.Errorf("got %q", out)
	}
}

func leaks(s string) bool {
	return strings.Contains(s, "canary") || strings.Contains(s, "abababab") || strings.Contains(s, fmt.Sprintf("%x", "canary"))
}

func TestReadSecretFile(t *testing.T) {
	if _, _, err := readSecretFile(t.TempDir()); err == nil {
		t.Error("a directory was read as a secret")
	}
	if _, _, err := readSecretFile("/dev/zero"); err == nil {
		t.Error("a device was read as a secret")
	}
}
