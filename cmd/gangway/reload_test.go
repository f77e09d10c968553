package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
	var out bytes.Buffer
	r := &reloader{app: a, load: load, logs: new(logging)}
	log := r.logs.logger(&out, cfg.Log)
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
	// What is not in force yet is said each time, and only then.
	const more = "[access]\nallow = [\"*@elsewhere.example\"]\n[limits]\nmessages = 7\n[log]\nformat = \"json\"\nlevel = \"warn\"\n" +
		"[archive]\nlimit = 3\n[media]\nmax_size = 5\nupload = false"
	write("[access]\nallow = [\"*@example.org\"]", more)
	changes, err = r.do()
	if got := fmt.Sprint(changes.Reload, changes.Restart); err != nil || got != "[archive.limit log.format log.level media.max_size] [media.upload]" {
		t.Errorf("%s, %v", got, err)
	}
	changes, err = r.do()
	if got := fmt.Sprint(changes.Reload, changes.Restart); err != nil || got != "[] [media.upload]" {
		t.Errorf("%s, %v", got, err)
	}
	if a.media.MaxSize() != 5 {
		t.Errorf("files may have %d bytes", a.media.MaxSize())
	}
	log.With("a", 1).Info("not this")
	log.With("a", 1).WithGroup("g").Warn("this", "b", 2)
	if got := out.String(); !strings.HasPrefix(got, "{") || !strings.HasSuffix(got, `"msg":"this","a":1,"g":{"b":2}}`+"\n") {
		t.Errorf("logged %q", got)
	}
	write("[access]\nallow = [\"*@example.org\"]", "[access]\nallow = [\"*@elsewhere.example\"]\n[limits]\nmessages = 7")
	if changes, err = r.do(); err != nil || len(changes.Restart) != 0 {
		t.Errorf("back again: %+v, %v", changes, err)
	}
	write(`admins = ["admin@example.org"]`, `admins = ["carol@example.org"]`)
	changes, err = r.do()
	if err != nil || !slices.Contains(changes.Reload, "admins") || len(changes.Restart) != 0 {
		t.Errorf("%+v, %v", changes, err)
	}
	if !a.gateway.Admin("carol@example.org") || a.gateway.Admin("admin@example.org") || !slices.Equal(a.access.Load().Admins, []string{"carol@example.org"}) {
		t.Error("the administrators are not as the file says now")
	}
	write("[access]\nallow = [\"*@example.org\"]", "[access]\nallow = [\"*@elsewhere.example\"]\n[limits]\nmessages = 7")
	if _, err := r.do(); err != nil {
		t.Error(err)
	}
	write("[access]", "[acess]")
	if _, err := r.do(); err == nil {
		t.Error("a mistake was taken")
	}
	if !a.gateway.Allowed(eve) || a.gateway.Limits().Messages != 7 {
		t.Error("a mistake changed something")
	}
}
