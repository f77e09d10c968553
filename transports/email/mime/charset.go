package mime

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// decodeCharset turns bytes of a named charset into UTF-8. Text that says nothing, "us-ascii" or nonsense is UTF-8 if
// it is valid as such, else what it looks like, and windows-1252 at last, which has a meaning for every byte. A byte
// order mark is believed before the name.
func decodeCharset(b []byte, name string) string {
	e := marked(b)
	if e == nil {
		name = normalCharset(name)
		switch name {
		case "utf-7":
			return decodeUTF7(b)
		case "iso-2022-kr":
			b, e = shiftedOut(b), korean.EUCKR
		case "iso-2022-cn", "iso-2022-cn-ext":
			b, e = shiftedOut(b), simplifiedchinese.GBK
		default:
			e = lookupCharset(name)
		}
	}
	if e == nil {
		if utf8.Valid(b) {
			return string(b)
		}
		e = guessCharset(b)
	}
	out, err := e.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return string(out)
}

// marked returns the encoding of text that begins with a byte order mark, or nil. UTF-8 needs none.
func marked(b []byte) encoding.Encoding {
	switch {
	case bytes.HasPrefix(b, []byte{0xff, 0xfe}) && len(b)%2 == 0:
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	case bytes.HasPrefix(b, []byte{0xfe, 0xff}) && len(b)%2 == 0:
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	}
	return nil
}

var (
	numbered = regexp.MustCompile(`^(?:x-)?(windows|win|cp|ms|ibm|iso)[-_ ]?(8859)?[-_ :]?(\d+)$`)
	metaTag  = regexp.MustCompile(`(?i)<(?:meta|\?xml)\s[^>]{0,300}(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]{2,40})`)
)

// htmlCharset is what a page says of itself within its first bytes; "" if that is nothing.
func htmlCharset(b []byte) string {
	m := metaTag.FindSubmatch(b[:min(len(b), 4096)])
	if m == nil || bytes.HasPrefix(bytes.ToLower(m[1]), []byte("utf-16")) { // it would not be readable, were it so
		return ""
	}
	return string(m[1])
}

// normalCharset writes a charset's name the way the tables have it.
func normalCharset(name string) string {
	name = strings.ToLower(strings.Trim(name, " \t\"'"))
	name = strings.TrimPrefix(name, "charset=")
	if i := strings.IndexAny(name, "\"';,"); i >= 0 {
		name = strings.TrimSpace(name[:i])
	}
	switch name {
	case "unicode-1-1-utf-7", "x-unicode-2-0-utf-7", "utf7":
		return "utf-7"
	}
	if m := numbered.FindStringSubmatch(name); m != nil {
		switch family, number := m[1], m[3]; {
		case m[2] != "":
			return "iso-8859-" + number
		case family != "iso": // a number of 8859 without it is no charset
			return codePage(number)
		}
	}
	return aliasOf(name)
}

// lookupCharset returns nil for what is to be guessed.
func lookupCharset(name string) encoding.Encoding {
	switch name {
	case "", "us-ascii", "ascii", "ansi_x3.4-1968", "utf-8", "utf8", "utf_8", "unknown-8bit", "x-unknown", "default", "binary", "none":
		return nil
	case "iso-8859-1", "latin1", "latin-1", "l1":
		return charmap.Windows1252 // a superset, and what such mail really is
	case "hz-gb-2312": // the web's index replaces it
		return simplifiedchinese.HZGB2312
	}
	if e, err := htmlindex.Get(name); err == nil && e != encoding.Replacement {
		return e
	}
	if e, err := ianaindex.MIME.Encoding(name); err == nil && e != nil {
		return e
	}
	return rare(name)
}
