package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gangway/config"
	"gangway/core"
)

// When one account is removed its history is gone when that is answered; the other user's stays.
func TestUnenrollForgetsHistory(t *testing.T) {
	a := household(t)
	a.history.written(t)
	if err := a.gateway.Unenroll(t.Context(), carol, "loopback"); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{"history of carol": 0, "history of dave": 1} {
		if found := traces(t, a, text); len(found) != want {
			t.Errorf("%q is in %v", text, found)
		}
	}
}

// What the configuration says of the history is what is kept, by age and by number.
func TestHistoryAsConfigured(t *testing.T) {
	ref := core.Ref{Account: "a1", Peer: "room"}
	now := time.Now().Truncate(time.Second)
	for settings, want := range map[string]string{
		"":                                    "m4 m3 m2 m1 m0",
		"[archive]\nkeep = \"3h\"":            "m2 m1 m0",
		"[archive]\nlimit = 2":                "m1 m0",
		"[archive]\nenabled = false":          "not kept",
		"[archive]\nkeep = \"2h\"\nlimit = 4": "m1 m0",
	} {
		a := configured(t, settings)
		var page []core.Archived
		for i := range 5 {
			id := core.MessageID(fmt.Sprint("m", 4-i))
			page = append(page, core.Archived{ID: id, At: now.Add(time.Duration(i-4) * time.Hour), Event: &core.Message{
				Ref: ref, IDs: core.IDs{ID: id}, Room: true, Author: "dave", Text: string(id),
			}})
		}
		if _, err := a.history.Fill(t.Context(), ref, page); err != nil {
			_, since := a.history.Since(t.Context(), ref)
			if core.KindOf(err) != core.Unsupported || core.KindOf(since) != core.Unsupported || want != "not kept" {
				t.Errorf("%q: %v, %v", settings, err, since)
			}
			continue
		}
		if _, err := a.history.Archive.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		all, err := a.history.Last(t.Context(), ref, 10, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range all {
			got = append(got, string(e.ID))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: kept %v, want %s", settings, got, want)
		}
	}
}

// configured is an application with some settings beside those that it must have.
func configured(t *testing.T, settings string) *app {
	t.Helper()
	text, err := os.ReadFile("testdata/gangway.toml")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "gangway.toml")
	if err := os.WriteFile(path, append(text, "\n"+settings+"\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	a, err := openApp(t.Context(), cfg, discard())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.close(t.Context()) })
	return a
}
