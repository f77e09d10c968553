package ircv3

import (
	"maps"
	"slices"
	"strings"
)

// line is what is sent: to each as far as it has the capabilities.
type line struct {
	tags    map[string]string
	source  string // empty: the server
	command string
	params  []string // the last may be anything
}

// with returns a copy with a tag more.
func (l line) with(key, value string) line {
	l.tags = maps.Clone(l.tags)
	if l.tags == nil {
		l.tags = map[string]string{}
	}
	l.tags[key] = value
	return l
}

// without returns a copy without a tag.
func (l line) without(key string) line {
	l.tags = maps.Clone(l.tags)
	delete(l.tags, key)
	return l
}

var escapes = strings.NewReplacer(";", `\:`, " ", `\s`, `\`, `\\`, "\r", `\r`, "\n", `\n`) // message-tags, "Escaping values"

// render writes a line for somebody who has only some capabilities.
func (l line) render(server string, has func(string) bool) string {
	var tags []string
	for _, key := range slices.Sorted(maps.Keys(l.tags)) {
		if !has(tagNeeds(key)) {
			continue
		}
		if v := l.tags[key]; v != "" {
			tags = append(tags, key+"="+escapes.Replace(v))
		} else {
			tags = append(tags, key)
		}
	}
	var b strings.Builder
	if len(tags) > 0 {
		b.WriteString("@" + strings.Join(tags, ";") + " ")
	}
	if l.source == "" {
		l.source = server
	}
	b.WriteString(":" + l.source + " " + l.command)
	for i, p := range l.params {
		b.WriteByte(' ')
		if i == len(l.params)-1 && (p == "" || strings.Contains(p, " ") || strings.HasPrefix(p, ":")) {
			b.WriteByte(':')
		}
		b.WriteString(p)
	}
	return b.String() + "\r\n"
}

// tagNeeds is the capability without which a tag is not sent.
func tagNeeds(key string) string {
	switch key {
	case "time":
		return "server-time"
	case "account":
		return "account-tag"
	case "batch":
		return "batch"
	case "label":
		return "labeled-response"
	case "draft/multiline-concat":
		return "draft/multiline"
	}
	return "message-tags"
}
