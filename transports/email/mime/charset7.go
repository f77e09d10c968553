package mime

import (
	"bytes"
	"encoding/base64"
	"strings"
	"unicode/utf16"
)

// decodeUTF7 decodes UTF-7 (RFC 2152). What is not valid stays as written.
func decodeUTF7(b []byte) string {
	var out strings.Builder
	for len(b) > 0 {
		i := bytes.IndexByte(b, '+')
		if i < 0 {
			break
		}
		out.WriteString(decodeCharset(b[:i], ""))
		b = b[i+1:]
		n := 0
		for n < len(b) && base64Value(b[n]) < 64 {
			n++
		}
		text, ok := utf7Run(b[:n])
		switch {
		case n == 0 && len(b) > 0 && b[0] == '-':
			out.WriteByte('+')
		case !ok:
			out.WriteByte('+')
			out.Write(b[:n])
			b = b[n:]
			continue
		default:
			out.WriteString(text)
		}
		b = b[n:]
		b = bytes.TrimPrefix(b, []byte{'-'})
	}
	out.WriteString(decodeCharset(b, ""))
	return out.String()
}

// utf7Run decodes what stands between "+" and "-": UTF-16 in base64.
func utf7Run(b []byte) (string, bool) {
	raw := make([]byte, base64.RawStdEncoding.DecodedLen(len(b)))
	n, err := base64.RawStdEncoding.Decode(raw, b)
	if err != nil || n < 2 {
		return "", false
	}
	units := make([]uint16, n/2)
	for i := range units {
		units[i] = uint16(raw[2*i])<<8 | uint16(raw[2*i+1])
	}
	return string(utf16.Decode(units)), true
}

// shiftedOut turns ISO-2022-KR (RFC 1557) and the first plane of ISO-2022-CN (RFC 1922) into the encodings of eight
// bits with the same tables: what stands between SO and SI has its high bits set.
func shiftedOut(b []byte) []byte {
	out := make([]byte, 0, len(b))
	shifted := byte(0)
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == 0x1b && i+3 < len(b) && b[i+1] == '$':
			i += 3 // the designation
		case c == 0x0e:
			shifted = 0x80
		case c == 0x0f:
			shifted = 0
		case c == '\n':
			shifted = 0
			out = append(out, c)
		case c > ' ' && c < 0x7f:
			out = append(out, c|shifted)
		default:
			out = append(out, c)
		}
	}
	return out
}
