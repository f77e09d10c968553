package email

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"gangway/core"
	"gangway/transports/email/client"
)

func sample(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile("testdata/dsn/" + name + ".eml")
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestReadReport(t *testing.T) {
	for _, tt := range []struct {
		name, sender string
		action       action
		code         string
		said         string
	}{
		{"postfix-failed", "", failed, "550 5.1.1", "550 5.1.1 <bob@example.com>: Recipient address rejected: User unknown"},
		{"postfix-delivered", "", delivered, "250 2.0.0", "250 2.0.0 Ok: queued"},
		{"postfix-relayed", "", delivered, "2.0.0", ""},
		{"postfix-delayed", "", delayed, "4.4.1", "connect to mx: Connection timed out"},
		{"expanded", "", expanded, "2.0.0", ""},
		{"expired", "", failed, "4.4.7", ""},
		{"no-action", "", unclear, "", ""},
		{"exim", "", failed, "550 5.1.1", "550 5.1.1 no such user"},
		{"exim-report", "", failed, "5.0.0", ""},
		{"qmail", "", failed, "5.1.1", ""},
		{"soft-warning", "", delayed, "", ""},
		{"vacation", "", unclear, "", ""},
		{"person", "bob@example.com", unclear, "", ""},
	} {
		r := readReport(readLetter(sample(t, tt.name), tt.sender, today))
		if r.action != tt.action || r.status.String() != tt.code || r.said != tt.said {
			t.Errorf("%s: action %d, code %q, said %q", tt.name, r.action, r.status, r.said)
		}
	}
}

// TestReports sends a mail and has the relay report about it.
func TestReports(t *testing.T) {
	for _, tt := range []struct {
		name  string
		state core.State // of the receipt; 0: none
		kind  core.Kind
		code  string
		text  string // of the receipt's error, or of the message shown instead
	}{
		{"postfix-failed", core.Failed, core.NotFound, "550 5.1.1", "There is no mailbox bob@example.com. The mail server said: “550 5.1.1 <bob@example.com>: Recipient address rejected: User unknown”"},
		{"postfix-delivered", core.Delivered, 0, "", ""},
		{"postfix-relayed", core.Delivered, 0, "", ""},
		{"expanded", core.Sent, 0, "", ""},
		{"expired", core.Failed, core.Unavailable, "4.4.7", "The mail server of example.com could not be reached in time."},
		{"exim", core.Failed, core.NotFound, "550 5.1.1", "There is no mailbox bob@example.com. The mail server said: “550 5.1.1 no such user”"},
		{"exim-report", core.Failed, core.NotFound, "5.0.0", "There is no mailbox bob@example.com."},
		{"postfix-delayed", 0, 0, "", "Your message has not been delivered yet. The mail server of example.com could not be reached. The mail servers go on trying."},
		{"vacation", 0, 0, "", "*Out of office: undeliverable happiness*\nI am at the sea."},
		{"person", 0, 0, "", "*Re: hi*\nThanks!"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			relay := startRelay(t, nil)
			g := start(t, map[string]any{"relay": "smtp://" + relay.addr}, nil)
			m := note("hi")
			taken, err := g.session(t).Send(t.Context(), m)
			if err != nil || taken.State != core.Accepted {
				t.Fatalf("Send = %+v, %v", taken, err)
			}
			sent := <-relay.mails
			for range 2 { // a report may come twice
				if got := g.deliverMail(t, "", sent.from, string(sample(t, tt.name))); !strings.HasPrefix(got, "250") {
					t.Fatal(got)
				}
			}
			if tt.state == 0 {
				shown := g.host.WaitMessage(tt.text)
				if shown.Peer != m.Peer || shown.Account != alice.ID || !shown.Notice || len(g.messages()) != 1 {
					t.Errorf("shown %+v", shown)
				}
				return
			}
			got := g.receipts()
			if len(got) != 1 || got[0].ID != m.ID || got[0].State != tt.state || got[0].Ref != m.Ref || got[0].Remote != taken.Remote {
				t.Fatalf("receipts %+v", got)
			}
			if e := got[0].Err; tt.text != "" && (e == nil || e.Text != tt.text || e.Kind != tt.kind || e.Code != tt.code) {
				t.Errorf("error %+v", e)
			}
			if len(g.messages()) != 0 {
				t.Errorf("messages %+v", g.messages())
			}
		})
	}
}

func TestForgedReports(t *testing.T) {
	g := start(t, nil, func(tr *transport) { tr.limits.unknown = 100 })
	v := &verp{key: []byte("0123456789abcdef")}
	now := time.Now()
	id := core.NewID()
	good := v.local(id, now)
	d := g.hello(t, "smtp")
	d.send("MAIL FROM:<>")
	d.expect("250")
	for _, tt := range []struct{ local, want string }{
		{good, "250"},
		{strings.ToUpper(good), "250"},
		{v.local(id, now.Add(-29*24*time.Hour)), "250"},
		{v.local(id, now.Add(-31*24*time.Hour)), "550 5.1.1"},
		{(&verp{key: []byte("another")}).local(id, now), "550 5.1.1"},
		{strings.Replace(good, string(id), string(core.NewID()), 1), "550 5.1.1"},
		{good[:len(good)-1], "550 5.1.1"},
		{good + "+x", "550 5.1.1"},
		{"b=", "550 5.1.1"}, {"b==", "550 5.1.1"}, {"b===", "550 5.1.1"},
	} {
		d.send("RCPT TO:<" + tt.local + "@gw.example>")
		if got, err := d.reply(); err != nil || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %q, want %s", tt.local, got, tt.want)
		}
	}
}

func TestVERP(t *testing.T) {
	v := &verp{key: []byte("key")}
	now := time.Date(2026, 11, 2, 3, 4, 5, 0, time.UTC)
	local := v.local("abc", now)
	if len(v.local(core.MessageID(strings.Repeat("a", 40)), now)) > maxLocal || strings.ToLower(local) != local {
		t.Errorf("%q", local)
	}
	if id, err := v.parse(local, now); err != nil || id != "abc" {
		t.Errorf("parse = %q, %v", id, err)
	}
}

// The key is made once, and outlives the process.
func TestKeyIsKept(t *testing.T) {
	g := start(t, map[string]any{"hmac_key": ""}, nil)
	a, err := g.envelopes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	local := a.local("abc", time.Now())
	again, err := newTransport(g.host, decoder(map[string]any{"domain": domain, "relay": "smtp://127.0.0.1:1"}))
	if err != nil {
		t.Fatal(err)
	}
	b, err := again.(*transport).envelopes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if id, err := b.parse(local, time.Now()); err != nil || id != "abc" || len(b.key) != 32 {
		t.Errorf("parse = %q, %v, key of %d bytes", id, err, len(b.key))
	}
}

// A report about a mail that nobody remembers is taken: there is nothing its sender could do.
func TestReportOfLongAgo(t *testing.T) {
	g := start(t, nil, nil)
	v, err := g.envelopes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	to := v.local("forgotten", time.Now()) + "@gw.example"
	for i, name := range []string{"vacation", "postfix-delayed"} {
		if got := g.deliverMail(t, "", to, string(sample(t, name))); !strings.HasPrefix(got, "250") {
			t.Errorf("%d: %s", i, got)
		}
	}
	g.host.Refuse(core.E(core.NotFound, "ledger", ""))
	if got := g.deliverMail(t, "", to, string(sample(t, "postfix-failed"))); !strings.HasPrefix(got, "250") {
		t.Error(got)
	}
	g.host.Refuse(core.E(core.Unavailable, "disk", ""))
	if got := g.deliverMail(t, "", to, string(sample(t, "postfix-failed"))); !strings.HasPrefix(got, "451") {
		t.Error(got)
	}
}

func FuzzReport(f *testing.F) {
	for _, name := range []string{"postfix-failed", "postfix-delayed", "exim", "qmail", "no-action"} {
		f.Add(sample(f, name))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := readReport(readLetter(raw, "", today))
		if len(fmt.Sprint(r.status)) > 30 {
			t.Errorf("status %v", r.status)
		}
		if e := r.status.failure("op", "bob@example.com", r.said, client.Report); e.Text == "" || len(e.Text) > 1000 {
			t.Errorf("text %q", e.Text)
		}
	})
}
