package email

import (
	"strings"
	"testing"

	"gangway/core"
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

// trimming sends a mail and has the answer come back.
func trimming(t *testing.T, choice, said, subject, answer string) (*gateway, *core.Message) {
	t.Helper()
	relay := startRelay(t, nil)
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr}, nil)
	if choice != "" {
		g.host.Chosen.Own = map[string]string{trimChoice: choice}
	}
	parent := "none@example.com"
	if said != "" {
		m := note(said)
		m.Subject = "Tea"
		taken, err := g.session(t).Send(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		parent = strings.Trim(string(taken.Remote), "<>")
	}
	raw := "From: bob@example.com\r\nMessage-ID: <a@example.com>\r\nSubject: " + subject + "\r\nIn-Reply-To: <" + parent + ">\r\n" + strings.ReplaceAll(answer, "\n", "\r\n")
	if got := g.deliverMail(t, "bob@example.com", "alice@gw.example", raw); !strings.HasPrefix(got, "250") {
		t.Fatal(got)
	}
	return g, g.messages()[0]
}

func TestTrimmedMail(t *testing.T) {
	const said = "Shall we have tea at eight?\nOr rather at nine?"
	const quotation = "\nYes.\n\nOn 3 Nov 2025, Alice wrote:\n> Shall we have tea at eight?"
	const html = "Content-Type: text/html\n\n<p>Yes.</p><div class=gmail_quote>Alice, yesterday: <blockquote>Shall we?</blockquote></div>"
	for _, tt := range []struct {
		name, choice, said, subject, answer string
		want                                string // empty: all of it
	}{
		{"an answer", "", said, "Re: Tea", quotation, "Yes."},
		{"an answer to what is not known", "", "", "Re: Tea", quotation, ""},
		{"an answer to what is not known, by choice", trimFull, "", "Re: Tea", quotation, "Yes."},
		{"by choice not", trimOff, said, "Re: Tea", quotation, ""},
		{"the choice of an older version", "false", said, "Re: Tea", quotation, ""},
		{"passed on", "", said, "Fwd: Tea", quotation, ""},
		{"marked by its HTML", "", said, "Re: Tea", html, "Yes."},
		{"passed on by Gmail", "", said, "Re: Tea", strings.Replace(html, "Alice, yesterday", "---------- Forwarded message", 1), ""},
		{"what we sent, unmarked", "", said, "Re: Tea", "\nYes.\n\nAlice, 8:00:\n\n  Shall we have  tea at eight?\n  Or rather at nine?\n", "Yes."},
		{"the same words, answered below", "", said, "Re: Tea", "\nShall we have tea at eight?\nYes.", ""},
		{"only what we sent", "", said, "Re: Tea", "\nShall we have tea at eight?", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g, m := trimming(t, tt.choice, tt.said, tt.subject, tt.answer)
			text, mark, cut := strings.Cut(m.Text, "\n[... the whole mail: ")
			if cut != (tt.want != "") || cut && !strings.HasSuffix("\n"+text, "\n"+tt.want) || len(m.Attachments) != 0 {
				t.Fatalf("%q, %d files", m.Text, len(m.Attachments))
			}
			if !cut {
				return
			}
			if whole := string(g.host.Files.Content(strings.TrimSuffix(mark, " ]"))); !strings.Contains(whole, "Yes.\n") || !strings.Contains(whole, "Shall we") {
				t.Errorf("whole: %q", whole)
			}
		})
	}
}

// Where the whole text could not be had any more, nothing is left out.
func TestNothingIsTrimmedForGood(t *testing.T) {
	g := start(t, nil, nil)
	g.host.Chosen.Own = map[string]string{trimChoice: trimFull}
	g.host.Files.Refusal = core.E(core.Unavailable, "test", "No room.")
	const text = "Yes.\n\nOn 3 Nov 2025, Bob wrote:\n> Tea?"
	g.deliverMail(t, "bob@example.com", "alice@gw.example", "From: bob@example.com\r\n\r\n"+strings.ReplaceAll(text, "\n", "\r\n"))
	g.host.WaitMessage(text)
}

func FuzzTrim(f *testing.F) {
	f.Add("Yes.\n\nOn 3 Nov 2025, Bob wrote:\n> Tea?")
	f.Add("Yes.\n-- \nA\n-----Original Message-----\nFrom: b@c\nSent: x\nTo: y\n")
	f.Add("\n\n>\n--\n")
	f.Fuzz(func(t *testing.T, text string) {
		if got := trimBody(text, len(text)/2, linesOf(text[len(text)/2:])); strings.TrimSpace(text) != "" && strings.TrimSpace(got) == "" {
			t.Errorf("%q became %q", text, got)
		}
		got := trim(text)
		if !strings.HasPrefix(text, got) || strings.TrimSpace(text) != "" && strings.TrimSpace(got) == "" {
			t.Errorf("%q became %q", text, got)
		}
	})
}
