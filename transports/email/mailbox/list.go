package mailbox

import (
	"io"
	"math"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

const maxNames = 16 << 10 // bytes of the fields of namesOnly that are looked at

// found is a mail as it is found in a folder, before it is fetched.
type found struct {
	uid           imap.UID
	size          int64 // -1: not said
	at            time.Time
	seen, flagged bool
	id            string    // its Message-ID, if that was asked for
	written       time.Time // its Date, if that was asked for and can be read
}

// list finds the next mails, in the order of their UIDs. more: there are others after them.
func (f *follower) list(c *conn) (mails []found, more bool, err error) {
	k := &f.cursor
	for k.Next <= math.MaxUint32 {
		set := imap.UIDSet{{Start: imap.UID(k.Next)}} // to the end, and never empty: it has the last mail, even one below
		last := k.Next + f.window - 1
		whole := f.top <= last
		if !whole {
			set[0].Stop = imap.UID(last)
		}
		mails, more, err = f.findFrom(c, set)
		if err != nil || len(mails) > 0 {
			f.window = window
			return mails, more || !whole, err
		}
		if whole {
			break
		}
		k.Next, f.dirty = last+1, true
		f.window *= 8
	}
	f.atEnd()
	return nil, false, nil
}

// atEnd is where nothing is left that was there when the folder was opened.
func (f *follower) atEnd() {
	k := &f.cursor
	if f.top > k.Next {
		k.Next, f.dirty = f.top, true
	}
	if k.Past != nil && k.Next >= k.Past.Until {
		k.Past, f.dirty = nil, true
	}
}

// findFrom finds the first mails of a set that are not passed yet.
func (f *follower) findFrom(c *conn, set imap.UIDSet) (mails []found, more bool, err error) {
	cut := func() {
		slices.SortFunc(mails, func(a, b found) int { return int(int64(a.uid) - int64(b.uid)) })
		if len(mails) > page {
			mails, more = mails[:page], true
		}
	}
	names := f.folder == Sent || f.cursor.Past != nil // then what is known may not have to be fetched
	err = f.each(c, set, names, func(m found) {
		if uint64(m.uid) < f.cursor.Next {
			return
		}
		if mails = append(mails, m); len(mails) >= 2*page {
			cut()
		}
	})
	if box := c.client.Mailbox(); isAnswer(err) && box != nil && box.NumMessages == 0 {
		err = nil // to some servers there is no "*" then
	}
	cut()
	return mails, more, err
}

// find finds the mails of a small set, with what they are known by.
func (f *follower) find(c *conn, set imap.NumSet) (mails []found, err error) {
	err = f.each(c, set, true, func(m found) {
		if len(mails) < page {
			mails = append(mails, m)
		}
	})
	return mails, err
}

// each asks for mails. Where the answer broke the connection before, perhaps because of a date that nobody can read,
// less is asked for.
func (f *follower) each(c *conn, set imap.NumSet, names bool, see func(found)) error {
	b := f.box
	options := &imap.FetchOptions{UID: true}
	if b.unlisted < 4 {
		options.RFC822Size = true
	}
	if b.unlisted < 2 {
		options.Flags, options.InternalDate = true, true
		if names {
			options.BodySection = []*imap.FetchItemBodySection{namesOnly()}
		}
	}
	b.unlisted++
	err := c.fetch(listBounds, set, options, func(m *imapclient.FetchMessageData) error {
		one := found{size: -1}
		for item := m.Next(); item != nil; item = m.Next() {
			if err := one.take(item); err != nil {
				return err
			}
		}
		if one.uid != 0 {
			see(one)
		}
		return nil
	})
	if err == nil || isAnswer(err) {
		b.unlisted = 0
	}
	return err
}

// namesOnly is the part of a header that a mail is known by.
func namesOnly() *imap.FetchItemBodySection {
	return &imap.FetchItemBodySection{
		Specifier: imap.PartSpecifierHeader, HeaderFields: []string{"MESSAGE-ID", "DATE"}, Peek: true,
	}
}

func (m *found) take(item imapclient.FetchItemData) error {
	switch item := item.(type) {
	case imapclient.FetchItemDataUID:
		m.uid = item.UID
	case imapclient.FetchItemDataRFC822Size:
		m.size = item.Size
	case imapclient.FetchItemDataInternalDate:
		m.at = item.Time
	case imapclient.FetchItemDataFlags:
		m.seen = slices.Contains(item.Flags, imap.FlagSeen)
		m.flagged = slices.Contains(item.Flags, imap.FlagFlagged)
	case imapclient.FetchItemDataBodySection:
		if item.Literal == nil {
			return nil
		}
		header, err := io.ReadAll(io.LimitReader(item.Literal, maxNames))
		if err != nil {
			return err
		}
		m.id, m.written = messageID(header), sentAt(header)
	}
	return nil
}

// fetch has the server tell about mails. see must return the error of a literal, and not go on with its mail, nor will
// fetch: go-imap's own goroutine reads on from then, and there must not be two.
func (c *conn) fetch(may bounds, set imap.NumSet, what *imap.FetchOptions, see func(*imapclient.FetchMessageData) error) error {
	return c.do(may, func() error {
		command := c.client.Fetch(set, what)
		for m := command.Next(); m != nil; m = command.Next() {
			if err := see(m); err != nil {
				return err
			}
		}
		return command.Close()
	})
}
