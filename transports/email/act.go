package email

import (
	"context"
	"strings"

	"gangway/core"
	"gangway/transports/email/mime"
)

// Header fields of chat-like mail (Delta Chat): each names a mail of the same sender.
const (
	editField   = "Chat-Edit"
	deleteField = "Chat-Delete"
	editMark    = "✏️" // before the new text, for programs that do not know the field
)

// deliverAct delivers a mail that is no message but does something to one: a reaction to it, the news that it was
// read, its retraction. done is false if it is to be shown like any other, as is what concerns a mail that is not known, or that is
// not between these two.
func (t *transport) deliverAct(ctx context.Context, l *letter, a core.AccountID) (done bool, err error) {
	switch {
	case len(l.reaction) > 0:
		r, err := t.between(ctx, a, l, l.inReplyTo...)
		if r == nil || err != nil {
			return false, err
		}
		return true, t.host.Deliver(ctx, &core.Reaction{
			Ref: core.Ref{Account: a, Peer: r.Peer}, IDs: core.IDs{Remote: r.Remote}, Emoji: l.reaction, At: l.date,
		})
	case l.mail.Root.Header.Has(deleteField):
		r, err := t.between(ctx, a, l, mime.MessageIDs(l.mail.Root.Header.Get(deleteField), 1)...)
		if r == nil || err != nil || t.wrote(r) {
			return false, err
		}
		return true, t.host.Deliver(ctx, &core.Retraction{
			Ref: core.Ref{Account: a, Peer: r.Peer}, IDs: core.IDs{Remote: r.Remote}, At: l.date,
		})
	}
	id := l.readNotice()
	if id == "" {
		return false, nil
	}
	r, err := t.between(ctx, a, l, id)
	if r == nil || err != nil || !t.wrote(r) {
		return false, err
	}
	err = t.host.Deliver(ctx, &core.Receipt{Ref: core.Ref{Account: a, Peer: r.Peer}, IDs: core.IDs{Remote: r.Remote}, State: core.Read})
	if err != nil && core.KindOf(err) == core.NotFound {
		t.host.Logger().Info("read notice about a mail that is forgotten", "account", a)
		return true, nil
	}
	return true, err
}

// between finds the first known of these mails that is in the conversation with l's sender.
func (t *transport) between(ctx context.Context, a core.AccountID, l *letter, ids ...string) (*row, error) {
	for _, id := range ids {
		r, err := t.threads.get(ctx, midKey(a, id))
		if err != nil {
			return nil, err
		}
		if r != nil && r.went(l.from.address()) {
			return r.toward(l.from.address()), nil
		}
	}
	return nil, nil
}

// wrote says whether a mail went out from here: nobody else can take it back, and nobody here reads it.
func (t *transport) wrote(r *row) bool { return r.Mine || strings.HasSuffix(r.Mid, "@"+t.wire+">") }

// readNotice returns the id of the mail that this one says was shown to a person (RFC 8098 section 3.2.6); empty if it
// does not.
func (l *letter) readNotice() string {
	p := l.mail.Find("message/disposition-notification")
	if p == nil {
		return ""
	}
	fields := mime.Parse(append(p.Content(64<<10), "\n\n"...)).Root.Header
	_, kind, ok := strings.Cut(fields.Get("Disposition"), ";")
	kind, _, _ = strings.Cut(kind, "/")
	if !ok || !strings.EqualFold(strings.TrimSpace(kind), "displayed") {
		return ""
	}
	return mime.MessageID(fields.Get("Original-Message-ID"))
}

// edited makes a message the new text of an earlier one, if the mail says so.
func (t *transport) edited(ctx context.Context, l *letter, m *core.Message) error {
	ids := mime.MessageIDs(l.mail.Root.Header.Get(editField), 1)
	r, err := t.between(ctx, m.Account, l, ids...)
	if r == nil || err != nil || t.wrote(r) {
		return err
	}
	m.Replaces.Remote, m.ReplyTo, m.Subject = r.Remote, core.IDs{}, ""
	m.Text = strings.TrimSpace(strings.TrimPrefix(l.body.Text, editMark))
	return nil
}
