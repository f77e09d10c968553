package style_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"gangway/core/style"
)

// marked shows spans as <s>, <e>, <d> and <v>, directives left out.
func marked(line string) string {
	open, shut := map[int]string{}, map[int]string{}
	drop := map[int]bool{}
	tags := map[style.Style]string{style.Strong: "s", style.Emphasis: "e", style.Struck: "d", style.Verbatim: "v"}
	for _, s := range style.Spans(line) {
		open[s.Start-1], shut[s.End] = "<"+tags[s.Style]+">", "</"+tags[s.Style]+">"
		drop[s.Start-1], drop[s.End] = true, true
	}
	var b strings.Builder
	for i := range len(line) {
		b.WriteString(open[i] + shut[i])
		if !drop[i] {
			b.WriteByte(line[i])
		}
	}
	return b.String()
}

// The examples of XEP-0393 section 6, and what people type.
func TestSpans(t *testing.T) {
	for line, want := range map[string]string{
		"*strong*":                      "<s>strong</s>",
		"_emphasis_":                    "<e>emphasis</e>",
		"~strike~":                      "<d>strike</d>",
		"`pre *formatted*`":             "<v>pre *formatted*</v>",
		"*strong*plain*":                "<s>strong</s>plain*",
		"* plain *strong*":              "* plain <s>strong</s>",
		"not strong*":                   "not strong*",
		"*not strong":                   "*not strong",
		"*not \t*strong":                "*not \t*strong",
		"**":                            "**",
		"****":                          "****",
		"***":                           "***",
		"*a _b_ c*":                     "<s>a <e>b</e> c</s>",
		"*_both_*":                      "<s><e>both</e></s>",
		"_*both*_":                      "<e><s>both</s></e>",
		"*a _b* c_":                     "<s>a _b</s> c_",
		"2*3*4":                         "2*3*4",
		"snake_case_name":               "snake_case_name",
		"https://example.org/_a_/*b*":   "https://example.org/_a_/*b*",
		"(*not*)":                       "(*not*)",
		"\u00a0*nbsp*":                  "\u00a0<s>nbsp</s>",
		"*Ärger* ~ö~":                   "<s>Ärger</s> <d>ö</d>",
		"~*_`all four`_*~":              "<d><s><e><v>all four</v></e></s></d>",
		"*one* and *two*":               "<s>one</s> and <s>two</s>",
		"**markdown** __main__":         "**markdown** __main__",
		"a * b * c":                     "a * b * c",
		"`unclosed *strong*":            "`unclosed <s>strong</s>",
		"`` empty":                      "`` empty",
		"*x":                            "*x",
		"":                              "",
		strings.Repeat("*a ", 3) + "b*": "<s>a *a *a b</s>",
		"_a *b_ c*":                     "<e>a *b</e> c*",
		"*two words* after":             "<s>two words</s> after",
		"before *two words*, after":     "before <s>two words</s>, after",
	} {
		if got := marked(line); got != want {
			t.Errorf("%q: %s, want %s", line, got, want)
		}
	}
}

func TestApart(t *testing.T) {
	for line, want := range map[string]bool{
		"*strong*": true, "*strong*, he said": true, "*strong*er": false, "_init_d": false, "*a**": false,
		"*a*ä": false, "*a*2": false, "*a* b": true, "*a*.": true,
	} {
		spans := style.Spans(line)
		if len(spans) == 0 {
			t.Errorf("%q: no spans", line)
			continue
		}
		if got := spans[0].Apart(line); got != want {
			t.Errorf("%q: %v, want %v", line, got, want)
		}
	}
}

func TestLines(t *testing.T) {
	for text, want := range map[string][]style.Kind{
		"a\nb":                    {style.Plain, style.Plain},
		"> a\n>> b\nc":            {style.Quote, style.Quote, style.Plain},
		"```\n*a*\n\n> b\n```\nc": {style.Fence, style.Code, style.Code, style.Code, style.Fence, style.Plain},
		"```go\nx\n``` \n":        {style.Fence, style.Code, style.Fence, style.Plain},
		"```\nnever closed":       {style.Plain, style.Plain},
		"```code```":              {style.Plain},
		"```two words\nx\n```":    {style.Plain, style.Plain, style.Plain},
		"```\n```":                {style.Fence, style.Fence},
		"```\na\n```\nb\n```":     {style.Fence, style.Code, style.Fence, style.Plain, style.Plain},
		"":                        {style.Plain},
	} {
		var got []style.Kind
		for _, l := range style.Lines(text) {
			got = append(got, l.Kind)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestWriter(t *testing.T) {
	type run struct {
		text  string
		style style.Style
	}
	for _, c := range []struct {
		runs []run
		want string
	}{
		{[]run{{"a", style.Strong}}, "*a*"},
		{[]run{{"say ", 0}, {" it ", style.Strong}, {"now", 0}}, "say  *it* now"},
		{[]run{{"in", 0}, {"side", style.Strong}}, "inside"},
		{[]run{{"a*b", style.Strong}}, "a*b"},
		{[]run{{"a*b", style.Strong | style.Emphasis}}, "_a*b_"},
		{[]run{{"x", style.Strong | style.Verbatim}}, "`x`"},
		{[]run{{"x", style.Strong | style.Emphasis | style.Struck}}, "*_~x~_*"},
		{[]run{{" ", style.Strong}, {"", style.Strong}}, " "},
	} {
		var w style.Writer
		for _, r := range c.runs {
			w.Write(r.text, r.style)
		}
		if w.String() != c.want {
			t.Errorf("%v: %q, want %q", c.runs, w.String(), c.want)
		}
	}
}

// Spans are within the line and within one another, never around white space or nothing, and the parser is linear:
// what takes long fails by the fuzzer's own clock.
func FuzzSpans(f *testing.F) {
	for _, s := range []string{"*a _b_ ~c~ `d`*", "****", "_*_*_*", strings.Repeat("*_", 500), "*\xff*", "a\u00a0*b*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		last := 0
		var open []style.Span
		for _, s := range style.Spans(line) {
			if s.Start < last || s.Start >= s.End || s.End >= len(line) {
				t.Fatalf("%q: %+v", line, s)
			}
			if line[s.Start-1] != s.Style.Directive() || line[s.End] != s.Style.Directive() {
				t.Fatalf("%q: %+v has no directives", line, s)
			}
			if in := line[s.Start:s.End]; strings.TrimSpace(in) == "" || in != strings.TrimSpace(in) {
				t.Fatalf("%q: %+v is around white space", line, s)
			}
			for len(open) > 0 && open[len(open)-1].End < s.Start {
				open = open[:len(open)-1]
			}
			for _, o := range open {
				if s.End >= o.End || o.Style == s.Style || o.Style == style.Verbatim {
					t.Fatalf("%q: %+v is not within %+v", line, s, o)
				}
			}
			open = append(open, s)
			last = s.Start
			s.Apart(line)
		}
	})
}

// What is taken apart is the whole text.
func FuzzLines(f *testing.F) {
	for _, s := range []string{"a\n```\nb\n```\n> c", "```", "\n\n", "```x y\n```"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var all []string
		for _, l := range style.Lines(text) {
			all = append(all, l.Text)
		}
		if strings.Join(all, "\n") != text {
			t.Errorf("%q became %q", text, all)
		}
	})
}

// What is written in a style is read in it, or stays as it was.
func FuzzWriter(f *testing.F) {
	f.Add("before ", "words", uint8(3))
	f.Add("", "a*b", uint8(1))
	f.Fuzz(func(t *testing.T, before, words string, s uint8) {
		if !utf8.ValidString(before+words) || strings.ContainsAny(before, "*_~`\n") || strings.ContainsAny(words, "*_~`\n") {
			return
		}
		var w style.Writer
		w.Write(before, 0)
		w.Write(words, style.Style(s&15))
		line := w.String()
		var plain strings.Builder
		drop := map[int]bool{}
		for _, sp := range style.Spans(line) {
			drop[sp.Start-1], drop[sp.End] = true, true
		}
		for i := range len(line) {
			if !drop[i] {
				plain.WriteByte(line[i])
			}
		}
		if plain.String() != before+words {
			t.Errorf("%q and %q in %04b became %q", before, words, s&15, line)
		}
	})
}
