package charset

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
)

func TestNamed(t *testing.T) {
	for _, name := range []string{"latin1", "ISO-8859-15", "KOI8-R", "cp1251", "utf-8", "Shift_JIS", "gb18030", "iso-2022-jp"} {
		if _, err := Named(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "no such", "utf-16le", "utf-16", "replacement", "iso-2022-kr", "x-user-defined"} {
		if _, err := Named(name); !errors.Is(err, ErrUnknown) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := NamedPair("", "iso-2022-jp"); !errors.Is(err, ErrUnknown) {
		t.Errorf("an encoding with states to write: %v", err)
	}
	if p, err := NamedPair("latin1", "UTF-8"); err != nil || p.In == nil || p.Out != nil {
		t.Errorf("latin1 and UTF-8: %v, %v", p, err)
	}
}

func TestTarget(t *testing.T) {
	for line, want := range map[string]string{
		":a!b@c PRIVMSG #chan :text":          "#chan",
		"@time=x;a=b :a PRIVMSG  #chan :text": "#chan",
		":srv 332 me #chan :topic":            "#chan",
		":srv 353 me = #chan :@a b":           "#chan",
		":a!b@c PRIVMSG me :#chan is nice":    "",
		":a QUIT :#bye":                       "",
		"":                                    "",
		"@":                                   "",
		":":                                   "",
	} {
		if got := Target([]byte(line)); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestNick(t *testing.T) {
	for line, want := range map[string]string{
		":a!b@c PRIVMSG me :x": "a", "@t=1 :irc.test NOTICE me :x": "irc.test", "PING :a": "", "": "", ":": "", "@": "", ":\xe4!b@c QUIT": "\xe4",
	} {
		if got := Nick([]byte(line)); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestEncode(t *testing.T) {
	for _, c := range []struct {
		text string
		room int
		want string
	}{
		{"caf\u00e9", 10, "caf\xe9"}, {"caf\u00e9", 4, "caf\xe9"}, {"caf\u00e9", 3, "caf"}, {"plain", 3, "pla"},
		{"a\u2603b", 10, "a?b"}, {"\x02bold\x02 \u00e9", 20, "\x02bold\x02 \xe9"}, {"\u00e9", 0, ""}, {"\u00e9", -3, ""}, {"x", -1, ""},
	} {
		if got := Encode(c.text, charmap.Windows1252, c.room); got != c.want {
			t.Errorf("%q in %d bytes: %q, want %q", c.text, c.room, got, c.want)
		}
	}
	if got := Encode("\u65e5\u672c", japanese.ShiftJIS, 3); got != "\x93\xfa" {
		t.Errorf("a letter was cut: %q", got)
	}
	if got := Encode("\u00e9", simplifiedchinese.GB18030, 3); len(got) > 3 {
		t.Errorf("longer than there is room: %q", got)
	}
}

func FuzzEncode(f *testing.F) {
	f.Add("caf\u00e9 \u65e5\u672c \u2603", "shift_jis", 12)
	f.Add("\x00\r\n", "latin1", 5)
	f.Fuzz(func(t *testing.T, text, name string, room int) {
		p, err := NamedPair(name, name)
		if err != nil || p.Out == nil || !utf8.ValidString(text) || strings.ContainsAny(text, "\r\n\x00") {
			return
		}
		got := Encode(text, p.Out, room%600)
		if len(got) > max(room%600, 0) || strings.ContainsAny(got, "\r\n\x00") {
			t.Errorf("%q in %s became %q", text, name, got)
		}
	})
}
