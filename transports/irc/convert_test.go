package irc

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"gangway/core"
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
		for _, p := range split(text, 10+len(actionOpen)*boolToInt(strings.HasPrefix(text, "/me w")), false) {
			got = append(got, p.wire)
		}
		if !slices.Equal(got, want) {
			t.Errorf("split(%q) = %q, want %q", text, got, want)
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
	for _, p := range split(strings.Repeat(family, 100), 400, true) {
		if strings.Trim(strings.ReplaceAll(p.wire, family, ""), " ") != "" || len(p.wire) > 400 {
			t.Errorf("cut as %q", p.wire)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("one two\n/me three", 64, true)
	f.Add("*"+strings.Repeat("bold ", 30)+"end* `x`\n```\ncode\n```", 64, true)
	f.Add(strings.Repeat("\u0301", 100), 64, false)
	f.Add("/me "+strings.Repeat("x", 500), 100, false)
	f.Fuzz(func(t *testing.T, text string, budget int, formats bool) {
		if budget < leastBudget || budget > 1000 {
			return
		}
		for _, p := range split(text, budget, formats) {
			switch {
			case p.wire == "" || len(p.wire) > budget:
				t.Errorf("%d bytes in %d: %q", len(p.wire), budget, p.wire)
			case !utf8.ValidString(p.wire):
				t.Errorf("not UTF-8: %q", p.wire)
			case strings.ContainsAny(p.wire, "\r\n\x00") || strings.ContainsFunc(p.text, func(r rune) bool { return r != '\t' && isControl(r) }):
				t.Errorf("control characters in %q", p.wire)
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
		got := styled(marks.Replace(lines[i]))
		if got != lines[i+1] {
			t.Errorf("styled(%s) = %q, want %q", lines[i], got, lines[i+1])
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
		got := styled(text)
		if strings.ContainsFunc(got, func(r rune) bool { return r != '\t' && r != '\n' && r != '\r' && isControl(r) }) {
			t.Errorf("styled(%q) = %q", text, got)
		}
		if utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Errorf("styled(%q) is not UTF-8: %q", text, got)
		}
		if len(got) > 2*len(text)+8 {
			t.Errorf("styled(%q) grew to %q", text, got)
		}
	})
}

func TestFold(t *testing.T) {
	for _, c := range []struct{ mapping, in, want string }{
		{"", "Nick[]\\^A", "nick{}|~a"},
		{"rfc1459", "#Chan", "#chan"},
		{"strict-rfc1459", "N[]\\^", "n{}|^"},
		{"ascii", "N[]\\^É", "n[]\\^É"},
		{"rfc8265", "NÉ[", "né["},
	} {
		if got := casemapNamed(c.mapping).fold(c.in); got != c.want {
			t.Errorf("%s: fold(%q) = %q, want %q", c.mapping, c.in, got, c.want)
		}
	}
}

func FuzzFold(f *testing.F) {
	f.Add("Nick[]\\^", uint8(0))
	f.Add("É", uint8(3))
	f.Fuzz(func(t *testing.T, s string, mapping uint8) {
		c := casemap(mapping % 4)
		once := c.fold(s)
		if c.fold(once) != once {
			t.Errorf("fold(%q) = %q, fold of that = %q", s, once, c.fold(once))
		}
		if c != precis && len(once) != len(s) {
			t.Errorf("fold(%q) = %q", s, once)
		}
	})
}

func TestNickFrom(t *testing.T) {
	for in, want := range map[string]string{
		"alice": "alice", "Alice Smith": "Alice_Smith", "1up": "_1up", "": "guest", "a!b@c": "a_b_c", "élan": "élan", "x\r\nQUIT": "x__QUIT",
		"[x]{y}|^`-": "[x]{y}|^`-", "-x": "_-x", "a\xffb": "a_b", strings.Repeat("é", 50): strings.Repeat("é", 16),
	} {
		if got := nickFrom(in); got != want || !validNick(got) {
			t.Errorf("nickFrom(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{"élan vital": "lan_vital", "日本": "guest", "abcdefghijkl": "abcdefghij", "__": "guest"} {
		if got := asciiNick(in, 10); got != want {
			t.Errorf("asciiNick(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestISupport(t *testing.T) {
	s := defaultSupport()
	s.add(strings.Fields("PREFIX=(Yqaohv)!~&@%+ CHANMODES=b,k,l,imn,extra CHANTYPES=# STATUSMSG=@+ NICKLEN=16 LINELEN=2048 MODES=20 CASEMAPPING=ascii UTF8ONLY UNKNOWN=x"))
	if s.modes != "Yqaohv" || s.chanModes[3] != "imn" || s.nickLen != 16 || s.lineLen != 2048 || s.perMode != 20 || !s.utf8Only || s.casemap != asciiOnly {
		t.Errorf("%+v", s)
	}
	before := s
	s.add(strings.Fields("PREFIX=(ov)@ PREFIX=x PREFIX=(abcdefghi)123456789 CHANMODES=a,b LINELEN=-5 LINELEN=x NICKLEN=0 MODES="))
	if s != before {
		t.Errorf("nonsense changed it to %+v", s)
	}
	for ranks, want := range map[ranks]core.Rank{
		0: core.Plain, s.bit('v'): core.Voice, s.bit('v') | s.bit('o'): core.Operator, s.bit('h'): core.Half, s.bit('a'): core.Owner,
		s.bit('q'): core.Owner, s.bit('Y'): core.Owner, 1 << 7: core.Plain,
	} {
		if got := s.rank(ranks); got != want {
			t.Errorf("rank(%b) = %v, want %v", ranks, got, want)
		}
	}
	if r, nick := s.signs("@+bob"); r != s.bit('o')|s.bit('v') || nick != "bob" {
		t.Errorf("signs = %b, %q", r, nick)
	}
}
