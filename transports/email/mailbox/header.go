package mailbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/mail"
	"strings"
	"time"
)

const (
	maxHeader    = 256 << 10 // bytes of a header that are fetched or looked at
	maxMessageID = 998       // a longer one is none
)

// identity is what a mail is known by: its Message-ID, or, if it has none, what it says.
func identity(id string, raw []byte) string {
	if id != "" {
		return id
	}
	sum := sha256.Sum256(raw)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// messageID reads a header, or a mail that starts with one.
func messageID(header []byte) string {
	value := field(header, "message-id")
	start := strings.IndexByte(value, '<')
	if start < 0 {
		return ""
	}
	end := strings.IndexByte(value[start:], '>')
	if end < 0 || end > maxMessageID {
		return ""
	}
	id := value[start : start+end+1]
	if strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return ""
	}
	return id
}

// sentAt is what a header says about when the mail was written; zero if it does not say so in a known way.
func sentAt(header []byte) time.Time {
	t, err := mail.ParseDate(field(header, "date"))
	if err != nil {
		return time.Time{}
	}
	return t
}

// field is the value of the first field of that name, unfolded.
func field(header []byte, name string) string {
	header = header[:min(len(header), maxHeader)]
	for len(header) > 0 {
		line, rest := cutLine(header)
		if len(line) == 0 {
			return ""
		}
		header = rest
		key, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || !strings.EqualFold(string(bytes.TrimSpace(key)), name) {
			continue
		}
		folded := string(value)
		for len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\t') {
			line, rest = cutLine(rest)
			folded += string(line)
		}
		return strings.TrimSpace(folded)
	}
	return ""
}

func cutLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte("\n"))
	return bytes.TrimRight(line, "\r"), rest
}
