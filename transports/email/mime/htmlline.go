package mime

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

func lastRune(s string) rune {
	r, _ := utf8.DecodeLastRuneInString(s)
	return r
}

func (r *renderer) flushSpace() {
	if r.space && r.line.Len() > 0 {
		r.put(" ", r.last().style&r.style())
	}
	r.space = false
}

// word adds text without white space.
func (r *renderer) word(w string) {
	r.flushSpace()
	r.put(r.bullet, 0)
	r.bullet = ""
	r.put(w, r.style())
	r.outside = r.outside || r.pre == 0
	r.goesOn()
	if r.line.Len() > maxHTMLOut {
		r.newline()
	}
}

// newline writes the line out, if there is anything in it.
func (r *renderer) newline() {
	r.space = false
	if r.line.Len() == 0 {
		return
	}
	if r.href != "" {
		r.endLink()
	}
	r.between()
	r.out.WriteString(r.prefix())
	r.out.WriteString(strings.TrimRight(r.styledLine(), " "))
	r.out.WriteByte('\n')
	r.line.Reset()
	r.runs, r.mark = r.runs[:0], 0
}

// lineBreak ends the line. One that is empty is meant to be: mail programs write paragraphs as lines with such between
// them, <div>a</div><div><br></div><div>b</div>. Several of them count once.
func (r *renderer) lineBreak() {
	if r.line.Len() == 0 && r.bullet == "" && r.out.Len() > r.begun {
		r.gap = true
	}
	r.newline()
}

// between writes the empty line that is due.
func (r *renderer) between() {
	if r.gap && r.out.Len() > 0 {
		between := strings.Repeat("> ", min(r.quote, r.quoteBefore, maxQuote))
		r.out.WriteString(strings.TrimRight(between, " ") + "\n")
	}
	r.gap, r.quoteBefore = false, r.quote
}

func (r *renderer) prefix() string { return strings.Repeat("> ", min(r.quote, maxQuote)) }

// paragraph ends the line and wants an empty one before the next.
func (r *renderer) paragraph() {
	r.newline()
	r.gap = true
}

func (r *renderer) list(t tag) {
	r.newline()
	r.gap = r.gap || len(r.lists) == 0
	if len(r.lists) >= maxOpen {
		return
	}
	next := -1
	if t.name == "ol" {
		next = 1
		if n, err := strconv.Atoi(t.start); err == nil && n >= 0 && n < 1e6 {
			next = n
		}
	}
	r.lists = append(r.lists, next)
}

func (r *renderer) item() {
	r.newline()
	bullet := "- "
	if n := len(r.lists); n > 0 {
		if next := r.lists[n-1]; next >= 0 {
			bullet = strconv.Itoa(next) + ". "
			r.lists[n-1]++
		}
		bullet = strings.Repeat("  ", min(n-1, 10)) + bullet
	}
	r.bullet = bullet
}

// cell separates the cells of a row; a layout table's blocks have ended the line already.
func (r *renderer) cell() {
	if r.line.Len() == 0 {
		return
	}
	if r.href != "" {
		r.endLink()
	}
	r.put(" | ", 0)
	r.space = false
}

// image shows what the sender wrote for those who see no images.
func (r *renderer) image(t tag) {
	tiny := t.width == "1" || t.width == "0" || t.height == "1" || t.height == "0"
	alt := OneLine(t.alt)
	if alt == "" && !t.hasAlt && t.src != "" {
		alt = "image" // with an empty alt it says itself that it is decoration
	}
	if alt == "" || tiny || r.hide && t.invisible() {
		return
	}
	r.word("[" + Truncate(alt, 300) + "]")
}

// endLink writes the address of a link after its text, unless the text is the address.
func (r *renderer) endLink() {
	href := r.href
	r.href = ""
	scheme, _, ok := strings.Cut(href, ":")
	if href == "" || !ok || len(href) > 4000 {
		return
	}
	switch strings.ToLower(scheme) {
	case "http", "https", "mailto", "tel", "xmpp", "ftp", "sip", "geo":
	default:
		return
	}
	href = OneLine(href)
	line := r.line.String()
	text := strings.TrimSpace(line[min(r.mark, len(line)):])
	if text == "" || sameLink(text, href) {
		return
	}
	r.put(" <"+href+">", 0)
}

func sameLink(text, href string) bool {
	plain := func(s string) string {
		s = strings.ToLower(s)
		for _, p := range []string{"mailto:", "tel:", "https://", "http://", "www."} {
			s = strings.TrimPrefix(s, p)
		}
		return strings.TrimSuffix(s, "/")
	}
	return plain(text) == plain(href)
}
