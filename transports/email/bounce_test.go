package email

import (
	"strings"
	"testing"

	"gangway/core"
	"gangway/transports/email/client"
)

// TestBounces is about what mail servers write that is no DSN, each in the way of its own, and what the user reads of it.
func TestBounces(t *testing.T) {
	for _, tt := range []struct {
		name          string
		from, subject string
		header, text  string
		action        action
		code          string
		reason        core.Reason
		want          string // in the sentence
	}{
		{
			"qmail", "MAILER-DAEMON@mx.example.net", "failure notice", "",
			"Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver your message.\n\n<bob@example.com>:\n192.0.2.1 does not like recipient.\nRemote host said: 554 delivery error: dd This user doesn't have an account here\nGiving up on 192.0.2.1.\n\n--- Below this line is a copy of the message.\n\nmailbox full, over quota",
			failed, "554", core.NoReason, "no mailbox",
		},
		{
			"qmail, host", "MAILER-DAEMON@mx.example.net", "failure notice", "",
			"<bob@example.com>:\nSorry, I couldn't find any host named example.com. (#5.1.2)", failed, "5.1.2", core.NoHost, "does not exist",
		},
		{
			"qmail, expired", "MAILER-DAEMON@mx.example.net", "failure notice", "",
			"<bob@example.com>:\nSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\nI'm not going to try again; this message has been in the queue too long.",
			failed, "4.4.1", core.NoReason, "could not be reached",
		},
		{
			"Exim", "Mailer-Daemon@mx.example.net", "Mail delivery failed: returning message to sender", "X-Failed-Recipients: bob@example.com\r\n",
			"This message was created automatically by mail delivery software.\n\n  bob@example.com\n    SMTP error from remote mail server after end of data:\n    552 5.2.2 Over quota\n\n------ This is a copy of the message, including all the headers. ------\n\nuser unknown",
			failed, "552 5.2.2", core.Full, "full",
		},
		{
			"Exim, routing", "Mailer-Daemon@mx.example.net", "Mail delivery failed: returning message to sender", "X-Failed-Recipients: bob@example.com\r\n",
			"  bob@example.com\n    Unrouteable address\n", failed, "", core.NoReason, "no mailbox",
		},
		{
			"Exim, late", "Mailer-Daemon@mx.example.net", "Warning: message 1abcde-000000-00 delayed 24 hours", "",
			"This message was created automatically by mail delivery software.\nA message that you sent has not yet been delivered to one or more of its\nrecipients after more than 24 hours on the queue on mx.example.net.\nNo action is required on your part.",
			delayed, "", core.NoReason, "",
		},
		{
			"Exchange", "postmaster@example.com", "Undeliverable: hello", "",
			"Delivery has failed to these recipients or groups:\n\nbob@example.com\nThe email address you entered couldn't be found.\n\nDiagnostic information for administrators:\nGenerating server: mx.example.com\n#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##",
			failed, "550 5.1.1", core.NoReason, "no mailbox",
		},
		{
			"Exchange, size", "postmaster@example.com", "Unzustellbar: hallo", "", "#550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient ##",
			failed, "550 5.2.3", core.Unacceptable, "larger",
		},
		{
			"Gmail", "mailer-daemon@googlemail.com", "Delivery Status Notification (Failure)", "X-Failed-Recipients: bob@gmail.com\r\n",
			"Address not found\nYour message wasn't delivered to bob@gmail.com because the address couldn't be found, or is unable to receive mail.\n\nThe response was:\n550 5.1.1 The email account that you tried to reach does not exist.",
			failed, "550 5.1.1", core.NoReason, "no mailbox",
		},
		{
			"Gmail, full", "mailer-daemon@googlemail.com", "Delivery Status Notification (Failure)", "X-Failed-Recipients: bob@gmail.com\r\n",
			"The recipient's inbox is out of storage space.\nThe response was:\n552-5.2.2 The email account that you tried to reach is over quota.", failed, "552 5.2.2", core.Full, "full",
		},
		{
			"Groupwise", "System.Administrator@example.com", "Message status - undeliverable", "Auto-Submitted: auto-generated\r\n",
			"The attached file had the following undeliverable recipient(s):\nbob@example.com (User not found)", failed, "", core.NoReason, "no mailbox",
		},
		{
			"disabled", "postmaster@example.com", "Delivery failure", "", "The account of bob has been disabled or discontinued [#101].", failed, "", core.Inactive, "disabled",
		},
		{"by rules", "postmaster@example.com", "Returned mail: see transcript", "", "554 rejected due to spam content", failed, "554", core.Rules, "rules"},
		{"loop", "postmaster@example.com", "Undelivered Mail", "", "554 too many hops, this message is looping", failed, "554", core.Looping, "loop"},
		{"nothing is said", "postmaster@example.com", "Returned mail", "", "It did not work.", failed, "", core.Rules, "was refused"},
		{"a holiday", "bob@example.com", "Out of office: mailbox full of sand", "Auto-Submitted: auto-replied\r\n", "I am at the sea. My mailbox does not exist.", unclear, "", 0, ""},
		{"an answer about failures", "bob@example.com", "Re: Undeliverable mail", "Auto-Submitted: auto-replied\r\n", "No such user, you say? I am away.", unclear, "", 0, ""},
		{"a person", "bob@example.com", "Undeliverable mail", "", "550 5.1.1 is what I got.", unclear, "", 0, ""},
		{"the postmaster as a person", "postmaster@example.com", "Your question", "", "Here is what you asked for.", unclear, "", 0, ""},
	} {
		raw := "From: " + tt.from + "\r\nSubject: " + tt.subject + "\r\n" + tt.header + "Message-ID: <x@example.net>\r\n\r\n" + strings.ReplaceAll(tt.text, "\n", "\r\n") + "\r\n"
		r := readReport(readLetter([]byte(raw), tt.from, today))
		if r.action != tt.action || r.status.String() != tt.code {
			t.Errorf("%s: action %d, %q", tt.name, r.action, r.status)
		}
		if tt.action != failed {
			continue
		}
		if e := r.status.failure("op", "bob@example.com", r.said, client.Report); e.Reason != tt.reason || !strings.Contains(e.Text, tt.want) {
			t.Errorf("%s: reason %d, %q", tt.name, e.Reason, e.Text)
		}
	}
}

// A mail that is late is told to be so once, with why and how long it is tried.
func TestDelayIsToldOnce(t *testing.T) {
	relay := startRelay(t, nil)
	g := start(t, map[string]any{"relay": "smtp://" + relay.addr}, nil)
	m := note("hi")
	if _, err := g.session(t).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	sent := <-relay.mails
	raw := strings.Replace(string(sample(t, "postfix-delayed")), "Action: delayed\r\n", "Action: delayed\r\nWill-Retry-Until: Sat, 7 Nov 2026 03:04:05 +0000\r\n", 1)
	if !strings.Contains(raw, "Will-Retry-Until") {
		raw = strings.Replace(raw, "Action: delayed\n", "Action: delayed\nWill-Retry-Until: Sat, 7 Nov 2026 03:04:05 +0000\n", 1)
	}
	for _, id := range []string{"<first@relay.example>", "<second@relay.example>"} {
		again := strings.Replace(raw, "Message-ID: <", "Message-ID: "+id+"\r\nX-Was: <", 1)
		if got := g.deliverMail(t, "", sent.from, again); !strings.HasPrefix(got, "250") {
			t.Fatal(got)
		}
	}
	g.host.WaitMessage("Your message has not been delivered yet. The mail server of example.com could not be reached. The mail servers go on trying until 7 Nov 03:04 UTC.")
	if n := len(g.messages()); n != 1 {
		t.Errorf("told %d times", n)
	}
}
