package tnef

import (
	"encoding/binary"
	"strconv"
	"strings"
)

const (
	maxRTF     = 4 << 20 // bytes of a decompressed text that are read
	maxRTFText = 1 << 20 // bytes of text made of it
	maxGroups  = 500     // groups within one another that are told apart

	lzfuMagic   = 0x75465a4c // compressed; [MS-OXRTFCP] section 2.1.3.1.1
	storedMagic = 0x414c454d // not compressed
)

// lzfuDictionary is what the window begins with ([MS-OXRTFCP] section 2.1.2.1).
const lzfuDictionary = "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor " +
	"MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par " +
	"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"

// decompressRTF undoes the compression of the property PidTagRtfCompressed, as far as it is valid.
func decompressRTF(b []byte) []byte {
	if len(b) < 16 {
		return nil
	}
	size, magic := binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:])
	b = b[16:]
	limit := int(min(size, maxRTF))
	switch magic {
	case storedMagic:
		return b[:min(limit, len(b))]
	case lzfuMagic:
		return lzfu(b, limit)
	}
	return nil
}

// lzfu decompresses at most limit bytes.
func lzfu(b []byte, limit int) []byte {
	var window [4096]byte
	at := copy(window[:], lzfuDictionary)
	out := make([]byte, 0, min(limit, 8*len(b)))
	put := func(c byte) {
		out = append(out, c)
		window[at] = c
		at = (at + 1) % len(window)
	}
	for len(b) > 0 && len(out) < limit {
		control := b[0]
		b = b[1:]
		for bit := 0; bit < 8 && len(out) < limit; bit++ {
			if control&(1<<bit) == 0 {
				if len(b) == 0 {
					return out
				}
				put(b[0])
				b = b[1:]
				continue
			}
			if len(b) < 2 {
				return out
			}
			reference := int(b[0])<<8 | int(b[1])
			b = b[2:]
			from := reference >> 4
			if from == at { // the end
				return out
			}
			for n := reference&0xf + 2; n > 0 && len(out) < limit; n-- {
				put(window[from])
				from = (from + 1) % len(window)
			}
		}
	}
	return out
}

// rtfReader makes text of RTF.
type rtfReader struct {
	out    strings.Builder
	groups []rtfGroup // that are open around the current one
	rtfGroup
	page string // the charset of \'hh, as codePage names it
	skip int    // characters that stand for what was said with \u
}

// rtfGroup is what ends with a group.
type rtfGroup struct {
	hidden bool // it is no text
	stand  int  // characters after a \u that stand for it
}

// RTFText returns the text of an RTF document, with bytes of other charsets decoded by decode. Documents that were made
// of HTML ([MS-OXRTFEX]) are read as far as they are text.
func RTFText(b []byte, decode func(b []byte, charset string) string) string {
	r := rtfReader{rtfGroup: rtfGroup{stand: 1}, page: "cp1252"}
	for i := 0; i < len(b) && r.out.Len() < maxRTFText; {
		switch c := b[i]; c {
		case '{':
			if len(r.groups) < maxGroups {
				r.groups = append(r.groups, r.rtfGroup)
			}
			i++
		case '}':
			if n := len(r.groups); n > 0 {
				r.rtfGroup, r.groups = r.groups[n-1], r.groups[:n-1]
			}
			r.skip = 0
			i++
		case '\\':
			i += r.control(b[i+1:], decode) + 1
		case '\r', '\n', 0:
			i++
		default:
			r.text(decode(b[i:i+1], r.page))
			i++
		}
	}
	return strings.TrimSpace(r.out.String())
}

// text adds what is to be read.
func (r *rtfReader) text(s string) {
	switch {
	case r.skip > 0:
		r.skip--
	case !r.hidden:
		r.out.WriteString(s)
	}
}

// control carries out a control word or symbol, and returns how many bytes it has, without its backslash.
func (r *rtfReader) control(b []byte, decode func([]byte, string) string) int {
	if len(b) == 0 {
		return 0
	}
	if c := b[0]; c|0x20 < 'a' || c|0x20 > 'z' {
		return r.symbol(b, decode)
	}
	n := 0
	for n < len(b) && n < 32 && b[n]|0x20 >= 'a' && b[n]|0x20 <= 'z' {
		n++
	}
	word, start := string(b[:n]), n
	if n < len(b) && b[n] == '-' {
		n++
	}
	for n < len(b) && n-start < 11 && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	number, err := strconv.Atoi(string(b[start:n]))
	if n < len(b) && b[n] == ' ' {
		n++
	}
	r.word(word, number, err == nil)
	return n
}

// symbol carries out a control symbol.
func (r *rtfReader) symbol(b []byte, decode func([]byte, string) string) int {
	switch b[0] {
	case '\\', '{', '}':
		r.text(string(b[:1]))
	case '~':
		r.text(" ")
	case '_':
		r.text("-")
	case '\r', '\n':
		r.text("\n")
	case '*':
		r.hidden = true
	case '\'':
		if len(b) < 3 {
			return len(b)
		}
		if v, err := strconv.ParseUint(string(b[1:3]), 16, 8); err == nil {
			r.text(decode([]byte{byte(v)}, r.page))
		}
		return 3
	}
	return 1
}

// word carries out a control word.
func (r *rtfReader) word(word string, number int, has bool) {
	switch word {
	case "par", "line", "sect", "page", "row":
		r.text("\n")
	case "tab":
		r.text("\t")
	case "cell":
		r.text(" | ")
	case "emdash":
		r.text("\u2014")
	case "endash":
		r.text("\u2013")
	case "bullet":
		r.text("\u2022")
	case "lquote", "rquote":
		r.text("'")
	case "ldblquote", "rdblquote":
		r.text(`"`)
	case "fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "header", "footer", "themedata", "listtable", "filetbl":
		r.hidden = true
	case "htmlrtf": // text that is there for those who know no HTML is what is read
		return
	case "ansicpg":
		if has && number > 0 {
			r.page = codePage(uint32(min(number, 65535)))
		}
	case "uc":
		r.stand = min(max(number, 0), 10)
	case "u":
		r.text(string(rune(uint16(number))))
		if !r.hidden {
			r.skip = r.stand
		}
	}
}
