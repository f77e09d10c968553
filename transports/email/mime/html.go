package mime

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"gangway/core/style"
)

const (
	maxHTMLOut = 64 << 10 // bytes of text made from one page
	maxQuote   = 6        // blockquotes that are shown as such
	maxOpen    = 200      // lists that are tracked
)

// HTMLText renders a page as text with the styling of XEP-0393. It fetches nothing, runs nothing and shows nothing that
// was hidden, unless there is nothing else. It works on tokens, so that no nesting can lose the text.
func HTMLText(page string) string {
	text, _ := htmlText(page)
	return text
}

// htmlText also returns where in the text the mail that is answered begins, as far as the page marks that; 0 if it
// does not, or more follows after it.
func htmlText(page string) (text string, quoted int) {
	r := renderer{hide: true, fences: true}
	text, quoted = r.render(page)
	if text == "" {
		r = renderer{fences: true}
		text, quoted = r.render(page)
	}
	if r.fenced && !r.outside { // a text in a page, and no example in a text
		r = renderer{hide: r.hide}
		text, quoted = r.render(page)
	}
	return text, quoted
}

func (r *renderer) render(page string) (text string, quoted int) {
	z := html.NewTokenizer(strings.NewReader(page))
	for r.out.Len() < maxHTMLOut {
		kind := z.Next()
		switch kind {
		case html.ErrorToken:
			return r.end()
		case html.TextToken:
			r.text(string(z.Text()))
		case html.StartTagToken, html.SelfClosingTagToken:
			name, more := z.TagName()
			t := tag{atom: atom.Lookup(name), name: string(name), void: kind == html.SelfClosingTagToken}
			if more {
				t.read(z)
			}
			r.startTag(t)
		case html.EndTagToken:
			name, _ := z.TagName()
			r.endTag(atom.Lookup(name), string(name))
		}
	}
	return r.end()
}

// end returns the text so far, and where what it answers begins.
func (r *renderer) end() (text string, quoted int) {
	r.newline()
	r.fence(false)
	out := r.out.String()
	text = strings.TrimLeft(out, " \t\n")
	quoted = max(0, r.answered-(len(out)-len(text)))
	text = strings.TrimSpace(text)
	if quoted >= len(text) {
		quoted = 0
	}
	return text, quoted
}

// tag is a start tag with the attributes that matter.
type tag struct {
	atom                      atom.Atom
	name                      string
	href, alt, style          string
	width, height, start, src string
	class, id, kind           string
	hidden, void, hasAlt      bool
}

func (t *tag) read(z *html.Tokenizer) {
	for range 100 {
		key, value, more := z.TagAttr()
		switch string(key) {
		case "href":
			t.href = strings.TrimSpace(string(value))
		case "alt":
			t.alt, t.hasAlt = string(value), true
		case "style":
			t.style = strings.ToLower(strings.Join(strings.Fields(string(value)), ""))
		case "width":
			t.width = string(value)
		case "height":
			t.height = string(value)
		case "src":
			t.src = string(value)
		case "start":
			t.start = string(value)
		case "class":
			t.class = " " + strings.ToLower(string(value)) + " "
		case "id":
			t.id = strings.ToLower(string(value))
		case "type", "name":
			t.kind = strings.ToLower(string(value))
		case "hidden":
			t.hidden = true
		}
		if !more {
			return
		}
	}
}

// invisible says whether the sender meant the element not to be seen.
func (t *tag) invisible() bool {
	s := t.style
	return t.hidden || strings.Contains(s, "display:none") || strings.Contains(s, "visibility:hidden") ||
		strings.Contains(s, "font-size:0;") || strings.Contains(s, "font-size:0px") || strings.HasSuffix(s, "font-size:0")
}

// renderer builds the text line by line.
type renderer struct {
	hide   bool
	fences bool // what is preformatted is marked as such
	out    strings.Builder
	line   strings.Builder
	runs   []run // of line, by their style

	space bool // white space is due before the next word
	gap   bool // an empty line is due before the next line
	quote int
	// quoteBefore is the quote of the line before.
	quoteBefore int
	bullet      string // due before the next word
	pre         int
	lists       []int  // the number of the next item; -1 in an unordered list
	skip        string // the element whose content is left out
	nested      int    // elements of the same name inside it
	href        string
	mark        int                 // where the link's text began in line
	head        bool                // in a heading
	styled      map[style.Style]int // elements that are open, by their style

	fenced, fencing bool // something was marked as preformatted; that is still open
	outside         bool // there is text that is not preformatted
	begun           int  // where in out preformatted text began last

	answered  int    // where in out the mail that is answered begins; 0: not known
	container string // the element that holds that mail; empty once it has ended
	inside    int    // elements of the same name in it
}

var (
	blocks = []atom.Atom{
		atom.Address, atom.Article, atom.Aside, atom.Div, atom.Dl, atom.Dt, atom.Dd, atom.Fieldset, atom.Figure, atom.Footer,
		atom.Form, atom.Header, atom.Main, atom.Nav, atom.Section, atom.Table, atom.Tr, atom.Center, atom.Caption, atom.Tbody,
	}
	dropped  = []atom.Atom{atom.Script, atom.Style, atom.Title, atom.Template, atom.Object, atom.Svg, atom.Select, atom.Noframes}
	headings = []atom.Atom{atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6}
	voids    = []atom.Atom{atom.Br, atom.Hr, atom.Img, atom.Input, atom.Meta, atom.Link, atom.Area, atom.Col, atom.Wbr, atom.Base}
)

func (r *renderer) startTag(t tag) {
	if r.skip == "p" && (t.atom == atom.P || slices.Contains(blocks, t.atom)) {
		r.skip = "" // a paragraph ends where the next block begins
	}
	if r.skip != "" {
		if t.name == r.skip && !t.void {
			r.nested++
		}
		return
	}
	void := t.void || slices.Contains(voids, t.atom)
	r.quotes(t, void)
	if !void && (slices.Contains(dropped, t.atom) || r.hide && t.invisible() && t.atom != atom.Body && t.atom != atom.Html) {
		r.skip, r.nested = t.name, 0
		return
	}
	switch {
	case t.atom == atom.Br:
		r.lineBreak()
	case t.atom == atom.Hr:
		r.newline()
		r.word("---")
		r.newline()
	case t.atom == atom.Img:
		r.image(t)
	case t.atom == atom.A:
		r.endLink()
		r.href, r.mark = t.href, r.line.Len()
	case t.atom == atom.P, slices.Contains(headings, t.atom):
		r.paragraph()
		r.head = t.atom != atom.P
	case t.atom == atom.Blockquote:
		r.paragraph()
		r.quote++
	case t.atom == atom.Pre:
		r.paragraph()
		r.pre++
		r.fence(true)
	case styleOf(t.atom) != 0 && !t.void:
		r.open(styleOf(t.atom), 1)
	case t.atom == atom.Ul, t.atom == atom.Ol:
		r.list(t)
	case t.atom == atom.Li:
		r.item()
	case t.atom == atom.Td, t.atom == atom.Th:
		r.cell()
	case slices.Contains(blocks, t.atom):
		r.newline()
	}
}

func (r *renderer) endTag(a atom.Atom, name string) {
	r.quotesEnd(name)
	if r.skip != "" {
		if name == r.skip {
			if r.nested--; r.nested < 0 {
				r.skip = ""
			}
		}
		return
	}
	switch {
	case a == atom.A:
		r.endLink()
	case a == atom.P, slices.Contains(headings, a):
		r.paragraph()
		r.head = false
	case a == atom.Blockquote:
		r.paragraph()
		r.quote = max(0, r.quote-1)
	case a == atom.Pre:
		r.paragraph()
		r.pre = max(0, r.pre-1)
		r.fence(r.pre > 0)
	case styleOf(a) != 0:
		r.open(styleOf(a), -1)
	case a == atom.Ul, a == atom.Ol:
		r.newline()
		if len(r.lists) > 0 {
			r.lists = r.lists[:len(r.lists)-1]
		}
		r.gap = r.gap || len(r.lists) == 0
	case a == atom.Li, slices.Contains(blocks, a):
		r.newline()
	}
}

// text adds character data; white space counts once, except in pre.
func (r *renderer) text(s string) {
	if r.skip != "" {
		return
	}
	s = Truncate(Clean(s), maxHTMLOut)
	if r.pre > 0 {
		for i, line := range strings.Split(s, "\n") {
			if i > 0 {
				r.lineBreak()
			}
			r.flushSpace()
			r.put(line, 0)
		}
		return
	}
	for i, w := range strings.FieldsFunc(s, isHTMLSpace) {
		if i > 0 || isHTMLSpace(firstRune(s)) {
			r.space = true
		}
		r.word(w)
	}
	if s != "" && isHTMLSpace(lastRune(s)) {
		r.space = true
	}
}

func isHTMLSpace(c rune) bool {
	return c == ' ' || c == '\n' || c == '\t' || c == 0xa0 || c == 0x200b || c == 0x34f || c == 0xad
}
