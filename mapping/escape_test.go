package mapping

import (
	"strings"
	"testing"
)

// The examples of XEP-0106 sections 3 to 5, and what servers and other gateways stumble over.
var escapes = []struct{ text, local string }{
	{"", ""},
	{"alice", "alice"},
	{"alice@example.com", `alice\40example.com`},
	{"space cadet", `space\20cadet`},
	{`call me "ishmael"`, `call\20me\20\22ishmael\22`},
	{"at&t guy", `at\26t\20guy`},
	{"d'artagnan", `d\27artagnan`},
	{"/.fanboy", `\2f.fanboy`},
	{"::foo::", `\3a\3afoo\3a\3a`},
	{"<foo>", `\3cfoo\3e`},
	{"user@host", `user\40host`},
	{`c:\net`, `c\3a\net`},
	{`c:\\net`, `c\3a\\net`},
	{`c:\cool stuff`, `c\3a\cool\20stuff`},
	{`c:\5commas`, `c\3a\5c5commas`},
	{`\5c`, `\5c5c`},
	{`\2F`, `\5c2F`}, // a server would fold it to a slash
	{`\`, `\`},
	{`\2`, `\2`},
	{`\21`, `\21`}, // not one of the ten
	{`\ `, `\\20`},
	{`\5`, `\5`},
	{`\5@`, `\5\40`},
	{"nick%irc.libera.chat", "nick%irc.libera.chat"},
	{"ü@ex.org", `ü\40ex.org`},
	{"\xff\\40", "\xff\\5c40"},
}

func TestEscape(t *testing.T) {
	for _, c := range escapes {
		if got := Escape(c.text); got != c.local {
			t.Errorf("Escape(%q) = %q, want %q", c.text, got, c.local)
		}
		if got := Unescape(c.local); got != c.text {
			t.Errorf("Unescape(%q) = %q, want %q", c.local, got, c.text)
		}
	}
}

func TestUnescapeOnce(t *testing.T) {
	for local, want := range map[string]string{
		`a\5c40b`: `a\40b`, // not a@b
		`a\5C40b`: `a\40b`,
		`a\2Fb`:   "a/b",
		`\5cfoo`:  `\foo`, // needlessly escaped, still understood
		`a\4`:     `a\4`,
		`\\40`:    `\@`,
	} {
		if got := Unescape(local); got != want {
			t.Errorf("Unescape(%q) = %q, want %q", local, got, want)
		}
	}
}

func FuzzEscape(f *testing.F) {
	for _, c := range escapes {
		f.Add(c.text)
		f.Add(c.local)
	}
	f.Fuzz(func(t *testing.T, s string) {
		local := Escape(s)
		if strings.ContainsAny(local, escapable) {
			t.Fatalf("Escape(%q) = %q holds what a local part may not", s, local)
		}
		if back := Unescape(local); back != s {
			t.Fatalf("Unescape(Escape(%q)) = %q", s, back)
		}
		// Folding, as servers do it to a local part, must not turn one address into another.
		if folded := Unescape(strings.ToLower(local)); !strings.EqualFold(folded, s) && isASCII(s) {
			t.Fatalf("folded Escape(%q) is read as %q", s, folded)
		}
	})
}

func FuzzUnescape(f *testing.F) {
	for _, c := range escapes {
		f.Add(c.local)
	}
	f.Fuzz(func(t *testing.T, local string) {
		text := Unescape(local)
		canonical := Escape(text)
		if Unescape(canonical) != text {
			t.Fatalf("Unescape(%q) = %q, which does not survive Escape: %q", local, text, canonical)
		}
		if again := Escape(Unescape(canonical)); again != canonical {
			t.Fatalf("canonical form of %q is not stable: %q, %q", local, canonical, again)
		}
	})
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
