package mailbox

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/emersion/go-imap/v2"
)

// session is one connection's life. It is Run's alone.
type session struct {
	box   *Box
	conn  *conn
	names folders
	inbox *follower
	sent  *follower // its name is empty if there is none
	open  *follower // whose folder is; nil: none

	looked  time.Time // when the inbox was last looked through
	listed  time.Time // when the folders were found
	poll    time.Time // when the sent folder, or an inbox without IDLE, is looked at next
	doubted time.Time // when the inbox was last opened again because of a warning
	nothing int       // how much too often the server has woken us for nothing
	woken   time.Time // when it last did
}

const (
	listFor  = 30 * time.Minute // the folders stay where they are, if one is missing
	doubtFor = 5 * time.Minute  // warnings are believed to be about something else
)

func (s *session) run(ctx context.Context) error {
	b := s.box
	s.inbox = &follower{box: b, folder: Inbox, name: "INBOX"}
	s.sent = &follower{box: b, folder: Sent}
	if err := s.findFolders(); err != nil {
		return err
	}
	for _, f := range []*follower{s.inbox, s.sent} {
		if err := f.load(ctx); err != nil {
			return err
		}
	}
	if err := s.enter(ctx, s.inbox); err != nil {
		return err
	}
	if b.config.Ready != nil {
		b.config.Ready(ctx)
	}
	for {
		if err := s.look(ctx); err != nil {
			return err
		}
		if err := s.wait(ctx); err != nil {
			return err
		}
	}
}

func (s *session) findFolders() error {
	names, err := s.box.findFolders(s.conn)
	if err != nil {
		return err
	}
	s.names, s.sent.name, s.listed = names, names[Sent], time.Now()
	return nil
}

// enter opens a follower's folder, unless it is open.
func (s *session) enter(ctx context.Context, f *follower) error {
	if s.open == f {
		return nil
	}
	s.open = nil
	c := s.conn
	options := &imap.SelectOptions{ReadOnly: f.folder != Inbox, CondStore: c.caps.Has(imap.CapCondStore)}
	var data *imap.SelectData
	err := c.do(answerBounds, func() (err error) {
		data, err = c.client.Select(f.name, options).Wait()
		return err
	})
	if err != nil {
		return err
	}
	c.doubt.Store(false) // servers warn of other things, too, and then each time
	s.open = f
	return f.opened(ctx, c, data)
}

// look looks for everything that may be new.
func (s *session) look(ctx context.Context) error {
	c := s.conn
	if !time.Now().Before(s.poll) {
		s.poll = time.Now().Add(jitter(s.box.config.Poll))
		if c.caps.Has(imap.CapCondStore) { // not all say by themselves what changed, but asking is cheap
			c.changes.Store(true)
		}
		if err := s.lookAtSent(ctx); err != nil {
			return err
		}
	}
	stale := time.Since(s.looked) >= idleFor
	if c.doubt.Swap(false) && time.Since(s.doubted) >= doubtFor {
		s.doubted, stale = time.Now(), true
	}
	if stale {
		s.open = nil // a session whose view of the folder is broken says so only once it is opened again, if at all
	}
	if err := s.enter(ctx, s.inbox); err != nil {
		return err
	}
	if c.changes.Load() {
		watched := len(s.inbox.cursor.Unseen)
		if err := s.inbox.readElsewhere(ctx, c, 0); err != nil {
			return err
		}
		if len(s.inbox.cursor.Unseen) < watched {
			s.calm()
		}
	}
	if !s.inbox.fresh && !c.mail.Load() {
		return nil
	}
	s.looked = time.Now()
	return s.sync(ctx, s.inbox)
}

// jitter keeps mailboxes from being looked at all at once.
func jitter(d time.Duration) time.Duration { return d - d/5 + rand.N(2*d/5+1) }

// lookAtSent asks whether the sent folder changed, and follows it if so. It may come and go.
func (s *session) lookAtSent(ctx context.Context) error {
	if s.box.config.NoSent {
		return nil
	}
	err := s.followSent(ctx)
	if err != nil && !isAnswer(err) {
		return err
	}
	if (err != nil || s.sent.name == "") && time.Since(s.listed) > listFor {
		return s.findFolders()
	}
	return s.sent.save(ctx)
}

func (s *session) followsSent() bool { return s.sent.name != "" && !s.box.config.NoSent }

// followSent's error is only an answer where there is no such folder any more, or the server does not want to now.
func (s *session) followSent(ctx context.Context) error {
	f := s.sent
	if !s.followsSent() {
		return nil
	}
	d, err := s.conn.status(f.name)
	if err != nil {
		return err
	}
	k := &f.cursor
	if k.Name == f.name && k.Validity == d.UIDValidity && d.UIDNext != 0 && k.Next == uint64(d.UIDNext) {
		return nil
	}
	return s.sync(ctx, f)
}

// nothingNew says whether the folder, just opened, holds nothing that was not looked at.
func (f *follower) nothingNew() bool {
	return f.cursor.Past == nil && (f.count == 0 || f.top != 0 && f.top == f.cursor.Next)
}

// sync delivers what is new in a folder.
func (s *session) sync(ctx context.Context, f *follower) error {
	for more := true; more; {
		if err := s.grantAll(ctx); err != nil {
			return err
		}
		if err := s.enter(ctx, f); err != nil {
			return err
		}
		heard, fresh := s.conn.mail.Swap(false), f.fresh
		f.fresh = false
		if fresh && !heard && f.nothingNew() {
			f.atEnd()
			return f.save(ctx)
		}
		var mails []found
		var err error
		if mails, more, err = f.list(s.conn); err != nil {
			return err
		}
		if len(mails) > 0 {
			s.calm()
		}
		if err := f.deliverAll(ctx, s.conn, mails); err != nil {
			return errors.Join(err, f.save(ctx))
		}
		if !more {
			f.atEnd()
		}
		if err := f.save(ctx); err != nil {
			return err
		}
	}
	return nil
}
