package mime

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// eml joins lines with CRLF.
func eml(lines ...string) []byte { return []byte(strings.Join(lines, "\r\n")) }

func TestBody(t *testing.T) {
	for _, tt := range []struct {
		name  string
		raw   []byte
		want  string
		files string // types and names
	}{
		{"plain", eml("Subject: x", "", "Hello", "World", ""), "Hello\nWorld", ""},
		{"no header", eml("just a line", "and another"), "just a line\nand another", ""},
		{"nothing", nil, "", ""},
		{"header only", eml("Subject: x"), "", ""},
		{"bare LF", []byte("Subject: x\n\nHello\n"), "Hello", ""},
		{"bare CR", []byte("Subject: x\r\rHello\rWorld"), "Hello\nWorld", ""},
		{"mbox line", eml("From a@b Mon Jan 1", "Subject: x", "", "Hello"), "Hello", ""},
		{"quoted-printable", eml("Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable", "",
			"na=C3=AFve =", "caf=c3=a9  ", "100%=ZZ="), "naïve café\n100%=ZZ", ""},
		{"base64 with a list footer", eml("Content-Transfer-Encoding: base64", "", "SGVs", "bG8=", "____", "list footer"), "Hello", ""},
		{"base64 with noise", eml("Content-Transfer-Encoding: BASE64", "", "S!G V s\tbG8"), "Hello", ""},
		{"latin-1", eml("Content-Type: text/plain; charset=ISO-8859-1", "", "caf\xe9 \x80"), "café €", ""},
		{"unknown charset", eml("Content-Type: text/plain; charset=x-nonsense", "", "caf\xe9"), "café", ""},
		{"ascii that is utf-8", eml("Content-Type: text/plain; charset=us-ascii", "", "café"), "café", ""},
		{"koi8-r", eml(`Content-Type: text/plain; charset="koi8-r"`, "", "\xd0\xd2\xc9\xd7\xc5\xd4"), "привет", ""},
		{"iso-2022-jp", eml("Content-Type: text/plain; charset=iso-2022-jp", "", "\x1b$B$3$s\x1b(B"), "こん", ""},
		{"flowed", eml("Content-Type: text/plain; format=flowed; delsp=yes", "", "one  ", "two", "> quo ", "> ted", " >not", "-- ", "sig"),
			"one two\n> quoted\n>not\n-- \nsig", ""},
		{"html only", eml("Content-Type: text/html", "", "<p>Hello <b>World</b></p>"), "Hello *World*", ""},
		{"alternative", eml("Content-Type: multipart/alternative; boundary=b", "", "--b", "", "plain", "--b",
			"Content-Type: text/html", "", "<p>plain</p>", "--b--"), "plain", ""},
		{"alternative with a stub", eml("Content-Type: multipart/alternative; boundary=b", "", "--b", "", "See HTML", "--b",
			"Content-Type: text/html", "", "<p>"+strings.Repeat("long ", 20)+"</p>", "--b--"), strings.TrimSpace(strings.Repeat("long ", 20)), ""},
		{"mixed", eml(`Content-Type: multipart/mixed; boundary="b"`, "", "preamble", "--b", "", "text", "--b",
			`Content-Type: image/png; name="a.png"`, "", "xx", "--b", "", "more", "--b--", "epilogue"), "text\n\nmore", "image/png a.png"},
		{"outer boundary closes inner", eml("Content-Type: multipart/mixed; boundary=o", "", "--o",
			"Content-Type: multipart/alternative; boundary=i", "", "--i", "", "inner", "--o", "", "outer", "--o--"), "inner\n\nouter", ""},
		{"no boundary given", eml("Content-Type: multipart/mixed", "", "--xyz", "Content-Type: text/plain", "", "found", "--xyz--"), "found", ""},
		{"no boundary at all", eml("Content-Type: multipart/mixed", "", "as it is"), "as it is", ""},
		{"unclosed", eml("Content-Type: multipart/mixed; boundary=b", "", "--b", "", "text"), "text", ""},
		{"boundary without header", eml("Content-Type: multipart/mixed; boundary=b", "", "--b", "Content-Type: text/plain", "--b", "", "x", "--b--"), "x", ""},
		{"delimiter-like text", eml("Content-Type: multipart/mixed; boundary=b", "", "--b", "", "--bb", "--", "--b2--", "--b--"), "--bb\n--\n--b2--", ""},
		{"body glued to header", eml("Subject: x", "no colon here", "text"), "no colon here\ntext", ""},
		{"junk in header", eml("Subject: x", "junk", "X-A: y", "", "text"), "text", ""},
		{"text attachment", eml("Content-Type: multipart/mixed; boundary=b", "", "--b", "", "hi", "--b",
			"Content-Disposition: attachment; filename=notes.txt", "", "inside", "--b--"), "hi", "text/plain notes.txt"},
		{"only a text attachment", eml("Content-Disposition: attachment; filename=n.txt", "", "inside"), "inside", ""},
		{"signed", eml("Content-Type: multipart/signed; boundary=b", "", "--b", "", "hi", "--b",
			"Content-Type: application/pgp-signature", "", "sig", "--b--"), "hi", ""},
		{"encrypted", eml("Content-Type: multipart/encrypted; boundary=b", "", "--b", "Content-Type: application/pgp-encrypted", "", "Version: 1", "--b",
			"Content-Type: application/octet-stream; name=encrypted.asc", "", "x", "--b--"), "[OpenPGP encrypted mail]", "application/octet-stream encrypted.asc"},
		{"forwarded as file", eml("Content-Type: multipart/digest; boundary=b", "", "--b", "", "Subject: inner", "", "x", "--b--"), "", "message/rfc822 "},
		{"calendar beside text", eml("Content-Type: multipart/alternative; boundary=b", "", "--b", "", "meet", "--b",
			"Content-Type: text/calendar", "", "BEGIN:VCALENDAR", "--b--"), "meet", "text/calendar "},
		{"controls", eml("", "a\x00b\x01c\x1b[31md\x7f\u0085e\ufffef\u202eg"), "abc[31mdef\ufffdg", ""},
		{"bad content type", eml("Content-Type: ;;;", "", "x"), "x", ""},
		{"just text", eml("Content-Type: text", "", "x"), "x", ""},
		{"empty boundary in quotes", eml(`Content-Type: multipart/mixed; boundary=""`, "", "x"), "x", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := Parse(tt.raw).Body(32 << 10)
			var files []string
			for _, f := range b.Files {
				files = append(files, f.Type+" "+f.FileName())
			}
			if got := strings.Join(files, ","); b.Text != tt.want || got != tt.files || b.Cut != 0 {
				t.Errorf("text %q files %q cut %d, want %q %q", b.Text, got, b.Cut, tt.want, tt.files)
			}
		})
	}
}

func TestBodyIsCut(t *testing.T) {
	text := strings.Repeat("é", 1000)
	b := Parse(eml("", text)).Body(101)
	if b.Text != strings.Repeat("é", 50) || b.Cut != 1900 {
		t.Errorf("%d bytes, %d cut", len(b.Text), b.Cut)
	}
}

func TestHeaders(t *testing.T) {
	words := strings.Repeat("=?utf-8?q?x?= ", 1500)
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "hello", "hello"},
		{"folded", "hello\r\n  world", "hello world"},
		{"q", "=?utf-8?Q?caf=C3=A9_x?=", "café x"},
		{"b", "=?UTF-8?B?Y2Fmw6k=?=", "café"},
		{"latin", "=?iso-8859-1?q?caf=E9?=", "café"},
		{"adjacent", "=?utf-8?q?a?=\r\n =?utf-8?q?b?= c", "ab c"},
		{"split character", "=?utf-8?b?w6==?= =?utf-8?q?=A9?=", "é"},
		{"different charsets", "=?utf-8?q?=C3=A9?= =?iso-8859-1?q?=E9?=", "éé"},
		{"inside a word", "x=?utf-8?q?a?=y", "xay"},
		{"language", "=?utf-8*en?q?a?=", "a"},
		{"broken", "=?utf-8?x?a?= =?utf-8?q", "=?utf-8?x?a?= =?utf-8?q"},
		{"8 bit", "caf\xe9", "café"},
		{"utf-8", "café", "café"},
		{"injection", "=?utf-8?q?a=0D=0ABcc:_x=00?=", "a Bcc: x"},
		{"bidi", "a\u202eb\u2066c", "abc"},
		{"spaces", "  a \t b ", "a b"},
		{"empty text", "=?utf-8?q??= x", " x"[1:]},
		{"too many words", words, strings.Repeat("x", 1000) + strings.Repeat(" =?utf-8?q?x?=", 500)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := Parse([]byte("subject:" + tt.in + "\r\n\r\n")).Root
			if got := p.Text("Subject"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestFileName(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{`attachment; filename="a b.txt"`, "a b.txt"},
		{`attachment; filename=a.txt`, "a.txt"},
		{`attachment; filename="../../etc/passwd"`, "passwd"},
		{`attachment; filename="C:\\dir\\x.exe"`, "x.exe"},
		{`attachment; filename=".."`, ""},
		{`attachment; filename*=utf-8''caf%C3%A9.txt`, "café.txt"},
		{`attachment; filename*0="long "; filename*1="name.txt"`, "long name.txt"},
		{`attachment; filename*0*=utf-8'en'caf%C3; filename*1*=%A9; filename*2=".t%xt"`, "café.t%xt"},
		{`attachment; filename="=?utf-8?q?caf=C3=A9?="`, "café"},
		{`attachment; filename="evil` + "\u202e" + `gpj.exe"`, "evilgpj.exe"},
		{`attachment; filename="unclosed`, "unclosed"},
		{`attachment; a; filename="x;y"; b=c`, "x;y"},
		{`attachment; filename="` + strings.Repeat("n", 300) + `.pdf"`, strings.Repeat("n", 124) + ".pdf"},
		{`attachment`, ""},
	} {
		p := Parse([]byte("Content-Disposition: " + tt.in + "\r\n\r\n")).Root
		if got := p.FileName(); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestMailboxes(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"a@b.c", "|a@b.c"},
		{"Alice <a@b.c>", "Alice|a@b.c"},
		{`"Doe, Alice" <a@b.c>, Bob <b@b.c>`, "Doe, Alice|a@b.c Bob|b@b.c"},
		{"a@b.c (Alice (x))", "Alice|a@b.c"},
		{"=?utf-8?q?J=C3=BCrgen?= <j@b.c>", "Jürgen|j@b.c"},
		{`"=?utf-8?q?J=C3=BCrgen?=" <j@b.c>`, "Jürgen|j@b.c"},
		{"friends: a@b.c, d@e.f;", "|a@b.c |d@e.f"},
		{"undisclosed-recipients:;", ""},
		{"Alice <a@b.c", "Alice|a@b.c"},
		{"Doe. A. (x) <a@b.c>", "Doe. A.|a@b.c"},
		{"<@relay:a@b.c>", "|a@b.c"},
		{`"a b"@c.d`, `|"a b"@c.d`},
		{"a @ b.c", "|a@b.c"},
		{`"unclosed <a@b.c>, b@c.d`, "unclosed|a@b.c |b@c.d"},
		{"", ""},
		{"nobody", ""},
		{"mailto:a@b.c", "|a@b.c"},
	} {
		var got []string
		for _, mb := range Parse([]byte("From: " + tt.in + "\n\n")).Root.Mailboxes("from") {
			got = append(got, mb.Name+"|"+mb.Addr)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: got %q, want %q", tt.in, s, tt.want)
		}
	}
}

func TestMessageIDs(t *testing.T) {
	got := MessageIDs("<a@b> <c@d><e@f>,g@h <bad> < > <x y@z> <é@b>", 10)
	if want := "[<a@b> <c@d> <e@f> <g@h> <y@z>]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := MessageIDs(strings.Repeat("<a@b>", 500), 100); len(got) != 100 {
		t.Errorf("%d ids", len(got))
	}
	for in, want := range map[string]string{"<a@b>": "<a@b>", " a@b ": "<a@b>", "<no-at>": "<no-at>", "": "", "<a b>": "", "(c) <x@y> z": "<x@y>"} {
		if got := MessageID(in); got != want {
			t.Errorf("MessageID(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestDate(t *testing.T) {
	want := time.Date(2026, 11, 2, 3, 4, 5, 0, time.UTC)
	for _, in := range []string{
		"Mon, 02 Nov 2026 03:04:05 +0000", "2 Nov 2026 03:04:05 GMT", "Mon, 2 Nov 2026 04:04:05 +0100 (CET)",
		"Mon Nov  2 03:04:05 2026", "2026-11-02T03:04:05Z", "Mon,  2 Nov 2026 03:04:05",
	} {
		if got := Parse([]byte("Date: " + in + "\n\n")).Root.Date(); !got.Equal(want) {
			t.Errorf("%s: %v", in, got)
		}
	}
	for _, in := range []string{"", "yesterday", strings.Repeat("1", 10000)} {
		if got := Parse([]byte("Date: " + in + "\n\n")).Root.Date(); !got.IsZero() {
			t.Errorf("%s: %v", in, got)
		}
	}
}

func TestSize(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 57, 100} {
		enc := base64Lines(n)
		p := Parse([]byte("Content-Transfer-Encoding: base64\n\n" + enc)).Root
		if p.Size() != int64(n) || len(p.Content(1<<20)) != n {
			t.Errorf("%d bytes: Size %d, Content %d", n, p.Size(), len(p.Content(1<<20)))
		}
	}
}
