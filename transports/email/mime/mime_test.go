package mime

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"
)

// eml joins lines with CRLF.
func eml(lines ...string) []byte { return []byte(strings.Join(lines, "\r\n")) }

// nesting opens n multiparts within one another.
func nesting(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
	}
	return b.String()
}

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
		{"alternative that is empty", eml("Content-Type: multipart/alternative; boundary=b", "", "--b", "", "plain", "--b", "", "", "--b--"), "plain", ""},
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
		{"digest", eml("Content-Type: multipart/digest; boundary=b", "", "--b", "", "Subject: one", "", "x", "--b", "", "Subject: two", "", "y", "--b--"),
			"Subject: one\n\nx\n\nSubject: two\n\ny", ""},
		{"forwarded as file", eml("Content-Type: multipart/mixed; boundary=b", "", "--b", "", "see", "--b", "Content-Type: message/rfc822", "",
			"Subject: inner", "", "x", "--b--"), "see", "message/rfc822 "},
		{"only a forwarded mail", eml("Content-Type: message/rfc822", "", "From: bob@example.com", "Subject: inner", "", "x"),
			"From: bob@example.com\nSubject: inner\n\nx", "message/rfc822 "},
		{"deeper than is taken apart", append([]byte(nesting(100)), "\n\nstill read"...), "still read", "multipart/mixed "},
		{"calendar beside text", eml("Content-Type: multipart/alternative; boundary=b", "", "--b", "", "meet", "--b",
			"Content-Type: text/calendar", "", "BEGIN:VCALENDAR", "--b--"), "meet", "text/calendar "},
		{"invitation, twice", eml("Content-Type: multipart/mixed; boundary=o", "", "--o", "Content-Type: multipart/alternative; boundary=b", "",
			"--b", "", "meet", "--b", "Content-Type: text/calendar; method=REQUEST", "", "METHOD:REQUEST", "BEGIN:VEVENT", "SUMMARY:Tea", "END:VEVENT", "--b--",
			"--o", "Content-Type: application/ics; name=invite.ics", "Content-Transfer-Encoding: quoted-printable", "",
			"METHOD:REQUEST", "BEGIN:VEVENT", "SUMMARY:Tea", "END:VEVENT", "--o--"), "meet\n\nInvitation: Tea", "text/calendar "},
		{"OpenPGP in the text", eml("", "Hi", "-----BEGIN PGP MESSAGE-----", "", "abc", "-----END PGP MESSAGE-----", "bye"),
			"Hi\n\n[OpenPGP encrypted mail]\n\nbye", "application/pgp-encrypted-text message.asc"},
		{"OpenPGP signature in the text", eml("", "-----BEGIN PGP SIGNED MESSAGE-----", "Hash: SHA256", "", "- --x", "Hi", "-----BEGIN PGP SIGNATURE-----", "", "abc",
			"-----END PGP SIGNATURE-----"), "--x\nHi", ""},
		{"S/MIME encrypted", eml("Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", "", "xx"),
			"[S/MIME encrypted mail]", "application/pkcs7-mime smime.p7m"},
		{"S/MIME signed", eml("Content-Type: application/x-pkcs7-mime; smime-type=signed-data; name=smime.p7m", "Content-Transfer-Encoding: base64", "",
			base64.StdEncoding.EncodeToString(signedData("Subject: x\r\n\r\nsigned text", false))), "signed text", ""},
		{"S/MIME signed, of indefinite length", eml("Content-Type: application/pkcs7-mime; name=smime.p7m", "Content-Transfer-Encoding: base64", "",
			base64.StdEncoding.EncodeToString(signedData("Subject: x\r\n\r\nsigned text", true))), "signed text", ""},
		{"uuencoded file in the text", eml("", "see", "begin 644 a.txt", "%:&5L;&\\", "`", "end", "bye"), "see\nbye", "application/octet-stream a.txt"},
		{"uuencoded without an end", eml("", "begin 644 a.txt", "%:&5L;&\\"), "begin 644 a.txt\n%:&5L;&\\", ""},
		{"uuencoded part", eml("Content-Transfer-Encoding: x-uuencode", "", "begin 644 a.txt", "%:&5L;&\\", "`", "end"), "hello", ""},
		{"winmail.dat", eml("Content-Type: application/ms-tnef; name=winmail.dat", "Content-Transfer-Encoding: base64", "",
			base64.StdEncoding.EncodeToString(winmail())), "h\u00e9", "application/octet-stream b.bin"},
		{"winmail.dat beside text", eml("Content-Type: multipart/mixed; boundary=b", "", "--b", "", "text", "--b",
			"Content-Type: application/ms-tnef; name=winmail.dat", "Content-Transfer-Encoding: base64", "",
			base64.StdEncoding.EncodeToString(winmail()), "--b--"), "text", "application/octet-stream b.bin"},
		{"winmail.dat that is none", eml("Content-Type: application/ms-tnef; name=winmail.dat", "", "x"), "", "application/ms-tnef winmail.dat"},
		{"piece", eml("Content-Type: message/partial; id=x; number=2; total=3", "", "x"), "[part 2 of 3 of a message that was sent in pieces]", "message/partial "},
		{"elsewhere", eml("Content-Type: message/external-body; access-type=anon-ftp; site=example.com; directory=pub; name=a.txt", "", "Content-Type: text/plain", "", ""),
			"[the content is elsewhere: example.com pub a.txt]", ""},
		{"at an address", eml(`Content-Type: message/external-body; access-type=URL; URL="https://example.com/`, `  a.txt"`, "", ""),
			"[the content is at <https://example.com/a.txt>]", ""},
		{"enriched", eml("Content-Type: text/enriched", "", "<bold>Hi</bold> <<there", "you", "", "<color><param>red</param>x</color>"), "Hi <there you\nx", ""},
		{"AMP is not for people", eml("Content-Type: multipart/alternative; boundary=b", "", "--b", "", "a", "--b", "Content-Type: text/x-amp-html", "", "<p>b</p>", "--b--"), "a", ""},
		{"another boundary than it says", eml("Content-Type: multipart/mixed; boundary=x", "", "--xy", "Content-Type: text/plain", "", "text", "--xy--"), "text", ""},
		{"multipart without parts", eml("Content-Type: multipart/mixed; boundary=x", "", "just", "text", ""), "just\ntext", ""},
		{"inner multipart without parts", eml("Content-Type: multipart/mixed; boundary=x", "", "--x", "Content-Type: multipart/mixed; boundary=y", "", "inner", "--x--", "outer"), "inner", ""},
		{"field without a name", eml("Subject: x", ": y", "", "text"), "text", ""},
		{"plain text that says to be base64", eml("Content-Transfer-Encoding: base64", "", "This is a line of text, and it is not encoded. Not at all!"),
			"This is a line of text, and it is not encoded. Not at all!", ""},
		{"file of an unknown type", eml("Content-Type: multipart/mixed; boundary=b", "", "--b", "", "x", "--b", "Content-Type: pdf; name=a.pdf", "", "%PDF", "--b--"),
			"x", "application/octet-stream a.pdf"},
		{"HTML that does not say so", eml("", "<html><body>Hi<br>there</body></html>"), "Hi\nthere", ""},
		{"text about HTML", eml("Content-Type: text/plain", "", "Use <br> and <p>."), "Use <br> and <p>.", ""},
		{"patch", eml("Content-Type: multipart/mixed; boundary=b", "", "--b", "", "a", "--b", "Content-Type: text/x-patch", "", "+b", "--b",
			"Content-Type: text/x-patch; name=a.diff", "", "+c", "--b--"), "a\n\n+b", "text/x-patch a.diff"},
		{"stub", eml("Content-Type: multipart/alternative; boundary=b", "", "--b", "", "Please view this in HTML.", "--b",
			"Content-Type: text/html", "", "<p>The real text of this message is here.</p>", "--b--"), "The real text of this message is here.", ""},
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

// ber writes an element, of a definite length or not.
func ber(tag byte, content []byte, indefinite bool) []byte {
	if indefinite && tag&berConstructed != 0 {
		return append(append([]byte{tag, 0x80}, content...), 0, 0)
	}
	if len(content) > 127 {
		return append([]byte{tag, 0x82, byte(len(content) >> 8), byte(len(content))}, content...)
	}
	return append([]byte{tag, byte(len(content))}, content...)
}

// signedData is a SignedData without signers.
func signedData(content string, indefinite bool) []byte {
	pkcs7 := []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07}
	oid := func(n byte) []byte { return ber(berOID, append(pkcs7[:8:8], n), false) }
	octets := ber(berOctets, []byte(content), false)
	if indefinite {
		half := len(content) / 2
		octets = ber(berOctets|berConstructed, append(ber(berOctets, []byte(content[:half]), false), ber(berOctets, []byte(content[half:]), false)...), true)
	}
	encap := ber(berSequence, append(oid(1), ber(berContext0, octets, indefinite)...), indefinite)
	digests := ber(0x31, ber(berSequence, oid(5), indefinite), indefinite)
	data := append(append([]byte{2, 1, 1}, digests...), encap...)
	data = append(data, ber(0x31, nil, false)...)
	return ber(berSequence, append(oid(2), ber(berContext0, ber(berSequence, data, indefinite), indefinite)...), indefinite)
}

// winmail is a winmail.dat with a text in windows-1252 and a file.
func winmail() []byte {
	b := []byte{0x78, 0x9f, 0x3e, 0x22, 0, 0}
	add := func(level byte, id uint32, data string) {
		b = append(b, level)
		b = binary.LittleEndian.AppendUint32(b, id)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
		b = append(append(b, data...), 0, 0)
	}
	add(1, 0x00069007, "\xe4\x04\x00\x00")
	add(1, 0x0002800c, "h\xe9\x00")
	add(2, 0x00069002, strings.Repeat("\x00", 14))
	add(2, 0x00018010, "b.bin\x00")
	add(2, 0x0006800f, "two")
	return b
}

func TestMarks(t *testing.T) {
	for raw, want := range map[string]string{
		"Content-Type: multipart/encrypted; boundary=b\n\n--b\n\nx\n--b--":                                        "OpenPGP ",
		"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nx":                                    "S/MIME ",
		"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b\n\n--b\n\nx\n--b--": " S/MIME",
		"Content-Type: multipart/signed; boundary=b\n\n--b\n\nx\n--b--":                                           " OpenPGP",
		"\nx": " ",
	} {
		b := Parse([]byte(raw)).Body(100)
		if got := b.Encrypted + " " + b.Signed; got != want {
			t.Errorf("%q: %q", raw, got)
		}
	}
}

func TestReaction(t *testing.T) {
	for _, tt := range []struct {
		name string
		raw  []byte
		want string
	}{
		{"RFC 9078", eml("Content-Type: text/plain; charset=utf-8", "Content-Disposition: reaction", "", "👍 ❤️"), "👍,❤️"},
		{"in a multipart", eml("Content-Type: multipart/mixed; boundary=b", "", "--b", "Content-Disposition: Reaction", "Content-Transfer-Encoding: 8bit", "", "😀", "--b--"), "😀"},
		{"Gmail", eml("Content-Type: multipart/alternative; boundary=b", "", "--b", "", "👍 Bob reacted", "--b",
			"Content-Type: text/vnd.google.email-reaction+json", "", `{"emoji":"👍","version":1}`, "--b--"), "👍"},
		{"words are no reaction", eml("Content-Disposition: reaction", "", "no way"), ""},
		{"no JSON", eml("Content-Type: text/vnd.google.email-reaction+json", "", `{`), ""},
		{"an ordinary mail", eml("", "👍"), ""},
		{"too many", eml("Content-Disposition: reaction", "", strings.Repeat("👍 ", 30)), ""},
	} {
		if got := strings.Join(Parse(tt.raw).Reaction(), ","); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestQuotedAs has text beside HTML that marks where the mail begins that is answered.
func TestQuotedAs(t *testing.T) {
	mail := func(plain, html string) []byte {
		return eml("Content-Type: multipart/alternative; boundary=b", "", "--b", "", plain, "--b", "Content-Type: text/html", "", html, "--b--")
	}
	for _, tt := range []struct{ plain, html, want string }{
		{"Yes, *today*.\r\n\r\nBob schrieb: Tee?", `<p>Yes, <b>today</b>.</p><div class=yahoo_quoted>Bob schrieb: Tee?</div>`, "Yes, *today*."},
		{"Yes.\r\n\r\nBob: Tee?", `<p>Other words</p><div class=yahoo_quoted>Bob: Tee?</div>`, ""},
		{"Yes.", `<p>Yes.</p><div class=yahoo_quoted>Bob: Tee?</div>`, ""},
		{"Yes.\r\n\r\nBob: Tee?", `<p>Yes.</p><div>Bob: Tee?</div>`, ""},
	} {
		b := Parse(mail(tt.plain, tt.html)).Body(1000)
		if got := strings.TrimSpace(b.Text[:b.Quoted]); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.plain, got, tt.want)
		}
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
		"Sun, 1 Nov 2026 22:04:05 EST", "Sun Nov 1 20:04:05 PDT 2026", "Mon, 2 Nov 2026 03:04:05 CEST",
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
