package mime

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// decodeCharset turns bytes of a named charset into UTF-8. Text that says nothing, "us-ascii" or nonsense is UTF-8 if
// it is valid as such, else windows-1252, which has a meaning for every byte.
func decodeCharset(b []byte, name string) string {
	e := lookupCharset(name)
	if e == nil {
		if utf8.Valid(b) {
			return string(b)
		}
		e = charmap.Windows1252
	}
	out, err := e.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return string(out)
}

// lookupCharset returns nil for what is to be guessed.
func lookupCharset(name string) encoding.Encoding {
	name = strings.ToLower(strings.Trim(name, " \t\"'"))
	switch name {
	case "", "us-ascii", "ascii", "utf-8", "utf8", "utf_8", "unknown-8bit", "x-unknown", "default":
		return nil
	case "iso-8859-1", "latin1", "latin-1", "iso8859-1":
		return charmap.Windows1252 // a superset, and what such mail really is
	case "hz-gb-2312": // the web's index replaces it
		return simplifiedchinese.HZGB2312
	case "iso-2022-kr", "iso-2022-cn", "iso-2022-cn-ext": // as above, and nobody else has them
		return nil
	}
	if e, err := htmlindex.Get(name); err == nil {
		return e
	}
	if e, err := ianaindex.MIME.Encoding(name); err == nil && e != nil {
		return e
	}
	return nil
}
