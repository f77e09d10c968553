package email

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gangway/core"
)

// deliverMail sends one mail over a connection of its own and returns the answer.
func (g *gateway) deliverMail(t *testing.T, from, to, raw string) string {
	t.Helper()
	d := g.hello(t, "smtp")
	d.transaction(from, to)
	d.send(raw, ".")
	got, err := d.reply()
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestRecipients(t *testing.T) {
	g := start(t, nil, func(tr *transport) { tr.limits.unknown = 100 })
	d := g.hello(t, "smtp")
	d.send("MAIL FROM:<bob@example.com>")
	d.expect("250")
	for _, tt := range []struct{ to, want string }{
		{"<alice@gw.example>", "250"},
		{"<ALICE@GW.EXAMPLE>", "250"},
		{"<alice+tag@gw.example>", "250"},
		{`<"alice"@gw.example>`, "250"},
		{"<carol@gw.example>", "550 5.1.1"},
		{"<alice@example.com>", "550 5.7.1"},
		{"<alice@sub.gw.example>", "550 5.7.1"},
		{"<alice%example.com@gw.example>", "550 5.1.1"},
		{`<"alice@example.com"@gw.example>`, "550 5.1.1"},
		{"<b=x@gw.example>", "550 5.1.1"},
		{"<b=abc=1=aaaaaaaa@gw.example>", "550 5.1.1"},
		{"<alice@gw.example\x01>", "553 5.1.3"},
		{"<al\x01ice@gw.example>", "553 5.1.3"},
		{"<" + strings.Repeat("x", 65) + "@gw.example>", "553 5.1.3"},
	} {
		d.send("RCPT TO:" + tt.to)
		if got, err := d.reply(); err != nil || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%q: %q, want %s", tt.to, got, tt.want)
		}
	}
}

// A postmaster needs no domain, in any case of letters (RFC 5321 section 4.1.1.3), on any connection, and after a mail.
func TestPostmaster(t *testing.T) {
	for _, listener := range []string{"smtp", "lmtp"} {
		g := start(t, nil, nil)
		g.host.Add(core.Account{ID: "acc-p", User: "admin@example.org", Network: "email", Own: "postmaster@gw.example"})
		d := g.hello(t, listener)
		for i, to := range []string{"postmaster", "Postmaster", "POSTMASTER", "postmaster@gw.example"} {
			d.transaction("bob@example.com", to)
			d.send(fmt.Sprintf("Message-ID: <p%d@x.example>", i), "", "RCPT TO:<postmaster>", "MAIL", ".")
			d.expect("250")
		}
		d.send("MAIL FROM:<bob@example.com>")
		d.expect("250")
		d.send("RCPT TO:<alice>")
		d.expect("501")
		if n := len(g.messages()); n != 4 {
			t.Errorf("%s: %d messages", listener, n)
		}
		for _, m := range g.messages() {
			if m.Text != "RCPT TO:<postmaster>\nMAIL" || m.Account != "acc-p" {
				t.Errorf("%s: %+v", listener, m)
			}
		}
	}
}

func TestSenders(t *testing.T) {
	g := start(t, nil, nil)
	d := g.hello(t, "smtp")
	for _, tt := range []struct{ from, want string }{
		{"<>", "250"}, {"<bob@example.com>", "250"}, {"<SRS0=x=y=a.b=bob@example.com>", "250"}, {"<bob@host_name.example>", "250"},
		{"<bob\x01@example.com>", "553 5.1.7"}, {"<" + strings.Repeat("x", 400) + "@example.com>", "553 5.1.7"},
	} {
		d.send("MAIL FROM:" + tt.from)
		if got, err := d.reply(); err != nil || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%q: %q, want %s", tt.from, got, tt.want)
		}
		d.send("RSET")
		d.expect("250")
	}
}

// Another gateway forgot to reset its session: the second mail of a connection went to the first one's recipients too.
func TestRecipientsDoNotAddUp(t *testing.T) {
	for _, listener := range []string{"smtp", "lmtp"} {
		g := start(t, nil, nil)
		d := g.hello(t, listener)
		for _, to := range []string{"alice", "bella"} {
			d.transaction("bob@example.com", to+"@gw.example")
			d.send("Message-ID: <"+to+"@x.example>", "", "for "+to, ".")
			d.expect("250")
		}
		d.send("MAIL FROM:<bob@example.com>")
		d.expect("250")
		d.send("RCPT TO:<alice@gw.example>")
		d.expect("250")
		d.send("MAIL FROM:<eve@example.com>")
		d.expect("503 5.5.1")
		d.send("RSET")
		d.expect("250")
		d.transaction("bob@example.com", "bella@gw.example")
		d.send("Message-ID: <again@x.example>", "", "for bella again", ".")
		d.expect("250")
		var got []string
		for _, m := range g.messages() {
			got = append(got, string(m.Account)+" "+m.Text)
		}
		if want := "[acc-a for alice acc-b for bella acc-b for bella again]"; fmt.Sprint(got) != want {
			t.Errorf("%s: delivered %v", listener, got)
		}
	}
}

// The same gateway refused the empty sender, and so could never hear of a bounce.
func TestNullSender(t *testing.T) {
	g := start(t, nil, nil)
	if got := g.deliverMail(t, "", "alice@gw.example", "From: MAILER-DAEMON@example.com\r\n\r\nundeliverable"); !strings.HasPrefix(got, "250") {
		t.Fatal(got)
	}
	if m := g.host.WaitMessage(markAutomatic + "\nundeliverable"); !m.Notice {
		t.Error("not marked as automatic")
	}
}

// And it refused mail with a broken signature, which every mailing list makes.
func TestBrokenSignature(t *testing.T) {
	g := start(t, nil, nil)
	raw := "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=x; h=from; bh=AAAA; b=BBBB\r\n" + mail
	if got := g.deliverMail(t, "bob@example.com", "alice@gw.example", raw); !strings.HasPrefix(got, "250") {
		t.Fatal(got)
	}
}

// And it answered mail by itself, without saying so.
func TestNothingIsAnswered(t *testing.T) {
	relay := startRelay(t, nil)
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr}, nil)
	for i, raw := range []string{mail, "Auto-Submitted: auto-replied\r\n" + mail, "Disposition-Notification-To: bob@example.com\r\n" + mail} {
		g.deliverMail(t, "bob@example.com", "alice@gw.example", strings.ReplaceAll(raw, "m1", fmt.Sprint(i)))
	}
	g.stop()
	select {
	case got := <-relay.mails:
		t.Errorf("sent %+v", got)
	default:
	}
}

func TestAnswersPerRecipient(t *testing.T) {
	g := start(t, nil, nil)
	d := g.hello(t, "lmtp")
	d.transaction("bob@example.com", "alice@gw.example", "alice+x@gw.example", "bella@gw.example")
	d.send(mail, ".")
	for range 3 {
		d.expect("250")
	}
	if got := g.messages(); len(got) != 2 { // alice has one copy
		t.Errorf("%d messages", len(got))
	}
	g.host.Refuse(core.E(core.OverLimit, "disk", "full"))
	d.transaction("bob@example.com", "alice@gw.example", "bella@gw.example")
	d.send(strings.ReplaceAll(mail, "m1", "m2"), ".")
	for range 2 {
		if got := d.expect("452 4.3.1"); strings.Contains(got, "disk") {
			t.Error(got)
		}
	}
}

func TestCombine(t *testing.T) {
	later, never := core.E(core.Unavailable, "", ""), core.E(core.NotFound, "", "")
	for _, tt := range []struct {
		errs []error
		want int
	}{
		{[]error{nil, nil}, 0}, {[]error{later, nil}, 451}, {[]error{nil, never}, 451}, {[]error{never, never}, 550}, {[]error{never, later}, 451},
	} {
		var all []outcome
		for _, err := range tt.errs {
			all = append(all, outcome{err: err})
		}
		got := 0
		if err := combine(all); err != nil {
			got = smtpCode(err)
		}
		if got != tt.want {
			t.Errorf("%v: %d, want %d", tt.errs, got, tt.want)
		}
	}
}

func TestLoops(t *testing.T) {
	g := start(t, nil, nil)
	for raw, want := range map[string]string{
		strings.Repeat("Received: x\r\n", 50) + mail:                           "250",
		strings.Repeat("Received: x\r\n", 51) + mail:                           "554 5.4.6",
		"X-Loop: gw.example\r\nX-Loop: other.example\r\n" + mail:               "250", // from one user to another, or by a list
		strings.Repeat("X-Loop: GW.example\r\n", maxLoops) + mail:              "554 5.4.6",
		strings.Repeat("X-Loop: other.example\r\n", 10) + mail:                 "250",
		strings.Repeat("X-Loop: other.example\r\n", 2000) + mail:               "250",
		strings.Repeat("Received: x\r\n y\r\n\tz\r\n", 40) + mail:              "250",
		"Subject: Received: x\r\n\r\n" + strings.Repeat("Received: x\r\n", 60): "250",
	} {
		if got := g.deliverMail(t, "bob@example.com", "alice@gw.example", raw); !strings.HasPrefix(got, want) {
			t.Errorf("%.30q: %s, want %s", raw, got, want)
		}
	}
}

func TestSubaddress(t *testing.T) {
	g := start(t, nil, nil)
	g.deliverMail(t, "bob@example.com", "Alice+Shop@gw.example", mail)
	if m := g.host.WaitMessage("*hi*\n(to Alice+Shop@gw.example)\nhello"); m.Account != alice.ID {
		t.Errorf("delivered to %s", m.Account)
	}
}

// Mails that have the same Message-ID by mistake are all delivered; copies of one are not.
func TestSameMessageID(t *testing.T) {
	g := start(t, nil, nil)
	for i, raw := range []string{
		"Received: one\r\n" + mail,
		"Received: another way\r\n" + mail,
		"Date: Mon, 02 Nov 2026 03:04:05 +0000\r\n" + strings.Replace(mail, "hello", "another", 1),
	} {
		if got := g.deliverMail(t, "bob@example.com", "alice@gw.example", raw); !strings.HasPrefix(got, "250") {
			t.Errorf("%d: %s", i, got)
		}
	}
	if got := g.messages(); len(got) != 2 || got[0].Text != "*hi*\nhello" || got[1].Text != "*hi*\nanother" {
		t.Errorf("delivered %+v", got)
	}
}

func TestNoMessageID(t *testing.T) {
	g := start(t, nil, nil)
	raw := "From: bob@example.com\r\nDate: Mon, 02 Nov 2026 03:04:05 +0000\r\n\r\nno id\r\n"
	for _, trace := range []string{"Received: a\r\n", "Received: b\r\n"} {
		g.deliverMail(t, "bob@example.com", "alice@gw.example", trace+raw)
	}
	g.deliverMail(t, "bob@example.com", "alice@gw.example", strings.Replace(raw, "no id", "nor here", 1))
	if got := g.messages(); len(got) != 2 || got[0].Remote == "" || got[0].Remote == got[1].Remote {
		t.Errorf("delivered %+v", got)
	}
}

func TestThreading(t *testing.T) {
	g := start(t, nil, nil)
	at := time.Now().UTC().Add(-time.Hour).Format(time.RFC1123Z)
	send := func(id, header string) *core.Message {
		t.Helper()
		raw := "From: bob@example.com\r\nDate: " + at + "\r\nMessage-ID: <" + id + "@x>\r\n" + header + "\r\n\r\n" + id + "\r\n"
		if got := g.deliverMail(t, "bob@example.com", "alice@gw.example", raw); !strings.HasPrefix(got, "250") {
			t.Fatal(got)
		}
		e := g.host.Wait(id, func(e core.Event) bool {
			m, ok := e.(*core.Message)
			return ok && (m.Text == id || strings.HasSuffix(m.Text, "\n"+id))
		})
		return e.(*core.Message)
	}
	first := send("first", "Subject: Plans")
	for _, tt := range []struct {
		id, header string
		same       bool
		replyTo    core.RemoteID
		heading    string
	}{
		{"in-reply-to", "Subject: other words\r\nIn-Reply-To: <first@x>", true, "<first@x>", "*other words*\n"},
		{"references", "Subject: AW: [list] plans\r\nReferences: <first@x> <unknown@x>", true, "<first@x>", ""},
		{"newest reference", "Subject: Re: plans\r\nReferences: <first@x> <references@x>", true, "<references@x>", ""},
		{"new topic", "Subject: Dinner\r\nReferences: <first@x>", false, "", "*Dinner*\n"},
		{"by subject", "Subject: Re[2]: Plans", true, "", ""},
		{"same subject", "Subject: Plans", false, "", "*Plans*\n"},
		{"unknown parent", "Subject: x\r\nIn-Reply-To: <never@seen>", false, "", "*x*\n"},
	} {
		id := strings.ReplaceAll(tt.id, " ", "-")
		if id == "by-subject" {
			send("first2", "Subject: Re: plans\r\nIn-Reply-To: <first@x>") // the newest with bob again
		}
		m := send(id, tt.header)
		if (m.Thread == first.Thread) != tt.same || m.ReplyTo.Remote != tt.replyTo || m.Thread == "" {
			t.Errorf("%s: thread %s (first %s), reply to %q", tt.id, m.Thread, first.Thread, m.ReplyTo.Remote)
		}
		if m.Text != tt.heading+id || (m.Subject == "") != (tt.heading == "") {
			t.Errorf("%s: %q, subject %q", tt.id, m.Text, m.Subject)
		}
	}
	index := "Thread-Index: AdvqGJ0sEn5kVnPKQ3mE9xw0V2xYAAAAAAA="
	a, b := send("outlook-1", "Subject: o\r\n"+index), send("outlook-2", "Subject: Re: o\r\n"+index)
	if a.Thread != b.Thread {
		t.Error("Thread-Index is not used")
	}
}

// The threads of one account say nothing about another's.
func TestThreadsAreTheAccounts(t *testing.T) {
	g := start(t, nil, nil)
	g.deliverMail(t, "bob@example.com", "alice@gw.example", mail)
	answer := "From: bob@example.com\r\nMessage-ID: <m2@example.com>\r\nIn-Reply-To: <m1@example.com>\r\n\r\nto bella"
	g.deliverMail(t, "bob@example.com", "bella@gw.example", answer)
	if m := g.host.WaitMessage("to bella"); m.ReplyTo.Known() {
		t.Errorf("reply to %+v", m.ReplyTo)
	}
}

// A mail that cannot be kept is refused, and its repetition delivered.
func TestNotesFail(t *testing.T) {
	g := start(t, nil, nil)
	g.host.Refuse(core.E(core.Unavailable, "disk", ""))
	if got := g.deliverMail(t, "bob@example.com", "alice@gw.example", mail); !strings.HasPrefix(got, "451 4.3.0") {
		t.Errorf("answer %q", got)
	}
	g.host.Refuse(nil)
	if got := g.deliverMail(t, "bob@example.com", "alice@gw.example", mail); !strings.HasPrefix(got, "250") {
		t.Errorf("answer %q", got)
	}
	g.host.WaitMessage("*hi*\nhello")
}

func TestNames(t *testing.T) {
	g := start(t, nil, nil)
	for i, from := range []string{"Bob <bob@x.example>", "Bob <BOB@x.example>", "bob@x.example", `"alice@gw.example" <bob@x.example>`, "Robert <bob@x.example>"} {
		g.deliverMail(t, "bob@x.example", "alice@gw.example", fmt.Sprintf("From: %s\r\nMessage-ID: <n%d@x>\r\n\r\nx", from, i))
	}
	var names []string
	for _, e := range g.host.Events() {
		if p, ok := e.(*core.Profile); ok {
			names = append(names, p.Name)
		}
	}
	if fmt.Sprint(names) != "[Bob Robert]" {
		t.Errorf("names %v", names)
	}
}
