package email

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"gangway/core"
	"gangway/transports/email/mime"
)

// A mail in, an answer out, and both where they belong in the mailbox.
func TestBox(t *testing.T) {
	p := startProvider(t)
	p.put("INBOX", letterFrom("before", "history"))
	g := startBoxes(t)
	s := g.follow(t, p.account(t))
	p.put("INBOX", letterFrom("m1", "hello"))
	got := g.host.WaitMessage("*s*\nhello")
	if got.Peer != "bob@example.com" || got.Mine || got.Notice || got.Account != "acc-box" || got.Remote != "<m1@example.com>" {
		t.Errorf("%+v", got)
	}
	answer := &core.Message{
		Ref: core.Ref{Account: "acc-box", Peer: "bob@example.com"}, IDs: core.IDs{ID: core.NewID()}, Text: "hi Bob",
		At: time.Date(2026, 11, 2, 3, 4, 5, 0, time.UTC),
	}
	taken, err := s.Send(t.Context(), answer)
	if err != nil || taken.State != core.Accepted {
		t.Fatal(taken, err)
	}
	sent := <-p.mails
	m := mime.Parse([]byte(sent.mail)).Root.Header
	if sent.from != boxOwn || sent.to != "bob@example.com" || m.Get("From") != "Alice Doe <"+boxOwn+">" && m.Get("From") != `"Alice Doe" <`+boxOwn+">" ||
		m.Get("In-Reply-To") != "<m1@example.com>" || m.Has("DKIM-Signature") {
		t.Errorf("%s -> %s: %s", sent.from, sent.to, sent.mail)
	}
	if all, unread := p.status("Sent"); all != 1 || unread != 0 {
		t.Errorf("%d in the sent folder, %d unread", all, unread)
	}
	// The same mail again, as after a crash: it is put there once.
	if again, err := s.Send(t.Context(), answer); err != nil || again.Remote != taken.Remote {
		t.Error(again, err)
	}
	<-p.mails
	if all, _ := p.status("Sent"); all != 1 {
		t.Errorf("%d in the sent folder", all)
	}
	p.put("INBOX", letterFrom("m2", "and?", "In-Reply-To: "+string(taken.Remote)+"\n"))
	if next := g.host.WaitMessage("and?"); next.ReplyTo.Remote != taken.Remote || next.Thread != got.Thread {
		t.Errorf("%+v", next)
	}
	for _, m := range g.messages() {
		if m.Mine || strings.Contains(m.Text, "history") {
			t.Errorf("shown: %+v", m)
		}
	}
}

// What is read here is read in the mailbox: the message, and what came before it.
func TestBoxRead(t *testing.T) {
	p := startProvider(t)
	g := startBoxes(t)
	s := g.follow(t, p.account(t))
	for _, id := range []string{"a", "b", "c"} {
		p.put("INBOX", letterFrom(id, "text "+id))
	}
	g.host.WaitMessage("*s*\ntext a")
	g.host.Wait("the third", func(e core.Event) bool {
		m, ok := e.(*core.Message)
		return ok && m.Remote == "<c@example.com>"
	})
	b := s.(*session).box()
	if !waitFor(func() bool { // the note of it comes after it
		var all []unreadMail
		_, err := b.note(t.Context(), b.unreadKey("bob@example.com"), &all)
		return err == nil && len(all) == 3
	}) {
		t.Fatal("not noted")
	}
	read := func(id core.RemoteID) {
		t.Helper()
		err := core.CapsOf(s).ReadMarker.Read(t.Context(), &core.Receipt{Ref: core.Ref{Account: "acc-box", Peer: "Bob@example.com"}, IDs: core.IDs{Remote: id}, State: core.Read})
		if err != nil {
			t.Fatal(err)
		}
	}
	read("<b@example.com>")
	if _, unread := p.status("INBOX"); unread != 1 {
		t.Errorf("%d unread", unread)
	}
	read("<a@example.com>") // long read
	read("<unknown@example.com>")
	if _, unread := p.status("INBOX"); unread != 1 {
		t.Errorf("%d unread", unread)
	}
	read("<c@example.com>")
	if _, unread := p.status("INBOX"); unread != 0 {
		t.Errorf("%d unread", unread)
	}
}

// A bounce in the inbox is an error of the message, by its Message-ID alone.
func TestBoxBounce(t *testing.T) {
	p := startProvider(t)
	g := startBoxes(t)
	s := g.follow(t, p.account(t))
	for name, tt := range map[string]struct {
		report func(mid, id string) string
		want   core.State
	}{
		"DSN with the header": {func(mid, _ string) string {
			return "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nNo such user.\n--b\nContent-Type: message/delivery-status\n\n" +
				"Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; bob@example.com\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user\n\n" +
				"--b\nContent-Type: text/rfc822-headers\n\nSubject: s\nMessage-ID: " + mid + "\n\n--b--\n"
		}, core.Failed},
		"DSN with the envelope's id": {func(_, id string) string {
			return "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nNo such user.\n--b\nContent-Type: message/delivery-status\n\n" +
				"Reporting-MTA: dns; x\nOriginal-Envelope-Id: " + id + "\n\nFinal-Recipient: rfc822; bob@example.com\nAction: failed\nStatus: 5.1.1\n\n--b--\n"
		}, core.Failed},
		"no DSN, with the id in its text": {func(mid, _ string) string {
			return "Auto-Submitted: auto-replied\n\nThis is the mail system. Your mail (" + mid + ") could not be delivered:\n550 5.1.1 no such user\n"
		}, core.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			m := &core.Message{Ref: core.Ref{Account: "acc-box", Peer: "bob@example.com"}, IDs: core.IDs{ID: core.NewID()}, Text: "hi " + name, Subject: name}
			taken, err := s.Send(t.Context(), m)
			if err != nil {
				t.Fatal(err)
			}
			<-p.mails
			p.put("INBOX", "Return-Path: <>\nFrom: MAILER-DAEMON@mail.example\nTo: "+boxOwn+"\nSubject: Undelivered Mail Returned to Sender\nMessage-ID: <"+string(m.ID)+"@report>\nDate: Mon, 02 Nov 2026 03:04:05 +0000\n"+
				tt.report(string(taken.Remote), string(m.ID)))
			e := g.host.Wait("a receipt", func(e core.Event) bool {
				r, ok := e.(*core.Receipt)
				return ok && (r.Remote == taken.Remote || r.ID == m.ID)
			})
			if r := e.(*core.Receipt); r.State != tt.want || r.Account != "acc-box" || r.Peer != "bob@example.com" || core.KindOf(r.Err) != core.NotFound {
				t.Errorf("%+v %v", r, r.Err)
			}
		})
	}
	// A report is nothing for the user to read in the mailbox.
	if !waitFor(func() bool { _, unread := p.status("INBOX"); return unread == 0 }) {
		t.Error("reports stay unread")
	}
	// Somebody else's bounce, or one that nobody knows anything of, is a mail.
	p.put("INBOX", "Return-Path: <>\nFrom: MAILER-DAEMON@mail.example\nTo: "+boxOwn+"\nSubject: Undelivered Mail\nMessage-ID: <x@report>\nDate: Mon, 02 Nov 2026 03:04:05 +0000\nAuto-Submitted: auto-replied\n\n"+
		"Your mail <aaaaaaaaaaaaaaaaaaaaaaaaaa@gw.example> could not be delivered.\n")
	g.host.Wait("the other report", func(e core.Event) bool {
		m, ok := e.(*core.Message)
		return ok && strings.Contains(m.Text, "aaaaaaaa") && m.Notice
	})
}

// What the user sends with another program is shown as theirs, once, in the conversation with whom it went to.
func TestBoxSent(t *testing.T) {
	p := startProvider(t)
	g := startBoxes(t)
	g.follow(t, p.account(t))
	p.put("INBOX", letterFrom("q", "a question"))
	g.host.WaitMessage("*s*\na question")
	own := func(id, to, more, text string) {
		p.put("Sent", "From: Alice <"+boxOwn+">\n"+to+"Message-ID: <"+id+"@phone>\nDate: "+time.Now().Format(time.RFC1123Z)+"\nSubject: Re: s\n"+more+"\n"+text+"\n")
	}
	own("one", "To: Carol <carol@example.com>, Bob <bob@example.com>\nCc: "+boxOwn+", dave@example.com\n", "In-Reply-To: <q@example.com>\n", "an answer")
	own("two", "Bcc: x@example.com\n", "", "to nobody")
	own("three", "To: erin@example.com\n", "Auto-Submitted: auto-replied\nSender: x@example.com\n", "to Erin")
	is := func(remote core.RemoteID) func(core.Event) bool {
		return func(e core.Event) bool {
			m, ok := e.(*core.Message)
			return ok && m.Remote == remote
		}
	}
	m := g.host.Wait("the answer", is("<one@phone>")).(*core.Message)
	if !m.Mine || m.Peer != "bob@example.com" || m.Text != "an answer" || m.ReplyTo.Remote != "<q@example.com>" || len(m.Also) != 2 || m.Notice {
		t.Errorf("%+v", m)
	}
	m = g.host.Wait("to Erin", is("<three@phone>")).(*core.Message)
	if !m.Mine || m.Peer != "erin@example.com" || !strings.HasSuffix(m.Text, "to Erin") || strings.Contains(m.Text, "sent by") {
		t.Errorf("%+v", m)
	}
	for _, m := range g.messages() {
		if strings.Contains(m.Text, "to nobody") {
			t.Errorf("%+v", m)
		}
	}
}

// A password that is refused is tried three times, whoever opens the session, and then not any more.
func TestBoxRefused(t *testing.T) {
	p := startProvider(t)
	g := startBoxes(t)
	a := p.account(t)
	g.host.Add(a)
	p.change("another")
	var last error
	for i := range 3 {
		s, err := g.Open(a)
		if err != nil {
			t.Fatal(err)
		}
		last = s.Run(t.Context())
		if want := [...]core.Kind{core.Unavailable, core.Unavailable, core.Denied}[i]; core.KindOf(last) != want {
			t.Errorf("try %d: %v", i, last)
		}
	}
	if text := core.AsError(last).Sentence(); !strings.Contains(text, boxOwn) || !strings.Contains(text, "password") || strings.Contains(last.Error(), boxPassword) {
		t.Error(text)
	}
	if n := p.tried(); n != 3 {
		t.Errorf("tried %d times", n)
	}
	s, err := g.Open(a)
	if err != nil {
		t.Fatal(err)
	}
	m := &core.Message{Ref: core.Ref{Account: a.ID, Peer: "bob@example.com"}, IDs: core.IDs{ID: core.NewID()}, Text: "hi"}
	if _, err := s.Send(t.Context(), m); core.KindOf(err) != core.Denied || !strings.Contains(core.AsError(err).Sentence(), "register") {
		t.Errorf("sent with a wrong password: %v", err)
	}
	// Another password begins anew, and one that is taken clears the count.
	sealed, err := secret{Password: "another"}.seal()
	if err != nil {
		t.Fatal(err)
	}
	a.ID, a.Secret = "acc-box-2", sealed
	g.follow(t, a)
}

// The house cannot take a mail at the moment: it comes again. One whose sender is blocked does not.
func TestBoxLater(t *testing.T) {
	p := startProvider(t)
	g := startBoxes(t)
	a := p.account(t)
	g.host.Add(a)
	s, err := g.Open(a)
	if err != nil {
		t.Fatal(err)
	}
	b := s.(*session).box()
	ready := make(chan struct{}, 10)
	first, cancel := context.WithCancel(t.Context())
	go func() {
		g.host.Wait("connected", func(e core.Event) bool { _, ok := e.(*core.Status); return ok })
		ready <- struct{}{}
	}()
	ended := make(chan error, 1)
	go func() { ended <- b.mail.Run(first) }()
	<-ready
	g.host.Refuse(core.E(core.OverLimit, "test", "full"))
	p.put("INBOX", letterFrom("later", "later"))
	if err := <-ended; core.KindOf(err) != core.OverLimit {
		t.Errorf("ended with %v", err)
	}
	cancel()
	if err := b.ended(core.E(core.OverLimit, "test", "full")); core.KindOf(err) != core.OverLimit {
		t.Error(err)
	}
	g.host.Refuse(nil)
	again, stop := context.WithCancel(t.Context())
	go func() { ended <- s.Run(again) }()
	g.host.WaitMessage("*s*\nlater")
	g.host.Refuse(core.E(core.Denied, "test", "blocked"))
	p.put("INBOX", letterFrom("blocked", "blocked"))
	p.put("INBOX", letterFrom("blocked2", "blocked"))
	if !waitFor(func() bool { // past it
		raw, err := g.host.Notes().Get(t.Context(), "cursor inbox "+string(a.ID))
		return err == nil && strings.Contains(string(raw), `"next":4`)
	}) {
		t.Error("stuck at a mail that nobody wants")
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestReturnPath(t *testing.T) {
	for raw, want := range map[string]string{
		"Return-Path: <a@x>\r\nFrom: b@x\r\n\r\nReturn-Path: <c@x>": "a@x",
		"Return-Path: <>\nFrom: b@x\n\n":                            "",
		"From: B <b@x>\n\ntext":                                     "b@x",
		"text":                                                      "unknown@unknown.invalid",
		"":                                                          "unknown@unknown.invalid",
	} {
		if got := returnPath([]byte(raw)); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
}

func TestServerURL(t *testing.T) {
	for _, text := range []string{"imaps://a%40x@h.example:993", "imap://u@h.example:143", "imap+plain://u@127.0.0.1:10143"} {
		s, err := parseServer("imap", text)
		if err != nil || serverURL("imap", s) != text {
			t.Errorf("%s: %+v, %v", text, s, err)
		}
	}
	for _, bad := range []string{"", "smtps://u@h:1", "imaps://u@h", "imaps://u@h:x", "://"} {
		if s, err := parseServer("imap", bad); err == nil {
			t.Errorf("%q: %+v", bad, s)
		}
	}
}

var _ smtp.Session = (*submitted)(nil)
