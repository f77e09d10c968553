package mime

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// reading is a leaf's text, decoded.
type reading struct {
	text   string
	quoted int // where the mail begins that is answered; 0: not known
}

// rendered decodes a text leaf to clean text. What was decoded once is kept.
func (p *Part) rendered() (text string, quoted int) {
	if p.read != nil {
		return p.read.text, p.read.quoted
	}
	content, charset := p.honest(p.Content(p.msg.limits.Text)), p.Params["charset"]
	if p.unsure && p.Type == "text/plain" && len(htmlSigns.FindAllIndex(content[:min(len(content), 4096)], 2)) == 2 {
		p.Type = "text/html"
		p.msg.defect("HTML that does not say so")
	}
	if charset == "" && p.Type == "text/html" {
		charset = htmlCharset(content)
	}
	if known := normalCharset(charset); known != "" && known != "utf-7" && !strings.HasPrefix(known, "iso-2022-") &&
		lookupCharset(known) == nil && !isASCII(known) {
		p.msg.defect("unknown charset")
	}
	text = decodeCharset(content, charset)
	switch {
	case p.Type == "text/html":
		text, quoted = htmlText(text)
	case p.Type == "text/enriched", p.Type == "text/richtext":
		text = unenrich(text)
	case strings.EqualFold(p.Params["format"], "flowed"):
		text = unflow(text, strings.EqualFold(p.Params["delsp"], "yes"))
	}
	if clean := Clean(text); clean != text {
		text, quoted = clean, 0
	}
	p.read = &reading{text, quoted}
	return text, quoted
}

// htmlSigns are elements that no other text has.
var htmlSigns = regexp.MustCompile(`(?i)</?(?:html|head|body|br|p|div|table|td|span|font|a href="[^"<>]*")(?:\s[^<>]{0,200})?/?>`)

// honest returns the content as it came where it says to be base64 and is plain text.
func (p *Part) honest(content []byte) []byte {
	if p.encoding() != "base64" || len(content) == 0 {
		return content
	}
	sample := p.body[:min(len(p.body), 4096)]
	foreign := 0
	for _, c := range sample {
		if base64Value(c) >= 64 && c != '=' && c != '\r' && c != '\n' {
			foreign++
		}
	}
	if foreign*20 < len(sample) || readableBytes(content) {
		return content
	}
	p.msg.defect("says to be base64 and is not")
	return p.body[:min(len(p.body), p.msg.limits.Text)]
}

// readableBytes says whether there are no controls, and is no broken UTF-8, in what was decoded.
func readableBytes(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != 0x1b {
			return false
		}
	}
	return utf8.Valid(b)
}

// isASCII says whether a charset's name says nothing that could not be found out.
func isASCII(name string) bool {
	return strings.Contains(name, "ascii") || strings.HasPrefix(name, "utf") || strings.HasPrefix(name, "ansi_x3")
}

// readText shows a text leaf, without what is in it that is no text.
func (b *bodyFinder) readText(p *Part) {
	text, quoted := p.rendered()
	p.read = nil // it may be large
	if p.Type == "text/html" {
		b.addQuoting(text, quoted)
		return
	}
	text, files := cutUUEncoded(p, text)
	b.Files = append(b.Files, files...)
	b.inlinePGP(p, text)
}

var (
	enrichedTag = regexp.MustCompile(`<(/?)([A-Za-z0-9-]{1,60})>`)
	enrichedGap = regexp.MustCompile(`\n+`)
)

// unenrich makes plain text of text/enriched (RFC 1896): a line break alone is a space, parameters are not shown.
func unenrich(text string) string {
	var out strings.Builder
	params := false
	text = enrichedGap.ReplaceAllStringFunc(newlines(text), func(s string) string {
		if len(s) == 1 {
			return " "
		}
		return s[1:]
	})
	text = strings.ReplaceAll(text, "<<", "\x00")
	for {
		m := enrichedTag.FindStringSubmatchIndex(text)
		if m == nil {
			break
		}
		if !params {
			out.WriteString(text[:m[0]])
		}
		if strings.EqualFold(text[m[4]:m[5]], "param") {
			params = m[2] == m[3]
		}
		if name := strings.ToLower(text[m[4]:m[5]]); name == "nl" || name == "paragraph" && m[2] != m[3] { // text/richtext, RFC 1341
			out.WriteByte('\n')
		}
		text = text[m[1]:]
	}
	if !params {
		out.WriteString(text)
	}
	return strings.ReplaceAll(out.String(), "\x00", "<")
}

// lastResorts finds something to read in a message without any text: the text of Outlook's file, a text that came as
// a file, a message that is passed on, what is nested too deeply.
func (b *bodyFinder) lastResorts() {
	for _, text := range b.later {
		if b.add(text); b.text.Len() > 0 {
			return
		}
	}
	for i, f := range b.Files {
		if f.Type != "text/plain" && f.Type != "text/html" {
			continue
		}
		text, _ := f.rendered()
		f.read = nil
		if b.add(text); b.text.Len() > 0 {
			b.Files = append(b.Files[:i:i], b.Files[i+1:]...)
			return
		}
	}
	for _, f := range b.Files {
		if f.Type == "message/rfc822" || f.Type == "message/global" {
			b.forwarded(f)
		}
		if strings.HasPrefix(f.Type, "multipart/") && b.text.Len() == 0 {
			b.deep(f)
		}
	}
}
