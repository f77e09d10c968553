package mime

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/html/atom"

	"gangway/core/style"
)

// run is a stretch of a line in one style; it begins where the one before ends.
type run struct {
	end   int
	style style.Style
}

// styleOf is how an element shows its words.
func styleOf(a atom.Atom) style.Style {
	switch a {
	case atom.B, atom.Strong:
		return style.Strong
	case atom.I, atom.Em, atom.Cite:
		return style.Emphasis
	case atom.S, atom.Strike, atom.Del:
		return style.Struck
	case atom.Code, atom.Kbd, atom.Samp, atom.Tt:
		return style.Verbatim
	}
	return 0
}

// open notes that an element of a style begins, or ends.
func (r *renderer) open(s style.Style, n int) {
	if r.styled == nil {
		r.styled = map[style.Style]int{}
	}
	r.styled[s] = max(0, r.styled[s]+n)
}

// style is that of the next word.
func (r *renderer) style() style.Style {
	if r.pre > 0 {
		return 0
	}
	var all style.Style
	for s, n := range r.styled {
		if n > 0 {
			all |= s
		}
	}
	if r.head {
		all |= style.Strong
	}
	return all
}

// put adds to the line.
func (r *renderer) put(s string, as style.Style) {
	if s == "" {
		return
	}
	r.line.WriteString(s)
	if n := len(r.runs); n > 0 && r.runs[n-1].style == as {
		r.runs[n-1].end = r.line.Len()
		return
	}
	r.runs = append(r.runs, run{r.line.Len(), as})
}

// last is the last run of the line.
func (r *renderer) last() run {
	if n := len(r.runs); n > 0 {
		return r.runs[n-1]
	}
	return run{}
}

// styledLine writes the line with its styles. A style that ends within a word is left out: it could not be told from
// characters that somebody typed.
func (r *renderer) styledLine() string {
	line := r.line.String()
	if len(r.runs) == 1 && r.runs[0].style == 0 {
		return line
	}
	var w style.Writer
	from := 0
	for _, one := range r.runs {
		as := one.style
		if next := firstRune(line[one.end:]); line[one.end-1] != ' ' && (unicode.IsLetter(next) || unicode.IsDigit(next)) {
			as = 0
		}
		w.Write(line[from:one.end], as)
		from = one.end
	}
	return w.String()
}

// fence opens or closes what is preformatted (XEP-0393 section 5.1.1).
func (r *renderer) fence(on bool) {
	if !r.fences || on == r.fencing || on && r.pre > 1 {
		return
	}
	r.newline()
	if on {
		r.between()
		r.fenced = true
	} else {
		r.gap = false
	}
	r.out.WriteString(r.prefix() + "```\n")
	r.fencing = on
	r.gap = !on
	r.begun = r.out.Len()
}

var (
	// quoteClasses and quoteIDs are what mail programs call the element with the mail that is answered.
	quoteClasses = []string{"gmail_quote", "gmail_quote_container", "moz-cite-prefix", "yahoo_quoted", "protonmail_quote", "zmail_extra", "tutanota_quote"}
	quoteIDs     = []string{"appendonsend", "divrplyfwdmsg", "x_divrplyfwdmsg", "x_appendonsend", "zwchr"} // it follows these
	quoteBorders = []string{"border-top:solid#e1e1e1", "border-top:solid#b5c4df"}                          // Outlook, the same
)

// quotes notes where the mail that is answered begins.
func (r *renderer) quotes(t tag, void bool) {
	if r.container != "" {
		if t.name == r.container && !void {
			r.inside++
		}
		return
	}
	holds := t.atom == atom.Blockquote && t.kind == "cite" || t.kind == "quote" || t.kind == "quoted-content" ||
		slices.ContainsFunc(quoteClasses, func(c string) bool { return strings.Contains(t.class, " "+c+" ") })
	rest := slices.Contains(quoteIDs, t.id) ||
		slices.ContainsFunc(quoteBorders, func(b string) bool { return strings.Contains(t.style, b) })
	if !holds && !rest || holds && void {
		return
	}
	r.newline()
	if r.answered == 0 {
		r.answered = r.out.Len()
	}
	r.container, r.inside = t.name, 0
	if rest {
		r.container = "/" // the rest of the page
	}
}

func (r *renderer) quotesEnd(name string) {
	if name != r.container {
		return
	}
	if r.inside--; r.inside < 0 {
		r.newline()
		r.container = ""
	}
}

// goesOn notes that there is text; after the mail that is answered, that is an answer, and not to be cut off.
func (r *renderer) goesOn() {
	if r.container == "" {
		r.answered = 0
	}
}
