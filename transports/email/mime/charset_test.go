package mime

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

func TestCharsets(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"", "caf\xc3\xa9", "café"},
		{"us-ascii", "caf\xe9", "café"},
		{"ISO8859-1", "\x80", "€"},
		{"iso-8859-15", "\xa4", "€"},
		{"cp1252", "\x80", "€"},
		{"Windows 1251", "\xcf\xf0", "Пр"},
		{"x-windows-1250", "\x9a", "š"},
		{"cp-850", "\x82", "é"},
		{"ibm437", "\x82", "é"},
		{`"utf-8"; format=flowed`, "é", "é"},
		{"charset=koi8-r", "\xd0", "п"},
		{"cp932", "\x82\xa0", "あ"},
		{"ks_c_5601-1987", "\xc7\xd1", "한"},
		{"cp949", "\xc7\xd1", "한"},
		{"iso-2022-kr", "\x1b$)C\x0eGQ\x0f x", "한 x"},
		{"iso-2022-cn", "\x1b$)A\x0eVP\x0f", "中"},
		{"iso-2022-jp", "\x1b$B$3$s\x1b(B", "こん"},
		{"hz-gb-2312", "~{VP~}", "中"},
		{"utf-7", "Hi Mom -+Jjo--! A+ImIDkQ. +-", "Hi Mom -☺-! A≢Α. +"},
		{"unicode-1-1-utf-7", "a+x", "a+x"},
		{"utf-16le", "h\x00i\x00", "hi"},
		{"utf-8", "\xff\xfeh\x00i\x00", "hi"},
		{"utf-16", "\xfe\xff\x00h\x00i", "hi"},
		{"x-nonsense-1", "caf\xe9", "café"},
		{"gb18030", "\xd6\xd0\x81\x30\x84\x36", "中¥"},
		{"windows-31j", "\x87\x40", "①"},
		{"csWindows31J", "\x82\xa0", "あ"},
		{"ms_kanji", "\x82\xa0", "あ"},
		{"eucJP", "\xa4\xa2", "あ"},
		{"cp51932", "\xa4\xa2", "あ"},
		{"cp50221", "\x1b$B$3$s\x1b(B", "こん"},
		{"iso-2022-jp-2", "\x1b$B$3$s\x1b(B", "こん"},
		{"uhc", "\xc7\xd1", "한"},
		{"euc-cn", "\xd6\xd0", "中"},
		{"cp54936", "\xd6\xd0", "中"},
		{"big5-hkscs", "\x88\x62", "Ê̄"},
		{"Big5_HKSCS", "\xa4\xa4", "中"},
		{"big5hkscs", "\xa4\xa4", "中"},
		{"x-mac-roman", "\x8e", "é"},
		{"MacRoman", "\x8e", "é"},
		{"cp10000", "\x8e", "é"},
		{"x-mac-cyrillic", "\x80", "А"},
		{"KOI8R", "\xd0", "п"},
		{"koi8_u", "\xa4", "є"},
		{"cp21866", "\xa4", "є"},
		{"cp866", "\x80", "А"},
		{"dos-866", "\x80", "А"},
		{"cp858", "\xd5", "€"},
		{"latin9", "\xa4", "€"},
		{"cp28605", "\xa4", "€"},
		{"cp28592", "\xb9", "š"},
		{"TIS620", "\xa1", "ก"},
		{"ANSI", "\x80", "€"},
		{"8859_1", "\x80", "€"},
		{"646", "caf\xe9", "café"},
		{"utf8mb4", "é", "é"},
		{"cp65000", "a+AOk-", "aé"},
		{"unicode-1-1-utf-7", "a+AOk-", "aé"},
		{"cp1200", "h\x00i\x00", "hi"},
		{"utf-32", "\x00\x00\x00h\x00\x00\x00i", "hi"},
		{"utf-32le", "h\x00\x00\x00i\x00\x00\x00", "hi"},
		{"iso-8859-12", "caf\xe9", "café"}, // there is none
	} {
		if got := Clean(decodeCharset([]byte(tt.in), tt.name)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestGuessedCharset(t *testing.T) {
	for text, e := range map[string]encoding.Encoding{
		"Die Straße ist für Fußgänger gesperrt, sagt André.": charmap.Windows1252,
		"café":                  charmap.Windows1252,
		"À PARIS, L'ÉTÉ EST LÀ": charmap.Windows1252,
		"Добрый день! Встреча в шесть.":                 charmap.Windows1251,
		"Добрый день, встречаемся в шесть часов вечера": charmap.KOI8R,
		"會議將於明天早上十點在三樓舉行，請各位同仁準時參加。":                    traditionalchinese.Big5,
		"会议将于明天上午十点在三楼举行，请各位同事准时参加。":                    simplifiedchinese.GB18030,
		"회의는 내일 오전 열 시에 삼층에서 열립니다. 모두 와 주세요.":           korean.EUCKR,
		"会議は明日の午前十時に三階で行います。よろしくお願いします。":                japanese.ShiftJIS,
		"会議は明日の午前十時から三階でおこないます。よろしくおねがいします。":            japanese.EUCJP,
	} {
		raw, err := e.NewEncoder().Bytes([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := decodeCharset(raw, ""); got != text {
			t.Errorf("%v: %q became %q", e, text, got)
		}
	}
}

func TestHTMLSaysItsCharset(t *testing.T) {
	for _, page := range []string{
		"<html><head><meta charset=\"koi8-r\"></head><p>\xd0\xd2",
		"<META http-equiv=Content-Type content='text/html; charset=koi8-r'><p>\xd0\xd2",
	} {
		m := Parse([]byte("Content-Type: text/html\n\n" + page))
		if got := m.Body(100).Text; got != "пр" {
			t.Errorf("%q: %q", page, got)
		}
	}
}

func FuzzCharset(f *testing.F) {
	f.Add([]byte("a+AGE-b"), "utf-7")
	f.Add([]byte("\x1b$)C\x0eGQ"), "iso-2022-kr")
	f.Add([]byte("\xa4\x40\xd6\xd0\x82\xa0"), "")
	f.Fuzz(func(t *testing.T, b []byte, name string) {
		got := decodeCharset(b, name)
		if !utf8.ValidString(got) && !utf8.ValidString(strings.ToValidUTF8(got, "")) {
			t.Errorf("%q", got)
		}
		if len(got) > 8*len(b)+16 {
			t.Errorf("%d bytes of %d", len(got), len(b))
		}
	})
}
