package email

import (
	"bytes"
	"io"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"gangway/transports/email/mime"
)

func mustAddress(t testing.TB, s string) address {
	t.Helper()
	a, err := parseAddress(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return a
}

func example(t testing.TB) outgoing {
	return outgoing{
		id: "<abc@gw.example>", from: mustAddress(t, "alice@gw.example"), to: mustAddress(t, "Bob@example.com"),
		name: "Alice Doe", at: time.Date(2026, 11, 2, 3, 4, 5, 0, time.UTC), subject: "Hello", loop: "gw.example", text: "Hi Bob,\n.\nbye",
	}
}

// TestWrite writes the mails of testdata/out.
func TestWrite(t *testing.T) {
	for name, change := range map[string]func(*outgoing){
		"plain": func(*outgoing) {},
		"answer": func(o *outgoing) {
			o.subject, o.inReplyTo = "Re: Hello", "<parent@example.com>"
			o.references = []string{"<first@example.com>", "<" + strings.Repeat("long", 30) + "@example.com>", "<parent@example.com>"}
		},
		"unicode": func(o *outgoing) {
			o.name, o.subject = "Zoë Łukasz", "Grüße aus Köln und noch viel mehr Wörter, damit die Zeile umbricht"
			o.text = "Schöne Grüße 😀\n" + strings.Repeat("lang ", 40) + "\ntrailing \n\u2028x"
			o.to = mustAddress(t, "bob@bücher.example")
		},
		"eai":         func(o *outgoing) { o.to = mustAddress(t, "jürgen@example.com") },
		"quoted":      func(o *outgoing) { o.to, o.name = mustAddress(t, `"a \"b"@example.com`), `Alice "the" \ Doe` },
		"no-name":     func(o *outgoing) { o.name = "" },
		"long-folded": func(o *outgoing) { o.subject = strings.TrimSpace(strings.Repeat("subject words ", 30)) },
		"word-like":   func(o *outgoing) { o.subject = "not =?utf-8?q?encoded?= by us" },
		"from-line":   func(o *outgoing) { o.text = "From here\nnul \x00 and bell \a" },
	} {
		t.Run(name, func(t *testing.T) {
			o := example(t)
			change(&o)
			raw, err := compose(o)
			if err != nil {
				t.Fatal(err)
			}
			checkMail(t, o, raw, name != "eai")
			golden(t, "testdata/out/"+name+".eml", raw)
		})
	}
}

// checkMail holds a written mail to what every reader may rely on.
func checkMail(t *testing.T, o outgoing, raw []byte, sevenBit bool) {
	t.Helper()
	header, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
		if bytes.ContainsAny(line, "\r\n\x00") || len(line) > lineHard {
			t.Errorf("line %q", line)
		}
		for _, c := range line {
			if sevenBit && c >= 0x80 {
				t.Errorf("eight bits: %q", line)
				break
			}
		}
	}
	for line := range bytes.SplitSeq(header, []byte("\r\n")) {
		if len(line) > lineFold && bytes.Count(bytes.TrimLeft(line, " "), []byte{' '}) > 1 {
			t.Errorf("not folded: %q", line)
		}
	}
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(m.Header); n > 11 {
		t.Errorf("%d fields: %v", n, m.Header)
	}
	body, err := io.ReadAll(m.Body)
	if err != nil {
		t.Fatal(err)
	}
	if m.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
		if body, err = io.ReadAll(quotedprintable.NewReader(bytes.NewReader(body))); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.ReplaceAll(string(body), "\r\n", "\n"); got != strings.TrimRight(o.text, "\n")+"\n" {
		t.Errorf("text %q", got)
	}
	root := mime.Parse(raw).Root
	if got := root.Text("Subject"); got != mime.OneLine(o.subject) {
		t.Errorf("subject %q, want %q", got, o.subject)
	}
	to, err := parseAddress(root.Mailboxes("To")[0].Addr)
	if err != nil || to != o.to {
		t.Errorf("to %+v, %v", to, err)
	}
	if from := root.Mailboxes("From"); len(from) != 1 || from[0].Name != mime.OneLine(o.name) || from[0].Addr != o.from.String() {
		t.Errorf("from %+v", from)
	}
}

func TestHeaderInjection(t *testing.T) {
	for _, evil := range []string{"x\r\nBcc: eve@evil.example", "x\nBcc: y", "x\rBcc: y", "x\x00y", "é\r\nBcc: y"} {
		for field, change := range map[string]func(*outgoing){
			"subject":    func(o *outgoing) { o.subject = evil },
			"name":       func(o *outgoing) { o.name = evil },
			"to":         func(o *outgoing) { o.to.local = evil },
			"domain":     func(o *outgoing) { o.to.wire = evil },
			"id":         func(o *outgoing) { o.id = evil },
			"reply":      func(o *outgoing) { o.inReplyTo = evil },
			"references": func(o *outgoing) { o.references = []string{"<a@b>", evil} },
			"loop":       func(o *outgoing) { o.loop = evil },
		} {
			o := example(t)
			change(&o)
			if raw, err := compose(o); err == nil {
				t.Errorf("%s %q: written:\n%s", field, evil, raw)
			}
		}
	}
}

func FuzzWrite(f *testing.F) {
	f.Add("Hello", "Alice Doe", "text")
	f.Add("Grüße =?utf-8?q?x?= \r\nBcc: x", "Zoë \"x\" <a@b>, c", "a\r\nb\n.\n\x00\xff")
	f.Fuzz(func(t *testing.T, subject, name, text string) {
		o := example(t)
		o.subject, o.name, o.text = mime.Truncate(mime.OneLine(subject), 500), mime.Truncate(mime.OneLine(name), 78), mime.Clean(text)
		o.name = mime.OneLine(o.name)
		o.subject = mime.OneLine(o.subject)
		raw, err := compose(o)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(o.name, `@<>`) || strings.Contains(o.name, "=?") || strings.Contains(o.subject, "=?") {
			return // read in more than one way
		}
		checkMail(t, o, raw, true)
	})
}
