package wire

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/text/encoding/charmap"
)

func TestParse(t *testing.T) {
	for line, want := range map[string][]string{ // name, command, params...
		":a!b@c PRIVMSG #x :hi there":         {"a", "PRIVMSG", "#x", "hi there"},
		"@k=v;x   :a!b@c   privmsg  #x  :hi":  {"a", "PRIVMSG", "#x", "hi"},
		"PING x":                              {"", "PING", "x"},
		"PING :":                              {"", "PING", ""},
		":srv 001 nick":                       {"srv", "001", "nick"},
		":a\x02b\x03!c@d JOIN :#\x02x\x1f":    {"ab", "JOIN", "#x"},
		":a!b@c PRIVMSG #\x02x :\x02b\x00o\a": {"a", "PRIVMSG", "#x", "\x02bo"},
		":a PART #x\x0f":                      {"a", "PART", "#x"},
		":a QUIT :caf\xe9":                    {"a", "QUIT", "café"},
		":a QUIT :\xef\xbf\xbe":               {"a", "QUIT", "\ufffe"},
		":a!b@c PRIVMSG x ::)":                {"a", "PRIVMSG", "x", ":)"},
	} {
		m, err := Parse([]byte(line), charmap.Windows1252, MaxBody)
		if err != nil {
			t.Errorf("Parse(%q): %v", line, err)
			continue
		}
		if got := append([]string{m.Name, m.Command}, m.Params...); !slices.Equal(got, want) {
			t.Errorf("Parse(%q) = %q, want %q", line, got, want)
		}
	}
	for _, line := range []string{
		"", " ", "@", "@a", "@a=b ", "@a=b  ", "@a=b :x ", ":", ": x", ":x", ":x ", "::", "01 x", "0001 x", "P1NG x", "@a :p :x", "\x00", "\x02 x",
		"@" + strings.Repeat("x", MaxTags) + " PING x",
	} {
		if m, err := Parse([]byte(line), charmap.Windows1252, MaxBody); !errors.Is(err, ErrBad) {
			t.Errorf("Parse(%.40q) = %v, %v", line, m, err)
		}
	}
	if _, err := Parse([]byte(":x PRIVMSG y :"+strings.Repeat("z", 512)), charmap.Windows1252, MaxBody); !errors.Is(err, ErrTooLong) {
		t.Errorf("a long line: %v", err)
	}
	if _, err := Parse([]byte(":x PRIVMSG y :"+strings.Repeat("z", 512)), charmap.Windows1252, 1024); err != nil {
		t.Errorf("a long line where LINELEN allows it: %v", err)
	}
	cyrillic := ":x PRIVMSG y :" + strings.Repeat("\xc1", 450) // 900 bytes in UTF-8
	if m, err := Parse([]byte("@a=b "+cyrillic), charmap.KOI8R, MaxBody); err != nil || len(m.Trailing()) != 900 {
		t.Errorf("a full line in another charset: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, line := range []string{
		"@a=b ", ":a!b@c PRIVMSG #x :hi", "@a=\\:\\s\\\\;b :x 001 y", "\xff\xfe", ":\x02", "@;=;= A", "PING", ":x!@ JOIN", ":!@ NICK :",
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		m, err := Parse(line, charmap.Windows1252, MaxBody)
		if err != nil {
			return
		}
		for i, p := range m.Params {
			if strings.ContainsAny(p, "\x00\r\n") || i < len(m.Params)-1 && strings.ContainsFunc(p, IsControl) {
				t.Errorf("Parse(%q): parameter %q", line, p)
			}
		}
		for _, s := range []string{m.Name, m.User, m.Host, m.Command} {
			if strings.ContainsFunc(s, IsControl) {
				t.Errorf("Parse(%q): %q", line, s)
			}
		}
		for _, v := range m.Tags {
			if strings.ContainsFunc(v, IsControl) {
				t.Errorf("Parse(%q): tag %q", line, v)
			}
		}
	})
}

func TestReader(t *testing.T) {
	long := strings.Repeat("x", MaxTags+MaxBody)
	medium := strings.Repeat("y", 5000)
	stream := "one\r\n\r\n\ntwo\nthree\r\r\n" + medium + "\r\n" + long + "zzz\r\nfour\r\nrest"
	want := []string{"one", "two", "three", medium, "too long", "four", "EOF"}
	for name, src := range map[string]io.Reader{
		"whole": strings.NewReader(stream), "bytes": iotest.OneByteReader(strings.NewReader(stream)),
		"halves": iotest.HalfReader(strings.NewReader(stream)), "data with EOF": iotest.DataErrReader(strings.NewReader(stream)),
	} {
		l := NewReader(src)
		var got []string
		for {
			line, err := l.Next()
			if errors.Is(err, ErrTooLong) {
				got = append(got, "too long")
				continue
			}
			if err != nil {
				got = append(got, err.Error())
				break
			}
			got = append(got, string(line))
			if l.Buffered() && l.r == l.w {
				t.Error("claims to have buffered what it has not")
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %.200q", name, got)
		}
	}
}

func TestReaderShrinks(t *testing.T) {
	r, w := io.Pipe()
	go func() {
		io.WriteString(w, strings.Repeat("y", 5000)+"\n")
		io.WriteString(w, "short\n")
		w.Close()
	}()
	l := NewReader(r)
	for {
		if _, err := l.Next(); err != nil {
			break
		}
	}
	if len(l.buf) != smallBuffer {
		t.Errorf("keeps %d bytes", len(l.buf))
	}
}

func TestAppend(t *testing.T) {
	for _, c := range []struct {
		verb   string
		params []string
		want   string // empty: refused
	}{
		{"PRIVMSG", []string{"#x", "hi there"}, "PRIVMSG #x :hi there\r\n"},
		{"PRIVMSG", []string{"#x", ":)"}, "PRIVMSG #x ::)\r\n"},
		{"TOPIC", []string{"#x", ""}, "TOPIC #x :\r\n"},
		{"QUIT", nil, "QUIT\r\n"},
		{"PRIVMSG", []string{"#x", "a\r\nQUIT"}, ""},
		{"PRIVMSG", []string{"#x", "a\x00"}, ""},
		{"PRIVMSG", []string{"#x\n", "a"}, ""},
		{"PRIVMSG", []string{"#x y", "a"}, ""},
		{"PRIVMSG", []string{":x", "a"}, ""},
		{"PRIVMSG", []string{"", "a"}, ""},
		{"PRIVMSG", []string{strings.Repeat("x", 600), "a"}, ""},
		{"PRI VMSG", []string{"x"}, ""},
		{"", []string{"x"}, ""},
		{"PRIVMSG x", nil, ""},
		{"TOPIC", []string{"#x", strings.Repeat("é", 300)}, "TOPIC #x " + strings.Repeat("é", 250) + "\r\n"},
	} {
		got, err := command(c.verb, c.params...).Append(nil, "", MaxBody)
		if (err != nil) != (c.want == "") || string(got) != c.want || len(got) > MaxBody {
			t.Errorf("Append(%q, %.40q) = %.60q, %v", c.verb, c.params, got, err)
		}
	}
	if got, err := Quit("").Append([]byte("x"), "l1", MaxBody); string(got) != "x@label=l1 QUIT\r\n" || err != nil {
		t.Errorf("with a label: %q, %v", got, err)
	}
}

func FuzzAppend(f *testing.F) {
	f.Add("PRIVMSG", "#chan", "hi")
	f.Add("PRIVMSG", "#chan", "a\r\nQUIT")
	f.Add("a b", ":", " ")
	f.Fuzz(func(t *testing.T, verb, one, two string) {
		line, err := command(verb, one, two).Append(nil, "", MaxBody)
		if err != nil {
			return
		}
		body, ok := bytes.CutSuffix(line, []byte("\r\n"))
		if !ok || len(line) > MaxBody || bytes.ContainsAny(body, "\r\n\x00") {
			t.Errorf("wrote %q", line)
		}
		if n := bytes.Count(bytes.SplitN(body, []byte(" :"), 2)[0], []byte(" ")) + 1; n < 2 || n > 3 {
			t.Errorf("wrote %q, which has %d words before its text", line, n)
		}
	})
}
