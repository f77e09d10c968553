package mime

import (
	"slices"
	"strings"
)

// Body is what a person would see of a message.
type Body struct {
	Text  string // clean, with \n; no longer than asked for
	Cut   int    // bytes of text that are left out
	Files []*Part
	// Quoted is where in Text the mail begins that is answered, as far as its HTML marks that and nothing follows it;
	// 0 if not.
	Quoted int
	// Encrypted is "OpenPGP" or "S/MIME" if only the key's owner can read it. Text says so as well.
	Encrypted string
	Signed    string // the same, of a signature, which nobody has checked
}

// Body finds the text and the files of a message. limit bounds the text, in bytes.
func (m *Message) Body(limit int) Body {
	b := bodyFinder{limit: limit}
	b.part(m.Root)
	if b.text.Len() == 0 {
		b.lastResorts()
	}
	text := b.text.String()
	cut := Truncate(text, limit)
	b.Text, b.Cut = cut, len(text)-len(cut)+b.left
	if b.Quoted >= len(cut) {
		b.Quoted = 0
	}
	return b.Body
}

// bodyFinder collects a Body.
type bodyFinder struct {
	Body
	limit int
	left  int // bytes of text that were not collected
	text  strings.Builder
	later []string // texts to show if there is no other
	once  []string // summaries that have been shown
}

// add appends a paragraph of text.
func (b *bodyFinder) add(text string) { b.addQuoting(text, 0) }

// addQuoting appends text that quotes a mail from an offset on.
func (b *bodyFinder) addQuoting(text string, quoted int) {
	trimmed := strings.TrimLeft(text, "\n")
	quoted -= len(text) - len(trimmed)
	text = strings.TrimRight(trimmed, " \n")
	if strings.TrimSpace(text) == "" {
		return
	}
	b.Quoted = 0
	if b.text.Len() > b.limit {
		b.left += len(text)
		return
	}
	if b.text.Len() > 0 {
		b.text.WriteString("\n\n")
	}
	if quoted > 0 {
		b.Quoted = b.text.Len() + quoted
	}
	b.text.WriteString(text)
}

// part walks the tree in the order of reading.
func (b *bodyFinder) part(p *Part) {
	switch {
	case p.Type == "multipart/alternative":
		b.alternative(p)
	case p.Type == "multipart/encrypted":
		b.encrypted("OpenPGP")
		b.children(p)
	case len(p.Parts) > 0:
		if p.Type == "multipart/signed" {
			b.Signed = signer(p)
		}
		b.children(p)
	default:
		b.leaf(p)
	}
}

func (b *bodyFinder) children(p *Part) {
	for _, child := range p.Parts {
		if p.Type == "multipart/digest" && child.Type == "message/rfc822" && b.forwarded(child) {
			continue // to be read at once (RFC 2046 section 5.1.5)
		}
		b.part(child)
	}
}

// leaf shows what a person can read of it, and keeps the rest as a file.
func (b *bodyFinder) leaf(p *Part) {
	switch {
	case p.isText():
		b.readText(p)
	case p.isPKCS7():
		b.pkcs7(p)
	case p.Type == "text/calendar", p.Type == "application/ics":
		b.calendar(p)
	case p.isTNEF():
		b.tnef(p)
	case p.Type == "message/partial":
		b.add(p.partial())
		b.Files = append(b.Files, p)
	case p.Type == "message/external-body":
		b.add(p.external())
	case p.hasContent():
		b.Files = append(b.Files, p)
	}
}

// isText says whether a leaf is meant to be read where it stands. Text of an unknown kind is (RFC 2046 section 4.1.4),
// unless it is somebody's file.
func (p *Part) isText() bool {
	kind, params := p.Disposition()
	if kind == "attachment" {
		return false
	}
	minor, ok := strings.CutPrefix(p.Type, "text/")
	switch {
	case !ok:
		return false
	case slices.Contains([]string{"plain", "html", "enriched", "richtext", "markdown"}, minor):
		return true
	case slices.Contains([]string{"calendar", "vcard", "x-vcard", "directory", "css", "csv", "xml", "javascript"}, minor), !p.hasContent():
		return false
	}
	return params["filename"] == "" && p.Params["name"] == ""
}

// hasContent is false for what only programs read.
func (p *Part) hasContent() bool {
	switch p.Type {
	case "message/delivery-status", "message/global-delivery-status", "message/disposition-notification", "text/rfc822-headers",
		"message/global-headers", "application/pgp-signature", "application/pgp-encrypted",
		"application/pkcs7-signature", "application/x-pkcs7-signature",
		reactionJSON, "text/x-amp-html", "text/watch-html":
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
		case first.Type == "text/html":
			rich = child
		case plain == nil, first.Type == "text/plain" && textOf(child) != "":
			plain = child
		}
	}
	chosen := plain
	if rich != nil {
		p, r := textOf(plain), textOf(rich)
		if len(p) == 0 || len(p)*5 < len(r) || isStub(p) && len(p) < len(r) {
			chosen = rich
		}
	}
	for _, child := range p.Parts {
		if child == chosen {
			b.part(child)
			if b.Quoted == 0 && chosen == plain && rich != nil {
				b.quotedAs(rich)
			}
			continue
		}
		for _, leaf := range leaves(child, nil) { // a calendar entry, the other version's files
			if !leaf.isText() {
				b.leaf(leaf)
			}
		}
	}
}

// isStub says whether a text only sends its readers to the HTML.
func isStub(text string) bool {
	if len(text) > 400 {
		return false
	}
	text = strings.ToLower(text)
	return strings.Contains(text, "html") && (strings.Contains(text, "view") || strings.Contains(text, "support") ||
		strings.Contains(text, "display") || strings.Contains(text, "read"))
}

// quotedAs finds in plain text where its HTML marks the mail that is answered: after the same words.
func (b *bodyFinder) quotedAs(rich *Part) {
	html, at := firstText(rich).rendered()
	if at == 0 {
		return
	}
	want, text := letters(html[:at]), b.text.String()
	n := 0
	for i, r := range text {
		if n == len(want) {
			rest := strings.TrimLeft(text[i:], " \t\n")
			if rest != "" {
				b.Quoted = len(text) - len(rest)
			}
			return
		}
		if s := letters(string(r)); s != "" {
			if !strings.HasPrefix(want[n:], s) {
				return
			}
			n += len(s)
		}
	}
}

// letters are the characters of a text that do not depend on how it is laid out.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\n*_~`<>|[]-", r) {
			return -1
		}
		return r
	}, s)
}

func textOf(p *Part) string {
	if p == nil {
		return ""
	}
	if first := firstText(p); first != nil {
		text, _ := first.rendered()
		return strings.TrimSpace(text)
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

// Find returns the first leaf of a type, or nil.
func (m *Message) Find(kind string) *Part {
	for _, p := range leaves(m.Root, nil) {
		if p.Type == kind {
			return p
		}
	}
	return nil
}
