package mapping

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"gangway/core"
	"gangway/core/store"
)

// odd are addresses that no local part can hold.
var odd = []string{
	"علي@example.com", "דוד1@example.com", "a\u202eb@example.com", "a\ue000b@example.com", " a@example.com",
	strings.Repeat("a", 1024) + "@example.com", strings.Repeat("@", 342) + ".example", "x-abcdefghijklmnop",
}

func TestAliases(t *testing.T) {
	m, _ := newMap(t)
	mail := m.Aliases("email")
	seen := map[string]string{}
	for _, text := range odd {
		local, err := mail.LocalPart(text)
		if err != nil || !isAlias(local) || !IsAlias(local+"@email.gw/gateway") {
			t.Fatalf("%q is %q, %v", text, local, err)
		}
		if was, ok := seen[local]; ok {
			t.Errorf("%q and %q are both %q", was, text, local)
		}
		seen[local] = text
		for _, written := range []string{local, strings.ToUpper(local)} {
			if back, err := mail.Text(written); err != nil || back != text {
				t.Errorf("%q is %q, %v; want %q", written, back, err, text)
			}
		}
		if again, err := m.Aliases("irc").LocalPart(text); err != nil || again != local {
			t.Errorf("%q is %q on another network, %v", text, again, err)
		}
	}
	if local, err := mail.LocalPart("Bob@example.com"); err != nil || local != `bob\40example.com` || IsAlias(local+"@gw") {
		t.Errorf("%q, %v", local, err)
	}
}

// What a network has never met stands for nothing there, whatever it looks like.
func TestAliasesOfAnotherNetwork(t *testing.T) {
	m, _ := newMap(t)
	local, err := m.Aliases("email").LocalPart("علي@example.com")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := m.Aliases("irc").Text(local); err != nil || text != local {
		t.Errorf("%q, %v", text, err)
	}
}

// The spelling of the first time stays, and another of the same address is the same alias.
func TestAliasesFold(t *testing.T) {
	m, _ := newMap(t)
	mail := m.Aliases("email")
	local, err := mail.LocalPart("Aعلي@Example.com")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := mail.LocalPart("aعلي@example.COM"); err != nil || again != local {
		t.Errorf("%q and %q, %v", local, again, err)
	}
	if text, err := mail.Text(local); err != nil || text != "Aعلي@Example.com" {
		t.Errorf("%q, %v", text, err)
	}
}

// Two addresses with one digest are still two.
func TestAliasesCollide(t *testing.T) {
	m, _ := newMap(t)
	mail := m.Aliases("email")
	const text = "علي@example.com"
	err := m.db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), insertAlias, "email", aliasOf(Fold(text), 0), "דוד1@example.com")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	local, err := mail.LocalPart(text)
	if err != nil || local != aliasOf(Fold(text), 1) {
		t.Fatalf("%q, %v", local, err)
	}
	if back, err := mail.Text(local); err != nil || back != text {
		t.Errorf("%q, %v", back, err)
	}
}

func TestAliasesAreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gangway.db")
	db := openDB(t, path)
	open := func() *Aliases {
		m, err := Open(t.Context(), db, NewSealer(testKey(t, "a")), Options{})
		if err != nil {
			t.Fatal(err)
		}
		return m.Aliases("email")
	}
	local, err := open().LocalPart("Aعلي@example.com")
	if err != nil {
		t.Fatal(err)
	}
	later := open()
	if text, err := later.Text(local); err != nil || text != "Aعلي@example.com" {
		t.Errorf("%q, %v", text, err)
	}
	if again, err := later.LocalPart("aعلي@example.com"); err != nil || again != local {
		t.Errorf("%q, then %q, %v", local, again, err)
	}
}

func TestAliasesRefuse(t *testing.T) {
	m, _ := newMap(t)
	for _, text := range []string{"", "\u00ad", "a\x00b", "a\nb", "a\xffb", strings.Repeat("a", maxAliased+1)} {
		_, err := m.Aliases("email").LocalPart(text)
		wantKind(t, text, err, core.Invalid)
	}
}

// Every text that is one has a local part that a server leaves alone, and that stands for it and nothing else.
func FuzzAliases(f *testing.F) {
	for _, s := range append([]string{"bob@example.com", "a\u202eb", "ﬃ علي", "\ufffdx", "X-ABCDEFGHIJKLMNOP", "x-abcdefghijklmno1"}, odd...) {
		f.Add(s)
	}
	m, _ := newMap(f)
	mail := m.Aliases("email")
	f.Fuzz(func(t *testing.T, s string) {
		local, err := mail.LocalPart(s)
		if err != nil {
			if utf8.ValidString(s) && len(s) <= maxAliased && Fold(s) != "" && !strings.ContainsFunc(s, unicode.IsControl) {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		if again, err := LocalPart(AddressText(local)); err != nil || again != local {
			t.Fatalf("%q is %q, which a server would refuse or change: %q, %v", s, local, again, err)
		}
		if text, err := mail.Text(local); err != nil || Fold(text) != Fold(s) {
			t.Fatalf("%q is %q, which is %q, %v", s, local, text, err)
		}
	})
}
