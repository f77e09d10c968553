package email

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"gangway/core"
	"gangway/transports/email/auth"
)

const (
	maxReturns  = 16        // reports that wait to be sent; what is more is only logged
	returnPause = time.Hour // between two reports to one sender
	returnTime  = 5 * time.Minute
)

// returned is a mail that the user's server did not take after all.
type returned struct {
	mid, to, user string // Message-ID; who sent it; whom it was for
	noHost        bool   // nothing is there of the server that the user is at
}

// named says whether the mail has a Message-ID that can be written again as it is.
func (r returned) named() bool {
	odd := func(c rune) bool { return c <= ' ' || c > '~' }
	return !strings.HasSuffix(r.mid, noID) && len(r.mid) < 900 && !strings.ContainsFunc(r.mid, odd)
}

// backTo is who may be told that a mail went to nobody: its sender, if it is sure that it is theirs, and no program, and no list.
// Empty: nobody. Anything else would send reports to those in whose name others write (backscatter).
func backTo(l *letter, from string) string {
	a, err := parseAddress(from)
	if err != nil || l.unanswered() {
		return ""
	}
	spf := l.auth.SPF.Value == auth.Pass && strings.EqualFold(l.auth.SPF.Domain, a.wire)
	dmarc := l.auth.DMARC.Value == auth.Pass && a.wire == l.from.wire
	if text, utf8 := a.envelope(); !utf8 && (spf || dmarc) {
		return text
	}
	return ""
}

// Returned reports to the sender of a mail that there is nobody whom it was for (RFC 3464), once an hour at most. What
// may pass is not reported, and what is meant for this sender alone is for their next mail: see shut.
func (t *transport) Returned(ctx context.Context, a core.Account, peer core.Address, id core.RemoteID, because core.Kind, reason core.Reason) error {
	if because == core.Denied && reason == core.NoReason {
		return t.shut(ctx, a.ID, peer)
	}
	mid, _, _ := strings.Cut(string(id), " ")
	row, err := t.threads.get(ctx, midKey(a.ID, mid))
	if err != nil {
		return err
	}
	if because != core.NotFound || row == nil || row.Back == "" {
		t.host.Logger().Info("mail went to nobody, and its sender is not told", "account", a.ID, "because", because)
		return nil
	}
	key := "returned " + core.Digest(strings.ToLower(row.Back))
	if _, err := t.host.Notes().Get(ctx, key); err == nil || core.KindOf(err) != core.NotFound {
		t.host.Logger().Info("mail went to nobody, and its sender was told of another already", "account", a.ID)
		return nil
	}
	if err := t.host.Notes().Put(ctx, key, []byte(a.ID), returnPause); err != nil {
		return core.Wrap(core.Unavailable, "email: returned", err)
	}
	select {
	case t.returns <- returned{mid: row.Mid, to: row.Back, user: string(a.Own), noHost: reason == core.NoHost}:
	default:
		t.host.Logger().Warn("mail went to nobody, and there are too many to tell its sender", "account", a.ID)
	}
	return nil
}

// tellSenders sends the reports, each once, until ctx ends: they are a courtesy.
func (t *transport) tellSenders(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-t.returns:
			if err := t.tellSender(ctx, r); err != nil {
				t.host.Logger().Warn("report not sent", "err", sendFailure(r.to, err).Kind)
			}
		}
	}
}

func (t *transport) tellSender(ctx context.Context, r returned) error {
	ctx, cancel := context.WithTimeout(ctx, returnTime)
	defer cancel()
	mail, err := t.sign(t.report(r))
	if err != nil {
		return err
	}
	return t.carrier.send(ctx, envelope{to: r.to}, mail)
}

// report writes it. Everything that stands in it is ASCII without line ends: ids and addresses as they were checked.
func (t *transport) report(r returned) []byte {
	own, err := parseAddress(r.user)
	if err != nil {
		own = address{local: "user", domain: t.domain, wire: t.wire}
	}
	user, _ := own.envelope()
	status, why := "5.1.1", "There is nobody at this address any more."
	if r.noHost {
		status, why = "5.1.2", "The server that its owner uses is not there any more."
	}
	boundary := core.Digest("report", r.mid, r.to)
	var b bytes.Buffer
	fmt.Fprintf(&b, "Date: %s\r\nFrom: Mail Delivery System <mailer-daemon@%s>\r\nTo: <%s>\r\n", t.now().Format(time.RFC1123Z), t.wire, r.to)
	fmt.Fprintf(&b, "Message-ID: <%s@%s>\r\nSubject: Your mail could not be delivered\r\n", core.NewID(), t.wire)
	if r.named() {
		fmt.Fprintf(&b, "In-Reply-To: %s\r\nReferences: %s\r\n", r.mid, r.mid)
	}
	fmt.Fprintf(&b, "Auto-Submitted: auto-replied\r\nX-Loop: %s\r\nMIME-Version: 1.0\r\n", t.wire)
	fmt.Fprintf(&b, "Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"%s\"\r\n\r\n", boundary)
	fmt.Fprintf(&b, "--%s\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n", boundary)
	fmt.Fprintf(&b, "Your mail could not be delivered to\r\n\r\n    %s\r\n\r\n%s\r\n\r\n", user, why)
	fmt.Fprintf(&b, "--%s\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; %s\r\n\r\n", boundary, t.wire)
	fmt.Fprintf(&b, "Final-Recipient: rfc822; %s\r\nAction: failed\r\nStatus: %s\r\n\r\n", user, status)
	fmt.Fprintf(&b, "--%s\r\nContent-Type: text/rfc822-headers\r\n\r\n", boundary)
	if r.named() {
		fmt.Fprintf(&b, "Message-ID: %s\r\n", r.mid)
	}
	fmt.Fprintf(&b, "\r\n--%s--\r\n", boundary)
	return b.Bytes()
}
