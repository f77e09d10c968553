package format

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"gangway/transports/irc/wire"
)

// wires are the lines that a text becomes, formatting characters written as in testdata/styled.txt.
func wires(text string, budget int, formats bool) []string {
	marks := strings.NewReplacer("\x02", "{B}", "\x11", "{M}", "\x1d", "{I}", "\x1e", "{S}", "\x01", "{A}")
	var all []string
	for _, p := range Split(text, budget, formats) {
		all = append(all, marks.Replace(p.Wire))
	}
	return all
}

func TestFormatsOut(t *testing.T) {
	for text, want := range map[string][]string{
		"plain":                      {"plain"},
		"*bold* and _italic_":        {"{B}bold{B} and {I}italic{I}"},
		"*_both_*":                   {"{B}{I}both{I}{B}"},
		"~never~ do `rm -rf`":        {"{S}~never~{S} do {M}`rm -rf`{M}"},
		"*shrug*, he said":           {"{B}shrug{B}, he said"},
		"2*3*4 and snake_case_name":  {"2*3*4 and snake_case_name"},
		"_init_d __main__ **x**":     {"_init_d __main__ **x**"},
		"https://example.org/_a_/*b": {"https://example.org/_a_/*b"},
		"* not bold *":               {"* not bold *"},
		"> *quoted*":                 {"> {B}quoted{B}"},
		"look:\n```go\nx := *y*\n\nz\n```\nso": {
			"look:", "{M}x := *y*", "{M}z", "so"},
		"```\nnever closed": {"```", "never closed"},
		"/me *waves*":       {"{A}ACTION {B}waves{B}{A}"},
		"a\x02b\x1fc":       {"abc"}, // nobody sends codes themselves
	} {
		if got := wires(text, 400, true); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := wires("*as typed*\n```", 400, false); !slices.Equal(got, []string{"*as typed*", "```"}) {
		t.Errorf("without formats: %q", got)
	}
}

// A style that a long line is cut in goes on in the next one, which does not know of it by itself.
func TestFormatsGoOnBehindACut(t *testing.T) {
	pieces := Split("*"+strings.Repeat("word ", 40)+"end*", 64, true)
	if len(pieces) < 3 {
		t.Fatalf("%d pieces", len(pieces))
	}
	for _, p := range pieces {
		if !strings.HasPrefix(p.Wire, "\x02") || len(p.Wire) > 64 {
			t.Errorf("%d bytes: %q", len(p.Wire), p.Wire)
		}
		if !strings.HasPrefix(p.Text, "*word") || !strings.HasSuffix(p.Text, "*") {
			t.Errorf("shown as %q", p.Text)
		}
	}
}

// What was sent is shown back as it was typed.
func TestFormatsRoundTrip(t *testing.T) {
	for text, want := range map[string]string{
		"*bold* and _italic_": "*bold* and _italic_", "*_both_* ~struck~ `code`": "*_both_* ~struck~ `code`",
		"*a `b` c*": "*a* `b` *c*", "say: *it*, now": "say: *it*, now", "nothing": "nothing", "2*3*4": "2*3*4",
	} {
		for _, p := range Split(text, 400, true) {
			if p.Text != want {
				t.Errorf("%q is shown as %q, want %q", text, p.Text, want)
			}
		}
	}
}

func FuzzCoded(f *testing.F) {
	for _, s := range []string{"*a _b_ ~c~ `d`*", "*bold*", "_*x*_", "a`b`c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if !utf8.ValidString(line) || strings.ContainsFunc(line, wire.IsControl) {
			return
		}
		words := strings.NewReplacer("*", "", "_", "", "\x02", "", "\x1d", "", "\x1e", "", "\x11", "")
		if got, want := words.Replace(coded(line)), words.Replace(line); got != want {
			t.Errorf("coded(%q) = %q", line, coded(line))
		}
	})
}
