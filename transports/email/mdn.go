package email

import (
	"context"
	"time"

	"gangway/core"
	"gangway/transports/email/mime"
)

// noticeField asks for a read notice (RFC 8098 section 2.1).
const noticeField = "Disposition-Notification-To"

// asksForNotice is who wants to know when a mail is read: one address, the one that it came from. Any other may be that
// of somebody who is to be flooded (RFC 8098 section 2.1). Programs and lists are told nothing: it is nobody's business
// there when a person reads.
func (l *letter) asksForNotice(returnPath string) address {
	all := l.mail.Root.Mailboxes(noticeField)
	if len(all) != 1 || l.unanswered() || l.mail.Root.Header.Count(noticeField) != 1 {
		return address{}
	}
	to, err := parseAddress(all[0].Addr)
	if err != nil {
		return address{}
	}
	from, err := parseAddress(returnPath)
	if err != nil || to.folded() != from.folded() {
		return address{}
	}
	return to
}

const keepNotices = 90 * 24 * time.Hour

func noticeKey(a core.AccountID, mid string) string {
	return "mdn " + core.Digest(mid) + " " + string(a)
}

// notifyRead sends a read notice about a mail that the user has read, if its sender asked for one and the user wants to
// send such. It is sent once at most: where it is not known whether it was, it is not sent again.
func (s *session) notifyRead(ctx context.Context, r *core.Receipt) error {
	about, err := s.t.threads.named(ctx, s.account.ID, r.Remote)
	if err != nil || about == nil || about.Mine || about.Notify == "" {
		return err
	}
	chosen, err := s.t.host.Preferences(ctx, s.account.ID)
	if err != nil {
		return core.Wrap(core.Unavailable, "email: read notice", err)
	}
	if choice(chosen, noticesChoice) != "true" {
		return nil
	}
	to, err := parseAddress(string(about.Notify))
	if err != nil {
		return err
	}
	key := noticeKey(s.account.ID, about.Mid)
	switch _, err := s.t.host.Notes().Get(ctx, key); {
	case err == nil:
		return nil
	case core.KindOf(err) != core.NotFound:
		return core.Wrap(core.Unavailable, "email: read notice", err)
	}
	if err := s.t.host.Notes().Put(ctx, key, []byte{1}, keepNotices); err != nil {
		return core.Wrap(core.Unavailable, "email: read notice", err)
	}
	return s.sendNotice(ctx, to, about)
}

// sendNotice writes a read notice (RFC 8098 section 3), in an envelope without a sender: nobody is told that it failed.
func (s *session) sendNotice(ctx context.Context, to address, about *row) error {
	id := core.MessageID(core.Digest("read notice", string(s.account.ID), about.Mid))
	mid, err := s.messageID(ctx, &core.Message{IDs: core.IDs{ID: id}})
	if err != nil {
		return err
	}
	o := s.mail(&row{Mid: mid, At: s.t.now(), Title: "Read: " + mime.Truncate(about.Subject, 500), Parent: about.Mid, Refs: references(about.Refs, about.Mid)})
	o.to = []address{to}
	o.extras = []extra{{"Auto-Submitted", "auto-replied"}}
	o.text = s.name() + " has read the message “" + about.Subject + "”.\nThis says that it was shown, and not that it was understood."
	o.notice = &notice{reader: s.own, about: about.Mid, gateway: s.t.wire}
	e := envelope{id: string(id)}
	e.to, e.utf8 = to.envelope()
	return s.carry(ctx, e, o)
}

// notice is what a read notice says to programs.
type notice struct {
	reader  address
	about   string // a Message-ID
	gateway string
}

// readNotice writes a mail that is one.
func (w *headerWriter) readNotice(o outgoing) {
	w.multipart("report", o.boundary("report"), func(next func()) {
		next()
		w.text("plain", o.text)
		next()
		w.field("Content-Type", "message/disposition-notification")
		w.field("Content-Transfer-Encoding", "7bit")
		w.buf.WriteString("\r\n")
		reader, _ := o.notice.reader.envelope()
		w.field("Reporting-UA", o.notice.gateway+";", "Gangway")
		w.field("Final-Recipient", "rfc822;", reader)
		w.field("Original-Message-ID", o.notice.about)
		w.field("Disposition", "manual-action/MDN-sent-automatically;", "displayed")
	}, "report-type=disposition-notification;")
}
