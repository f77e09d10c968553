package mime

import "strings"

// Body is what a person would see of a message.
type Body struct {
	Text  string // clean, with \n; no longer than asked for
	Cut   int    // bytes of text that are left out
	Files []*Part
}

// Body finds the text and the files of a message. max bounds the text, in bytes.
func (m *Message) Body(limit int) Body {
	b := bodyFinder{limit: limit}
	b.part(m.Root)
	if b.text.Len() == 0 {
		b.readableFile()
	}
	text := b.text.String()
	cut := Truncate(text, limit)
	return Body{Text: cut, Cut: len(text) - len(cut) + b.left, Files: b.files}
}

type bodyFinder struct {
	limit int
	left  int // bytes of text that were not collected
	text  strings.Builder
	files []*Part
}

func (b *bodyFinder) add(text string) {
	text = strings.Trim(text, "\n")
	if strings.TrimSpace(text) == "" {
		return
	}
	if b.text.Len() > b.limit {
		b.left += len(text)
		return
	}
	if b.text.Len() > 0 {
		b.text.WriteString("\n\n")
	}
	b.text.WriteString(strings.TrimRight(text, " \n"))
}

// part walks the tree in the order of reading.
func (b *bodyFinder) part(p *Part) {
	switch {
	case p.Type == "multipart/alternative":
		b.alternative(p)
	case p.Type == "multipart/encrypted":
		b.add("[OpenPGP encrypted mail]")
		b.children(p)
	case len(p.Parts) > 0:
		b.children(p)
	case p.isText():
		b.add(p.readable())
	case p.isEnveloped():
		b.add("[S/MIME encrypted mail]")
		b.files = append(b.files, p)
	case p.hasContent():
		b.files = append(b.files, p)
	}
}

func (b *bodyFinder) children(p *Part) {
	for _, child := range p.Parts {
		b.part(child)
	}
}

// isEnveloped says whether a leaf is S/MIME that can only be read with a key (RFC 8551 section 3.2.2).
func (p *Part) isEnveloped() bool {
	return (p.Type == "application/pkcs7-mime" || p.Type == "application/x-pkcs7-mime") &&
		!strings.EqualFold(p.Params["smime-type"], "signed-data")
}

// isText says whether a leaf is meant to be read where it stands.
func (p *Part) isText() bool {
	if p.Type != "text/plain" && p.Type != "text/html" {
		return false
	}
	kind, _ := p.Disposition()
	return kind != "attachment"
}

// hasContent is false for what only programs read.
func (p *Part) hasContent() bool {
	switch p.Type {
	case "message/delivery-status", "message/disposition-notification", "text/rfc822-headers",
		"application/pgp-signature", "application/pgp-encrypted",
		"application/pkcs7-signature", "application/x-pkcs7-signature":
		return false
	}
	return !strings.HasPrefix(p.Type, "multipart/") || len(p.body) > 0
}

// alternative takes the plain text, unless there is none to speak of: some senders write "see the HTML" there.
func (b *bodyFinder) alternative(p *Part) {
	var plain, rich *Part
	for _, child := range p.Parts {
		switch first := firstText(child); {
		case first == nil:
		case first.Type == "text/plain":
			plain = child
		default:
			rich = child
		}
	}
	chosen := plain
	if rich != nil {
		p, r := textOf(plain), textOf(rich)
		if len(p) == 0 || len(p)*5 < len(r) {
			chosen = rich
		}
	}
	for _, child := range p.Parts {
		if child == chosen {
			b.part(child)
			continue
		}
		for _, leaf := range leaves(child, nil) { // a calendar entry, the other version's files
			if !leaf.isText() && leaf.hasContent() {
				b.files = append(b.files, leaf)
			}
		}
	}
}

func textOf(p *Part) string {
	if p == nil {
		return ""
	}
	if first := firstText(p); first != nil {
		return strings.TrimSpace(first.readable())
	}
	return ""
}

func firstText(p *Part) *Part {
	for _, leaf := range leaves(p, nil) {
		if leaf.isText() {
			return leaf
		}
	}
	return nil
}

func leaves(p *Part, all []*Part) []*Part {
	if len(p.Parts) == 0 {
		return append(all, p)
	}
	for _, child := range p.Parts {
		all = leaves(child, all)
	}
	return all
}

// readable decodes a text leaf to clean text. What was decoded once is kept.
func (p *Part) readable() string {
	if p.read != nil {
		return *p.read
	}
	content, charset := p.Content(p.msg.limits.Text), p.Params["charset"]
	if charset == "" && p.Type == "text/html" {
		charset = htmlCharset(content)
	}
	text := decodeCharset(content, charset)
	switch {
	case p.Type == "text/html":
		text = HTMLText(text)
	case strings.EqualFold(p.Params["format"], "flowed"):
		text = unflow(text, strings.EqualFold(p.Params["delsp"], "yes"))
	}
	text = Clean(text)
	p.read = &text
	return text
}

// readableFile shows the first text file of a message that has nothing else to read.
func (b *bodyFinder) readableFile() {
	for i, f := range b.files {
		if f.Type == "text/plain" || f.Type == "text/html" {
			b.add(f.readable())
			if b.text.Len() > 0 {
				b.files = append(b.files[:i:i], b.files[i+1:]...)
				return
			}
		}
	}
}

// Find returns the first leaf of a type, or nil.
func (m *Message) Find(kind string) *Part {
	for _, p := range leaves(m.Root, nil) {
		if p.Type == kind {
			return p
		}
	}
	return nil
}
