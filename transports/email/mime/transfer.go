package mime

import (
	"bytes"
	"strings"
)

// Content decodes a leaf's transfer encoding, as far as max bytes and the message's budget go.
func (p *Part) Content(limit int) []byte {
	limit = min(limit, p.msg.limits.Decoded-p.msg.decoded)
	if limit <= 0 {
		return nil
	}
	var out []byte
	switch p.encoding() {
	case "base64":
		out = decodeBase64(p.body, limit)
	case "quoted-printable":
		out = decodeQuoted(p.body, limit)
	case "x-uuencode", "uuencode", "x-uue":
		out = decodeUUPart(p.body, limit)
	default:
		out = p.body[:min(limit, len(p.body))]
	}
	p.msg.decoded += len(out)
	return out
}

// Decode decodes all of a leaf's transfer encoding. That is never more than what came; it does not count against the
// message's budget, so that it is for the caller to bound how often it is done.
func (p *Part) Decode() []byte {
	switch p.encoding() {
	case "base64":
		return decodeBase64(p.body, len(p.body))
	case "quoted-printable":
		return decodeQuoted(p.body, len(p.body)+2)
	case "x-uuencode", "uuencode", "x-uue":
		return decodeUUPart(p.body, len(p.body))
	}
	return p.body
}

// Size is about how many bytes Content would have, without decoding.
func (p *Part) Size() int64 {
	n := len(p.body)
	if p.encoding() == "base64" {
		n -= bytes.Count(p.body, []byte{'\n'}) + bytes.Count(p.body, []byte{'\r'})
		trimmed := bytes.TrimRight(p.body[max(0, len(p.body)-8):], "\r\n")
		n = n/4*3 - bytes.Count(trimmed, []byte{'='})
	}
	return int64(max(n, 0))
}

func (p *Part) encoding() string {
	e, _, _ := strings.Cut(strings.ToLower(p.Header.Get("Content-Transfer-Encoding")), ";")
	return strings.Trim(strings.TrimSpace(e), `"`)
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c >= 'a':
		return c - 'a' + 10
	}
	return c - 'A' + 10
}

// decodeQuoted decodes quoted-printable (RFC 2045 section 6.7). What is not valid stays as written.
func decodeQuoted(b []byte, limit int) []byte {
	out := make([]byte, 0, min(len(b), limit))
	for len(b) > 0 && len(out) < limit {
		line, rest, found := bytes.Cut(b, []byte{'\n'})
		b = rest
		line = bytes.TrimRight(line, " \t\r")
		soft := bytes.HasSuffix(line, []byte{'='})
		if soft {
			line = line[:len(line)-1]
		}
		for i := 0; i < len(line); i++ {
			if line[i] == '=' && i+2 < len(line) && isHex(line[i+1]) && isHex(line[i+2]) {
				out = append(out, unhex(line[i+1])<<4|unhex(line[i+2]))
				i += 2
				continue
			}
			out = append(out, line[i])
		}
		if found && !soft {
			out = append(out, '\r', '\n')
		}
	}
	return out[:min(len(out), limit)]
}

// decodeBase64 decodes what is base64 in b. It passes over other bytes, takes concatenated encodings, and stops at
// a line after the padding that is none: mailing lists append their footer there.
func decodeBase64(b []byte, limit int) []byte {
	out := make([]byte, 0, min(len(b)/4*3+3, limit))
	var acc uint32
	n, padded := 0, false
	flush := func() {
		if n >= 2 {
			acc <<= 6 * (4 - n)
			out = append(out, byte(acc>>16))
		}
		if n == 3 {
			out = append(out, byte(acc>>8))
		}
		acc, n = 0, 0
	}
	for i := 0; i < len(b) && len(out) < limit; i++ {
		c := b[i]
		v := base64Value(c)
		if v < 64 {
			acc, n = acc<<6|uint32(v), n+1
			if n == 4 {
				out = append(out, byte(acc>>16), byte(acc>>8), byte(acc))
				acc, n = 0, 0
			}
			continue
		}
		switch c {
		case '=':
			flush()
			padded = true
		case '\n':
			if padded && !isBase64Line(b[i+1:]) {
				return out[:min(len(out), limit)]
			}
			padded = false
		}
	}
	flush()
	return out[:min(len(out), limit)]
}

// isBase64Line says whether the next line can be the start of one more encoding.
func isBase64Line(b []byte) bool {
	line, _, _ := bytes.Cut(b[:min(len(b), 1000)], []byte{'\n'})
	line = bytes.TrimRight(line, "=\r")
	for _, c := range line {
		if base64Value(c) >= 64 {
			return false
		}
	}
	return true
}

func base64Value(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c - 'A'
	case 'a' <= c && c <= 'z':
		return c - 'a' + 26
	case '0' <= c && c <= '9':
		return c - '0' + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return 255
}
