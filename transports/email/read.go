package email

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"gangway/core"
	"gangway/transports/email/mailbox"
)

const (
	keepRead  = 90 * 24 * time.Hour // a mail that is read later stays unread in the mailbox
	maxUnread = 100                 // of one conversation
)

var _ core.ReadMarker = (*session)(nil)

// Read notes that the user has read what was said in a conversation up to a message: in their mailbox, if it came from
// one, and to who asked to know, if the user wants that.
func (s *session) Read(ctx context.Context, r *core.Receipt) error {
	if b := s.box(); b != nil {
		if err := b.read(ctx, r); err != nil {
			return err
		}
	}
	return s.notifyRead(ctx, r)
}

// unreadMail is a mail that the user has not read yet, as far as is known here.
type unreadMail struct {
	Remote core.RemoteID `json:"remote"`
	Ref    mailbox.Ref   `json:"ref"`
}

func (b *box) unreadKey(peer core.Address) string {
	return "unread " + core.Digest(strings.ToLower(string(peer))) + " " + string(b.account.ID)
}

// uidKey leads from a mail's place in the mailbox to its conversation.
func (b *box) uidKey(r mailbox.Ref) string {
	return "uid " + strconv.FormatUint(uint64(r.Validity), 10) + "-" + strconv.FormatUint(uint64(r.UID), 10) + " " + string(b.account.ID)
}

// unread notes a mail that was delivered, and where it lies.
func (b *box) unread(ctx context.Context, l *letter, ref mailbox.Ref) error {
	r, err := b.t.threads.get(ctx, midKey(b.account.ID, l.id))
	if err != nil || r == nil {
		return err
	}
	if err := b.putNote(ctx, b.uidKey(ref), r); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []unreadMail
	if _, err := b.note(ctx, b.unreadKey(r.Peer), &all); err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(u unreadMail) bool { return u.Remote == r.Remote })
	all = append(all, unreadMail{r.Remote, ref})
	return b.putNote(ctx, b.unreadKey(r.Peer), all[max(0, len(all)-maxUnread):])
}

// maxConsumed is how many mails wait to be marked; of more, some stay unread.
const maxConsumed = 100

// consume has a mail marked as read that is nothing for a person to read, such as a report about a mail of theirs: what
// it says is shown otherwise. It does not wait: the connection is busy with that very mail.
func (b *box) consume(r mailbox.Ref) {
	select {
	case b.consumed <- r:
	default:
	}
}

// markConsumed marks them until ctx ends.
func (b *box) markConsumed(ctx context.Context) {
	for {
		select {
		case r := <-b.consumed:
			if err := b.mail.MarkSeen(ctx, r); err != nil {
				b.t.host.Logger().Debug("mail not marked", "account", b.account.ID, "err", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// read marks in the mailbox what the user has read: the message, and what came before it in the conversation.
func (b *box) read(ctx context.Context, r *core.Receipt) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []unreadMail
	if _, err := b.note(ctx, b.unreadKey(r.Peer), &all); err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(u unreadMail) bool { return u.Remote == r.Remote })
	if at < 0 {
		return nil // it was read already, or is none of the inbox
	}
	refs := make([]mailbox.Ref, 0, at+1)
	for _, u := range all[:at+1] {
		refs = append(refs, u.Ref)
	}
	if err := b.mail.MarkSeen(ctx, refs...); err != nil && !errors.Is(err, mailbox.ErrNotFound) && !errors.Is(err, mailbox.ErrNoFolder) {
		return core.Wrap(core.Unavailable, "email: read", err)
	}
	return b.putNote(ctx, b.unreadKey(r.Peer), all[at+1:])
}

// seenElsewhere tells that the user has read a mail with another program.
func (b *box) seenElsewhere(ctx context.Context, ref mailbox.Ref) error {
	r := new(row)
	known, err := b.note(ctx, b.uidKey(ref), r)
	if err != nil || !known {
		return err
	}
	b.mu.Lock()
	var all []unreadMail
	_, err = b.note(ctx, b.unreadKey(r.Peer), &all)
	if err == nil {
		err = b.putNote(ctx, b.unreadKey(r.Peer), slices.DeleteFunc(all, func(u unreadMail) bool { return u.Remote == r.Remote }))
	}
	b.mu.Unlock()
	if err != nil {
		return err
	}
	err = b.t.host.Deliver(ctx, &core.Receipt{
		Ref: core.Ref{Account: b.account.ID, Peer: r.Peer}, IDs: core.IDs{Remote: r.Remote}, State: core.Read, Mine: true,
	})
	if err != nil && !core.KindOf(err).Retried() {
		return nil // it is shown at once, or not at all
	}
	return err
}
