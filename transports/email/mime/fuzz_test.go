package mime

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func checkText(t *testing.T, s string) {
	t.Helper()
	if !utf8.ValidString(s) {
		t.Errorf("not UTF-8: %q", s)
	}
	if Clean(s) != s {
		t.Errorf("not clean: %q", s)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("Subject: =?utf-8?q?x?=\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b--\r\n"))
	f.Add([]byte("Content-Type: multipart/alternative\n\n--x\nContent-Type: text/html\n\n<p>a\n--x--"))
	f.Add([]byte("A\nB: c\n d\n\n\n"))
	f.Add([]byte("Content-Type: text/plain; format=flowed; charset=iso-2022-jp\nContent-Transfer-Encoding: base64\n\nG0I="))
	f.Add([]byte("Content-Type: application/ms-tnef\n\n" + string(winmail())))
	f.Add([]byte("Content-Type: application/pkcs7-mime\n\n" + string(signedData("A: b\n\nc", true))))
	f.Add([]byte("\nbegin 644 a\n%:&5L;&\\\nend\n"))
	f.Add([]byte("\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: x\n\nx\n-----BEGIN PGP SIGNATURE-----\n"))
	f.Add([]byte("Content-Type: multipart/digest; boundary=b\n\n--b\n\nContent-Type: message/rfc822\n\nContent-Disposition: reaction\n\nx"))
	f.Add([]byte("Content-Type: text/calendar\n\nBEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := Parse(raw)
		for _, emoji := range m.Reaction() {
			checkText(t, emoji)
		}
		parts, depth := count(m.Root)
		if l := DefaultLimits(); parts > l.Parts || depth > l.Depth+1 {
			t.Errorf("%d parts, %d deep", parts, depth)
		}
		b := m.Body(1000)
		checkText(t, b.Text)
		if b.Quoted < 0 || b.Quoted > len(b.Text) || b.Cut < 0 {
			t.Errorf("quoted %d, cut %d", b.Quoted, b.Cut)
		}
		if len(b.Text) > 1000 {
			t.Errorf("%d bytes of text", len(b.Text))
		}
		for _, file := range b.Files {
			name := file.FileName()
			checkText(t, name)
			if strings.ContainsAny(name, "/\n\\") || len(name) > 128 {
				t.Errorf("file name %q", name)
			}
			file.Size()
		}
		m.Root.Date()
	})
}

func FuzzHeader(f *testing.F) {
	f.Add("=?utf-8?b?w6==?= =?utf-8?q?=A9?=")
	f.Add(`"Doe, A" <a@b>, x: c@d;, (c) e@f (n`)
	f.Add("text/plain; a*0*=utf-8''%20; a*1=b; c=\"d")
	f.Fuzz(func(t *testing.T, v string) {
		p := Parse([]byte("From: " + strings.NewReplacer("\r", "", "\n", "").Replace(v) + "\n\n")).Root
		text := p.Text("From")
		checkText(t, text)
		if strings.ContainsAny(text, "\r\n\t") {
			t.Errorf("more than one line: %q", text)
		}
		for _, mb := range p.Mailboxes("From") {
			checkText(t, mb.Name)
			if !strings.Contains(mb.Addr, "@") {
				t.Errorf("mailbox %q", mb.Addr)
			}
		}
		for _, id := range MessageIDs(v, 100) {
			if MessageID(id) != id {
				t.Errorf("id %q", id)
			}
		}
		parseParams(v, 100)
	})
}

func FuzzHTMLText(f *testing.F) {
	f.Add(`<p>a<a href="https://x">b</a><ul><li>c</ul><blockquote>d`)
	f.Add(`<div style="display:none">x</div><table><tr><td>a<td>b`)
	f.Add("<pre>a\n b</pre><h1>t</h1><img alt=x>")
	f.Fuzz(func(t *testing.T, page string) {
		text, quoted := htmlText(page)
		if quoted < 0 || quoted > len(text) {
			t.Errorf("quoted %d of %d", quoted, len(text))
		}
		if !utf8.ValidString(text) {
			t.Errorf("not UTF-8: %q", text)
		}
		if len(text) > 4*maxHTMLOut {
			t.Errorf("%d bytes", len(text))
		}
	})
}
