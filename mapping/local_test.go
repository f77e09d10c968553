package mapping

import (
	"strings"
	"testing"
	"unicode/utf8"

	"gangway/core"
)

func TestLocalPart(t *testing.T) {
	for _, c := range []struct{ text, local string }{
		{"Alice@Example.com", `alice\40example.com`},
		{"+15551234567", "+15551234567"},
		{"12345;phone-context=+1", "12345;phone-context=+1"},
		{"#Chan%irc.libera.chat", "#chan%irc.libera.chat"},
		{"straße@example.de", `strasse\40example.de`},
		{"Ｆｕｌｌ＠ｗｉｄｔｈ．ｊｐ", `full\40width.jp`}, // NFKC makes them ASCII: escape after folding, not before
		{"a\u00adb", "ab"},
		{"nb\u00a0space", `nb\20space`},
		{"☃@example.com", `☃\40example.com`},
		{"علي", "علي"},
		{strings.Repeat("a", 1023), strings.Repeat("a", 1023)},
	} {
		got, err := LocalPart(c.text)
		if err != nil || got != c.local {
			t.Errorf("LocalPart(%q) = %q, %v; want %q", c.text, got, err, c.local)
		}
		if back := AddressText(got); back != Fold(c.text) {
			t.Errorf("AddressText(%q) = %q, want %q", got, back, Fold(c.text))
		}
	}
}

func TestLocalPartRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"empty":             "",
		"only ignorable":    "\u00ad",
		"leading space":     " a",
		"trailing space":    "a\u00a0",
		"NUL":               "a\x00b",
		"newline":           "a\nb",
		"not UTF-8":         "a\xffb",
		"noncharacter":      "a\ufffeb",
		"private use":       "a\ue000b",
		"bidi override":     "a\u202eb",
		"ogham space":       "a\u1680b",
		"mixed directions":  "علي@example.com",
		"too long":          strings.Repeat("a", 1024),
		"too long escaped":  strings.Repeat("@", 342),
		"too long in UTF-8": strings.Repeat("ж", 512),
	} {
		got, err := LocalPart(text)
		if err == nil || core.KindOf(err) != core.Invalid || core.AsError(err).Text == "" {
			t.Errorf("%s: LocalPart(%q) = %q, %v; want Invalid with a sentence", name, text, got, err)
		}
	}
}

func TestJID(t *testing.T) {
	got, err := JID("Bob@example.com", "email.gw.example")
	if err != nil || got != `bob\40example.com@email.gw.example` {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := JID("", "email.gw.example"); err == nil {
		t.Error("an empty local part was accepted")
	}
}

func FuzzLocalPart(f *testing.F) {
	for _, c := range escapes {
		f.Add(c.text)
	}
	for _, s := range []string{"Ｆ＠ｊ", "ß", "ẞ", "ﬃ", "\u0345\u0399", "ǰ", "\u1e9b\u0323", "ϒ\u0301", "\u212bΣσς", "İı", "علي", "a\u00ad@"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		folded := Fold(s)
		if again := Fold(folded); again != folded {
			t.Fatalf("Fold(%q) = %q, and again %q", s, folded, again)
		}
		local, err := LocalPart(s)
		if err != nil {
			return
		}
		if !utf8.ValidString(local) || len(local) > 1023 || local == "" || strings.ContainsAny(local, escapable) {
			t.Fatalf("LocalPart(%q) = %q", s, local)
		}
		if AddressText(local) != folded {
			t.Fatalf("AddressText(%q) = %q, want %q", local, AddressText(local), folded)
		}
		// A server folds what it relays: that must change nothing.
		if Fold(local) != local {
			t.Fatalf("a server turns %q into %q", local, Fold(local))
		}
	})
}
