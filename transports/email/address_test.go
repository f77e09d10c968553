package email

import (
	"strings"
	"testing"

	"gangway/core"
)

func TestAddress(t *testing.T) {
	for _, tt := range []struct{ in, canonical, wire string }{
		{"Bob@Example.COM", "Bob@example.com", "Bob@example.com"},
		{"bob@example.com.", "bob@example.com", "bob@example.com"},
		{"bob@BÜCHER.example", "bob@bücher.example", "bob@xn--bcher-kva.example"},
		{"bob@xn--bcher-kva.example", "bob@bücher.example", "bob@xn--bcher-kva.example"},
		{`"bob"@x.example`, "bob@x.example", "bob@x.example"},
		{`"b\"o\\b"@x.example`, `"b\"o\\b"@x.example`, `"b\"o\\b"@x.example`},
		{`"a@b"@x.example`, `"a@b"@x.example`, `"a@b"@x.example`},
		{"a..b@docomo.example", `"a..b"@docomo.example`, `"a..b"@docomo.example`},
		{"a%b!c=d+e@x.example", "a%b!c=d+e@x.example", "a%b!c=d+e@x.example"},
		{"bob@localhost", "bob@localhost", "bob@localhost"},
	} {
		a, err := parseAddress(tt.in)
		if err != nil {
			t.Errorf("%s: %v", tt.in, err)
			continue
		}
		wire, utf8 := a.envelope()
		if a.String() != tt.canonical || wire != tt.wire || utf8 {
			t.Errorf("%s: %s, %s, %v", tt.in, a, wire, utf8)
		}
	}
}

// FuzzAddress: the canonical text names one address, and is what it is parsed from.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{
		"bob@example.com", `"a \"b"@x.example`, "mailto:bob%40x@example.com?x", "bob@bücher.example", "bob@xn--bcher-kva.example",
		"jürgen@ﬁ.example", "a@ß.example", "<a@b>", "a@b@c", "a@١.example", "@", `"@"@x`,
	} {
		f.Add(s)
	}
	tr := &transport{}
	f.Fuzz(func(t *testing.T, s string) {
		target, err := tr.Parse(s)
		if err != nil {
			if e := core.AsError(err); e.Kind != core.Invalid || e.Text == "" {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		text := tr.Format(target)
		again, err := tr.Parse(text)
		if err != nil || again != target {
			t.Errorf("%q -> %q -> %+v, %v", s, text, again, err)
		}
		a, err := parseAddress(text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		wire, _ := a.envelope()
		if strings.ContainsAny(wire, "\r\n\x00") || len(a.quotedLocal()) > maxLocal || len(a.wire) > maxDomain {
			t.Errorf("%q goes over the wire as %q", s, wire)
		}
		if back, err := parseAddress(wire); err != nil || back != a {
			t.Errorf("%q comes back from the wire as %+v, %v", s, back, err)
		}
	})
}
