package email

import (
	"fmt"
	"strings"
	"testing"

	"gangway/core"
	"gangway/transports/email/auth"
	"gangway/transports/email/mime"
)

// Only who surely sent a mail, and is no program, may be told of it.
func TestBackTo(t *testing.T) {
	passed := func(domain string) auth.Check { return auth.Check{Value: auth.Pass, Domain: domain} }
	for name, tt := range map[string]struct {
		from   string // of the envelope
		result auth.Result
		header string
		want   string
	}{
		"SPF":                   {"bob@example.com", auth.Result{SPF: passed("example.com")}, "", "bob@example.com"},
		"DMARC":                 {"bob@example.com", auth.Result{DMARC: passed("example.com")}, "", "bob@example.com"},
		"SPF of the HELO":       {"bob@example.com", auth.Result{SPF: passed("mx.example.net")}, "", ""},
		"DMARC, other envelope": {"bob@example.net", auth.Result{DMARC: passed("example.com")}, "", ""},
		"nobody looked":         {"bob@example.com", auth.Result{}, "", ""},
		"failed":                {"bob@example.com", auth.Result{SPF: auth.Check{Value: auth.Fail, Domain: "example.com"}}, "", ""},
		"a bounce":              {"", auth.Result{SPF: passed("example.com")}, "", ""},
		"a program":             {"bob@example.com", auth.Result{SPF: passed("example.com")}, "Auto-Submitted: auto-generated\r\n", ""},
		"a list of old":         {"bob@example.com", auth.Result{SPF: passed("example.com")}, "Precedence: list\r\n", ""},
		"a list":                {"bob@example.com", auth.Result{SPF: passed("example.com")}, "List-Id: <l.example.com>\r\n", ""},
		"other letters":         {"bj\u00f6rn@example.com", auth.Result{SPF: passed("example.com")}, "", ""},
	} {
		l := readLetter([]byte("From: bob@example.com\r\n"+tt.header+"\r\nhi\r\n"), tt.from, today)
		l.auth = tt.result
		if got := backTo(l, tt.from); got != tt.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// The sender of a mail that the user's server returned is told, once an hour, with an empty envelope sender.
func TestReturned(t *testing.T) {
	relay := startRelay(t, nil)
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr}, nil)
	mail := func(mid, back string) core.RemoteID {
		t.Helper()
		l := readLetter([]byte("From: bob@example.com\r\nMessage-ID: "+mid+"\r\n\r\nhi "+mid+"\r\n"), "bob@example.com", today)
		l.back = back
		if err := g.deliverLetter(t.Context(), l, alice, "", ""); err != nil {
			t.Fatal(err)
		}
		if err := g.host.Notes().Put(t.Context(), midKey(alice.ID, mid), []byte(`{"mid":"`+mid+`","back":"`+back+`"}`), 0); err != nil {
			t.Fatal(err)
		}
		return core.RemoteID(mid)
	}
	for _, c := range []struct {
		id      core.RemoteID
		because core.Kind
	}{
		{mail("<nobody@example.com>", ""), core.NotFound}, {"<unknown@example.com>", core.NotFound},
		{mail("<later@example.com>", "carl@example.com"), core.Unavailable}, {mail("<blocked@example.com>", "carl@example.com"), core.Denied},
		{mail("<first@example.com>", "bob@example.com"), core.NotFound}, {mail("<second@example.com>", "Bob@example.com"), core.NotFound},
		{mail("<third@example.com>", "dave@example.com"), core.NotFound},
	} {
		if err := g.Returned(t.Context(), alice, "bob@example.com", c.id, c.because, core.Rules); err != nil {
			t.Error(err)
		}
	}
	first, third := <-relay.mails, <-relay.mails
	if first.from != "" || first.to != "bob@example.com" || third.to != "dave@example.com" || len(relay.mails) != 0 {
		t.Errorf("%q to %s, and to %s; %d more", first.from, first.to, third.to, len(relay.mails))
	}
	m := mime.Parse([]byte(first.mail))
	if m.Root.Header.Get("Auto-Submitted") != "auto-replied" || m.Root.Header.Get("In-Reply-To") != "<first@example.com>" || strings.Contains(strings.ReplaceAll(first.mail, "\r\n", ""), "\n") {
		t.Errorf("%s", first.mail)
	}
	r := readReport(readLetter([]byte(first.mail), "", today))
	if r.action != failed || r.status.String() != "5.1.1" {
		t.Errorf("it reads as %+v", r)
	}
}

// The report says whose fault it is: a mailbox that is gone, or a server.
func TestReportOfServer(t *testing.T) {
	g := start(t, nil, nil)
	for noHost, want := range map[bool]string{false: "5.1.1", true: "5.1.2"} {
		mail := g.report(returned{mid: "<1@example.com>", to: "bob@example.com", user: "alice@gw.example", noHost: noHost})
		if r := readReport(readLetter(mail, "", today)); r.action != failed || r.status.String() != want {
			t.Errorf("it reads as %+v, want %s", r, want)
		}
	}
}

// Who is blocked at the user's server is refused at RCPT the next time, or, if the envelope does not tell, after DATA;
// until a week is over, or the user writes to them. Others, and what a server says of one mail only, change nothing.
func TestShut(t *testing.T) {
	relay := startRelay(t, nil)
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr}, nil)
	n := 0
	mail := func(envelope string) string {
		t.Helper()
		n++
		return g.deliverMail(t, envelope, string(alice.Own), fmt.Sprintf("From: Bob@example.com\r\nMessage-ID: <%d@example.com>\r\n\r\nhi\r\n", n))
	}
	returned := func(because core.Kind, reason core.Reason) {
		t.Helper()
		if err := g.Returned(t.Context(), alice, "Bob@example.com", "<1@example.com>", because, reason); err != nil {
			t.Fatal(err)
		}
	}
	want := func(what, answer, code string) {
		t.Helper()
		if !strings.HasPrefix(answer, code) {
			t.Errorf("%s: %q, want %s", what, answer, code)
		}
	}
	returned(core.Denied, core.Rules)
	want("about one mail", mail("bob@example.com"), "250")
	returned(core.Denied, core.NoReason)
	want("From", mail("bounce=1@example.com"), "550 5.7.1")
	if _, err := g.recipient(t.Context(), string(alice.Own), "bob@example.com"); core.KindOf(err) != core.Denied {
		t.Errorf("RCPT: %v", err)
	}
	if _, err := g.recipient(t.Context(), string(alice.Own), "carl@example.com"); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	if _, err := g.recipient(t.Context(), string(bella.Own), "bob@example.com"); err != nil {
		t.Errorf("to somebody else: %v", err)
	}
	opened, err := g.Open(alice)
	if err != nil {
		t.Fatal(err)
	}
	m := note("hello")
	m.Account, m.Peer = alice.ID, "bob@example.com"
	if err := opened.(*session).mayGo(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	want("written to", mail("bob@example.com"), "250")
}
