package email

import (
	"context"
	"hash/fnv"
	"regexp"
	"slices"
	"strings"

	"gangway/core"
	"gangway/transports/email/mime"
)

// trimChoice is what users may choose: to see of an answer what is new in it.
const (
	trimChoice = "trim"
	trimOff    = "off"
	trimSafe   = "safe" // what is answered is known to the user
	trimFull   = "full"
)

var _ core.Chooser = (*transport)(nil)

// Choices implements core.Chooser.
func (t *transport) Choices() []core.Field {
	return append([]core.Field{{
		Name: trimChoice, Type: core.ChoiceField, Value: trimSafe,
		Label: "Leave out signatures and what a mail quotes at its end (a link leads to the whole text)",
		Options: []core.Option{
			{Value: trimSafe, Label: "of answers to mails that came through here"}, {Value: trimFull, Label: "of all mails"}, {Value: trimOff, Label: "never"},
		},
	}}, sendChoices()...)
}

// trimmed is a mail as an account wants to see it. What is left out of its text stays one link away; where that cannot
// be had, nothing is left out.
func (t *transport) trimmed(ctx context.Context, l *letter, a core.Account, p *placed) *letter {
	chosen, err := t.host.Preferences(ctx, a.ID)
	if err != nil {
		t.host.Logger().Debug("preferences not found out", "account", a.ID, "err", err)
	}
	switch chosen.Own[trimChoice] {
	case trimOff, "false":
		return l
	case trimFull, "true":
	default:
		if p.parent == nil {
			return l
		}
	}
	short, whole := l.short(p.parent)
	if short == nil {
		return l
	}
	file := core.Attachment{Name: fullText, Type: "text/plain", Size: int64(len(whole))}
	kept, err := t.keepFile(ctx, a, incoming{Attachment: file, content: func() []byte { return []byte(whole) }})
	if err != nil || kept.URL == "" {
		t.host.Logger().Debug("whole text not kept", "account", a.ID, "err", err)
		return l
	}
	short.whole = kept.URL
	return short
}

// short is the letter with only what is new in its text, and the whole text; nil if all of it is, or if it is there to
// pass something on. parent is the mail it answers, if that is known.
func (l *letter) short(parent *row) (*letter, string) {
	body := l.full
	if forward.MatchString(l.subject) || body.Cut > 0 {
		return nil, ""
	}
	var said []uint32
	if parent != nil {
		said = parent.Said
	}
	text := trimBody(body.Text, body.Quoted, said)
	if text == body.Text {
		return nil, ""
	}
	short := *l
	short.body.Text = mime.Truncate(text, maxText)
	short.body.Cut = len(text) - len(short.body.Text)
	return &short, body.Text
}

// passedOn matches the line above what somebody passes on, in the languages of the common programs.
var passedOn = regexp.MustCompile(`(?im)^[-\s>*]{0,60}(?:begin )?(?:forwarded message|weitergeleitete nachricht|message transféré|messaggio inoltrato|` +
	`mensaje reenviado|mensagem encaminhada|doorgestuurd bericht|vidarebefordrat meddelande|videresendt|пересылаемое|пересланное|转发|轉寄)`)

// trimBody leaves the end of a text out that a reader of the conversation has seen before, by all that is known: what
// the HTML marks (quoted is where; 0: nothing), signatures, what looks like a quotation, and lines that we sent.
func trimBody(text string, quoted int, said []uint32) string {
	short := text
	if passedOn.MatchString(text[:min(len(text), maxText)]) {
		return text
	}
	if quoted > 0 {
		if s := strings.TrimRight(text[:quoted], " \t\n"); strings.TrimSpace(s) != "" {
			short = s
		}
	}
	if len(short) > maxTrimmed {
		return short
	}
	lines := strings.Split(short, "\n")
	if n := unsaid(lines, said); n < len(lines) {
		if s := strings.TrimRight(strings.Join(lines[:n], "\n"), " \t\n"); strings.TrimSpace(s) != "" {
			short = s
		}
	}
	return trim(short)
}

const maxSaid = 60 // lines of a mail that are remembered

// linesOf are the lines of a text as they are remembered: none that is too short to be told from chance.
func linesOf(text string) []uint32 {
	var all []uint32
	for line := range strings.SplitSeq(text, "\n") {
		if n, ok := lineOf(line); ok && len(all) < maxSaid {
			all = append(all, n)
		}
	}
	return all
}

// lineOf is a line without what programs change when they quote it.
func lineOf(line string) (uint32, bool) {
	line = strings.Join(strings.Fields(strings.TrimLeft(line, "> |\t")), " ")
	h := fnv.New32a()
	h.Write([]byte(line))
	return h.Sum32(), line != ""
}

// unsaid returns where the lines begin that we sent, at the end, with what introduces them.
func unsaid(lines []string, said []uint32) int {
	n, found := filled(lines), 0
	for n > 0 {
		hash, ok := lineOf(lines[n-1])
		if ok && !slices.Contains(said, hash) {
			break
		}
		if n--; ok {
			found += len(lines[n])
		}
	}
	if found < minSaid || filled(lines[:n]) == 0 {
		return len(lines)
	}
	return min(unintroduced(lines[:n]), unanswered(lines[:n]))
}

const (
	minSaid         = 20      // bytes of our own at the end of a mail that are no chance
	maxTrimmed      = 2 << 20 // bytes; no text is longer that is decoded as a whole
	maxLooked       = 2000    // lines in which the beginning of what is answered is looked for
	maxRounds       = 5       // a signature above a quotation, and the like
	maxSignature    = 20      // lines; what is longer is text
	maxIntroduction = 3       // lines that say whom a quotation is of, as wrapped by a client
	maxIntroduced   = 300     // bytes of them
	minHeaderBlock  = 3       // fields that make some lines the header of a mail that is answered
)

var (
	// divider is what Outlook and those like it put above the mail that is answered, in whatever language.
	divider = regexp.MustCompile(`^\s*(-{3,}[^-]+-{3,}|_{20,})\s*$`)
	// field is a line of the header that such a program repeats: From, Sent, To, Subject.
	field = regexp.MustCompile(`^\s*\*?[\pL][\pL ]{0,20}\*?:\*?\s+\S`)
	// dated is what an introduction has: an address, or a day or time.
	dated = regexp.MustCompile(`@|\d{4}|\d{1,2}[:.]\d{2}`)
)

// trim cuts off the end of a text what a reader of the conversation has seen before: the signature (RFC 3676 section
// 4.3), the mail that is answered, and the line that introduces it. Where an answer is written between quotations these
// stay, and nothing is cut off a text that would leave none of it.
func trim(text string) string {
	lines := strings.Split(text, "\n")
	end := len(lines)
	for range maxRounds {
		before := end
		end = unsigned(lines[:end])
		end = unquoted(lines[:end])
		end = unanswered(lines[:end])
		if end == before {
			break
		}
	}
	if end == len(lines) {
		return text
	}
	short := strings.TrimRight(strings.Join(lines[:end], "\n"), " \t\n")
	if strings.TrimSpace(short) == "" {
		return text
	}
	return short
}

// filled is the number of lines without the blank ones at the end.
func filled(lines []string) int {
	n := len(lines)
	for n > 0 && strings.TrimSpace(lines[n-1]) == "" {
		n--
	}
	return n
}

func quoted(line string) bool { return strings.HasPrefix(line, ">") }

// unsigned returns where the signature begins: at the last line of two hyphens that is nobody else's.
func unsigned(lines []string) int {
	for i := len(lines) - 1; i >= max(0, len(lines)-1-maxSignature); i-- {
		if lines[i] == "--" || lines[i] == "-- " {
			return i
		}
	}
	return len(lines)
}

// unquoted returns where the quotation at the end begins, with what introduces it.
func unquoted(lines []string) int {
	n := filled(lines)
	if n == 0 || !quoted(lines[n-1]) {
		return len(lines)
	}
	for n > 0 && (quoted(lines[n-1]) || strings.TrimSpace(lines[n-1]) == "") {
		n--
	}
	return unintroduced(lines[:n])
}

// unintroduced returns where "On Monday, Bob <bob@example.com> wrote:" begins, if lines end with such a thing. It may
// be wrapped.
func unintroduced(lines []string) int {
	n := filled(lines)
	if n == 0 || !strings.HasSuffix(strings.TrimSpace(lines[n-1]), ":") {
		return len(lines)
	}
	words := ""
	for i := n - 1; i >= max(0, n-maxIntroduction) && strings.TrimSpace(lines[i]) != ""; i-- {
		words = lines[i] + " " + words
		if len(words) > maxIntroduced {
			break
		}
		if dated.MatchString(words) && (i == 0 || strings.TrimSpace(lines[i-1]) == "") {
			return i
		}
	}
	return len(lines)
}

// unanswered returns where the mail that is answered begins, which some programs put whole below the answer: after a
// divider, or with a block of header fields.
func unanswered(lines []string) int {
	fields := 0
	for i, line := range lines[:min(len(lines), maxLooked)] {
		if fields = count(fields, line); fields == minHeaderBlock {
			if start := i + 1 - minHeaderBlock; headed(lines, start) {
				return divided(lines, start)
			}
		}
	}
	return len(lines)
}

// count counts the fields in a row.
func count(fields int, line string) int {
	if field.MatchString(line) {
		return fields + 1
	}
	return 0
}

// headed says whether the fields from start on are a header's: one names somebody, or a day.
func headed(lines []string, start int) bool {
	return start > 0 && dated.MatchString(strings.Join(lines[start:start+minHeaderBlock], " "))
}

// divided includes the divider above a header, if there is one.
func divided(lines []string, start int) int {
	if n := filled(lines[:start]); n > 0 && divider.MatchString(lines[n-1]) {
		return n - 1
	}
	return start
}
