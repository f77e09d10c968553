package email

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"gangway/core"
	"gangway/transports/email/client"
	"gangway/transports/email/mime"
)

// action is what a delivery status notification says (RFC 3464 section 2.3.3).
type action uint8

const (
	unclear action = iota // it is no such report, or none that can be understood
	failed
	delayed
	delivered
	expanded // passed on to several; nothing more will be heard
)

// report is what a mail says about another.
type report struct {
	action action
	status status
	said   string // by the server that refused, cleaned
}

// readReport reads a mail that came to an envelope sender of ours.
func readReport(l *letter) report {
	if r := readStatus(l.mail.Find("message/delivery-status")); r.action != unclear {
		return r
	}
	return guessReport(l)
}

// readStatus reads the machine's part of a DSN: a block of fields for the mail, and one for each recipient. Ours have
// one recipient, so that the first action is the one.
func readStatus(p *mime.Part) report {
	if p == nil {
		return report{}
	}
	text := strings.ReplaceAll(string(p.Content(64<<10)), "\r\n", "\n")
	for block := range strings.SplitSeq(text, "\n\n") {
		h := mime.Parse([]byte(block + "\n\n")).Root
		r := report{action: actionOf(h.Header.Get("Action"))}
		if r.action == unclear {
			continue
		}
		r.said = h.Text("Diagnostic-Code")
		if _, text, ok := strings.Cut(r.said, ";"); ok {
			r.said = strings.TrimSpace(text)
		}
		r.status = readCodes(r.said)
		if s := readCodes(h.Header.Get("Status")).enhanced; s != (enhanced{}) && (r.status.enhanced == enhanced{} || s[1] != 0) {
			r.status.enhanced = s
		}
		return r
	}
	return report{}
}

func actionOf(s string) action {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "failed":
		return failed
	case "delayed":
		return delayed
	case "delivered", "relayed": // relayed: the next server, which tells no more, has said 250
		return delivered
	case "expanded":
		return expanded
	}
	return unclear
}

var (
	bounceSubject = regexp.MustCompile(`(?i)undeliver|not delivered|non-?delivery|delivery (?:has )?fail|fail(?:ed|ure)\b.*\bdeliver|` +
		`deliver\w* failure|failure notice|returned (?:mail|to sender)|returning (?:your|message)|could ?n.t be delivered|` +
		`could not be delivered|mail delivery failed|unzustellbar|mail system error`)
	softSubject = regexp.MustCompile(`(?i)delay|warning|still being retried|temporar|will (?:retry|keep trying)|out of office|auto.?reply|vacation`)
	codesFound  = regexp.MustCompile(`\b([245]\d\d)[ -]+(?:#?(\d)\.(\d{1,3})\.(\d{1,3}))?|\b#?([245])\.(\d{1,3})\.(\d{1,3})\b`)
)

// guessReport decides about a bounce that is no DSN. It says failed only if that is clear: an answer from a person, or
// from their holiday, goes to the same address.
func guessReport(l *letter) report {
	root := l.mail.Root
	soft := softSubject.MatchString(l.subject)
	local := strings.ToLower(l.from.local)
	system := local == "mailer-daemon" || local == "postmaster"
	if !soft && (root.Header.Has("X-Failed-Recipients") || l.automatic && (system || root.Type == "multipart/report") && bounceSubject.MatchString(l.subject)) {
		text := mime.Truncate(l.body.Text, 8<<10)
		r := report{action: failed, status: readCodes(text)}
		if r.status.code/100 == 4 || r.status.code/100 == 2 {
			r.status = status{}
		}
		return r
	}
	return report{}
}

// readCodes finds the first reply code and enhanced status code in a text.
func readCodes(text string) status {
	m := codesFound.FindStringSubmatch(mime.Truncate(text, 8<<10))
	if m == nil {
		return status{}
	}
	s := status{code: number(m[1])}
	if m[2] != "" {
		s.enhanced = enhanced{number(m[2]), number(m[3]), number(m[4])}
	}
	if m[5] != "" {
		s.enhanced = enhanced{number(m[5]), number(m[6]), number(m[7])}
	}
	return s
}

func number(digits string) int {
	n := 0
	for _, c := range digits {
		n = n*10 + int(c-'0')
	}
	return n
}

// deliverReport tells what became of a mail of ours. What is no report is somebody's answer to the envelope sender,
// and is shown to the one who wrote.
func (t *transport) deliverReport(ctx context.Context, l *letter, id core.MessageID) error {
	sent, err := t.sentMail(ctx, id)
	if err != nil {
		return err
	}
	return t.deliverReportOn(ctx, l, id, sent)
}

// deliverReportOn is deliverReport for what is known to have been sent; id may be empty.
func (t *transport) deliverReportOn(ctx context.Context, l *letter, id core.MessageID, sent sentMail) error {
	r := readReport(l)
	receipt := &core.Receipt{
		Ref: core.Ref{Account: sent.Account, Peer: sent.Peer}, IDs: core.IDs{ID: id, Remote: sent.Remote},
	}
	switch r.action {
	case delivered:
		receipt.State = core.Delivered
	case expanded:
		receipt.State = core.Sent
	case failed:
		receipt.State = core.Failed
		receipt.Err = r.status.failure("email: report", string(sent.Peer), r.said, client.Report)
	case delayed, unclear:
		if sent.Account == "" {
			t.host.Logger().Info("answer to an envelope sender of long ago", "message", id)
			return nil
		}
		return t.deliverAnswer(ctx, l, sent, r)
	}
	err := t.host.Deliver(ctx, receipt)
	if err != nil && core.KindOf(err) == core.NotFound {
		t.host.Logger().Info("report about a mail that is forgotten", "message", id)
		return nil
	}
	return err
}

// deliverAnswer shows what a program sent back, in the conversation with the one who was written to.
func (t *transport) deliverAnswer(ctx context.Context, l *letter, sent sentMail, r report) error {
	l.automatic = true
	if r.action == delayed {
		l.body = mime.Body{Text: "Your message has not been delivered yet. The mail servers go on trying."}
		l.subject = ""
	}
	account, err := t.host.Account(ctx, sent.Account)
	if err == nil {
		err = t.deliverLetter(ctx, l, account, "", sent.Peer)
	}
	if err != nil && core.KindOf(err) == core.NotFound && !errors.Is(err, context.Canceled) {
		t.host.Logger().Info("answer for an account that is gone", "account", sent.Account)
		return nil
	}
	return err
}
