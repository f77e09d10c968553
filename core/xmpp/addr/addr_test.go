package addr

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParse(t *testing.T) {
	long := strings.Repeat("a", 1023)
	for _, c := range []struct{ in, local, domain, resource string }{
		{"example.org", "", "example.org", ""},
		{"a@b", "a", "b", ""},
		{"a@b/c", "a", "b", "c"},
		{"b/c", "", "b", "c"},
		{"a@b/c@d/e", "a", "b", "c@d/e"},
		{"b/@", "", "b", "@"},
		{"#chan%irc.example@irc.gw/Nick[]", "#chan%irc.example", "irc.gw", "Nick[]"},
		{"😀@b/x", "😀", "b", "x"},
		{"♥@b/so\u00adft", "♥", "b", "so\u00adft"},
		{"a@b/\u200dﬁ²", "a", "b", "\u200dﬁ²"},
		{"[::1]", "", "[::1]", ""},
		{long + "@" + long + "/" + long, long, long, long},
	} {
		j, err := Parse(c.in)
		if err != nil {
			t.Errorf("Parse(%q): %v", c.in, err)
			continue
		}
		if j.Local() != c.local || j.Domain() != c.domain || j.Resource() != c.resource {
			t.Errorf("Parse(%q) = %q %q %q", c.in, j.Local(), j.Domain(), j.Resource())
		}
		made, err := Make(c.local, c.domain, c.resource)
		if err != nil || made.String() != c.in {
			t.Errorf("Make of the parts of %q = %q, %v", c.in, made, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, in := range []string{
		"", "@", "/", "@b", "a@", "a@/c", "/c", "b/", "a@b/", "a@b@c",
		strings.Repeat("a", 1024) + "@b", "a@" + strings.Repeat("b", 1024), "b/" + strings.Repeat("c", 1024),
	} {
		if j, err := Parse(in); err == nil {
			t.Errorf("Parse(%.20q) = %q", in, j)
		}
	}
	for _, c := range [][3]string{{"a@b", "c", ""}, {"a", "b/c", ""}, {"a/b", "c", ""}, {"a", "", ""}, {"a", "b@c", ""}} {
		if j, err := Make(c[0], c[1], c[2]); err == nil {
			t.Errorf("Make(%q) = %q", c, j)
		}
	}
}

func TestKey(t *testing.T) {
	for _, c := range []struct{ in, key string }{
		{"alice@example.org/Phone", "alice@example.org"},
		{"Alice@Example.ORG/Phone", "alice@example.org"},
		{"example.org.", "example.org"},
		{"ÀLICE@example.org", "àlice@example.org"},
		{"a\u0300lice@example.org", "àlice@example.org"}, // composed
		{"ａlice@example.org", "alice@example.org"},       // full width, RFC 7622 maps it
		{"😀A@example.org", "😀a@example.org"},             // PRECIS refuses it
		{"♥@example.org", "♥@example.org"},
		{"ﬁ@example.org", "ﬁ@example.org"},  // a ligature stays apart from its letters
		{"İ@example.org", "i̇@example.org"}, // and a dotted I from i
		{"x@XN--BCHER-KVA.example", "x@bücher.example"},
		{"x@Bücher.example", "x@bücher.example"},
		{"x@xn--.example", "x@xn--.example"},
		{"#Chan%irc.example@irc.gw", "#chan%irc.example@irc.gw"},
		{"x＠y@example.org", "x＠y@example.org"}, // a full-width @ must not become a separator
		{"x／y@example.org", "x／y@example.org"},
		{"@", ""},
	} {
		if got := Key(c.in); got != c.key {
			t.Errorf("Key(%q) = %q, want %q", c.in, got, c.key)
		}
	}
}

func TestSame(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"a@b/c", "A@B/c", true},
		{"a@b/c", "a@b/C", false},
		{"a@b/c", "a@b", false},
		{"b", "B", true},
		{"", "b", false},
	} {
		if Same(c.a, c.b) != c.want {
			t.Errorf("Same(%q, %q) = %v", c.a, c.b, !c.want)
		}
	}
}

func TestASCIIDoesNotAllocate(t *testing.T) {
	n := testing.AllocsPerRun(100, func() {
		j, err := Parse("alice@example.org/phone")
		if err != nil || j.Key() != "alice@example.org" || j.FullKey() != "alice@example.org/phone" {
			t.Error("wrong key")
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"a@b/c", "Alice@EXAMPLE.org", "😀@b", "x@xn--bcher-kva.example/r", "İ@b", "a@b@c", "ﬁ@x", "K@x", "x@ß.de", "x@xn--ls8h.la.",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		j, err := Parse(s)
		if err != nil {
			return
		}
		if j.String() != s {
			t.Fatalf("%q became %q", s, j)
		}
		if again, err := Make(j.Local(), j.Domain(), j.Resource()); err != nil || again != j {
			t.Fatalf("%q: %+v, then %+v, %v", s, j, again, err)
		}
		key := j.Key()
		if utf8.ValidString(s) && !utf8.ValidString(key) {
			t.Fatalf("key %q of %q is not UTF-8", key, s)
		}
		k, err := Parse(key)
		if err != nil || !k.IsBare() {
			t.Fatalf("key %q of %q is not a bare address: %v", key, s, err)
		}
		if k.Key() != key {
			t.Fatalf("key %q of %q has the key %q", key, s, k.Key())
		}
	})
}

func BenchmarkKey(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		j, err := Parse("alice@example.org/phone")
		if err != nil || len(j.Key()) != 17 {
			b.Fatal(err)
		}
	}
}
