package wire

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"gopkg.in/irc.v4"
)

// atoms are a message taken apart, as the vectors have them.
type atoms struct {
	Tags   map[string]string
	Source string
	Verb   string
	Params []string

	Nick, User, Host string // of userhost-split
}

// vectors reads one of the files of ircdocs' parser-tests.
func vectors[T any](t *testing.T, name string) []T {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata/parser-tests", name))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Tests []T }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Tests) == 0 {
		t.Fatal("no vectors")
	}
	return file.Tests
}

// TestVectorsSplit reads what ircdocs' parser-tests ask of who reads a line. Where they keep control characters in names
// and tags, Parse takes them out on purpose.
func TestVectorsSplit(t *testing.T) {
	type vector struct {
		Input string
		Atoms atoms
	}
	for _, v := range vectors[vector](t, "msg-split.json") {
		m, err := Parse([]byte(v.Input), charmap.Windows1252, MaxBody)
		if err != nil {
			t.Errorf("%q: %v", v.Input, err)
			continue
		}
		source := ""
		if m.Prefix != nil && m.Name != "" {
			source = m.Prefix.String()
		}
		if m.Command != strings.ToUpper(v.Atoms.Verb) || source != Bare(v.Atoms.Source) {
			t.Errorf("%q: command %q of %q", v.Input, m.Command, source)
		}
		if len(m.Params) != len(v.Atoms.Params) || !slices.Equal(m.Params, v.Atoms.Params) && len(m.Params) > 0 {
			t.Errorf("%q: parameters %q, want %q", v.Input, m.Params, v.Atoms.Params)
		}
		want := map[string]string{}
		for k, value := range v.Atoms.Tags {
			want[k] = Bare(value)
		}
		if got := map[string]string(m.Tags); !maps.Equal(got, want) && len(got)+len(want) > 0 {
			t.Errorf("%q: tags %q, want %q", v.Input, got, want)
		}
	}
}

// TestVectorsJoin writes what ircdocs' parser-tests ask of who writes a line; a client writes no prefix.
func TestVectorsJoin(t *testing.T) {
	type vector struct {
		Desc    string
		Atoms   atoms
		Matches []string
	}
	for _, v := range vectors[vector](t, "msg-join.json") {
		c := command(v.Atoms.Verb, v.Atoms.Params...)
		for _, key := range slices.Sorted(maps.Keys(v.Atoms.Tags)) {
			c = c.With(Tag{key, v.Atoms.Tags[key]})
		}
		got, err := c.Append(nil, "", MaxBody)
		if err != nil {
			t.Errorf("%s: %v", v.Desc, err)
			continue
		}
		line := strings.TrimSuffix(string(got), "\r\n")
		if !slices.ContainsFunc(v.Matches, func(match string) bool {
			return strings.Replace(match, ":"+v.Atoms.Source+" ", "", min(1, len(v.Atoms.Source))) == line
		}) {
			t.Errorf("%s: wrote %q, want one of %q", v.Desc, line, v.Matches)
		}
	}
}

// TestVectorsUserhost takes prefixes apart.
func TestVectorsUserhost(t *testing.T) {
	type vector struct {
		Source string
		Atoms  atoms
	}
	for _, v := range vectors[vector](t, "userhost-split.json") {
		p := irc.ParsePrefix(v.Source)
		if p.Name != v.Atoms.Nick || p.User != v.Atoms.User || p.Host != v.Atoms.Host {
			t.Errorf("%q: %+v, want %+v", v.Source, p, v.Atoms)
		}
	}
}

// FuzzTags writes a tag and reads it back.
func FuzzTags(f *testing.F) {
	f.Add("+draft/reply", "a b;c\\d\r\ne")
	f.Add("+x", "\\")
	f.Add("vendor.example/x", "é")
	f.Add("", "\x00")
	f.Fuzz(func(t *testing.T, key, value string) {
		line, err := Ping("x").With(Tag{key, value}).Append(nil, "", MaxBody)
		if err != nil {
			return
		}
		m, err := Parse(line[:len(line)-2], charmap.Windows1252, MaxBody)
		if err != nil {
			t.Fatalf("wrote %q, which is not read: %v", line, err)
		}
		if got, ok := m.Tags[key]; !ok || got != Bare(value) || len(m.Tags) != 1 {
			t.Errorf("%q=%q was read as %q", key, value, m.Tags)
		}
	})
}
