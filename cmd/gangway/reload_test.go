package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gangway/config"
	"gangway/core"
)

// A reload puts access and limits in force at once; a file with a mistake changes nothing.
func TestReloadOfAccess(t *testing.T) {
	text, err := os.ReadFile("testdata/gangway.toml")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "gangway.toml")
	write := func(old, replacement string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(strings.Replace(string(text), old, replacement, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("", "")
	load := func() (*config.Config, error) { return config.Load(path) }
	cfg, err := load()
	if err != nil {
		t.Fatal(err)
	}
	a, err := openApp(t.Context(), cfg, discard())
	if err != nil {
		t.Fatal(err)
	}
	defer a.close(t.Context())
	r := &reloader{app: a, load: load, level: new(slog.LevelVar)}
	const eve = core.UserID("eve@elsewhere.example")
	if a.gateway.Allowed(eve) || !a.gateway.Allowed("bob@example.org") || a.gateway.Limits().Messages != 120 || !a.gateway.Admin("admin@example.org") {
		t.Error("not as the file says")
	}
	write("[access]\nallow = [\"*@example.org\"]", "[access]\nallow = [\"*@elsewhere.example\"]\n[limits]\nmessages = 7")
	changes, err := r.do()
	if err != nil || len(changes.Restart) != 0 || len(changes.Reload) != 2 {
		t.Errorf("%+v, %v", changes, err)
	}
	if !a.gateway.Allowed(eve) || a.gateway.Allowed("bob@example.org") || a.gateway.Limits().Messages != 7 {
		t.Error("not as the file says now")
	}
	write("[access]", "[acess]")
	if _, err := r.do(); err == nil {
		t.Error("a mistake was taken")
	}
	if !a.gateway.Allowed(eve) || a.gateway.Limits().Messages != 7 {
		t.Error("a mistake changed something")
	}
}
