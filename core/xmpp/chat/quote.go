package chat

import (
	"strings"
	"sync"
	"unicode/utf8"

	"gangway/core"
)

// quotes remembers how recent messages began and how many files they had: what
// is answered is quoted for clients that know no replies, and each part of what
// is taken back is taken back. It is a table without collisions lists: a new
// message takes the place of an old one.
type quotes struct {
	mu    sync.Mutex
	slots []quoted
}

type quoted struct {
	id    core.MessageID
	text  string
	files int
}

const (
	quoteSlots = 8192
	quoteBytes = 300 // of a message that are quoted
	quoteLines = 4
	keepWhole  = 1024 // a text up to this size is kept as it is, not copied
)

func newQuotes() *quotes { return &quotes{slots: make([]quoted, quoteSlots)} }

// slot goes by the id's first characters, which are as random as the others.
func (q *quotes) slot(id core.MessageID) *quoted {
	n := 0
	for i := range min(len(id), 4) {
		n = n<<5 ^ n>>13 ^ int(id[i])
	}
	return &q.slots[n%quoteSlots]
}

// keep remembers a message. text must not be part of a larger string.
func (q *quotes) keep(id core.MessageID, text string, files int) {
	if len(text) > keepWhole {
		text = bounded(text, keepWhole)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	*q.slot(id) = quoted{id, text, files}
}

func (q *quotes) of(id core.MessageID) quoted {
	q.mu.Lock()
	defer q.mu.Unlock()
	if s := *q.slot(id); s.id == id {
		return s
	}
	return quoted{}
}

// quotation is the beginning of a text as people quote it; empty if there is
// nothing to quote. What that text itself quotes is left out.
func quotation(text string) string {
	var b strings.Builder
	lines := 0
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \t\r\n")
		if line == "" || strings.HasPrefix(line, ">") {
			continue
		}
		if lines == quoteLines || b.Len() >= quoteBytes {
			b.WriteString("> ...\n")
			break
		}
		if room := quoteBytes - b.Len(); len(line) > room {
			line = bounded(line, room) + "..."
		}
		b.WriteString("> " + line + "\n")
		lines++
	}
	return strings.ToValidUTF8(b.String(), "\ufffd")
}

// points counts the code points of a text as its reader will: see XEP-0426.
func points(s string) int { return utf8.RuneCountInString(s) }
