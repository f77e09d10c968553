package xmpptest

import (
	"fmt"
	"regexp"
	"strings"

	"gangway/core/xmpp/stream"
)

// matcher compares a stanza with a pattern. Captures are made in vars.
type matcher struct {
	vars map[string]string
}

// diff returns in what el does not satisfy the pattern; nothing if it does.
func (m *matcher) diff(pattern, el *stream.Element, path string) []string {
	if pattern.Name() != el.Name() {
		return []string{fmt.Sprintf("%s: want <%s xmlns='%s'>, got <%s xmlns='%s'>",
			path, pattern.Local(), pattern.Space(), el.Local(), el.Space())}
	}
	path += "/" + el.Local()
	out := m.attrs(pattern, el, path)
	if want := strings.TrimSpace(pattern.Text()); want != "" {
		if got := strings.TrimSpace(el.Text()); !m.value(want, got) {
			out = append(out, fmt.Sprintf("%s: want text %q, got %q", path, m.known(want), got))
		}
	}
	return append(out, m.children(pattern, el, path)...)
}

func (m *matcher) attrs(pattern, el *stream.Element, path string) []string {
	var out []string
	for name, want := range pattern.Attrs() {
		got, there := el.LookupAttr(name.Space, name.Local)
		switch {
		case want == "!" && there:
			out = append(out, fmt.Sprintf("%s@%s: want none, got %q", path, name.Local, got))
		case want == "!":
		case !there:
			out = append(out, fmt.Sprintf("%s@%s: want %q, got none", path, name.Local, m.known(want)))
		case !m.value(want, got):
			out = append(out, fmt.Sprintf("%s@%s: want %q, got %q", path, name.Local, m.known(want), got))
		}
	}
	return out
}

func (m *matcher) children(pattern, el *stream.Element, path string) []string {
	var out []string
	used := map[*stream.Element]bool{}
	for want := range pattern.Children() {
		if want.Local() == "no" {
			out = append(out, m.absent(want, el, path)...)
			continue
		}
		var nearest []string
		found := false
		for got := range el.Children() {
			if used[got] {
				continue
			}
			d := m.try(want, got, path)
			if len(d) == 0 {
				used[got], found = true, true
				break
			}
			if got.Name() == want.Name() && (nearest == nil || len(d) < len(nearest)) {
				nearest = d
			}
		}
		switch {
		case found:
		case nearest != nil:
			out = append(out, nearest...)
		default:
			out = append(out, fmt.Sprintf("%s: no <%s xmlns='%s'> in it", path, want.Local(), want.Space()))
		}
	}
	return out
}

func (m *matcher) absent(no, el *stream.Element, path string) []string {
	var out []string
	for unwanted := range no.Children() {
		for got := range el.Children() {
			if len(m.try(unwanted, got, path)) == 0 {
				out = append(out, fmt.Sprintf("%s: there is an unwanted <%s>", path, got.Local()))
			}
		}
	}
	return out
}

// try is diff without captures unless it matches.
func (m *matcher) try(pattern, el *stream.Element, path string) []string {
	saved := make(map[string]string, len(m.vars))
	for k, v := range m.vars {
		saved[k] = v
	}
	d := m.diff(pattern, el, path)
	if len(d) > 0 {
		m.vars = saved
	}
	return d
}

var variable = regexp.MustCompile(`\$[a-z][a-z0-9]*`)

// value matches one value and captures from it.
func (m *matcher) value(want, got string) bool {
	want = m.known(want)
	if want == "*" {
		return got != ""
	}
	var expr strings.Builder
	var names []string
	expr.WriteString(`(?s)\A`)
	for want != "" {
		switch loc := variable.FindStringIndex(want); {
		case want[0] == '*':
			expr.WriteString(".*")
			want = want[1:]
		case loc != nil && loc[0] == 0:
			names = append(names, want[1:loc[1]])
			expr.WriteString("(.+?)")
			want = want[loc[1]:]
		default:
			end := len(want)
			if loc != nil {
				end = loc[0]
			}
			if i := strings.IndexByte(want, '*'); i >= 0 && i < end {
				end = i
			}
			expr.WriteString(regexp.QuoteMeta(want[:end]))
			want = want[end:]
		}
	}
	expr.WriteString(`\z`)
	found := regexp.MustCompile(expr.String()).FindStringSubmatch(got)
	if found == nil {
		return false
	}
	for i, name := range names {
		m.vars[name] = found[i+1]
	}
	return true
}

// known replaces what was captured before.
func (m *matcher) known(s string) string {
	return variable.ReplaceAllStringFunc(s, func(v string) string {
		if value, ok := m.vars[v[1:]]; ok {
			return value
		}
		return v
	})
}

// pretty writes an element with one line for each child that has children.
func pretty(el *stream.Element) string {
	var b strings.Builder
	prettyTo(&b, el, "", "    ")
	return b.String()
}

func prettyTo(b *strings.Builder, el *stream.Element, space, indent string) {
	b.WriteString(indent + "<" + el.Local())
	if el.Space() != space && (space != "" || el.Space() != stream.NSComponent) {
		fmt.Fprintf(b, " xmlns='%s'", el.Space())
	}
	for name, value := range el.Attrs() {
		prefix := ""
		if name.Space != "" {
			prefix = "xml:"
		}
		fmt.Fprintf(b, " %s%s='%s'", prefix, name.Local, value)
	}
	text := strings.TrimSpace(el.Text())
	hasChildren := false
	for range el.Children() {
		hasChildren = true
		break
	}
	switch {
	case !hasChildren && text == "":
		b.WriteString("/>\n")
		return
	case !hasChildren:
		fmt.Fprintf(b, ">%s</%s>\n", text, el.Local())
		return
	}
	b.WriteString(">" + text + "\n")
	for c := range el.Children() {
		prettyTo(b, c, el.Space(), indent+"  ")
	}
	fmt.Fprintf(b, "%s</%s>\n", indent, el.Local())
}
