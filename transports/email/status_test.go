package email

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"gangway/core"
	"gangway/transports/email/client"
	"gangway/transports/email/mx"
)

// TestFailureTable is the table of what servers answer, and what the user is told of it.
func TestFailureTable(t *testing.T) {
	for _, tt := range []struct {
		code   int
		enh    enhanced
		at     stage
		kind   core.Kind
		reason core.Reason
		alert  bool
		text   string
	}{
		{550, enhanced{5, 1, 1}, client.Rcpt, core.NotFound, core.NoReason, false, "no mailbox"},
		{550, enhanced{}, client.Rcpt, core.NotFound, core.NoReason, false, "no mailbox"},
		{550, enhanced{5, 0, 0}, client.Rcpt, core.NotFound, core.NoReason, false, "no mailbox"},
		{551, enhanced{}, client.Rcpt, core.NotFound, core.Moved, false, "has moved"},
		{551, enhanced{5, 1, 6}, client.Rcpt, core.NotFound, core.Moved, false, "has moved"},
		{556, enhanced{5, 1, 10}, client.Rcpt, core.NotFound, core.NoHost, false, "takes no mail"},
		{556, enhanced{}, client.Rcpt, core.NotFound, core.NoHost, false, "takes no mail"},
		{0, enhanced{5, 1, 2}, client.Rcpt, core.NotFound, core.NoHost, false, "does not exist"},
		{0, enhanced{5, 1, 10}, client.Rcpt, core.NotFound, core.NoHost, false, "takes no mail"},
		{0, enhanced{5, 4, 4}, client.Rcpt, core.NotFound, core.NoHost, false, "does not exist"},
		{550, enhanced{5, 1, 2}, client.Rcpt, core.NotFound, core.NoHost, false, "does not exist"},
		{550, enhanced{5, 1, 3}, client.Rcpt, core.Invalid, core.Malformed, false, "not a valid address"},
		{553, enhanced{}, client.Rcpt, core.Invalid, core.Malformed, false, "not a valid address"},
		{501, enhanced{}, client.Rcpt, core.Invalid, core.Malformed, false, "not a valid address"},
		{550, enhanced{5, 1, 7}, client.Mail, core.Denied, core.Fault, true, "administrator"},
		{550, enhanced{5, 1, 8}, client.Mail, core.Denied, core.Fault, true, "administrator"},
		{550, enhanced{5, 2, 0}, client.Rcpt, core.NotFound, core.Inactive, false, "disabled"},
		{550, enhanced{5, 2, 1}, client.Rcpt, core.NotFound, core.Inactive, false, "disabled"},
		{552, enhanced{5, 2, 2}, client.Rcpt, core.Denied, core.Full, false, "full"},
		{552, enhanced{}, client.Rcpt, core.Denied, core.Full, false, "full"},
		{452, enhanced{4, 2, 2}, client.Rcpt, core.OverLimit, core.Full, false, "full"},
		{552, enhanced{5, 2, 3}, client.Data, core.TooLarge, core.Unacceptable, false, "larger"},
		{552, enhanced{5, 3, 4}, client.Mail, core.TooLarge, core.Unacceptable, false, "larger"},
		{552, enhanced{}, client.Data, core.TooLarge, core.Unacceptable, false, "larger"},
		{552, enhanced{}, client.Mail, core.TooLarge, core.Unacceptable, false, "larger"},
		{421, enhanced{}, client.Mail, core.Unavailable, core.NoReason, false, "at the moment"},
		{450, enhanced{}, client.Rcpt, core.Unavailable, core.NoReason, false, "at the moment"},
		{451, enhanced{4, 7, 1}, client.Rcpt, core.Unavailable, core.NoReason, false, ""},
		{452, enhanced{}, client.Mail, core.Unavailable, core.NoReason, false, ""},
		{450, enhanced{4, 1, 1}, client.Rcpt, core.Unavailable, core.NoReason, false, ""},
		{0, enhanced{4, 4, 3}, client.Connect, core.Unavailable, core.NoReason, false, "found out"},
		{0, enhanced{4, 4, 7}, client.Report, core.Unavailable, core.NoReason, false, "in time"},
		{0, enhanced{5, 4, 7}, client.Report, core.Unavailable, core.NoReason, false, "in time"},
		{0, enhanced{5, 4, 1}, client.Report, core.Unavailable, core.NoReason, false, "reached"},
		{0, enhanced{4, 4, 2}, client.Report, core.Unavailable, core.NoReason, false, "reached"},
		{550, enhanced{5, 4, 1}, client.Rcpt, core.NotFound, core.NoReason, false, "no mailbox"},
		{554, enhanced{5, 4, 6}, client.Report, core.Unsupported, core.Looping, false, "loop"},
		{0, enhanced{5, 4, 6}, client.Rcpt, core.Unsupported, core.Looping, false, "loop"},
		{550, enhanced{5, 5, 1}, client.Data, core.Unsupported, core.Fault, true, "administrator"},
		{500, enhanced{}, client.Mail, core.Unsupported, core.Fault, true, "administrator"},
		{502, enhanced{}, client.Data, core.Unsupported, core.Fault, true, "administrator"},
		{504, enhanced{}, client.Mail, core.Unsupported, core.Fault, true, "administrator"},
		{550, enhanced{5, 6, 1}, client.Data, core.Unsupported, core.Unacceptable, false, "kind of message"},
		{550, enhanced{5, 6, 7}, client.Rcpt, core.Unsupported, core.Unacceptable, false, "letters beyond"},
		{550, enhanced{}, client.Data, core.Denied, core.Rules, false, "refused the message"},
		{554, enhanced{}, client.Data, core.Denied, core.Rules, false, "rules"},
		{550, enhanced{5, 7, 0}, client.Data, core.Denied, core.Rules, false, "rules"},
		{550, enhanced{5, 7, 1}, client.Data, core.Denied, core.Rules, false, "rules"},
		{535, enhanced{5, 7, 8}, client.Auth, core.Denied, core.NoReason, true, "password"},
		{535, enhanced{}, client.Auth, core.Denied, core.NoReason, true, "password"},
		{550, enhanced{5, 7, 0}, client.Auth, core.Denied, core.NoReason, true, "password"},
		{530, enhanced{}, client.Mail, core.Denied, core.NoReason, true, "password"},
		{454, enhanced{4, 7, 0}, client.Auth, core.Unavailable, core.NoReason, false, ""},
		{550, enhanced{5, 7, 10}, client.Data, core.Denied, core.Insecure, false, "securely"},
		{0, enhanced{4, 7, 10}, client.Secure, core.Unavailable, core.Insecure, false, "securely"},
		{0, enhanced{4, 7, 11}, client.Secure, core.Unavailable, core.Insecure, false, "securely"},
		{550, enhanced{5, 7, 20}, client.Data, core.Denied, core.Rules, true, "prove"},
		{550, enhanced{5, 7, 26}, client.Data, core.Denied, core.Rules, true, "prove"},
		{550, enhanced{5, 7, 29}, client.Data, core.Denied, core.Rules, true, "prove"},
		{0, enhanced{}, client.Report, core.Denied, core.Rules, false, "was refused"},
	} {
		st := status{code: tt.code, enhanced: tt.enh}
		e := st.failure("op", "bob@example.com", "", tt.at)
		if e.Kind != tt.kind || e.Reason != tt.reason || e.Alert != tt.alert || !strings.Contains(e.Text, tt.text) || e.Code != st.String() {
			t.Errorf("%v at %d: %v, reason %d, alert %v: %q", st, tt.at, e.Kind, e.Reason, e.Alert, e.Text)
		}
		if tt.code >= 500 && e.Kind.Retried() {
			t.Errorf("%v would be tried again", st)
		}
		if tt.code/100 == 4 && !e.Kind.Retried() {
			t.Errorf("%v would not be tried again", st)
		}
	}
}

// TestSendFailure is about what the stage and the carrier add to an answer.
func TestSendFailure(t *testing.T) {
	said := func(code int, e smtp.EnhancedCode, text string) error { return refusal(code, e, text) }
	for name, tt := range map[string]struct {
		err  error
		want core.Error // but for Op and Err
	}{
		"nobody there": {client.Named("mx", errors.New("refused")), core.Error{Kind: core.Unavailable, By: "mx", Text: "The mail server does not take mail at the moment."}},
		"greeting of 5xx": {
			client.At(client.Connect, said(554, smtp.EnhancedCode{5, 7, 1}, "no")),
			core.Error{Kind: core.Unavailable, Text: "The mail server does not take mail at the moment."},
		},
		"lost after the last byte": {client.At(client.Dot, errors.New("EOF")), core.Error{Kind: core.Unavailable, Text: "The mail server does not take mail at the moment."}},
		"refused": {
			client.Named("mx", client.At(client.Rcpt, said(550, smtp.EnhancedCode{5, 1, 1}, "no \r\nsuch\x00 user"))),
			core.Error{Kind: core.NotFound, Code: "550 5.1.1", By: "mx", Text: "There is no mailbox bob@example.com. The mail server said: \u201cno such user\u201d"},
		},
		"moved": {
			client.At(client.Rcpt, said(551, smtp.EnhancedCode{5, 1, 6}, "try <bobby@example.net>")),
			core.Error{Kind: core.NotFound, Code: "551 5.1.6", Reason: core.Moved, Moved: "mailto:bobby@example.net", Text: "The mailbox bob@example.com has moved. The mail server said: \u201ctry <bobby@example.net>\u201d"},
		},
		"moved to nowhere": {
			client.At(client.Rcpt, said(551, smtp.EnhancedCode{5, 1, 6}, "try <javascript:alert>")),
			core.Error{Kind: core.NotFound, Code: "551 5.1.6", Reason: core.Moved, Text: "The mailbox bob@example.com has moved and left no address. The mail server said: \u201ctry <javascript:alert>\u201d"},
		},
		"too large": {
			client.At(client.Mail, &client.TooLargeError{Limit: 10_485_760}),
			core.Error{Kind: core.TooLarge, Code: "552 5.3.4", Reason: core.Unacceptable, Text: "The message is larger than bob@example.com can take. It takes up to 10 MB."},
		},
		"the user's password": {
			client.At(client.Auth, said(535, smtp.EnhancedCode{5, 7, 8}, "")),
			core.Error{Kind: core.Denied, Code: "535 5.7.8", Alert: true, Text: "The mail server does not take the name and the password that mail is sent with."},
		},
		"the site's password": {
			client.Named("relay", &siteError{client.At(client.Auth, said(535, smtp.EnhancedCode{5, 7, 8}, ""))}),
			core.Error{
				Kind: core.Internal, Code: "535 5.7.8", Alert: true, By: "relay",
				Text: "The gateway may not send mail at the moment. Its administrator has been told; the message is tried again.",
			},
		},
		"no token": {
			client.At(client.Auth, core.E(core.Denied, "oauth", "Link the account again.")), core.Error{Kind: core.Denied, Text: "Link the account again."},
		},
		"left alone": {
			client.At(client.Connect, &mx.Wait{For: time.Minute, Err: errors.New("busy")}),
			core.Error{Kind: core.Unavailable, After: time.Minute, Text: "The mail server does not take mail at the moment."},
		},
	} {
		got := *sendFailure("bob@example.com", tt.err)
		if got.Err == nil {
			t.Errorf("%s: the cause is lost", name)
		}
		got.Op, got.Err = "", nil
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", tt.want) {
			t.Errorf("%s:\n got %#v\nwant %#v", name, got, tt.want)
		}
	}
}

func TestCited(t *testing.T) {
	if got := cited("a\r\nb\x00\u202ec " + strings.Repeat("é", 300)); strings.ContainsAny(got, "\r\n\x00\u202e") || len(got) > 310 {
		t.Errorf("%q", got)
	}
}
