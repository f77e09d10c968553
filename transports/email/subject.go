package email

import (
	"regexp"
	"strings"

	"gangway/core/style"
)

// prefix matches one "Re:", "Fwd:", "AW[2]:" or "[list]" at the start of a subject: RFC 5256 section 2.1, and what
// programs in other languages write.
var prefix = regexp.MustCompile(`(?i)^\s*(?:(?:re|r|fw|fwd|aw|wg|sv|vs|vb|antw|antwort|res|enc|tr|rif|odp|pd|ynt|ref|回复|答复|转发|回覆|轉寄|отв|回信)` +
	`\s*(?:\[\d{1,3}\]|\(\d{1,3}\)|\d{1,2})?\s*[:：]|\[[^\]]{1,60}\]\s*(\S))`)

// baseSubject strips what replies and lists put in front, in the case it was written in. answer says whether there
// was a prefix of a reply.
func baseSubject(s string) (base string, answer bool) {
	s = strings.Join(strings.Fields(s), " ")
	for range 20 {
		m := prefix.FindStringSubmatchIndex(s)
		if m == nil {
			break
		}
		if m[2] >= 0 { // [list]: the character after it stays
			s = s[m[2]:]
			continue
		}
		s, answer = strings.TrimSpace(s[m[1]:]), true
	}
	if n := len(s) - len("(fwd)"); n >= 0 && strings.EqualFold(s[n:], "(fwd)") {
		s = strings.TrimSpace(s[:n])
	}
	return s, answer
}

// heading shows a subject above the text, because few clients show the subjects of messages.
func heading(subject string) string {
	if subject == "" {
		return ""
	}
	var w style.Writer
	w.Write(subject, style.Strong)
	return w.String()
}

// forward matches the subject of a mail that passes another on.
var forward = regexp.MustCompile(`(?i)^\s*(?:fwd?|wg|tr|enc|vs|vb|rv|i|doorst|转发|轉寄)\s*[:：]|\(fwd\)\s*$`)

// sameSubject compares base subjects.
func sameSubject(a, b string) bool { return strings.EqualFold(a, b) }
