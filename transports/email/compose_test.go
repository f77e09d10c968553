package email

import (
	"bytes"
	"fmt"
	"io"
	"mime/quotedprintable"
	netmail "net/mail"
	"os"
	"path/filepath"
	"slices"
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
		id: "<abc@gw.example>", from: mustAddress(t, "alice@gw.example"), to: []address{mustAddress(t, "Bob@example.com")},
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
			o.to = []address{mustAddress(t, "bob@bücher.example")}
		},
		"eai": func(o *outgoing) { o.to, o.utf8 = []address{mustAddress(t, "jürgen@example.com")}, true },
		"quoted": func(o *outgoing) {
			o.to, o.name = []address{mustAddress(t, `"a \"b"@example.com`)}, `Alice "the" \ Doe`
		},
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

// TestWriteParts writes the mails of testdata/out that have more parts than one.
func TestWriteParts(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*outgoing)
		types  string // of the parts
	}{
		"styled": {func(o *outgoing) {
			o.text, o.lang = "*Now* or _never_, see https://example.org/?a=b&c.\n> so it is\n```\nif a < b {\n}\n```", "en"
		}, "multipart/alternative(text/plain text/html)"},
		"answer-quoting": {func(o *outgoing) {
			o.inReplyTo, o.references = "<parent@example.com>", []string{"<parent@example.com>"}
			o.text, o.quote = "Yes", quote{"On 2026-11-02 01:02 UTC, Bob <bob@example.com> wrote:", "Are you there?\n\nI am."}
		}, "text/plain"},
		"answer-styled": {func(o *outgoing) {
			o.text, o.quote = "~No~ *Yes*", quote{"On 2026-11-02 01:02 UTC, Bob <bob@example.com> wrote:", "Are <you> there?"}
		}, "multipart/alternative(text/plain text/html)"},
		"files": {func(o *outgoing) {
			o.text = "*See* these"
			o.files = []part{
				{"photo.jpg", "image/jpeg", bytes.Repeat([]byte{0xff, 0xd8}, 60)}, {"naïve \"résumé\" " + strings.Repeat("漢字", 30) + ".pdf", "application/pdf", []byte("%PDF-1.4")},
				{"notes.txt", "text/plain", []byte("a\nb\n")}, {"voice.ogg", "audio/ogg", []byte("OggS")},
			}
		}, "multipart/mixed(multipart/alternative(text/plain text/html) image/jpeg application/pdf text/plain audio/ogg)"},
		"file-only": {func(o *outgoing) { o.text, o.files = "", []part{{"a.png", "image/png", []byte("x")}} }, "multipart/mixed(image/png)"},
		"several": {func(o *outgoing) {
			o.cc = []address{mustAddress(t, "carol@example.com"), mustAddress(t, "jürgen@example.com"), mustAddress(t, "dave@bücher.example")}
			o.jabberID = "alice@example.org"
		}, "text/plain"},
		"blind": {func(o *outgoing) { o.to = nil }, "text/plain"},
		"correction": {func(o *outgoing) {
			o.text, o.extras = editMark+"Hello, Bob", []extra{{chatField, "1.0"}, {editField, "<" + strings.Repeat("0123456789", 8) + "@gw.example>"}}
		}, "text/plain"},
		"reaction": {func(o *outgoing) {
			o.emoji, o.text = []string{"👍", "🎉"}, "Alice Doe reacted with 👍 🎉."
		}, "multipart/alternative(text/plain text/plain text/vnd.google.email-reaction+json)"},
		"no-subject": {func(o *outgoing) { o.subject = "" }, "text/plain"},
	} {
		t.Run(name, func(t *testing.T) {
			o := example(t)
			tt.change(&o)
			raw, err := compose(o)
			if err != nil {
				t.Fatal(err)
			}
			if got := typesOf(mime.Parse(raw).Root); got != tt.types {
				t.Errorf("parts %s, want %s", got, tt.types)
			}
			golden(t, "testdata/out/"+name+".eml", raw)
		})
	}
}

// typesOf shows the tree of a mail's parts.
func typesOf(p *mime.Part) string {
	if len(p.Parts) == 0 {
		return p.Type
	}
	var all []string
	for _, c := range p.Parts {
		all = append(all, typesOf(c))
	}
	return p.Type + "(" + strings.Join(all, " ") + ")"
}

// TestRules holds every mail of testdata/out to RFC 5322 and 2045, as Gmail does.
func TestRules(t *testing.T) {
	paths, err := filepath.Glob("testdata/out/*.eml")
	if err != nil || len(paths) < 15 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, wrong := range rulesBroken(raw, filepath.Base(path) != "eai.eml") {
			t.Errorf("%s: %s", path, wrong)
		}
	}
}

// rulesBroken says what is wrong with a mail of ours.
func rulesBroken(raw []byte, sevenBit bool) (wrong []string) {
	say := func(format string, a ...any) { wrong = append(wrong, fmt.Sprintf(format, a...)) }
	for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
		if bytes.ContainsAny(line, "\r\n\x00") || len(line) > lineHard {
			say("the line %q", line)
		}
		if sevenBit && bytes.ContainsFunc(line, func(r rune) bool { return r >= 0x80 }) {
			say("eight bits in %q", line)
		}
	}
	if !bytes.HasSuffix(raw, []byte("\r\n")) {
		say("the last line has no end")
	}
	m := mime.Parse(raw)
	for _, d := range m.Defects {
		say("%s", d)
	}
	h := m.Root.Header
	for _, once := range []string{"Date", "From", "To", "Message-ID", "Subject", "MIME-Version", "Content-Type", "X-Loop"} {
		if n := h.Count(once); n != 1 {
			say("%d fields %s", n, once)
		}
	}
	for _, never := range []string{"Bcc", "Reply-To", "Sender", "Return-Path", "Auto-Submitted", "Received"} {
		if h.Has(never) {
			say("a field %s", never)
		}
	}
	if len(m.Root.Mailboxes("From")) != 1 || m.Root.Date().IsZero() || mime.MessageID(h.Get("Message-ID")) == "" {
		say("a From, Date or Message-ID that cannot be read")
	}
	encodingsBroken(m.Root, say)
	return wrong
}

// encodingsBroken looks at the parts.
func encodingsBroken(p *mime.Part, say func(string, ...any)) {
	for _, c := range p.Parts {
		encodingsBroken(c, say)
	}
	if len(p.Parts) > 0 {
		return
	}
	encoding := p.Header.Get("Content-Transfer-Encoding")
	if !slices.Contains([]string{"7bit", "quoted-printable", "base64"}, encoding) {
		say("%s is in %q", p.Type, encoding)
	}
	for line := range bytes.SplitSeq(p.Raw(), []byte("\r\n")) {
		if len(line) > 76 {
			say("%s has the line %q", p.Type, line)
		}
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
	if err != nil || to != o.to[0] {
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
			"to":         func(o *outgoing) { o.to[0].local, o.utf8 = evil, true },
			"domain":     func(o *outgoing) { o.to[0].wire = evil },
			"cc":         func(o *outgoing) { o.cc, o.utf8 = []address{{local: evil, wire: "x.example"}}, true },
			"from":       func(o *outgoing) { o.from.local = evil },
			"jabber-id":  func(o *outgoing) { o.jabberID = evil },
			"extra":      func(o *outgoing) { o.extras = []extra{{editField, evil}} },
			"file":       func(o *outgoing) { o.files = []part{{name: "x", kind: evil}} },
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

// What goes in comes out, and whatever that is, the mail is a good one.
func FuzzWrite(f *testing.F) {
	f.Add("Hello", "Alice Doe", "text", "")
	f.Add("Grüße =?utf-8?q?x?= \r\nBcc: x", "Zoë \"x\" <a@b>, c", "a\r\nb\n.\n\x00\xff", "quoted\n> twice")
	f.Add("x", "y", "*styled* text\n```\n--=_\n```\n> From me\nFrom me", "")
	f.Add("x", "y", strings.Repeat("漢字", 50)+" \t\n"+strings.Repeat("=", 100)+"\nFrom "+strings.Repeat("x", 74), "\n")
	f.Fuzz(func(t *testing.T, subject, name, text, quoted string) {
		o := example(t)
		o.subject, o.name, o.text = mime.OneLine(mime.Truncate(mime.OneLine(subject), 500)), mime.OneLine(mime.Truncate(mime.OneLine(name), 78)), mime.Clean(text)
		o.quote = quote{"On Monday, Bob wrote:", strings.Trim(mime.Clean(quoted), "\n")}
		raw, err := compose(o)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := compose(o); err != nil || !bytes.Equal(raw, again) {
			t.Fatalf("another mail, %v", err)
		}
		for _, wrong := range rulesBroken(raw, true) {
			t.Errorf("%s in\n%s", wrong, raw)
		}
		m := mime.Parse(raw)
		got := strings.ReplaceAll(string(m.Find("text/plain").Decode()), "\r\n", "\n")
		if want := strings.Trim(o.text+o.quote.plain(), "\n") + "\n"; got != want {
			t.Errorf("text %q, want %q", got, want)
		}
		if got := m.Root.Text("Subject"); got != o.subject && !strings.Contains(o.subject, "=?") {
			t.Errorf("subject %q, want %q", got, o.subject)
		}
		from := m.Root.Mailboxes("From")
		if len(from) != 1 || from[0].Addr != o.from.String() || from[0].Name != o.name && !strings.ContainsAny(o.name, `@<>`) && !strings.Contains(o.name, "=?") {
			t.Errorf("from %+v, want %q", from, o.name)
		}
	})
}
