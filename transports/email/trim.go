package email

import (
	"context"
	"regexp"
	"strings"

	"gangway/core"
)

// trimChoice is what users may choose: to see of an answer what is new in it.
const trimChoice = "trim"

var _ core.Chooser = (*transport)(nil)

// Choices implements core.Chooser.
func (t *transport) Choices() []core.Field {
	return []core.Field{{
		Name: trimChoice, Type: core.BoolField, Value: "false",
		Label: "Leave out the signature of a mail and what it quotes at its end (the whole text comes as a file)",
	}}
}

// trimmed is a mail as an account wants to see it. What is left out of its text is in the file of its whole text.
func (t *transport) trimmed(ctx context.Context, l *letter, a core.AccountID) *letter {
	chosen, err := t.host.Preferences(ctx, a)
	if err != nil {
		t.host.Logger().Debug("preferences not found out", "account", a, "err", err)
	}
	if chosen.Own[trimChoice] != "true" {
		return l
	}
	text := trim(l.body.Text)
	if text == l.body.Text {
		return l
	}
	short := *l
	short.body.Cut += len(l.body.Text) - len(text)
	short.body.Text = text
	return &short
}

const (
	maxRounds       = 5   // a signature above a quotation, and the like
	maxSignature    = 20  // lines; what is longer is text
	maxIntroduction = 3   // lines that say whom a quotation is of, as wrapped by a client
	maxIntroduced   = 300 // bytes of them
	minHeaderBlock  = 3   // fields that make some lines the header of a mail that is answered
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
	for i, line := range lines {
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
