package mime

import (
	"strings"
	"time"

	netmail "net/mail"
)

// Mailbox is an address as a header field has it: Addr is not validated. Turned says that the name had characters that
// turn the order of a text around. They are left out.
type Mailbox struct {
	Name, Addr string
	Turned     bool
}

// Mailboxes reads an address field leniently (RFC 5322 section 3.4): names without quotes, comments as names,
// groups, missing angle brackets. What has no @ is left out.
func (p *Part) Mailboxes(name string) []Mailbox {
	var all []Mailbox
	for _, v := range p.Header.All(name, 10) {
		all = p.msg.mailboxes(all, v)
	}
	return all
}

func (m *Message) mailboxes(all []Mailbox, s string) []Mailbox {
	plain := false // once a quote was never closed none is believed
	for s != "" && len(all) < m.limits.Addresses {
		var item string
		item, s, plain = nextAddress(s, plain)
		if mb, ok := m.mailbox(item); ok {
			all = append(all, mb)
		}
	}
	return all
}

// nextAddress cuts at the first comma, semicolon or group colon outside of quotes, comments and brackets. It is plain
// if those are to be taken for what they are not: characters.
func nextAddress(s string, plain bool) (item, rest string, isPlain bool) {
	quoted, angle, comment, seen := false, false, 0, false
	for i := 0; i < len(s) && !plain; i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case c == '"' && comment == 0:
			quoted = !quoted
		case quoted:
		case c == '(':
			comment++
		case c == ')' && comment > 0:
			comment--
		case comment > 0:
		case c == '<':
			angle = true
		case c == '>':
			angle = false
		case c == '@':
			seen = true
		case c == ',', !angle && (c == ';' || c == ':' && !seen):
			return s[:i], s[i+1:], false
		}
	}
	if plain || quoted || comment > 0 { // never closed: the comma is the best guess
		if i := strings.IndexByte(s, ','); i >= 0 {
			return s[:i], s[i+1:], true
		}
	}
	return s, "", plain
}

func (m *Message) mailbox(item string) (Mailbox, bool) {
	var mb Mailbox
	if i := strings.LastIndexByte(item, '<'); i >= 0 {
		addr := item[i+1:]
		if j := strings.IndexByte(addr, '>'); j >= 0 {
			addr = addr[:j]
		}
		mb.Addr, mb.Name = addr, item[:i]
		if _, routed, ok := strings.Cut(addr, ":"); ok && strings.HasPrefix(strings.TrimSpace(addr), "@") {
			mb.Addr = routed // a source route, RFC 5322 section 4.4
		}
	} else {
		mb.Addr = stripComments(item)
		if i := strings.IndexByte(item, '('); i >= 0 {
			mb.Name = strings.TrimRight(item[i+1:], " )\t")
		}
	}
	mb.Addr = trimAddr(mb.Addr)
	name := m.decodeWords(unquote(stripComments(mb.Name)))
	mb.Name, mb.Turned = OneLine(name), strings.ContainsFunc(name, turns)
	return mb, strings.Contains(mb.Addr, "@")
}

// turns says which characters change the order in which a text is read: the overrides, embeddings and isolates of
// Unicode. The marks (LRM, RLM) do not: names in Hebrew and Arabic have them.
func turns(r rune) bool { return 0x202A <= r && r <= 0x202E || 0x2066 <= r && r <= 0x2069 }

// trimAddr takes away white space, also around the @, unless the local part is quoted.
func trimAddr(s string) string {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, `"`) {
		return s
	}
	s = strings.TrimPrefix(s, "mailto:")
	return strings.Join(strings.Fields(s), "")
}

// unquote takes the quotes of quoted-strings away, wherever they stand.
func unquote(s string) string {
	if !strings.ContainsAny(s, `"\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] != '"':
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// MessageIDs returns the ids of a field such as References, with their brackets, at most limit of at most 998 bytes.
// Bare ids, as some programs write them, get brackets.
func MessageIDs(value string, limit int) []string {
	var ids []string
	for _, word := range strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' }) {
		for word != "" && len(ids) < limit {
			id, rest := word, ""
			if i := strings.IndexByte(word[1:], '<'); i >= 0 {
				id, rest = word[:i+1], word[i+1:]
			}
			word = rest
			id = strings.TrimSuffix(strings.TrimPrefix(id, "<"), ">")
			if id == "" || len(id) > 996 || strings.ContainsAny(id, "<>") || !strings.Contains(id, "@") || !isPrintable(id) {
				continue
			}
			ids = append(ids, "<"+id+">")
		}
	}
	return ids
}

// MessageID returns the id of a Message-ID field with brackets. Anything printable between brackets will do, because
// it is only ever compared; "" if there is nothing.
func MessageID(value string) string {
	if i := strings.IndexByte(value, '<'); i >= 0 {
		value = value[i+1:]
		if j := strings.IndexByte(value, '>'); j >= 0 {
			value = value[:j]
		}
	}
	value = strings.TrimSpace(value)
	if value == "" || len(value) > 996 || strings.ContainsAny(value, "<>") || !isPrintable(value) {
		return ""
	}
	return "<" + value + ">"
}

func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// dateLayouts are what net/mail does not read and senders write.
var dateLayouts = []string{
	"Mon, 2 Jan 2006 15:04:05 -0700", "Mon Jan 2 15:04:05 2006", "Mon Jan 2 15:04:05 MST 2006", "Mon Jan 2 15:04:05 -0700 2006",
	"Mon, 2 Jan 2006 15:04:05", "2 Jan 2006 15:04:05", "Mon, 2 Jan 2006", time.RFC3339, "2006-01-02 15:04:05 -0700",
	"2006-01-02 15:04:05", "Monday, January 2, 2006 3:04 PM", "Mon, 02-Jan-06 15:04:05 -0700",
}

// zoneOffset is that of the names of RFC 5322 section 4.3; "" for others, which say nothing that could be relied on: the same
// letters are used in several parts of the world.
func zoneOffset(name string) string {
	switch name {
	case "EDT":
		return "-0400"
	case "EST", "CDT":
		return "-0500"
	case "CST", "MDT":
		return "-0600"
	case "MST", "PDT":
		return "-0700"
	case "PST":
		return "-0800"
	case "UT", "UTC", "GMT", "Z":
		return "+0000"
	}
	return ""
}

// numericZones replaces the names of zones in a date, so that it means the same on every machine.
func numericZones(date string) string {
	words := strings.Fields(date)
	for i, w := range words {
		offset := zoneOffset(strings.ToUpper(w))
		last := i > 3 && i == len(words)-1 && strings.Trim(w, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" && w != "AM" && w != "PM"
		switch {
		case offset != "":
			words[i] = offset
		case last:
			words[i] = "+0000"
		}
	}
	return strings.Join(words, " ")
}

// Date returns the moment of a Date field; zero if it cannot be read.
func (p *Part) Date() time.Time {
	v := p.Header.Get("Date")
	if len(v) > 200 {
		return time.Time{}
	}
	v = numericZones(stripComments(v))
	if t, err := time.Parse("Mon, 2 Jan 2006 15:04:05 -0700", v); err == nil { // nearly all; the others are slow
		return t
	}
	if t, err := netmail.ParseDate(v); err == nil {
		return t
	}
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, v); err == nil {
			return t
		}
	}
	return time.Time{}
}
