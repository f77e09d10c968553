// Package hypertext writes a chat message as the HTML part of a mail. What is styled in the text (core/style) is shown
// as such, and addresses become links; everything else is the text itself, escaped. The HTML is minimal: no styles but
// the bar of a quotation, no scripts, no pictures, nothing that is fetched.
//
// All functions are pure.
package hypertext

import (
	"html"
	"regexp"
	"strings"

	"gangway/core/style"
)

// Styled says whether anything in a text looks better as HTML than as it is.
func Styled(text string) bool {
	for _, l := range style.Lines(text) {
		if l.Kind != style.Plain || len(style.Spans(l.Text)) > 0 {
			return true
		}
	}
	return false
}

// Page writes a text as a whole page. lang is a BCP 47 tag, or empty; quoted is what stands below the text, as
// Quotation writes it, or empty.
func Page(text, lang, quoted string) string {
	var w writer
	w.b.WriteString("<!DOCTYPE html>\n<html")
	if isTag(lang) {
		w.b.WriteString(` lang="` + lang + `"`)
	}
	w.b.WriteString(">\n<head><meta charset=\"utf-8\"></head>\n<body dir=\"auto\">\n")
	w.text(text)
	w.b.WriteString(quoted + "</body>\n</html>\n")
	return w.b.String()
}

// Quotation writes what is answered, under a line that introduces it, in the words by which mail programs know that
// they may fold it away.
func Quotation(introduction, text string) string {
	var w writer
	w.b.WriteString("<br>\n<div class=\"gmail_quote\"><div dir=\"auto\" class=\"gmail_attr\">")
	w.b.WriteString(html.EscapeString(introduction) + "<br></div>\n")
	w.b.WriteString("<blockquote type=\"cite\" class=\"gmail_quote\"" + bar + ">\n")
	w.text(text)
	w.b.WriteString("</blockquote></div>\n")
	return w.b.String()
}

// bar is how mail programs show a quotation. Those that forget style sheets keep it here.
const bar = ` style="margin:0 0 0 .8ex;border-left:1px solid #ccc;padding-left:1ex"`

// maxQuotes bounds how deep quotations lie within one another.
const maxQuotes = 6

type writer struct {
	b      strings.Builder
	quotes int
	pre    bool
}

// text writes lines, in blocks of one kind.
func (w *writer) text(text string) {
	for _, l := range style.Lines(strings.TrimRight(text, "\n")) {
		switch l.Kind {
		case style.Quote:
			depth, rest := unquote(l.Text)
			w.nest(depth)
			w.line(rest)
		case style.Fence:
			w.nest(0)
			if w.pre = !w.pre; w.pre {
				w.b.WriteString("<pre>")
			} else {
				w.b.WriteString("</pre>\n")
			}
		case style.Code:
			w.b.WriteString(html.EscapeString(l.Text) + "\n")
		default:
			w.nest(0)
			w.line(l.Text)
		}
	}
	w.nest(0)
}

// unquote takes the marks of a quotation away, and one space after each.
func unquote(line string) (depth int, rest string) {
	for strings.HasPrefix(line, ">") && depth < maxQuotes {
		line = strings.TrimPrefix(line[1:], " ")
		depth++
	}
	return depth, line
}

// nest opens and closes quotations.
func (w *writer) nest(depth int) {
	for ; w.quotes < depth; w.quotes++ {
		w.b.WriteString("<blockquote" + bar + ">\n")
	}
	for ; w.quotes > depth; w.quotes-- {
		w.b.WriteString("</blockquote>\n")
	}
}

// line writes a line as a block of its own, which programs wrap as they like.
func (w *writer) line(line string) {
	w.b.WriteString("<div>")
	if strings.TrimSpace(line) == "" {
		w.b.WriteString("<br>")
	} else {
		w.spans(line)
	}
	w.b.WriteString("</div>\n")
}

// element is what shows a style.
func element(s style.Style) string {
	switch s {
	case style.Strong:
		return "strong"
	case style.Emphasis:
		return "em"
	case style.Struck:
		return "s"
	}
	return "code"
}

// spans writes the words of a line, each in its style.
func (w *writer) spans(line string) {
	at, open := 0, []style.Span(nil)
	closeUpTo := func(end int) {
		for n := len(open) - 1; n >= 0 && open[n].End <= end; n-- {
			w.words(line[at:open[n].End], open)
			at = open[n].End + 1
			w.b.WriteString("</" + element(open[n].Style) + ">")
			open = open[:n]
		}
	}
	for _, s := range style.Spans(line) {
		closeUpTo(s.Start - 1)
		w.words(line[at:s.Start-1], open)
		at = s.Start
		w.b.WriteString("<" + element(s.Style) + ">")
		open = append(open, s)
	}
	closeUpTo(len(line))
	w.words(line[at:], nil)
}

// words writes text of one style; what is verbatim has no links.
func (w *writer) words(s string, within []style.Span) {
	if n := len(within); n > 0 && within[n-1].Style == style.Verbatim {
		w.escaped(s)
		return
	}
	for {
		at := address.FindStringIndex(s)
		if at == nil {
			break
		}
		end := at[0] + len(linkEnd(s[at[0]:at[1]]))
		w.escaped(s[:at[0]])
		link := html.EscapeString(s[at[0]:end])
		w.b.WriteString(`<a href="` + link + `">` + link + "</a>")
		s = s[end:]
	}
	w.escaped(s)
}

// escaped keeps the spaces of a line that HTML would make one.
func (w *writer) escaped(s string) {
	s = html.EscapeString(strings.ReplaceAll(s, "\t", "    "))
	s = strings.ReplaceAll(s, "  ", "\u00a0 ")
	w.b.WriteString(s)
}

// address is what becomes a link.
var address = regexp.MustCompile(`\bhttps?://[^\s<>"\x60\x{a0}]{3,}`)

// linkEnd is an address without what belongs to the sentence around it.
func linkEnd(s string) string {
	for {
		short := strings.TrimRight(s, ".,;:!?'*_~")
		for _, pair := range []string{"()", "[]", "{}"} {
			if strings.HasSuffix(short, pair[1:]) && strings.Count(short, pair[1:]) > strings.Count(short, pair[:1]) {
				short = short[:len(short)-1]
			}
		}
		if short == s {
			return s
		}
		s = short
	}
}

// isTag says whether a language's name can stand in an attribute.
func isTag(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') && s[i] != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 35
}
