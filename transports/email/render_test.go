package email

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"
)

// rendered is the JSON of a mail, without what every mail has.
func rendered(t testing.TB, raw []byte) string {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(Render(raw, domain, today)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRender(t *testing.T) {
	const head = "From: bob@example.com\nDate: Mon, 02 Nov 2026 03:04:05 +0000\nMessage-ID: <a@x>\n"
	for _, tt := range []struct{ name, raw, want string }{
		{"nothing", "", `"text":"(no text)"`},
		{"a report", string(sample(t, "postfix-failed")), `"report":{"action":"failed","code":"550 5.1.1","said":"550 5.1.1 <bob@example.com>: Recipient address rejected: User unknown","sentence":"There is no mailbox the recipient.`},
		{"a delay", string(sample(t, "postfix-delayed")), `"report":{"action":"delayed"`},
		{"a read notice", readNotice("bob@example.com", "<1@gw.example>", "displayed"), `"read":"<1@gw.example>"`},
		{"a reaction", head + "In-Reply-To: <1@x>\n" + reaction, `"reaction":["👍"]`},
		{"an edit", head + "Chat-Edit: <1@x>\n\nnew", `"edits":"<1@x>"`},
		{"a retraction", head + "Chat-Delete: <1@x>\n\ngone", `"retracts":"<1@x>"`},
		{"a list", head + listMail + "\nHi", `"conversation":"garden@lists.example.com"`},
		{"its id", head + listMail + "\nHi", `"list":"garden.lists.example.com"`},
		{"on behalf of", head + "Sender: sec@example.com\n\nHi", `"sent_by":"sec@example.com"`},
		{"encrypted", head + "Content-Type: multipart/encrypted; boundary=b\n\n--b\n\nx\n--b--", `"encrypted":"OpenPGP"`},
		{"a loop", head + strings.Repeat("X-Loop: gw.example\n", 3) + "\nHi", `"loop":true`},
		{"its references", head + "References: <1@x> <2@x>\n\nHi", `"root":"<1@x>"`},
		{"a date that is not believable", "From: a@b\nMessage-ID: <a@x>\nDate: Mon, 02 Nov 1926 03:04:05 +0000\n\nHi", `"repaired":["the date is not believable"]`},
		{"a name like an address", "From: \"x@y.example\" <a@b>\n\nHi", `the sender's name looks like another address`},
		{"a calendar entry without a name", head + "Content-Type: text/calendar\n\nBEGIN:VEVENT\nSUMMARY:Tea\nEND:VEVENT", `"text":"Event: Tea","attachments":[{"name":"invitation.ics"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := rendered(t, []byte(tt.raw)); !strings.Contains(got, tt.want) {
				t.Errorf("%s", got)
			}
		})
	}
}

func FuzzRender(f *testing.F) {
	paths, err := filepath.Glob("testdata/*/*.eml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		if raw, err := os.ReadFile(path); err == nil && len(raw) < 5000 {
			f.Add(raw)
		}
	}
	f.Add([]byte(readNotice("bob@example.com", "<1@gw.example>", "displayed")))
	f.Add([]byte("From: a@b\nAuthentication-Results: x; spf=pass; =; y=\n" + listMail + reaction))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := Render(raw, domain, today)
		if !utf8.ValidString(r.Text) || r.Text == "" && len(r.Attachments) == 0 || r.MessageID == "" || r.Conversation == "" {
			t.Errorf("%+v", r)
		}
		if r.New != "" && len(r.New) >= len(r.Text)+maxText {
			t.Errorf("new %q of %q", r.New, r.Text)
		}
		rendered(t, raw)
	})
}

// TestRenderBombs: what is made to be expensive takes no more memory than is agreed, all that is freed in between
// included. How the time grows is tested where mails are taken apart.
func TestRenderBombs(t *testing.T) {
	var nested strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&nested, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
	}
	for name, raw := range map[string]string{
		"depth":         nested.String() + "\n\nx",
		"messages":      strings.Repeat("Content-Type: message/rfc822\n\n", 20_000) + "\nx",
		"parts":         "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", 100_000),
		"headers":       strings.Repeat("A: b\n", 300_000) + "\nx",
		"encoded words": "Subject: " + strings.Repeat("=?utf-8?q?x?=\n ", 20_000) + "\n\nx",
		"recipients":    "To: " + strings.Repeat("a@b,", 60_000) + "\n\nx",
		"text":          "\n" + strings.Repeat("some words\n", 500_000),
		"quotes":        "\n" + strings.Repeat("> x\n", 400_000),
		"comments":      "From: " + strings.Repeat("(", 250_000) + "x <a@b>\nTo: " + strings.Repeat("(a)", 80_000) + " a@b\n\nx",
		"tables":        "Content-Type: text/html\n\n" + strings.Repeat("<table><tr><td>", 60_000) + "x",
		"cells":         "Content-Type: text/html\n\n<table><tr>" + strings.Repeat("<td>x", 200_000),
		"empty lines":   "Content-Type: text/html\n\nx" + strings.Repeat("<br>", 250_000) + "x",
		"yEnc":          "\n=ybegin line=128 size=1000000000 name=a\n" + strings.Repeat(strings.Repeat("\xe9", 128)+"\n", 8000) + "=yend size=1000000000\n",
		"TNEF":          "Content-Type: application/ms-tnef\n\n\x78\x9f\x3e\x22\x01\x00" + strings.Repeat("\x02\x05\x90\x06\x00\xff\xff\xff\x7f", 100_000),
		"lists":         "List-Post: " + strings.Repeat("<mailto:a@b>,", 20_000) + "\n\nx",
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			r := Render([]byte(raw), domain, today)
			runtime.ReadMemStats(&after)
			if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 64 || len(r.Text) > maxText+2000 {
				t.Errorf("%d MB, %d bytes of text", used, len(r.Text))
			}
		})
	}
}
