package mime

import (
	"fmt"
	"slices"
	"strings"

	"gangway/transports/email/calendar"
	"gangway/transports/email/tnef"
)

const (
	maxNested = 3  // messages within one another whose text is shown
	maxDeeper = 10 // times that a multipart which is too deep is taken apart by itself, where there is no other text
)

// made is a part of what was found within another.
func (p *Part) made(name, kind string, content []byte) *Part {
	return &Part{Type: kind, Params: map[string]string{"name": name}, body: content, msg: p.msg}
}

// inner takes the content of a part apart as a message of its own, with what is left of the limits; nil if it is too
// deep.
func (p *Part) inner(raw []byte) *Message {
	if p.msg.nested >= maxNested {
		return nil
	}
	m := p.within()
	m.nested++
	m.parse(raw)
	return m
}

// within is a message to be, with what is left of the limits.
func (p *Part) within() *Message {
	l := p.msg.limits
	l.Decoded -= p.msg.decoded
	l.Words -= p.msg.words
	return &Message{limits: l, nested: p.msg.nested, deeper: p.msg.deeper}
}

// deep shows the text of a multipart that was too deep to be taken apart with the message. It stays a file.
func (b *bodyFinder) deep(p *Part) {
	if p.msg.deeper >= maxDeeper {
		return
	}
	m := p.within()
	m.deeper++
	head := "Content-Type: " + p.Header.Get("Content-Type") + "\n\n"
	m.parse(append([]byte(head), p.body[:min(len(p.body), p.msg.limits.Text)]...))
	body := m.Body(b.limit)
	b.add(body.Text)
	b.left += body.Cut
}

// forwarded shows a message that is within this one: whom it is from, and its text. Its files are this one's, too.
func (b *bodyFinder) forwarded(p *Part) bool {
	if b.text.Len() > b.limit {
		return false
	}
	m := p.inner(p.Content(p.msg.limits.Text))
	if m == nil {
		return false
	}
	body := m.Body(b.limit)
	var lines []string
	for _, field := range []string{"From", "Date", "Subject"} {
		if v := Truncate(m.Root.Text(field), 300); v != "" {
			lines = append(lines, field+": "+v)
		}
	}
	if len(lines) == 0 && body.Text == "" {
		return false
	}
	b.add(strings.Join(lines, "\n") + "\n\n" + body.Text)
	b.left += body.Cut
	b.Quoted = 0
	if p.Type == "message/rfc822" && !slices.Contains(b.Files, p) {
		b.Files = append(b.Files, body.Files...)
	}
	return true
}

// calendar shows what an invitation is about, once, and keeps it as a file.
func (b *bodyFinder) calendar(p *Part) {
	content := p.Content(p.msg.limits.Text)
	text := Clean(calendar.Summary(decodeCharset(content, p.Params["charset"])))
	if text != "" && slices.Contains(b.once, text) { // the same as a file, and among the alternatives
		return
	}
	b.once = append(b.once, text)
	b.add(text)
	b.Files = append(b.Files, p)
}

func (p *Part) isTNEF() bool {
	return p.Type == "application/ms-tnef" || p.Type == "application/vnd.ms-tnef" ||
		p.Type == "application/octet-stream" && strings.EqualFold(p.FileName(), "winmail.dat")
}

// tnef shows what Outlook has wrapped up. What cannot be read stays a file.
func (b *bodyFinder) tnef(p *Part) {
	m, err := tnef.Read(p.Content(p.msg.limits.Decoded))
	if err != nil {
		b.Files = append(b.Files, p)
		return
	}
	if !m.Complete {
		p.msg.defect("winmail.dat breaks off")
		b.Files = append(b.Files, p)
	}
	for _, text := range []*Part{p.made("", "text/plain", m.Text), p.made("", "text/html", m.HTML)} {
		if len(text.body) == 0 {
			continue
		}
		if text.Type == "text/plain" {
			text.Params["charset"] = m.Charset
		}
		shown, _ := text.rendered()
		b.later = append(b.later, shown)
	}
	if len(m.RTF) > 0 && len(m.Text) == 0 && len(m.HTML) == 0 {
		b.later = append(b.later, Clean(tnef.RTFText(m.RTF, decodeCharset)))
	}
	for _, f := range m.Files {
		name, kind := f.Name, strings.ToLower(f.Type)
		if !f.Unicode {
			name = decodeCharset([]byte(name), m.Charset)
		}
		if major, minor, ok := strings.Cut(kind, "/"); !ok || !isToken(major) || !isToken(minor) {
			kind = "application/octet-stream"
		}
		b.Files = append(b.Files, p.made(name, kind, f.Data))
	}
}

// partial says that this is a piece of a message (RFC 2046 section 5.2.2), which nobody puts together any more.
func (p *Part) partial() string {
	number, total := OneLine(Truncate(p.Params["number"], 10)), OneLine(Truncate(p.Params["total"], 10))
	if total == "" {
		return fmt.Sprintf("[part %s of a message that was sent in pieces]", number)
	}
	return fmt.Sprintf("[part %s of %s of a message that was sent in pieces]", number, total)
}

// external says where the content is that did not come along (RFC 2046 section 5.2.3, RFC 2017). Nobody fetches it.
func (p *Part) external() string {
	if url := strings.Join(strings.Fields(p.Params["url"]), ""); url != "" {
		return "[the content is at <" + OneLine(Truncate(url, 2000)) + ">]"
	}
	var where []string
	for _, name := range []string{"site", "server", "directory", "name"} {
		if v := OneLine(Truncate(p.Params[name], 300)); v != "" {
			where = append(where, v)
		}
	}
	return "[the content is elsewhere: " + strings.Join(where, " ") + "]"
}
