package mapping

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gangway/core"
	"gangway/core/store"
)

func TestSeal(t *testing.T) {
	s := NewSealer(testKey(t, "a"))
	for _, plain := range [][]byte{{}, []byte("x"), bytes.Repeat([]byte("long"), 1000)} {
		sealed := s.seal("acc", "secret", plain)
		if got, err := s.open("acc", "secret", sealed); err != nil || got == nil || !bytes.Equal(got, plain) {
			t.Errorf("%q, %v", got, err)
		}
		if again := s.seal("acc", "secret", plain); bytes.Equal(again, sealed) {
			t.Error("sealed twice alike")
		}
	}
	if got, err := s.open("acc", "secret", s.seal("acc", "secret", nil)); got != nil || err != nil {
		t.Errorf("no secret: %q, %v", got, err)
	}
}

func TestSealedValuesOpenOnlyInTheirPlace(t *testing.T) {
	a, b := NewSealer(testKey(t, "a")), NewSealer(testKey(t, "b"), testKey(t, "a"))
	sealed := a.seal("acc", "secret", []byte("plain"))
	if got, err := b.open("acc", "secret", sealed); err != nil || string(got) != "plain" {
		t.Errorf("an older key: %q, %v", got, err)
	}
	fails := func(what string, s *Sealer, account, field string, sealed []byte) {
		t.Helper()
		if got, err := s.open(account, field, sealed); !errors.Is(err, errUnsealed) {
			t.Errorf("%s: %q, %v", what, got, err)
		}
	}
	fails("another key", NewSealer(testKey(t, "c")), "acc", "secret", sealed)
	fails("a newer key", a, "acc", "secret", b.seal("acc", "secret", []byte("plain")))
	fails("another account", a, "acd", "secret", sealed)
	fails("another field", a, "acc", "token", sealed)
	fails("parts moved", a, "accs", "ecret", sealed)
	for i := range sealed {
		broken := bytes.Clone(sealed)
		broken[i] ^= 1
		fails(fmt.Sprintf("bit flipped in byte %d", i), a, "acc", "secret", broken)
		fails(fmt.Sprintf("cut at %d", i), a, "acc", "secret", sealed[:i])
	}
}

func FuzzOpenSealed(f *testing.F) {
	s := NewSealer(testKey(f, "a"))
	f.Add([]byte{})
	f.Add(s.seal("other", "secret", []byte("x")))
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if plain, err := s.open("acc", "secret", sealed); err == nil {
			t.Fatalf("opened %q to %q", sealed, plain)
		}
	})
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gangway.key")
	if _, err := ReadKey(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	made, err := KeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	read, err := KeyFile(path)
	if err != nil || read.raw() != made.raw() {
		t.Errorf("another key the second time: %v", err)
	}
	other, err := KeyFile(filepath.Join(t.TempDir(), "k"))
	if err != nil || other.ID() == made.ID() {
		t.Errorf("two files have the same key: %v", err)
	}
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o660} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := KeyFile(path); err == nil || !strings.Contains(err.Error(), "chmod 0600 "+path) {
			t.Errorf("mode %v: %v", mode, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".key-*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := KeyFile(filepath.Join(t.TempDir(), "none", "k")); err == nil {
		t.Error("made a key in a directory that is not there")
	}
	if _, err := ReadKey(filepath.Dir(path)); err == nil {
		t.Error("a directory is a key")
	}
}

func TestParseKey(t *testing.T) {
	for _, text := range []string{"", "ab", strings.Repeat("g", 64), strings.Repeat("a", 63), strings.Repeat("a", 66)} {
		_, err := ParseKey(text)
		if err == nil || !strings.Contains(err.Error(), "openssl rand -hex 32") {
			t.Errorf("%q: %v", text, err)
		}
		if len(text) > 2 && strings.Contains(err.Error(), text) {
			t.Errorf("the error repeats the key: %v", err)
		}
	}
	k, err := ParseKey(" " + strings.Repeat("A", 64) + "\n")
	if err != nil || k.ID() != testKey(t, "a").ID() {
		t.Errorf("%v", err)
	}
}

const canary = "canary-3f9d1c"

// A secret is nowhere to be seen but where it is used: not in the files of the database, not in logs, not in %v.
func TestCanary(t *testing.T) {
	dir := t.TempDir()
	db, err := store.Open(t.Context(), store.Config{URL: "sqlite:" + filepath.Join(dir, "gangway.db")})
	if err != nil {
		t.Fatal(err)
	}
	key := testKey(t, "a")
	sealer := NewSealer(key)
	m, err := Open(t.Context(), db, sealer, Options{})
	if err != nil {
		t.Fatal(err)
	}
	a := link(t, m, core.Account{User: alice, Network: "email", Own: "alice@gw.example", Secret: []byte(canary)})
	if got, err := m.Account(t.Context(), a.ID); err != nil || string(got.Secret) != canary {
		t.Fatal(err)
	}
	export := exported(t, m, alice)
	nested := struct {
		m *Map
		k Key
		s *Sealer
	}{m, key, sealer}
	for _, v := range []any{m, key, &key, sealer, *sealer, export, nested, &nested, []Key{key}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			noCanary(t, verb+fmt.Sprintf(" of %T", v), fmt.Appendf(nil, verb, v))
		}
		text, _ := json.Marshal(v) // a Map has nothing that JSON could show
		noCanary(t, fmt.Sprintf("json of %T", v), text)
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		noCanary(t, fmt.Sprintf("log of %T", v), log.Bytes())
	}
	noCanaryInFiles(t, dir) // the write-ahead log included
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	noCanaryInFiles(t, dir)
}

func noCanary(t *testing.T, where string, text []byte) {
	t.Helper()
	for _, bad := range []string{canary, fmt.Sprintf("%x", canary), "99 97 110 97 114 121", strings.Repeat("a", 16), "170 170 170 170", "aa, 0xaa"} {
		if bytes.Contains(text, []byte(bad)) {
			t.Errorf("%s shows a secret: %.300s", where, text)
			return
		}
	}
}

func noCanaryInFiles(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	seen := false
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte(canary)) {
			t.Errorf("%s holds the secret in the clear", filepath.Base(f))
		}
		seen = seen || bytes.Contains(data, []byte("alice@gw.example"))
	}
	if !seen {
		t.Error("the files do not hold the account: the test looks in the wrong place")
	}
}
