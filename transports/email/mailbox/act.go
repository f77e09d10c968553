package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
)

// maxMatches is how many mails of one Message-ID are marked or moved.
const maxMatches = 100

// wish is something that Run is asked to do.
type wish struct {
	do   func(context.Context, *session) error
	done chan error // has room for the answer
}

// ask has Run do something.
func (b *Box) ask(ctx context.Context, do func(context.Context, *session) error) error {
	w := &wish{do: do, done: make(chan error, 1)}
	timer := time.NewTimer(b.config.Wait)
	defer timer.Stop()
	select {
	case b.wishes <- w:
	case <-timer.C:
		return ErrOffline
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// grant does what was asked for. Its error is the connection's end; broken is that it ended before.
func (s *session) grant(ctx context.Context, w *wish, broken error) error {
	if broken != nil {
		w.done <- fmt.Errorf("%w: %w", ErrOffline, broken)
		return broken
	}
	err := w.do(ctx, s)
	cause := s.conn.wire.cause()
	if cause != nil && err != nil {
		err = fmt.Errorf("%w: %w", ErrOffline, err)
	}
	w.done <- err
	return cause
}

// grantAll does what is asked for at the moment.
func (s *session) grantAll(ctx context.Context) error {
	for {
		select {
		case w := <-s.box.wishes:
			if err := s.grant(ctx, w, nil); err != nil {
				return err
			}
		default:
			return ctx.Err()
		}
	}
}

// MarkSeen marks mails of the inbox as read. Like all wishes it waits a while for a connection, and then for the server;
// ErrOffline and most other errors may pass. Mails that are not there any more are no error.
func (b *Box) MarkSeen(ctx context.Context, mails ...Ref) error {
	return b.ask(ctx, func(ctx context.Context, s *session) error {
		if err := s.enter(ctx, s.inbox); err != nil {
			return fmt.Errorf("imap: mark as read: %w", err)
		}
		var all imap.UIDSet
		for _, m := range mails {
			uids, err := s.locate(m)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return fmt.Errorf("imap: mark as read: %w", err)
			}
			all.AddSet(uids)
		}
		if len(all) == 0 {
			return nil
		}
		if err := s.store(all, imap.FlagSeen); err != nil {
			return fmt.Errorf("imap: mark as read: %w", err)
		}
		return s.unwatch(ctx, all)
	})
}

// unwatch keeps what the user read here from being told as read elsewhere.
func (s *session) unwatch(ctx context.Context, uids imap.UIDSet) error {
	f := s.inbox
	kept := f.cursor.Unseen[:0]
	for _, uid := range f.cursor.Unseen {
		if !uids.Contains(imap.UID(uid)) {
			kept = append(kept, uid)
		}
	}
	f.dirty = f.dirty || len(kept) < len(f.cursor.Unseen)
	f.cursor.Unseen = kept
	return f.save(ctx)
}

func (s *session) store(uids imap.UIDSet, flag imap.Flag) error {
	c := s.conn
	return c.do(answerBounds, func() error {
		return c.client.Store(uids, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{flag}}, nil).Close()
	})
}

// locate finds a mail in the open folder.
func (s *session) locate(m Ref) (imap.UIDSet, error) {
	if m.UID != 0 && m.Validity == s.open.cursor.Validity {
		return imap.UIDSetNum(imap.UID(m.UID)), nil
	}
	return s.byMessageID(m.MessageID)
}

func (s *session) byMessageID(id string) (imap.UIDSet, error) {
	if id == "" || len(id) > maxMessageID || strings.ContainsAny(id, "\r\n\x00") {
		return nil, ErrNotFound
	}
	found, err := s.conn.search(&imap.SearchCriteria{Header: []imap.SearchCriteriaHeaderField{{Key: "Message-ID", Value: id}}})
	if err != nil {
		return nil, err
	}
	count := uint64(0)
	for _, r := range found {
		count += uint64(r.Stop) - uint64(r.Start) + 1
	}
	switch {
	case count == 0:
		return nil, ErrNotFound
	case count > maxMatches:
		return nil, fmt.Errorf("%w: %d mails are said to have one Message-ID", errGarbage, count)
	}
	return found, nil
}

// MoveToJunk moves a mail of the inbox to the folder for junk. ErrNoFolder if there is none, ErrNotFound if there is no
// such mail. A server that cannot move and cannot remove one mail alone keeps the original, marked as deleted.
func (b *Box) MoveToJunk(ctx context.Context, mail Ref) error {
	return b.ask(ctx, func(ctx context.Context, s *session) error {
		if s.names[Junk] == "" {
			return fmt.Errorf("imap: move to junk: %w", ErrNoFolder)
		}
		if err := s.enter(ctx, s.inbox); err != nil {
			return fmt.Errorf("imap: move to junk: %w", err)
		}
		uids, err := s.locate(mail)
		if err == nil {
			err = s.exist(&uids)
		}
		if err == nil {
			err = s.move(uids, s.names[Junk])
		}
		if err != nil {
			return fmt.Errorf("imap: move to junk: %w", err)
		}
		return s.unwatch(ctx, uids)
	})
}

// exist leaves those that are there. Moving what is not there succeeds in silence.
func (s *session) exist(uids *imap.UIDSet) error {
	there, err := s.inbox.find(s.conn, *uids)
	if err != nil {
		return err
	}
	*uids = nil
	for _, m := range there {
		uids.AddNum(m.uid)
	}
	if len(*uids) == 0 {
		return ErrNotFound
	}
	return nil
}

// move is RFC 6851's, or what went before. go-imap's own way of that deletes even what it could not copy.
func (s *session) move(uids imap.UIDSet, to string) error {
	c := s.conn
	if c.caps.Has(imap.CapMove) {
		return c.do(answerBounds, func() error {
			_, err := c.client.Move(uids, to).Wait()
			return err
		})
	}
	err := c.do(answerBounds, func() error {
		_, err := c.client.Copy(uids, to).Wait()
		return err
	})
	if err != nil {
		return err
	}
	if err := s.store(uids, imap.FlagDeleted); err != nil {
		return err
	}
	if !c.caps.Has(imap.CapUIDPlus) { // EXPUNGE would take what others have marked, too
		return nil
	}
	return c.do(answerBounds, func() error { return c.client.UIDExpunge(uids).Close() })
}

// AppendSent puts a mail that was sent into the sent folder, read, unless the server does so by itself. It may be
// called again with the same mail, which is then not put there twice. It does not come back through Deliver.
func (b *Box) AppendSent(ctx context.Context, raw []byte) error {
	raw = withCRLF(raw)
	return b.ask(ctx, func(ctx context.Context, s *session) error {
		if err := s.append(ctx, raw); err != nil {
			return fmt.Errorf("imap: save as sent: %w", err)
		}
		return nil
	})
}

func (s *session) append(ctx context.Context, raw []byte) error {
	f := s.sent
	id := messageID(raw)
	again := f.cursor.knows(identity(id, raw))
	if !again { // before it can be found there
		f.cursor.remember(identity(id, raw))
		f.dirty = true
		if err := f.save(ctx); err != nil {
			return err
		}
	}
	if s.box.config.SavesSent || s.conn.gmail {
		return nil
	}
	if f.name == "" {
		if err := s.makeSent(); err != nil {
			return err
		}
	}
	if again && id != "" {
		if there, err := s.isThere(ctx, id); there || err != nil {
			return err
		}
	}
	return s.upload(f.name, raw)
}

func (s *session) makeSent() error {
	const name = "Sent"
	c := s.conn
	err := c.do(answerBounds, func() error { return c.client.Create(name, nil).Wait() })
	if err != nil {
		return err
	}
	s.sent.name, s.names[Sent] = name, name
	return nil
}

// isThere says whether the sent folder has the mail.
func (s *session) isThere(ctx context.Context, id string) (bool, error) {
	if err := s.enter(ctx, s.sent); err != nil {
		return false, err
	}
	_, err := s.byMessageID(id)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

func (s *session) upload(to string, raw []byte) error {
	c := s.conn
	may := answerBounds
	may.total += time.Duration(len(raw)/(8<<10)) * time.Second
	may.silence = may.total // the server is silent while it reads
	return c.do(may, func() error {
		a := c.client.Append(to, int64(len(raw)), &imap.AppendOptions{Flags: []imap.Flag{imap.FlagSeen}, Time: s.box.config.Now()})
		_, err := a.Write(raw)
		if closeErr := a.Close(); err == nil {
			err = closeErr
		}
		if _, refused := a.Wait(); refused != nil { // go-imap ends the connection, too, where a literal was refused
			return refused
		}
		return err
	})
}

// withCRLF ends lines as mail does.
func withCRLF(raw []byte) []byte {
	raw = bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))
}
