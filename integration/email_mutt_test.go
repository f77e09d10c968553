//go:build integration

package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"gangway/core/xmpp/stream"
	"gangway/integration/servers"
)

// muttrc is that of a person with a mailbox on the other side. The editor writes an answer above what is quoted.
const muttrc = `set from="Erin <erin@mail.test>" realname="Erin" use_from=yes envelope_from=yes hostname=mail.test
set smtp_url="smtp://SMTP" ssl_starttls=no ssl_force_tls=no
set folder="imap://erin:secret@IMAP" spoolfile=+INBOX imap_check_subscribed=no mail_check=1 timeout=1
set record="" postponed="" sort=threads strict_threads=yes pager_index_lines=0 wait_key=no confirmappend=no
set index_format="%4C %s" fast_reply=yes include=yes autoedit=yes abort_unmodified=no mime_forward=no header_cache=""
set editor="EDITOR"
`

// Issue: a text mail client as the outside sender: HTML, a file, an answer that quotes, and threads as it sees them.
func muttAnswers(s *mailStage) {
	dir, err := os.MkdirTemp("", "gw")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = os.RemoveAll(dir) })
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o700); err != nil { //nolint:gosec // the editor is a program
			s.Fatal(err)
		}
		return file
	}
	editor := write("editor", "#!/bin/sh\n{ echo 'my answer above the quotation'; echo; cat \"$1\"; } >\"$1.new\" && mv \"$1.new\" \"$1\"\n")
	rc := write("muttrc", strings.NewReplacer("SMTP", s.postfix.SMTPAddr(), "IMAP", s.postfix.IMAPAddr(), "EDITOR", editor+" %s").Replace(muttrc))
	mutt := func(text string, args ...string) {
		s.Helper()
		cmd := exec.CommandContext(s.ctx, "/usr/bin/mutt", append([]string{"-F", rc}, args...)...)
		cmd.Env = []string{"HOME=" + dir, "PATH=/usr/bin:/bin", "LANG=C.UTF-8", "TERM=xterm"}
		cmd.Stdin = strings.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil {
			s.Fatalf("mutt: %v\n%s", err, out)
		}
	}
	const erin = "erin@mail.test"
	mutt("<h1>Big</h1><p>some <i>HTML</i> of mutt</p>\n", "-e", "set content_type=text/html", "-s", "first subject", "--", s.Var("mail"))
	first := s.hears(erin, "some _HTML_ of mutt")
	if got := first.ChildText("", "subject"); got != "first subject" {
		s.Errorf("the subject is %q", got)
	}
	mutt("see the file\n", "-s", "with a file", "-a", write("grüße.txt", "the file's text\n"), "--", s.Var("mail"))
	s.hears(erin, "see the file")
	x := s.await("the file", func(st *stream.Stanza) bool { return st.Child("jabber:x:oob", "x") != nil }).Child("jabber:x:oob", "x")
	if got, _ := fetch(s.ctx, s.T, x.ChildText("", "url")); string(got) != "the file's text\r\n" { // text has CRLF in mail
		s.Errorf("the file is %q", got)
	}

	// Alice answers the first one; mutt shows that below nothing it has, and answers in turn.
	s.says(erin, "a1", "<body>to your first</body><reply xmlns='urn:xmpp:reply:0' id='"+first.ID+"' to='"+s.jid(erin)+"'/>")
	raw := string(s.mailTo("erin", "to your first"))
	if got := header(raw, "Subject"); got != "Re: first subject" {
		s.Errorf("the subject of the answer is %q", got)
	}
	screen := newTerminal(s.ctx, s.T, "mutt -F "+rc)
	screen.see("Re: first subject")
	screen.press("r")
	screen.see("-- Attachments")
	screen.press("y")
	st := s.hears(erin, "my answer above the quotation")
	// What is before the answer is what clients cut off (XEP-0461).
	if _, after, _ := strings.Cut(st.Body(), "my answer above"); strings.Contains(after, "to your first") {
		s.Errorf("the quotation is shown: %q", st.Body())
	}
	if got := st.Child("urn:xmpp:reply:0", "reply").Attr("id"); got != "a1" {
		s.Errorf("it answers %q: %v", got, st)
	}
	// What Alice writes next, mutt shows below what it answers.
	s.says(erin, "a2", "<body>and once more</body><reply xmlns='urn:xmpp:reply:0' id='a1' to='$phone'/>")
	if _, err := s.postfix.WaitMessage(s.ctx, "erin", servers.Contains("and once more")); err != nil {
		s.Fatal(err)
	}
	screen.see("└─>")
}

// press types a key.
func (x *terminal) press(key string) {
	x.t.Helper()
	if out, err := x.tmux("send-keys", "-t", "main", "-l", "--", key); err != nil {
		x.t.Fatalf("tmux: %v\n%s", err, out)
	}
}
