package core

import (
	"slices"
	"strings"
	"time"
)

// Held are the lines that a user has written to a correspondent within a moment, on their way to become one message.
// It is an event of the direction Window. See hold.go.
type Held struct {
	Ref
	// Lines are in the order in which they were written, each with the text that it has by now. The corrections that made
	// it are its Parts. There is at least one.
	Lines []*Message `json:"lines"`
}

func (*Held) event() {}

// Part is a message of the user's that goes within another one: a further line, or the correction of one.
type Part struct {
	ID     MessageID `json:"id"`
	Origin Origin    `json:"origin,omitzero"`
}

// Hold is how a network wants messages held; see Holder.
type Hold struct {
	Quiet time.Duration // after the last line; zero: nothing is held
	Most  time.Duration // after the first line
	Lines int           // as many go at once
	Text  int           // bytes: more does not go into one message
	Files int64         // bytes of files whose size is known, the same
	// Opens says whether a message begins one of its own, for a reason that only the network knows; nil: none does.
	Opens func(m *Message) bool
}

// maxHeldFiles is how many files go into one message, as from a single stanza.
const maxHeldFiles = 20

// due is when lines are let go of which the first was written at began and the last now.
func (r Hold) due(began, now time.Time) time.Time {
	last, end := now.Add(r.Quiet), began.Add(max(r.Most, r.Quiet))
	if last.Before(end) {
		return last
	}
	return end
}

// takes says whether m may be a further line: whether everything about it but its words is as it is of the lines before.
func (h *Held) takes(m *Message, r Hold) bool {
	first := h.Lines[0]
	switch {
	case len(h.Lines) >= r.Lines,
		r.Opens != nil && r.Opens(m),
		m.Subject != "" && m.Subject != first.Subject,
		m.Thread != first.Thread,
		!h.answersAlike(m),
		m.Hidden != first.Hidden,
		!sameAddresses(m.Also, first.Also), !sameAddresses(m.Copied, first.Copied):
		return false
	}
	text, files, n := len(m.Text), size(m.Attachments), len(m.Attachments)
	for _, l := range h.Lines {
		text, files, n = text+len(l.Text), files+size(l.Attachments), n+len(l.Attachments)
	}
	return text <= r.Text && files <= r.Files && n <= maxHeldFiles
}

// answersAlike says whether m answers nothing else than the lines do. An answer to one of the lines answers nothing: it
// goes together with it.
func (h *Held) answersAlike(m *Message) bool {
	return !m.ReplyTo.Known() || m.ReplyTo == h.Lines[0].ReplyTo || m.ReplyTo.ID != "" && h.find(m.ReplyTo.ID) >= 0
}

func sameAddresses(a, b []Address) bool {
	if len(a) != len(b) {
		return false
	}
	for _, x := range a {
		if !slices.Contains(b, x) {
			return false
		}
	}
	return true
}

func size(files []Attachment) (n int64) {
	for _, f := range files {
		n += f.Size
	}
	return n
}

// find returns the line that a name is of: its own, or that of a correction of it; -1 if there is none.
func (h *Held) find(id MessageID) int {
	return slices.IndexFunc(h.Lines, func(l *Message) bool {
		return l.ID == id || slices.ContainsFunc(l.Parts, func(p Part) bool { return p.ID == id })
	})
}

// with is h with another line.
func (h *Held) with(m *Message) *Held {
	return &Held{Ref: h.Ref, Lines: append(slices.Clone(h.Lines), m)}
}

// edited is h with the i-th line corrected.
func (h *Held) edited(i int, m *Message) *Held {
	line := *h.Lines[i]
	line.Text, line.Attachments, line.Lang = m.Text, m.Attachments, m.Lang
	if m.Subject != "" {
		line.Subject = m.Subject
	}
	line.Receipt = line.Receipt || m.Receipt
	line.Parts = append(slices.Clone(line.Parts), Part{ID: m.ID, Origin: m.Origin})
	next := &Held{Ref: h.Ref, Lines: slices.Clone(h.Lines)}
	next.Lines[i] = &line
	return next
}

// without is h without the i-th line, and the names that are gone with it; nil if that was the only one. What held for
// all of the lines holds for those that are left.
func (h *Held) without(i int) (next *Held, gone []MessageID) {
	line := h.Lines[i]
	gone = append(gone, line.ID)
	for _, p := range line.Parts {
		gone = append(gone, p.ID)
	}
	if len(h.Lines) == 1 {
		return nil, gone
	}
	next = &Held{Ref: h.Ref, Lines: slices.Delete(slices.Clone(h.Lines), i, i+1)}
	if i == 0 {
		first := *next.Lines[0]
		first.Subject, first.ReplyTo, first.Quoted = line.Subject, line.ReplyTo, line.Quoted
		next.Lines[0] = &first
	}
	return next, gone
}

// Fold makes one message of the lines, under the name of the first. It is a pure function.
func (h *Held) Fold() *Message {
	m := *h.Lines[0]
	m.Parts = slices.Clone(m.Parts)
	m.Attachments = slices.Clone(m.Attachments)
	var text paragraphs
	text.add(m.Text)
	for _, l := range h.Lines[1:] {
		text.add(l.Text)
		m.Attachments = append(m.Attachments, l.Attachments...)
		m.Parts = append(append(m.Parts, Part{ID: l.ID, Origin: l.Origin}), l.Parts...)
		m.Receipt = m.Receipt || l.Receipt
		if l.Lang != m.Lang {
			m.Lang = ""
		}
	}
	if len(h.Lines) > 1 {
		m.Text = text.String()
	}
	return &m
}

// paragraphs joins the texts of lines. What is quoted, or is of several lines itself, stands apart. A block of code that
// was not ended (XEP-0393 section 5.1.2: it goes to the end of its message) ends with its line.
type paragraphs struct {
	strings.Builder
	apart bool // the last one stands apart
}

func (p *paragraphs) add(text string) {
	text = strings.Trim(text, "\n")
	if strings.TrimSpace(text) == "" {
		return
	}
	apart := strings.Contains(text, "\n") || strings.HasPrefix(text, ">")
	switch {
	case p.Len() == 0:
	case apart || p.apart:
		p.WriteString("\n\n")
	default:
		p.WriteString("\n")
	}
	p.WriteString(text)
	if openCode(text) {
		p.WriteString("\n```")
	}
	p.apart = apart
}

// openCode says whether a text ends within a block of code.
func openCode(text string) (open bool) {
	for line := range strings.SplitSeq(text, "\n") {
		switch {
		case !open:
			open = strings.HasPrefix(line, "```")
		case strings.TrimRight(line, " \t\r") == "```":
			open = false
		}
	}
	return open
}
