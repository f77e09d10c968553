package mime

import (
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

const (
	guessedFrom = 8 << 10 // bytes that are looked at
	enoughPairs = 4       // characters of two bytes that make it believable that they are
	commonShare = 92      // of a hundred characters
	kanaShare   = 20      // the same, of Japanese
)

// guessCharset finds out what text is in that is not UTF-8 and does not say. It is sure of nothing: it takes what most
// of the text would be common characters in, and windows-1252 unless there is reason for another.
func guessCharset(b []byte) encoding.Encoding {
	b = b[:min(len(b), guessedFrom)]
	if e := guessWide(b); e != nil {
		return e
	}
	high, letters, lower, upper := 0, 0, 0, 0
	for _, c := range b {
		switch {
		case c >= 0xe0:
			high, lower = high+1, lower+1
		case c >= 0xc0:
			high, upper = high+1, upper+1
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			letters++
		}
	}
	if high < 12 || high < 2*letters {
		return charmap.Windows1252 // single letters with accents among others
	}
	if upper > 2*lower { // KOI8 has its small letters where windows-1251 has its capitals
		return charmap.KOI8R
	}
	return charmap.Windows1251
}

// wideCharset is an encoding of two bytes a character.
type wideCharset struct {
	encoding encoding.Encoding
	fit      func(lead, trail byte) int // 2 for what is common in such text, 1 for what is possible, 0 for what cannot be
	kana     func(lead byte) bool       // of Japanese: no text is without them, and others have hardly any
}

// wides are those that are looked for, the narrowest first.
func wides() []wideCharset {
	return []wideCharset{
		{korean.EUCKR, func(l, t byte) int { return fits(t >= 0xa1 && l >= 0xa1, l >= 0xb0 && l <= 0xc8) }, nil},
		{japanese.EUCJP, func(l, t byte) int {
			return fits(t >= 0xa1 && (l >= 0xa1 || l == 0x8e), l == 0xa1 || l == 0xa4 || l == 0xa5 || l >= 0xb0 && l <= 0xcf)
		}, func(l byte) bool { return l == 0xa4 || l == 0xa5 }},
		{simplifiedchinese.GB18030, func(l, t byte) int {
			return fits(t >= 0xa1 && l >= 0xa1 && l <= 0xf7, l >= 0xb0 && l <= 0xd7 || l == 0xa1 || l == 0xa3)
		}, nil},
		{traditionalchinese.Big5, func(l, t byte) int {
			return fits(l >= 0xa1 && l <= 0xf9 && (t >= 0x40 && t <= 0x7e || t >= 0xa1), l >= 0xa4 && l <= 0xc6 || l == 0xa1)
		}, nil},
		{japanese.ShiftJIS, func(l, t byte) int {
			return fits((l <= 0x9f || l >= 0xe0 && l <= 0xef) && t >= 0x40 && t != 0x7f && t <= 0xfc,
				l >= 0x81 && l <= 0x83 || l >= 0x88 && l <= 0x97)
		}, func(l byte) bool { return l == 0x82 || l == 0x83 }},
	}
}

func fits(possible, common bool) int {
	switch {
	case !possible:
		return 0
	case common:
		return 2
	}
	return 1
}

// guessWide returns the first encoding of two bytes a character that text fits into as a whole, and nearly all of it
// in common characters; nil if there is none.
func guessWide(b []byte) encoding.Encoding {
	for _, w := range wides() {
		if w.suits(b) {
			return w.encoding
		}
	}
	return nil
}

func (w wideCharset) suits(b []byte) bool {
	pairs, common, kana := 0, 0, 0
	for i := 0; i+1 < len(b); i++ {
		if b[i] < 0x80 {
			continue
		}
		fit := w.fit(b[i], b[i+1])
		if fit == 0 {
			return false
		}
		pairs++
		if fit == 2 {
			common++
		}
		if w.kana != nil && w.kana(b[i]) {
			kana++
		}
		i++
	}
	return pairs >= enoughPairs && common*100 > pairs*commonShare && (w.kana == nil || kana*100 > pairs*kanaShare)
}
