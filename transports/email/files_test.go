package email

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"gangway/core"
	"gangway/transports/email/mime"
)

const photo = "\xff\xd8\xff\xe0 a photo"

// album is a mail with a text, a picture in it and a file.
func album(id string) string {
	encoded := base64.StdEncoding.EncodeToString([]byte(photo))
	return "From: Bob <bob@example.com>\r\nMessage-ID: <" + id + "@example.com>\r\nSubject: album\r\n" +
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nlook at this\r\n" +
		"--b\r\nContent-Type: image/jpeg; name*=utf-8''stra%C3%9Fe.jpg\r\nContent-Disposition: inline\r\n" +
		"Content-Transfer-Encoding: base64\r\n\r\n" + encoded + "\r\n" +
		"--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=plan.pdf\r\n\r\n%PDF-1.7\r\n--b--"
}

func TestFilesComeIn(t *testing.T) {
	for _, listener := range []string{"smtp", "lmtp"} {
		g := start(t, nil, nil)
		d := g.hello(t, listener)
		d.transaction("bob@example.com", "alice@gw.example")
		d.send(album("a"), ".")
		d.expect("250")
		m := g.host.WaitMessage("*album*\nlook at this")
		if len(m.Attachments) != 2 {
			t.Fatalf("%+v", m)
		}
		for i, want := range []struct{ name, kind, content string }{
			{"straße.jpg", "image/jpeg", photo}, {"plan.pdf", "application/pdf", "%PDF-1.7"},
		} {
			a := m.Attachments[i]
			if a.Name != want.name || a.Type != want.kind || a.URL == "" || string(g.host.Files.Content(a.URL)) != want.content {
				t.Errorf("%+v has %q", a, g.host.Files.Content(a.URL))
			}
		}
	}
}

// Each recipient has the files, although the mail came once.
func TestFilesForEveryRecipient(t *testing.T) {
	g := start(t, nil, nil)
	d := g.hello(t, "lmtp")
	d.transaction("bob@example.com", "alice@gw.example", "bella@gw.example")
	d.send(album("a"), ".")
	d.expect("250")
	d.expect("250")
	for _, m := range g.messages() {
		if len(m.Attachments) != 2 || string(g.host.Files.Content(m.Attachments[0].URL)) != photo {
			t.Errorf("%+v", m)
		}
	}
}

// A mail is not taken while there is no place for its files, and loses nothing when there is again.
func TestFilesWait(t *testing.T) {
	for _, c := range []struct {
		refusal error
		want    string
	}{
		{core.E(core.Unavailable, "test", ""), "451"}, {core.E(core.Internal, "test", ""), "451"}, {core.E(core.OverLimit, "test", ""), "452"},
	} {
		g := start(t, nil, nil)
		g.host.Files.Refusal = c.refusal
		if got := g.deliverMail(t, "bob@example.com", "alice@gw.example", album("a")); !strings.HasPrefix(got, c.want) {
			t.Errorf("%v: %s", c.refusal, got)
		}
		if n := len(g.messages()); n != 0 {
			t.Errorf("%v: delivered %d messages", c.refusal, n)
		}
		g.host.Files.Refusal = nil
		if got := g.deliverMail(t, "bob@example.com", "alice@gw.example", album("a")); !strings.HasPrefix(got, "250") {
			t.Errorf("%v: then %s", c.refusal, got)
		}
		if m := g.host.WaitMessage("*album*\nlook at this"); len(m.Attachments) != 2 {
			t.Errorf("%+v", m)
		}
	}
}

// What will never be kept is named, with the reason; the mail comes all the same.
func TestFilesLeftOut(t *testing.T) {
	g := start(t, nil, nil)
	g.host.Files.Refusal = core.E(core.Unsupported, "test", "No files here.")
	if got := g.deliverMail(t, "bob@example.com", "alice@gw.example", album("a")); !strings.HasPrefix(got, "250") {
		t.Fatal(got)
	}
	m := g.host.WaitMessage("*album*\nlook at this\n[straße.jpg, image/jpeg, 12 bytes, was left out: No files here.]\n" +
		"[plan.pdf, application/pdf, 8 bytes, was left out: No files here.]")
	if len(m.Attachments) != 0 {
		t.Errorf("%+v", m)
	}
	g.host.Files.Refusal, g.host.Files.Limit = nil, 10
	if got := g.deliverMail(t, "bob@example.com", "alice@gw.example", album("b")); !strings.HasPrefix(got, "250") {
		t.Fatal(got)
	}
	m = g.host.WaitMessage("*album*\nlook at this\n[straße.jpg, image/jpeg, 12 bytes, was left out: The file is too large.]")
	if len(m.Attachments) != 1 || m.Attachments[0].Name != "plan.pdf" {
		t.Errorf("%+v", m)
	}
}

func TestManyFiles(t *testing.T) {
	g := start(t, nil, nil)
	var raw strings.Builder
	raw.WriteString("Message-ID: <m@x.example>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n")
	for i := range 30 {
		fmt.Fprintf(&raw, "--b\r\nContent-Type: image/png\r\n\r\n%d\r\n", i)
	}
	if got := g.deliverMail(t, "bob@example.com", "alice@gw.example", raw.String()); !strings.HasPrefix(got, "250") {
		t.Fatal(got)
	}
	m := g.host.WaitMessage("[and 10 more files, which were left out: 20 are carried at most]")
	if len(m.Attachments) != maxFiles {
		t.Errorf("%d files", len(m.Attachments))
	}
}

// A text too long for a message comes whole, as a file.
func TestLongTextIsAFile(t *testing.T) {
	g := start(t, nil, nil)
	long := strings.Repeat("0123456789 0123456789 0123456789\r\n", 2000)
	raw := "From: bob@example.com\r\nMessage-ID: <long@example.com>\r\n\r\n" + long + "the end"
	if got := g.deliverMail(t, "bob@example.com", "alice@gw.example", raw); !strings.HasPrefix(got, "250") {
		t.Fatal(got)
	}
	m := g.messages()[0]
	if !strings.HasSuffix(m.Text, "more, see message.txt]") || len(m.Attachments) != 1 {
		t.Fatalf("%d files, ...%q", len(m.Attachments), m.Text[len(m.Text)-100:])
	}
	if got := g.host.Files.Content(m.Attachments[0].URL); !bytes.HasPrefix(got, []byte("0123")) || !bytes.HasSuffix(bytes.TrimSpace(got), []byte("the end")) {
		t.Errorf("%d bytes of text", len(got))
	}
}

// filesOf returns the text and the files of a mail that is safe on its way.
func filesOf(t *testing.T, raw string) (text string, files []*mime.Part) {
	t.Helper()
	for line := range strings.SplitSeq(raw, "\r\n") {
		if len(line) > lineHard || strings.ContainsFunc(line, func(c rune) bool { return c >= 0x7f || c < ' ' && c != '\t' }) {
			t.Errorf("not safe on the way: %q", line)
		}
	}
	m := mime.Parse([]byte(raw))
	if len(m.Defects) > 0 {
		t.Errorf("defects: %v", m.Defects)
	}
	b := m.Body(1 << 20)
	return b.Text, b.Files
}

func TestFilesGoOut(t *testing.T) {
	relay := startRelay(t, nil)
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr}, nil)
	all := []struct {
		core.Attachment
		content, disposition, kind string
	}{
		{core.Attachment{URL: "https://up.example/1/a.jpg", Name: "a.jpg", Type: "image/jpeg"}, photo, "inline", "image/jpeg"},
		{core.Attachment{URL: "https://up.example/2/ü.pdf", Name: "grüße \"aus\" 東京.pdf", Type: "application/pdf"}, "%PDF-1.7", "attachment", "application/pdf"},
		{core.Attachment{URL: "https://up.example/3/x.txt", Name: "x.txt", Type: "text/plain"}, "grüße", "attachment", "text/plain"},
		{core.Attachment{URL: "https://up.example/4/l.txt", Name: "l.txt", Type: "text/plain"}, "gr\xfc\xdfe", "attachment", "application/octet-stream"},
		{core.Attachment{URL: "https://up.example/5/m.eml", Name: "m.eml", Type: "message/rfc822"}, "A: b\r\n\r\nc", "attachment", "application/octet-stream"},
		{core.Attachment{URL: "https://up.example/6/e", Name: "a\r\nEvil: x", Type: "a/b\r\nEvil: x"}, "e", "attachment", "application/octet-stream"},
		{core.Attachment{URL: "https://up.example/7/n", Name: strings.Repeat("ä", 150) + ".bin"}, strings.Repeat("\x00\xff", 5000), "attachment", "application/octet-stream"},
	}
	m := note("look at https://up.example/1/a.jpg\nhttps://up.example/2/ü.pdf\nbye")
	for _, f := range all {
		g.host.Files.Offer(f.Attachment, []byte(f.content))
		m.Attachments = append(m.Attachments, core.Attachment{URL: f.URL})
	}
	if _, err := g.session(t).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	first := (<-relay.mails).mail
	text, files := filesOf(t, first)
	if text != "look at [file]\nbye" || strings.Contains(first, "up.example") {
		t.Errorf("text %q", text)
	}
	if len(files) != len(all) {
		t.Fatalf("%d files", len(files))
	}
	for i, f := range files {
		disposition, _ := f.Disposition()
		if f.Type != all[i].kind || disposition != all[i].disposition || string(f.Decode()) != all[i].content {
			t.Errorf("%d: %s, %s, %q", i, f.Type, disposition, f.Decode())
		}
	}
	if name := files[1].FileName(); name != all[1].Name {
		t.Errorf("name %q", name)
	}
	if name := files[5].FileName(); name != "aEvil: x" && name != "a Evil: x" {
		t.Errorf("name %q", name)
	}
	if _, err := g.session(t).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if again := (<-relay.mails).mail; again != first {
		t.Error("the same message gives another mail")
	}
	if free := g.memory.free.Load(); free != maxInFlight {
		t.Errorf("%d bytes are not given back", maxInFlight-free)
	}
}

func TestOnlyAFileGoesOut(t *testing.T) {
	relay := startRelay(t, nil)
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr}, nil)
	f := core.Attachment{URL: "https://up.example/1/a.jpg", Name: "a.jpg", Type: "image/jpeg"}
	g.host.Files.Offer(f, []byte(photo))
	for _, text := range []string{"", f.URL, " " + f.URL + "\n"} {
		m := note(text)
		m.Attachments = []core.Attachment{f}
		if _, err := g.session(t).Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if text, files := filesOf(t, (<-relay.mails).mail); text != "" || len(files) != 1 || string(files[0].Decode()) != photo {
			t.Errorf("%q, %d files", text, len(files))
		}
	}
}

func TestFilesThatCannotBeFetched(t *testing.T) {
	relay := startRelay(t, nil)
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr}, nil)
	m := note("look")
	m.Attachments = []core.Attachment{{URL: "https://up.example/1/a.jpg", Name: "a.jpg"}}
	for _, c := range []struct {
		refusal error
		kind    core.Kind
		text    string
	}{
		{nil, core.NotFound, "a.jpg could not be fetched, so that the mail was not sent. The file is gone."},
		{core.E(core.Denied, "x", "No."), core.Invalid, "a.jpg could not be fetched, so that the mail was not sent. No."},
		{core.E(core.TooLarge, "x", "Too large."), core.TooLarge, "a.jpg could not be fetched, so that the mail was not sent. Too large."},
		{core.E(core.Unsupported, "x", "Encrypted."), core.Unsupported, "a.jpg could not be fetched, so that the mail was not sent. Encrypted."},
		{core.E(core.Unavailable, "x", "Away."), core.Unavailable, "a.jpg cannot be fetched at the moment. Away."},
	} {
		g.host.Files.Refusal = c.refusal
		_, err := g.session(t).Send(t.Context(), m)
		if err == nil || core.KindOf(err) != c.kind || core.AsError(err).Sentence() != c.text {
			t.Errorf("%v: %v, %q", c.refusal, err, core.AsError(err).Sentence())
		}
	}
	select {
	case got := <-relay.mails:
		t.Errorf("sent all the same: %s", got.mail)
	default:
	}
}

func TestFilesTooLargeForOneMail(t *testing.T) {
	relay := startRelay(t, nil)
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr, "max_size": int64(leastMaxSize)}, nil)
	m := note("look")
	for i := range 3 {
		f := core.Attachment{URL: fmt.Sprintf("https://up.example/%d", i), Name: "x.bin"}
		g.host.Files.Offer(f, make([]byte, 20<<10))
		m.Attachments = append(m.Attachments, f)
	}
	if _, err := g.session(t).Send(t.Context(), m); core.KindOf(err) != core.TooLarge {
		t.Errorf("%v", err)
	}
	m.Attachments = m.Attachments[:2]
	if _, err := g.session(t).Send(t.Context(), m); err != nil {
		t.Error(err)
	}
	if free := g.memory.free.Load(); free != maxInFlight {
		t.Errorf("%d bytes are not given back", maxInFlight-free)
	}
}

func TestRoomForFiles(t *testing.T) {
	for size, want := range map[int64]int64{leastMaxSize: leastMaxSize / 4 * 3, defaultMaxSize: 15 << 20, 100 << 20: 15 << 20} {
		if got := (&transport{settings: settings{MaxSize: size}}).roomForFiles(); got != want {
			t.Errorf("%d: %d, want %d", size, got, want)
		}
	}
}

// Whatever a file is called, its part is well-formed and its name comes through.
func FuzzFilePart(f *testing.F) {
	f.Add("a.jpg", "image/jpeg", []byte(photo))
	f.Add("a\"b\\c;d=e\r\nX: y", "text/plain; charset=x", []byte("\xff"))
	f.Add("=?utf-8?q?x?=", "multipart/mixed", []byte("--=_"))
	f.Add(strings.Repeat("漢", 100), "", []byte(nil))
	f.Fuzz(func(t *testing.T, name, kind string, content []byte) {
		if len(content) > 10000 {
			return
		}
		p := part{name: partName(core.Attachment{Name: name}), kind: partType(kind, content), content: content}
		raw, err := compose(outgoing{id: "<x@gw.example>", from: mustAddress(t, "a@gw.example"), to: []address{mustAddress(t, "b@x.example")}, text: "text", files: []part{p, p}})
		if err != nil {
			t.Fatal(err)
		}
		text, files := filesOf(t, string(raw))
		if text != "text" || len(content) > 0 && len(files) != 2 {
			t.Fatalf("%q, %d files of\n%s", text, len(files), raw)
		}
		for _, got := range files {
			if !bytes.Equal(got.Decode(), content) || got.Type != p.kind {
				t.Errorf("%s %q, want %s %q", got.Type, got.Decode(), p.kind, content)
			}
			want := mime.Truncate(p.name, 100)
			if utf8.ValidString(p.name) && !strings.HasPrefix(got.FileName(), want[:min(len(want), 50)]) && !slices.Contains([]string{"", "file"}, got.FileName()) &&
				!strings.Contains(p.name, "=?") {
				t.Errorf("%q comes as %q", p.name, got.FileName())
			}
		}
	})
}
