package mailbox

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

const (
	batchMails = 50      // that are fetched at once
	batchBytes = 1 << 20 // of them
	slack      = 1 << 20 // bytes that an answer may have more than announced: some servers only guess a mail's size

	triesWhole  = 5 // times that a mail may break the connection before only its header is fetched
	triesHeader = 7 // and before it is delivered without anything
)

// trouble is where fetching mails broke a connection, or was refused. It outlives the connection.
type trouble struct {
	folder Folder
	first  imap.UID // of the mails being fetched
	times  int
	until  imap.UID // up to here, mails are fetched one by one
}

// attempt notes what is being fetched, and says how often it was tried.
func (t *trouble) attempt(folder Folder, first, last imap.UID) int {
	if t.folder != folder {
		*t = trouble{folder: folder}
	}
	if t.first != first {
		t.first, t.times = first, 0
	}
	t.until = max(t.until, last)
	t.times++
	return t.times
}

// deliverAll fetches and delivers mails in their order.
func (f *follower) deliverAll(ctx context.Context, c *conn, mails []found) error {
	for len(mails) > 0 {
		if !f.wanted(ctx, mails[0]) {
			f.passed(mails[0], mails[0].id, false)
			mails = mails[1:]
			continue
		}
		batch := f.batch(ctx, mails)
		got, err := f.bodies(c, batch)
		if err != nil {
			return err
		}
		for i, m := range batch {
			if err := f.deliver(ctx, m, got[i]); err != nil {
				return err
			}
		}
		if err := f.save(ctx); err != nil {
			return err
		}
		mails = mails[len(batch):]
	}
	return nil
}

// batch is how many of the mails are fetched at once.
func (f *follower) batch(ctx context.Context, mails []found) []found {
	t := f.box.trouble
	if mails[0].size < 0 || t.folder == f.folder && mails[0].uid <= t.until {
		return mails[:1]
	}
	var n int
	var sum int64
	for n < len(mails) && n < batchMails && f.wanted(ctx, mails[n]) && mails[n].size >= 0 {
		if sum += mails[n].size; n > 0 && sum > batchBytes {
			break
		}
		n++
	}
	return mails[:n]
}

// body is what could be had of a mail.
type body struct {
	raw   []byte
	there bool // the mail is still in its folder
	whole bool
}

// missing says that there is nothing of a mail, whatever the reason.
func (b body) missing() bool { return !b.there || b.raw == nil }

// bodies fetches mails, each as far as that is possible.
func (f *follower) bodies(c *conn, batch []found) ([]body, error) {
	t := &f.box.trouble
	tries := t.attempt(f.folder, batch[0].uid, batch[len(batch)-1].uid)
	section := &imap.FetchItemBodySection{Peek: true}
	header := &imap.FetchItemBodySection{Peek: true, Specifier: imap.PartSpecifierHeader, Partial: &imap.SectionPartial{Size: maxHeader}}
	if batch[0].size < 0 {
		section.Partial = &imap.SectionPartial{Size: f.box.config.MaxSize + 1}
	}
	if len(batch) > 1 {
		got, err := f.read(c, batch, section)
		if err == nil && !slices.ContainsFunc(got, body.missing) {
			*t = trouble{}
			return got, nil
		}
		if err != nil && !isAnswer(err) {
			return nil, err
		}
		return f.oneByOne(c, batch, got)
	}
	m := batch[0]
	ways := []*imap.FetchItemBodySection{section, header, nil}
	switch {
	case tries > triesHeader:
		ways = ways[2:]
	case tries > triesWhole, m.size > f.box.config.MaxSize:
		ways = ways[1:]
	}
	return f.bestOf(c, batch, ways)
}

// oneByOne fetches those of a batch that are missing yet.
func (f *follower) oneByOne(c *conn, batch []found, got []body) ([]body, error) {
	for i := range batch {
		if !got[i].missing() {
			continue
		}
		one, err := f.bodies(c, batch[i:i+1])
		if err != nil {
			return nil, err
		}
		got[i] = one[0]
	}
	f.box.trouble = trouble{}
	return got, nil
}

// bestOf fetches one mail in the first way that the server does not refuse. nil is to do without.
func (f *follower) bestOf(c *conn, one []found, ways []*imap.FetchItemBodySection) ([]body, error) {
	for _, section := range ways {
		if section == nil {
			break
		}
		got, err := f.read(c, one, section)
		if err == nil && !got[0].missing() {
			f.box.trouble.times = 0
			got[0].whole = section.Specifier == imap.PartSpecifierNone && got[0].whole
			return got, nil
		}
		if err != nil && (!isAnswer(err) || isPassingAnswer(err) && f.box.trouble.times <= triesWhole) {
			return nil, fmt.Errorf("imap: fetch: %w", err)
		}
	}
	there, err := f.find(c, imap.UIDSetNum(one[0].uid))
	if err != nil && !isAnswer(err) {
		return nil, err
	}
	f.box.trouble.times = 0
	if err == nil && len(there) == 0 { // expunged meanwhile
		return []body{{}}, nil
	}
	f.box.config.Logger.Warn("mailbox: the server does not hand out a mail", "folder", string(f.folder), "uid", uint32(one[0].uid))
	return []body{{there: true}}, nil
}

// read fetches a section of mails.
func (f *follower) read(c *conn, batch []found, section *imap.FetchItemBodySection) ([]body, error) {
	var set imap.UIDSet
	place := map[imap.UID]int{}
	most, sum := int64(0), int64(0)
	for i, m := range batch {
		set.AddNum(m.uid)
		place[m.uid] = i
		size := f.box.config.MaxSize
		if section.Specifier == imap.PartSpecifierHeader {
			size = maxHeader
		} else if m.size >= 0 {
			size = min(size, m.size)
		}
		most, sum = max(most, size), sum+size
	}
	may := bounds{
		bytes: 2*sum + slack + int64(len(batch))*(maxLine/8), literal: min(2*most, f.box.config.MaxSize) + slack,
		silence: time.Minute, total: 5*time.Minute + time.Duration(sum/(8<<10))*time.Second,
	}
	got := make([]body, len(batch))
	options := &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}}
	err := c.fetch(may, set, options, func(m *imapclient.FetchMessageData) error {
		uid, raw, err := readBody(m)
		if i, ok := place[uid]; ok && err == nil {
			got[i] = body{raw: raw, there: true, whole: raw != nil}
		}
		return err
	})
	for i := range got {
		if int64(len(got[i].raw)) > f.box.config.MaxSize {
			got[i].raw, got[i].whole = headerOf(got[i].raw), false
		}
	}
	return got, err
}

func readBody(m *imapclient.FetchMessageData) (uid imap.UID, raw []byte, err error) {
	for item := m.Next(); item != nil; item = m.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			uid = item.UID
		case imapclient.FetchItemDataBodySection:
			if item.Literal == nil {
				continue
			}
			var b bytes.Buffer
			b.Grow(int(min(max(item.Literal.Size(), 0), batchBytes)) + bytes.MinRead)
			if _, err := io.Copy(&b, item.Literal); err != nil {
				return uid, nil, err
			}
			raw = b.Bytes()
		}
	}
	return uid, raw, nil
}

// headerOf is the header of a mail, and what ends it.
func headerOf(raw []byte) []byte {
	for _, end := range []string{"\r\n\r\n", "\n\n"} {
		if i := bytes.Index(raw[:min(len(raw), maxHeader)], []byte(end)); i >= 0 {
			return bytes.Clone(raw[:i+len(end)])
		}
	}
	return bytes.Clone(raw[:min(len(raw), maxHeader)])
}

// deliver delivers one mail, unless it is known or gone.
func (f *follower) deliver(ctx context.Context, m found, b body) error {
	if !b.there {
		f.passed(m, m.id, false)
		return nil
	}
	id := messageID(b.raw)
	if id == "" {
		id = m.id
	}
	key := identity(id, b.raw)
	p := f.cursor.Past
	known := p != nil && p.Known && uint64(m.uid) < p.Until && f.cursor.knows(key)
	if known || f.folder == Sent && f.isOwn(ctx, key) {
		f.passed(m, key, false)
		return nil
	}
	err := f.box.config.Deliver(ctx, Mail{
		Ref: Ref{Folder: f.folder, Validity: f.cursor.Validity, UID: uint32(m.uid), MessageID: id},
		Raw: b.raw, At: m.at, Size: max(m.size, int64(len(b.raw))),
		Seen: m.seen, Flagged: m.flagged, Truncated: !b.whole,
	})
	if err != nil {
		return fmt.Errorf("mailbox: deliver: %w", err)
	}
	f.passed(m, key, true)
	return nil
}
