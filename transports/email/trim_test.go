package email

import (
	"strings"
	"testing"
)

func TestTrim(t *testing.T) {
	const quotation = "> Shall we meet?\n> Bob\n"
	for name, c := range map[string]struct{ text, want string }{
		"nothing to cut": {"Yes.\n\nAt eight: here\n", ""},
		"signature":      {"Yes.\n\n-- \nAlice\nTel. 123", "Yes."},
		"signature whose blank is lost": {
			"Yes.\n--\nAlice", "Yes."},
		"quotation":            {"Yes.\n\n" + quotation, "Yes."},
		"and its introduction": {"Yes.\n\nOn Mon, 3 Nov 2025, Bob <bob@example.com> wrote:\n" + quotation, "Yes."},
		"wrapped":              {"Yes.\n\nOn Mon, 3 Nov 2025 at 10:00, Bob\n<bob@example.com> wrote:\n\n" + quotation, "Yes."},
		"in another language":  {"Ja.\n\nAm 03.11.2025 um 10:00 schrieb Bob:\n" + quotation, "Ja."},
		"signature above the quotation": {
			"Yes.\n-- \nAlice\n\nAm 03.11.2025 um 10:00 schrieb Bob:\n" + quotation, "Yes."},
		"a colon that introduces nothing": {"Buy:\n" + quotation, "Buy:"},
		"answers between":                 {"> Tea?\nYes.\n> Coffee?\nNo.", ""},
		"an answer above and one between": {
			"Well.\n> Tea?\nYes.\n\n> Coffee?", "Well.\n> Tea?\nYes."},
		"only a quotation":         {quotation, ""},
		"only a signature":         {"-- \nAlice", ""},
		"Outlook":                  {"Yes.\n\n-----Original Message-----\nFrom: Bob <bob@example.com>\nSent: Monday\nTo: Alice\nSubject: Tea\n\nShall we?", "Yes."},
		"Outlook, in German":       {"Ja.\n\n________________________________\nVon: Bob <bob@example.com>\nGesendet: Montag\nAn: Alice\nBetreff: Tee\n\nWollen wir?", "Ja."},
		"fields that are the text": {"Name: Alice\nDay: 3.11.2025\nPlace: here", ""},
	} {
		want := c.want
		if want == "" {
			want = c.text
		}
		if got := trim(c.text); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestTrimmedMailKeepsItsWholeText(t *testing.T) {
	const text = "Yes.\n\nOn 3 Nov 2025, Bob wrote:\n> Tea?"
	mail := "From: bob@example.com\r\nMessage-ID: <%@example.com>\r\n\r\n" + strings.ReplaceAll(text, "\n", "\r\n")
	g := start(t, nil, nil)
	d := g.hello(t, "smtp")
	receive := func(id string) {
		d.transaction("bob@example.com", "alice@gw.example")
		d.send(strings.ReplaceAll(mail, "%", id), ".")
		d.expect("250")
	}
	receive("a")
	if m := g.host.WaitMessage(text); len(m.Attachments) != 0 {
		t.Errorf("trimmed unasked: %+v", m)
	}
	g.host.Chosen.Own = map[string]string{trimChoice: "true"}
	receive("b")
	m := g.host.WaitMessage("Yes.\n[... " + size(int64(len(text)-len("Yes."))) + " more, see " + fullText + "]")
	if len(m.Attachments) != 1 || strings.TrimSpace(string(g.host.Files.Content(m.Attachments[0].URL))) != text {
		t.Errorf("%+v", m)
	}
}

func FuzzTrim(f *testing.F) {
	f.Add("Yes.\n\nOn 3 Nov 2025, Bob wrote:\n> Tea?")
	f.Add("Yes.\n-- \nA\n-----Original Message-----\nFrom: b@c\nSent: x\nTo: y\n")
	f.Add("\n\n>\n--\n")
	f.Fuzz(func(t *testing.T, text string) {
		got := trim(text)
		if !strings.HasPrefix(text, got) || strings.TrimSpace(text) != "" && strings.TrimSpace(got) == "" {
			t.Errorf("%q became %q", text, got)
		}
	})
}
