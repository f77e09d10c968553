package media

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gangway/core"
)

func TestExpiry(t *testing.T) {
	h := open(t, func(c *Config) { c.Keep = 24 * time.Hour })
	first := h.mustPut(t, alice, core.Attachment{Name: "a.png"}, png)
	h.pass(20 * time.Hour)
	second := h.mustPut(t, alice, core.Attachment{Name: "b.png"}, png)
	h.mustPut(t, alice, core.Attachment{Name: "c.txt"}, []byte("c"))
	h.pass(4 * time.Hour)
	if _, err := h.content(t, first.URL); core.KindOf(err) != core.NotFound {
		t.Errorf("expired: %v", err)
	}
	if n, err := h.Sweep(t.Context()); n != 0 || err != nil { // b.png has the same bytes
		t.Errorf("swept %d, %v", n, err)
	}
	if got, err := h.content(t, second.URL); err != nil || !bytes.Equal(got, png) {
		t.Errorf("%q, %v", got, err)
	}
	h.mustPut(t, alice, core.Attachment{Name: "c.txt"}, []byte("c")) // has its time anew
	h.pass(20 * time.Hour)
	if n, err := h.Sweep(t.Context()); n != 1 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	if n := len(h.files(t)); n != 1 {
		t.Errorf("left: %v", h.files(t))
	}
}

func TestSweepRemovesWhatCrashesLeft(t *testing.T) {
	h := open(t, nil)
	kept := h.mustPut(t, alice, core.Attachment{}, []byte("kept"))
	digest := strings.Repeat("ab", 32)
	for _, name := range []string{digest, spoolPrefix + "OLD", "README"} {
		if err := os.WriteFile(filepath.Join(h.dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h.at = time.Now()
	if n, err := h.Sweep(t.Context()); n != 0 || err != nil {
		t.Errorf("swept %d of what may be in hand, %v", n, err)
	}
	h.pass(orphanAge + time.Minute)
	if n, err := h.Sweep(t.Context()); n != 2 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	if n := len(h.files(t)); n != 2 { // README is not ours
		t.Errorf("left: %v", h.files(t))
	}
	h.at = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	if got, err := h.content(t, kept.URL); string(got) != "kept" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestSpace(t *testing.T) {
	h := open(t, func(c *Config) { c.UserQuota, c.Quota, c.Keep = 10, 15, time.Hour })
	put := func(a core.Account, content string) error {
		_, err := h.Put(t.Context(), a, core.Attachment{}, strings.NewReader(content))
		return err
	}
	if err := put(alice, "12345678"); err != nil {
		t.Fatal(err)
	}
	if err := put(alice, "abc"); core.KindOf(err) != core.OverLimit {
		t.Errorf("over the user's: %v", err)
	}
	if err := put(alice, "12345678"); err != nil {
		t.Errorf("what is there already: %v", err)
	}
	if err := put(bella, "12345678"); core.KindOf(err) != core.OverLimit {
		t.Errorf("over all: %v", err)
	}
	h.pass(2 * time.Hour) // room is made at once, not at the next sweep
	if err := put(bella, "87654321"); err != nil {
		t.Error(err)
	}
	if n := len(h.files(t)); n != 1 {
		t.Errorf("left: %v", h.files(t))
	}
	h.Rebound(Bounds{Quota: 20, UserQuota: 20}) // in force at once
	if err := put(bella, "1234567890"); err != nil {
		t.Errorf("with more room: %v", err)
	}
}

func TestErase(t *testing.T) {
	h := open(t, nil)
	hers := h.mustPut(t, alice, core.Attachment{}, png)
	other := h.mustPut(t, bella, core.Attachment{}, png)
	h.mustPut(t, alice, core.Attachment{}, []byte("only alice"))
	moved := alice
	moved.User = "alice@elsewhere.example"
	if err := h.Move(t.Context(), alice.User, moved.User); err != nil {
		t.Fatal(err)
	}
	if err := h.Erase(t.Context(), alice.User); err != nil {
		t.Fatal(err)
	}
	if _, err := h.content(t, hers.URL); err != nil {
		t.Errorf("the file did not move: %v", err)
	}
	if err := h.Erase(t.Context(), moved.User); err != nil {
		t.Fatal(err)
	}
	if _, err := h.content(t, hers.URL); core.KindOf(err) != core.NotFound {
		t.Errorf("%v", err)
	}
	if _, err := h.content(t, other.URL); err != nil {
		t.Errorf("bella's: %v", err)
	}
	if n := len(h.files(t)); n != 1 {
		t.Errorf("left: %v", h.files(t))
	}
}

func TestLostFileIsPutAnew(t *testing.T) {
	h := open(t, nil)
	f := h.mustPut(t, alice, core.Attachment{}, png)
	if err := os.Remove(filepath.Join(h.dir, h.files(t)[0])); err != nil {
		t.Fatal(err)
	}
	if _, err := h.content(t, f.URL); core.KindOf(err) != core.NotFound {
		t.Errorf("%v", err)
	}
	again := h.mustPut(t, alice, core.Attachment{}, png)
	if got, err := h.content(t, again.URL); err != nil || !bytes.Equal(got, png) {
		t.Errorf("%q, %v", got, err)
	}
}
