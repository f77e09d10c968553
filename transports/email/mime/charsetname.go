package mime

import (
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode/utf32"
)

// aliasOf is the registered name of a charset that mail programs, databases and programming languages call otherwise.
// The name itself where nothing is known of it.
func aliasOf(name string) string {
	switch strings.ReplaceAll(name, "_", "-") {
	case "utf8mb4", "utf-8n", "utf8n", "x-utf-8", "x-utf8":
		return "utf-8"
	case "646", "iso-646", "iso-646-us", "cp20127", "ansi-x3.4-1968":
		return "us-ascii"
	case "ansi", "windows", "8859-1", "iso-8859-1-windows-3.1-latin-1", "windows-latin1":
		return "windows-1252"
	case "latin9", "latin-9", "latin0":
		return "iso-8859-15"
	case "macroman", "mac-roman":
		return "macintosh"
	case "koi8r", "koi8-r":
		return "koi8-r"
	case "koi8u", "koi8-u":
		return "koi8-u"
	case "dos-866":
		return "ibm866"
	case "tis620":
		return "tis-620"
	case "cswindows31j", "windows31j":
		return "shift_jis"
	case "eucjp", "euc-jp", "ujis":
		return "euc-jp"
	case "big5hkscs", "big5-hkscs":
		return "big5-hkscs"
	case "uhc":
		return "euc-kr"
	case "euc-cn", "x-euc-cn", "euccn", "gb2312-80":
		return "gbk"
	}
	return name
}

// codePage is the registered name of one of Microsoft's, whose numbers above 10000 are no IBM's.
func codePage(number string) string {
	switch number {
	case "858":
		return "ibm00858"
	case "932":
		return "shift_jis"
	case "936":
		return "gbk"
	case "949":
		return "euc-kr"
	case "950":
		return "big5"
	case "1200":
		return "utf-16le"
	case "1201":
		return "utf-16be"
	case "10000":
		return "macintosh"
	case "10007":
		return "x-mac-cyrillic"
	case "20127":
		return "us-ascii"
	case "20866":
		return "koi8-r"
	case "21866":
		return "koi8-u"
	case "50220", "50221", "50222":
		return "iso-2022-jp"
	case "50225":
		return "iso-2022-kr"
	case "51932":
		return "euc-jp"
	case "51949":
		return "euc-kr"
	case "54936":
		return "gb18030"
	case "65000":
		return "utf-7"
	case "65001":
		return "utf-8"
	}
	switch {
	case len(number) == 4 && strings.HasPrefix(number, "125"), number == "874":
		return "windows-" + number
	case len(number) == 5 && strings.HasPrefix(number, "2859"): // and 28603 and 28605, of ISO 8859
		return "iso-8859-" + number[4:]
	case number == "28603", number == "28605":
		return "iso-8859-1" + number[4:]
	}
	return "ibm" + number
}

// rare returns the encodings that neither index has by these names.
func rare(name string) encoding.Encoding {
	switch name {
	case "ibm00858":
		return charmap.CodePage858
	case "iso-2022-jp-1", "iso-2022-jp-2", "iso-2022-jp-3", "iso-2022-jp-2004", "iso-2022-jp-ms":
		return japanese.ISO2022JP // what they have beside it is hardly ever used
	case "utf-32", "utf-32be":
		return utf32.UTF32(utf32.BigEndian, utf32.UseBOM)
	case "utf-32le":
		return utf32.UTF32(utf32.LittleEndian, utf32.UseBOM)
	}
	return nil
}
