package email

import (
	"context"
	"errors"
	netmail "net/mail"
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
	by     string // the server that said it; may be empty
	until  string // delayed: when trying ends, as written; may be empty
}

// readReport reads a mail that came to an envelope sender of ours.
func readReport(l *letter) report {
	r := readStatus(l.mail.Find("message/delivery-status"))
	if r.action == unclear {
		return guessReport(l)
	}
	if r.action == failed && r.status.vague() && r.status.hint == [2]int{} { // what people are told may say more
		r.status.hint = hintOf(explanation(l.body.Text))
	}
	return r
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
		r.status.hint = hintOf(r.said)
		r.by = mtaOf(h.Header.Get("Remote-MTA"))
		if r.until = h.Header.Get("Will-Retry-Until"); r.action != delayed {
			r.until = ""
		}
		return r
	}
	return report{}
}

// mtaOf is the name in an MTA-name-type field; empty if it is no name.
func mtaOf(s string) string {
	_, name, _ := strings.Cut(s, ";")
	name = strings.TrimSpace(name)
	if wire, _, err := parseDomain(name); err == nil {
		return wire
	}
	return ""
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
		receipt.Err.By = r.by
	case delayed, unclear:
		if sent.Account == "" {
			t.host.Logger().Info("answer to an envelope sender of long ago", "message", id)
			return nil
		}
		return t.deliverAnswer(ctx, l, id, sent, r)
	}
	err := t.host.Deliver(ctx, receipt)
	if err != nil && core.KindOf(err) == core.NotFound {
		t.host.Logger().Info("report about a mail that is forgotten", "message", id)
		return nil
	}
	return err
}

// deliverAnswer shows what a program sent back, in the conversation with the one who was written to.
func (t *transport) deliverAnswer(ctx context.Context, l *letter, id core.MessageID, sent sentMail, r report) error {
	l.automatic = true
	done := func() error { return nil }
	if r.action == delayed {
		first, err := t.firstDelay(ctx, id, sent)
		if err != nil || first == nil {
			return err
		}
		done = first
		l.body = mime.Body{Text: r.delay(string(sent.Peer))}
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
	if err != nil {
		return err
	}
	return done()
}

// firstDelay says whether a mail has not been told to be late before: some servers say so every few hours. noted, if it
// is not nil, is called when it has been told.
func (t *transport) firstDelay(ctx context.Context, id core.MessageID, sent sentMail) (noted func() error, err error) {
	key := "late " + core.Digest(string(id), string(sent.Remote), string(sent.Peer)) + " " + string(sent.Account)
	_, err = t.host.Notes().Get(ctx, key)
	if err == nil {
		return nil, nil
	}
	if core.KindOf(err) != core.NotFound {
		return nil, core.Wrap(core.Unavailable, "email: report", err)
	}
	return func() error {
		if err := t.host.Notes().Put(ctx, key, []byte("1"), verpWindow); err != nil {
			t.host.Logger().Warn("delay not noted", "message", id, "err", err) // it is told twice at worst
		}
		return nil
	}, nil
}

// delay is what the user reads about a mail that is late.
func (r report) delay(peer string) string {
	text := "Your message has not been delivered yet."
	if m := r.status.meaning(peer, "", client.Report); r.status.hint != [2]int{} || r.status.enhanced[1] != 0 {
		text += " " + m.text
	}
	text += " The mail servers go on trying"
	if until, err := netmail.ParseDate(r.until); err == nil {
		text += " until " + until.UTC().Format("2 Jan 15:04 UTC")
	}
	return text + "."
}
