package mime

import (
	"strings"
	"unicode/utf8"
)

// decodeWords decodes the encoded-words of a field's value, wherever they stand: many senders put them inside quotes
// and parameters, split characters between them, and forget to encode at all. What is not valid stays as written.
func (m *Message) decodeWords(s string) string {
	var out strings.Builder
	var run wordRun
	for s != "" {
		i := strings.Index(s, "=?")
		if i < 0 || m.words >= m.limits.Words {
			break
		}
		w, size := parseWord(s[i:])
		if size == 0 {
			run.flush(&out)
			out.WriteString(raw8bit(s[:i+2]))
			s = s[i+2:]
			continue
		}
		m.words++
		gap := s[:i]
		if run.charset == "" || strings.Trim(gap, " \t") != "" {
			run.flush(&out)
			out.WriteString(raw8bit(gap))
		}
		run.add(&out, w)
		s = s[i+size:]
	}
	run.flush(&out)
	out.WriteString(raw8bit(s))
	return out.String()
}

// maxWord bounds an encoded-word, which RFC 2047 section 2 allows 75 bytes.
const maxWord = 4096

type word struct {
	charset string
	data    []byte
}

// wordRun collects adjacent words of one charset, because a character may be split between them.
type wordRun struct {
	charset string
	data    []byte
}

func (r *wordRun) add(out *strings.Builder, w word) {
	if r.charset != w.charset {
		r.flush(out)
		r.charset = w.charset
	}
	r.data = append(r.data, w.data...)
}

func (r *wordRun) flush(out *strings.Builder) {
	if r.charset != "" {
		out.WriteString(decodeCharset(r.data, r.charset))
	}
	*r = wordRun{}
}

// parseWord reads one encoded-word at the start of s. size 0: it is none.
func parseWord(s string) (w word, size int) {
	charset, rest, ok := strings.Cut(s[2:min(len(s), maxWord)], "?") // bounded: it may be tried at every byte
	if !ok || charset == "" || len(charset) > 60 || strings.ContainsAny(charset, " \t\"") || len(rest) < 3 || rest[1] != '?' {
		return word{}, 0
	}
	charset, _, _ = strings.Cut(charset, "*") // RFC 2231 section 5: a language
	text, _, ok := strings.Cut(rest[2:], "?=")
	if !ok {
		return word{}, 0
	}
	switch rest[0] {
	case 'q', 'Q':
		w.data = decodeQ(text)
	case 'b', 'B':
		w.data = decodeBase64([]byte(text), len(text))
	default:
		return word{}, 0
	}
	w.charset = strings.ToLower(charset)
	return w, min(len(s), maxWord) - len(rest) + 2 + len(text) + len("?=")
}

func decodeQ(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '_':
			out = append(out, ' ')
		case c == '=' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			out = append(out, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		default:
			out = append(out, c)
		}
	}
	return out
}

// raw8bit makes bytes that were sent unencoded readable.
func raw8bit(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return decodeCharset([]byte(s), "")
}
