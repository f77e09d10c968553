package mailbox

import (
	"context"
	"fmt"
	"slices"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// readElsewhere tells which of the mails delivered unread were read since with another client. modseq is what the
// folder's HIGHESTMODSEQ was just before; 0: not known.
func (f *follower) readElsewhere(ctx context.Context, c *conn, modseq uint64) error {
	c.changes.Store(false)
	k := &f.cursor
	seen, highest, err := f.seen(c)
	if err != nil {
		return err
	}
	if len(seen) > 0 {
		if err := f.tellSeen(ctx, c, seen); err != nil {
			return err
		}
	}
	if m := max(modseq, highest); m > k.ModSeq {
		k.ModSeq, f.dirty = m, true
	}
	return f.save(ctx)
}

// seen finds the watched mails that are read. Only changes are asked for where the server can tell (RFC 7162).
func (f *follower) seen(c *conn) (seen []imap.UID, highest uint64, err error) {
	k := &f.cursor
	if len(k.Unseen) == 0 || f.box.config.Seen == nil {
		return nil, 0, nil
	}
	var set imap.UIDSet
	for _, uid := range k.Unseen {
		set.AddNum(imap.UID(uid))
	}
	options := &imap.FetchOptions{UID: true, Flags: true}
	if c.caps.Has(imap.CapCondStore) && k.ModSeq > 0 {
		options.ModSeq, options.ChangedSince = true, k.ModSeq
	}
	err = c.fetch(answerBounds, set, options, func(m *imapclient.FetchMessageData) error {
		var one found
		for item := m.Next(); item != nil; item = m.Next() {
			if err := one.take(item); err != nil {
				return err
			}
			if item, ok := item.(imapclient.FetchItemDataModSeq); ok {
				highest = max(highest, item.ModSeq)
			}
		}
		if one.seen && slices.Contains(k.Unseen, uint32(one.uid)) {
			seen = append(seen, one.uid)
		}
		return nil
	})
	return seen, highest, err
}

func (f *follower) tellSeen(ctx context.Context, c *conn, uids []imap.UID) error {
	mails, err := f.find(c, imap.UIDSetNum(uids...))
	if err != nil {
		return err
	}
	ids := map[imap.UID]string{}
	for _, m := range mails {
		ids[m.uid] = m.id
	}
	for _, uid := range uids {
		ref := Ref{Folder: f.folder, Validity: f.cursor.Validity, UID: uint32(uid), MessageID: ids[uid]}
		if err := f.box.config.Seen(ctx, ref); err != nil {
			return fmt.Errorf("mailbox: seen: %w", err)
		}
		f.cursor.unwatch(uid)
		f.dirty = true
	}
	return nil
}
