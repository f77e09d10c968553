package format

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"gangway/transports/irc/wire"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestSplit(t *testing.T) {
	for text, want := range map[string][]string{
		"one":               {"one"},
		"one\r\ntwo\rthree": {"one", "two", "three"},
		"\n\n a \n":         {" a"},
		"":                  nil,
		" \t\n":             nil,
		"/me waves":         {"\x01ACTION waves\x01"},
		"/me ":              {"/me"},
		"x\n/me waves":      {"x", "/me waves"},
		"a\x01b\x02c\x00d":  {"abcd"},
		"bad \xff 8":        {"bad \ufffd 8"},
		"tab\tstays":        {"tab\tstays"},
		"aaaa bbbb cccc":    {"aaaa bbbb", "cccc"},
		"aaaaaaaaaaaa":      {"aaaaaaaaaa", "aa"},
		"ééééééé":           {"ééééé", "éé"},
		"a bbbbbbbbbbbb":    {"a bbbbbbbb", "bbbb"},
		"aaaaaaaae\u0301x":  {"aaaaaaaa", "e\u0301x"},
		"aaaaa\u263a\ufe0f": {"aaaaa", "\u263a\ufe0f"},
		"            12":    {"12"},
		"para\u2029graph":   {"para", "graph"},
		"aaaaaaaaa  bbbb":   {"aaaaaaaaa", "bbbb"},
	} {
		var got []string
		for _, p := range Split(text, 10+len(actionOpen)*boolToInt(strings.HasPrefix(text, "/me w")), false) {
			got = append(got, p.Wire)
		}
		if !slices.Equal(got, want) {
			t.Errorf("Split(%q) = %q, want %q", text, got, want)
		}
	}
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestSplitKeepsFamiliesTogether(t *testing.T) {
	family := "\U0001F469\u200D\U0001F467"
	for _, p := range Split(strings.Repeat(family, 100), 400, true) {
		if strings.Trim(strings.ReplaceAll(p.Wire, family, ""), " ") != "" || len(p.Wire) > 400 {
			t.Errorf("cut as %q", p.Wire)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("one two\n/me three", 64, true)
	f.Add("*"+strings.Repeat("bold ", 30)+"end* `x`\n```\ncode\n```", 64, true)
	f.Add(strings.Repeat("\u0301", 100), 64, false)
	f.Add("/me "+strings.Repeat("x", 500), 100, false)
	f.Fuzz(func(t *testing.T, text string, budget int, formats bool) {
		if budget < 64 || budget > 1000 {
			return
		}
		for _, p := range Split(text, budget, formats) {
			switch {
			case p.Wire == "" || len(p.Wire) > budget:
				t.Errorf("%d bytes in %d: %q", len(p.Wire), budget, p.Wire)
			case !utf8.ValidString(p.Wire):
				t.Errorf("not UTF-8: %q", p.Wire)
			case strings.ContainsAny(p.Wire, "\r\n\x00") || strings.ContainsFunc(p.Text, func(r rune) bool { return r != '\t' && wire.IsControl(r) }):
				t.Errorf("control characters in %q", p.Wire)
			}
		}
	})
}

// TestStyled reads testdata/styled.txt: pairs of lines, what IRC shows and what XEP-0393 does.
func TestStyled(t *testing.T) {
	const file = "testdata/styled.txt"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	marks := strings.NewReplacer("{B}", "\x02", "{C}", "\x03", "{H}", "\x04", "{O}", "\x0f", "{M}", "\x11", "{R}", "\x16",
		"{I}", "\x1d", "{S}", "\x1e", "{U}", "\x1f")
	var out strings.Builder
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		got := Styled(marks.Replace(lines[i]))
		if got != lines[i+1] {
			t.Errorf("Styled(%s) = %q, want %q", lines[i], got, lines[i+1])
		}
		out.WriteString(lines[i] + "\n" + got + "\n")
	}
	if *update {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func FuzzStyled(f *testing.F) {
	f.Add("\x02bold\x02 \x0304,12colour\x03 \x04ff00ff,00ff00hex\x0f \x1ditalic")
	f.Add("\x02\x1d\x1e\x11all\x0f")
	f.Fuzz(func(t *testing.T, text string) {
		got := Styled(text)
		if strings.ContainsFunc(got, func(r rune) bool { return r != '\t' && r != '\n' && r != '\r' && wire.IsControl(r) }) {
			t.Errorf("Styled(%q) = %q", text, got)
		}
		if utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Errorf("Styled(%q) is not UTF-8: %q", text, got)
		}
		if len(got) > 2*len(text)+8 {
			t.Errorf("Styled(%q) grew to %q", text, got)
		}
	})
}
