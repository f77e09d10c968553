package mailbox

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/emersion/go-imap/v2"
)

const (
	window      = 10_000         // UIDs that are looked through at once, far from the end of a folder
	page        = 500            // mails that are taken on at once
	sameDay     = 24 * time.Hour // what came so long before the newest mail may be new, too, after a renumbering
	searchPage  = 5_000          // mails of a search: its answer fits in a line
	searchPages = 2_000          // searches at most: ten million mails
)

// follower is how a folder is followed.
type follower struct {
	box    *Box
	folder Folder
	name   string
	cursor cursor
	dirty  bool // since it was saved

	fresh  bool   // it was opened, and not looked through since
	count  uint32 // mails in the folder when it was opened
	top    uint64 // UIDNEXT then; 0: not said
	window uint64
}

// opened takes in what the server said when the folder was opened.
func (f *follower) opened(ctx context.Context, c *conn, d *imap.SelectData) error {
	k := &f.cursor
	f.fresh = true
	f.count, f.top, f.window = d.NumMessages, uint64(d.UIDNext), window
	validity := max(d.UIDValidity, 1) // some say nothing
	var err error
	switch {
	case k.Validity == 0, k.Name != f.name:
		err = f.baseline(c, validity)
	case k.Validity != validity, f.top != 0 && f.top < min(k.Next, math.MaxUint32):
		err = f.renumbered(c, validity)
	default:
		return f.readElsewhere(ctx, c, d.HighestModSeq)
	}
	if err != nil {
		return err
	}
	k.ModSeq = d.HighestModSeq
	f.dirty = true
	return f.save(ctx)
}

// baseline starts following: what is there already is not ours to tell, except for what is to be imported.
func (f *follower) baseline(c *conn, validity uint32) error {
	f.cursor = cursor{Name: f.name, Validity: validity, Next: max(f.top, 1), Recent: f.cursor.Recent}
	k := &f.cursor
	if f.count == 0 {
		return nil
	}
	last, err := f.find(c, imap.SeqSetNum(f.count))
	if err != nil {
		return err
	}
	for _, m := range last {
		k.Next = max(k.Next, uint64(m.uid)+1)
		k.Floor, k.Newest = m.at, m.at
		if m.id != "" {
			k.remember(m.id)
		}
	}
	if f.top == 0 && k.Next == 1 {
		return fmt.Errorf("%w: it does not say where %s ends", errGarbage, f.folder)
	}
	if i := f.box.config.Import; f.folder == Inbox && (i.Messages > 0 || i.Days > 0) {
		return f.reachBack(c, i)
	}
	return nil
}

// reachBack makes what is to be imported the past.
func (f *follower) reachBack(c *conn, i Import) error {
	k := &f.cursor
	p := &past{Until: k.Next}
	start := uint64(1)
	if i.Messages > 0 && uint64(i.Messages) < uint64(f.count) {
		first, err := f.find(c, imap.SeqSetNum(f.count-uint32(i.Messages)+1)) //nolint:gosec // less than count
		if err != nil {
			return err
		}
		for _, m := range first {
			start = uint64(m.uid)
		}
	}
	if i.Days > 0 {
		p.Since = f.box.config.Now().AddDate(0, 0, -i.Days)
		first, _, err := f.since(c, p.Since)
		if err != nil {
			return err
		}
		start = max(start, first)
	}
	k.Next, k.Past = min(start, p.Until), p
	k.Floor, k.Newest, k.Recent = time.Time{}, time.Time{}, nil
	return nil
}

// renumbered goes on in a folder whose mails have new UIDs: its UIDVALIDITY changed, or UIDNEXT went back. What came
// since the newest mail known is looked through, for those that were not delivered before.
func (f *follower) renumbered(c *conn, validity uint32) error {
	k := &f.cursor
	f.box.config.Logger.Info("mailbox: folder was renumbered", "folder", string(f.folder))
	since := k.Floor
	if t := k.Newest.Add(-sameDay); !k.Newest.IsZero() && t.After(since) {
		since = t
	}
	if f.top == 0 && f.count > 0 {
		last, err := f.find(c, imap.SeqSetNum(f.count))
		if err != nil {
			return err
		}
		for _, m := range last {
			f.top = uint64(m.uid) + 1
		}
	}
	f.box.trouble = trouble{}
	until := max(f.top, 1)
	if k.Validity == validity { // perhaps it only said so
		until = max(until, k.Next)
	}
	k.Validity, k.Next, k.Unseen = validity, max(f.top, 1), nil
	if f.count == 0 {
		k.Past = nil
		return nil
	}
	first, count, err := f.since(c, since)
	if err != nil {
		return err
	}
	k.Past = &past{Until: until, Since: since, Known: true, Strict: count > maxRecent}
	k.Next = min(first, k.Next)
	return nil
}

// since finds the first mail that came at t or later, perhaps up to a day earlier: its UID, past all if there is none,
// and how many come with and after it.
func (f *follower) since(c *conn, t time.Time) (first, count uint64, err error) {
	first = math.MaxUint64
	if t.IsZero() {
		return 1, uint64(f.count), nil
	}
	from := uint64(1)
	if n := uint64(f.count); n > searchPage*searchPages {
		from = n - searchPage*searchPages + 1
	}
	for ; from <= uint64(f.count); from += searchPage {
		var in imap.SeqSet
		in.AddRange(uint32(from), uint32(min(from+searchPage-1, uint64(f.count)))) //nolint:gosec // within count
		found, err := c.search(&imap.SearchCriteria{SeqNum: []imap.SeqSet{in}, Since: t.AddDate(0, 0, -1)})
		if err != nil {
			return 0, 0, fmt.Errorf("imap: search: %w", err)
		}
		for _, r := range found {
			first = min(first, uint64(r.Start))
			count += uint64(r.Stop) - uint64(r.Start) + 1
		}
	}
	return first, count, nil
}

// search returns ranges of UIDs. They are the server's word only: they must not be counted out.
func (c *conn) search(what *imap.SearchCriteria) (imap.UIDSet, error) {
	var all imap.UIDSet
	err := c.do(answerBounds, func() error {
		data, err := c.client.UIDSearch(what, nil).Wait()
		if err == nil {
			all, _ = data.All.(imap.UIDSet)
		}
		return err
	})
	for i, r := range all { // "*" is no answer
		if r.Start == 0 || r.Stop < r.Start {
			return all[:i], err
		}
	}
	return all, err
}

// wanted says whether a mail is to be delivered, as far as that is known before it is fetched.
func (f *follower) wanted(ctx context.Context, m found) bool {
	k := &f.cursor
	id := m.id
	if f.folder == Sent && id != "" && f.isOwn(ctx, id) {
		return false
	}
	p := k.Past
	if p == nil || uint64(m.uid) >= p.Until {
		return true
	}
	if !m.at.IsZero() && m.at.Before(p.Since) {
		return false
	}
	if !p.Known {
		return true
	}
	if id != "" && k.knows(id) {
		return false
	}
	return !p.Strict || m.written.IsZero() || m.written.After(p.Since.AddDate(0, 0, -7))
}

// isOwn says whether the gateway sent a mail itself.
func (f *follower) isOwn(ctx context.Context, id string) bool {
	own := f.box.config.Own
	return f.cursor.knows(id) || own != nil && own(ctx, id)
}

// passed moves on over a mail that was delivered, or is not to be.
func (f *follower) passed(m found, id string, delivered bool) {
	k := &f.cursor
	f.dirty = true
	k.Next = max(k.Next, uint64(m.uid)+1)
	if k.Past != nil && k.Next >= k.Past.Until {
		k.Past = nil
	}
	known := k.knows(id)
	if delivered {
		k.remember(id)
		if now := f.box.config.Now(); m.at.After(now) {
			m.at = now // a date in the future would hide what comes until then
		}
		if m.at.After(k.Newest) {
			k.Newest = m.at
		}
	}
	if (delivered || known) && f.folder == Inbox && !m.seen {
		k.watch(m.uid)
	}
}
