package chat

import (
	"strings"
	"testing"
	"unicode/utf8"

	"gangway/core/xmpp/stream"
)

func parse(t testing.TB, xml string) *stream.Stanza {
	t.Helper()
	st, err := stream.Parse(xml)
	if err != nil {
		t.Fatalf("%v: %s", err, xml)
	}
	return st
}

// Behaviour 26: ranges are counted in code points (XEP-0426), never guessed.
func TestStripFallback(t *testing.T) {
	for _, c := range []struct{ name, fallback, body, want string }{
		{"one range", `<body start='0' end='8'/>`, "> Hello\nHi", "Hi"},
		{"code points, not bytes or UTF-16", `<body start='0' end='5'/>`, "> 👍é\nHi", "Hi"},
		{"in the middle", `<body start='1' end='3'/>`, "abcd", "ad"},
		{"two, out of order", `<body start='4' end='5'/><body start='0' end='1'/>`, "abcdef", "bcdf"},
		{"overlapping", `<body start='0' end='3'/><body start='1' end='4'/>`, "abcdef", "ef"},
		{"beyond the end", `<body start='2' end='99'/>`, "abc", "ab"},
		{"wholly beyond", `<body start='50' end='99'/>`, "abc", "abc"},
		{"whole body", `<body/>`, "abc", ""},
		{"whole message", ``, "abc", ""},
		{"only the subject", `<subject/>`, "abc", "abc"},
		{"backwards", `<body start='2' end='1'/>`, "abc", "abc"},
		{"negative", `<body start='-1' end='1'/>`, "abc", "abc"},
		{"not a number", `<body start='a' end='1'/>`, "abc", "abc"},
		{"half a range", `<body start='1'/>`, "abc", "abc"},
		{"huge", `<body start='0' end='99999999999999999999'/>`, "abc", "abc"},
		{"a quote that is the user's own", `<body start='0' end='0'/>`, "> abc", "> abc"},
	} {
		st := parse(t, `<message><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'>`+c.fallback+`</fallback></message>`)
		if got := stripFallback(st, c.body, nsReply); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	other := parse(t, `<message><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reactions:0'/></message>`)
	if got := stripFallback(other, "abc", nsReply); got != "abc" {
		t.Errorf("the fallback of something else was stripped: %q", got)
	}
}

// What a client quotes goes where the network quotes, without its marks.
func TestSplitFallback(t *testing.T) {
	for _, c := range []struct{ end, body, rest, quoted string }{
		{"8", "> Hello\nHi", "Hi", "Hello"},
		{"26", "> Bob wrote:\n> Hello\n>> x\nHi", "Hi", "Bob wrote:\nHello\n> x"},
		{"6", "Hello\nHi", "Hi", ""},
		{"0", "> Hello\nHi", "> Hello\nHi", ""},
	} {
		st := parse(t, `<message><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='`+c.end+`'/></fallback></message>`)
		if rest, quoted := splitFallback(st, c.body, nsReply); rest != c.rest || quoted != c.quoted {
			t.Errorf("%q: %q and %q", c.body, rest, quoted)
		}
	}
}

func FuzzCut(f *testing.F) {
	f.Add("> 👍é\nHi", 0, 5, 1, 2)
	f.Add("abc", 2, 99, 0, 1)
	f.Add("\xff\xfe", 1, 2, 0, 0)
	f.Fuzz(func(t *testing.T, s string, a, b, c, d int) {
		var ranges [][2]int
		for _, r := range [][2]int{{a, b}, {c, d}} {
			if 0 <= r[0] && r[0] < r[1] {
				ranges = append(ranges, r)
			}
		}
		var want strings.Builder
		point := 0
		for at := 0; at < len(s); point++ {
			_, n := utf8.DecodeRuneInString(s[at:])
			in := false
			for _, r := range ranges {
				in = in || r[0] <= point && point < r[1]
			}
			if !in {
				want.WriteString(s[at : at+n])
			}
			at += n
		}
		if got := cut(s, ranges); got != want.String() {
			t.Errorf("cut(%q, %v) = %q, want %q", s, ranges, got, want.String())
		}
	})
}
