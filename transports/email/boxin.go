package email

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gangway/core"
	"gangway/transports/email/mailbox"
	"gangway/transports/email/mime"
)

// deliver takes a mail of the mailbox. It fails only where the house can take none at the moment: the mail comes again
// then.
func (b *box) deliver(ctx context.Context, m mailbox.Mail) error {
	l := readLetter(m.Raw, returnPath(m.Raw), b.t.now())
	if m.Truncated {
		l.body = mime.Body{Text: fmt.Sprintf("[This mail has %d MB, which is more than comes through here. It is in your mailbox.]", max(m.Size>>20, 1))}
	}
	var err error
	if m.Folder == mailbox.Sent {
		err = b.deliverOwn(ctx, l)
	} else {
		err = b.deliverInbox(ctx, l, m)
	}
	if err == nil {
		return nil
	}
	switch kind := core.KindOf(err); {
	case ctx.Err() != nil, kind.Retried():
		return err
	case kind == core.Denied, kind == core.NotFound: // somebody who is blocked; an account that is gone
		b.t.host.Logger().Debug("mail not shown", "account", b.account.ID, "err", err)
		return nil
	}
	b.t.host.Logger().Warn("mail not shown", "account", b.account.ID, "err", err)
	return b.deliverInstead(ctx, l)
}

// deliverInstead shows that there is a mail that could not be shown.
func (b *box) deliverInstead(ctx context.Context, l *letter) error {
	err := b.t.host.Deliver(ctx, &core.Message{
		Ref: core.Ref{Account: b.account.ID, Peer: l.peer()}, IDs: core.IDs{Remote: core.RemoteID(l.id)}, At: l.date, Notice: true,
		Text: "[A mail could not be shown. It is in your mailbox.]",
	})
	if err != nil && !core.KindOf(err).Retried() {
		return nil
	}
	return err
}

// returnPath is the envelope's sender, as the mailbox's server has noted it; that of From if it has not. Empty: a bounce.
func returnPath(raw []byte) string {
	head := raw
	for _, blank := range []string{"\r\n\r\n", "\n\n"} {
		if before, _, ok := bytes.Cut(raw, []byte(blank)); ok && len(before) < len(head) {
			head = before
		}
	}
	root := mime.Parse(append(slices.Clone(head), "\r\n\r\n"...)).Root
	if root.Header.Has("Return-Path") {
		return strings.Trim(strings.TrimSpace(root.Header.Get("Return-Path")), "<>")
	}
	for _, mb := range root.Mailboxes("From") {
		return mb.Addr
	}
	return "unknown@unknown.invalid"
}

// deliverInbox delivers what has come to the user: a mail, or what became of one of theirs.
func (b *box) deliverInbox(ctx context.Context, l *letter, m mailbox.Mail) error {
	id, sent, err := b.reported(ctx, l)
	if err != nil {
		return err
	}
	if sent.Account != "" {
		err := b.t.deliverReportOn(ctx, l, id, sent)
		if err == nil && !m.Seen {
			b.consume(m.Ref)
		}
		return err
	}
	l, unsure, err := b.t.named(ctx, l, b.account.ID)
	if err != nil {
		return err
	}
	if err := b.t.learn(ctx, l, b.account.ID); err != nil {
		return err
	}
	done, err := b.t.deliverAct(ctx, l, b.account.ID)
	if err == nil && !done {
		err = b.t.deliverLetter(ctx, l, b.account, b.tag(l), "")
	}
	if err != nil {
		return err
	}
	if unsure != "" {
		b.t.heard(ctx, []string{unsure}) // the next one with the same bytes is another mail: this one is past the cursor
	}
	switch {
	case m.Seen:
		return nil
	case done:
		b.consume(m.Ref)
		return nil
	}
	return b.unread(ctx, l, m.Ref)
}

// reported is the mail of this account that a bounce in the inbox is about, with its id if that is known: it went out
// under the user's own address, to which the bounce comes.
func (b *box) reported(ctx context.Context, l *letter) (id core.MessageID, sent sentMail, err error) {
	if !l.automatic || readReport(l).action == unclear {
		return "", sentMail{}, nil
	}
	if p := l.mail.Find("message/delivery-status"); p != nil {
		id := core.MessageID(strings.TrimSpace(headOf(p).Get("Original-Envelope-Id")))
		if sendable(id) {
			sent, err := b.t.sentMail(ctx, id)
			if err != nil || sent.Account == b.account.ID {
				return id, sent, err
			}
		}
	}
	for _, mid := range b.t.reportsOn(l) {
		r, err := b.t.threads.get(ctx, midKey(b.account.ID, mid))
		if err != nil {
			return "", sentMail{}, err
		}
		if r == nil || !r.Mine {
			continue
		}
		if text := strings.ToLower(reportText(l)); len(r.Several) > 0 {
			at := slices.IndexFunc(r.Several, func(a core.Address) bool { return strings.Contains(text, strings.ToLower(string(a))) })
			r = r.toward(r.Several[max(at, 0)])
		}
		return "", sentMail{Account: b.account.ID, Peer: r.Peer, Remote: r.Remote}, nil
	}
	return "", sentMail{}, nil
}

func headOf(p *mime.Part) mime.Header {
	return mime.Parse(append(p.Content(256<<10), "\r\n\r\n"...)).Root.Header
}

// reportText is where a report names whom a mail did not reach.
func reportText(l *letter) string {
	if p := l.mail.Find("message/delivery-status"); p != nil {
		return string(p.Content(64 << 10))
	}
	return l.body.Text
}

// someID finds Message-IDs in a text.
var someID = regexp.MustCompile(`<[^<>\s@]{1,200}@[^<>\s@]{1,253}>`)

// reportsOn are the Message-IDs that a report names: in the copy of the mail, in the text, or as what it answers.
func (t *transport) reportsOn(l *letter) []string {
	var all []string
	for _, kind := range []string{"message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers"} {
		if p := l.mail.Find(kind); p != nil {
			all = append(all, mime.MessageID(headOf(p).Get("Message-ID")))
		}
	}
	all = append(append(all, l.inReplyTo...), l.references...)
	return append(all, someID.FindAllString(l.body.Text, maxCandidates)...)
}

// tag is the user's address that a mail was written to, if it has a subaddress.
func (b *box) tag(l *letter) string {
	own := b.own.folded()
	for _, field := range []string{"To", "Cc"} {
		for _, mb := range l.mail.Root.Mailboxes(field) {
			a, err := parseAddress(mb.Addr)
			if err == nil && a.folded() != own && unextended(a) == own {
				return a.String()
			}
		}
	}
	return ""
}

// deliverOwn shows a mail that the user has sent with another program, in the conversation with whom it went to: of
// several, the one that it answers, else the first. The others are told, so that an answer to all finds them.
func (b *box) deliverOwn(ctx context.Context, l *letter) error {
	to := b.recipients(l)
	if len(to) == 0 {
		return nil // to nobody but blindly, or to the user themselves, who gets it in the inbox
	}
	peer := to[0]
	for _, mid := range l.inReplyTo {
		r, err := b.t.threads.get(ctx, midKey(b.account.ID, mid))
		if err != nil {
			return err
		}
		if r == nil {
			continue
		}
		at := slices.IndexFunc(to, func(a core.Address) bool { return r.went(a) })
		if at >= 0 {
			peer = to[at]
		}
		break
	}
	l.from, l.sentBy, l.tricks, l.automatic = b.own, address{}, nil, false
	return b.t.deliverSent(ctx, l, b.account, peer, slices.DeleteFunc(to, func(a core.Address) bool { return a == peer }))
}

// recipients are whom a mail of the user's names, the user left out.
func (b *box) recipients(l *letter) []core.Address {
	seen := map[string]bool{b.own.folded(): true}
	var all []core.Address
	for _, field := range []string{"To", "Cc"} {
		for _, mb := range l.mail.Root.Mailboxes(field) {
			a, err := parseAddress(mb.Addr)
			if err != nil || seen[unextended(a)] || seen[a.folded()] || len(all) > maxAlso {
				continue
			}
			seen[a.folded()] = true
			all = append(all, a.address())
		}
	}
	return all
}

// deliverSent shows a mail as the user's own. Its place in the thread is kept with it.
func (t *transport) deliverSent(ctx context.Context, l *letter, account core.Account, peer core.Address, also []core.Address) error {
	p, err := t.threads.place(ctx, account.ID, l, peer)
	if err != nil {
		return err
	}
	p.row.Mine = true
	m := t.trimmed(ctx, l, account, &p).message("")
	m.Mine, m.Notice, m.Account, m.Peer, m.Also = true, false, account.ID, peer, also
	m.Remote, m.Thread, m.ReplyTo.Remote = p.row.Remote, p.row.Thread, p.replyTo
	if p.topic {
		m.Text = strings.Trim(heading(l.subject)+"\n"+m.Text, "\n")
	} else {
		m.Subject = ""
	}
	if m.Notes, err = p.notes(account.ID); err != nil {
		return err
	}
	if err := t.keepFiles(ctx, account, l, m); err != nil {
		return err
	}
	return t.host.Deliver(ctx, m)
}
