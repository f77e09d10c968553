//go:build integration

package integration

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-smtp"

	"gangway/integration/servers"
	"gangway/integration/servers/serverstest"
	"gangway/transports/email/mailbox"
)

const mailboxPassword = "correct-horse"

// TestMailbox follows mailboxes of a real Dovecot, each of another user. What ends the server comes last.
func TestMailbox(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	t.Cleanup(cancel)
	ca, err := servers.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	parts := []struct {
		name string
		run  func(*imapStage)
	}{
		{"burst", imapBurst}, {"cut", imapCut}, {"idle", imapIdle}, {"index", imapIndexDeleted}, {"junk", imapJunk},
		{"login", imapLogin}, {"seen", imapSeen}, {"sent", imapSent}, {"validity", imapRenumbered}, {"crash", imapCrash},
		{"restart", imapRestart},
	}
	conf := servers.MailConfig{Dir: serverstest.Dir(t), CA: ca}
	for _, p := range parts {
		conf.Users = append(conf.Users, servers.User{Name: p.name, Password: mailboxPassword})
	}
	mail, err := servers.NewMail(conf) // only its Dovecot is started
	if err != nil {
		t.Fatal(err)
	}
	if err := mail.Dovecot.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			serverstest.LogTails(t, mail.Dovecot)
		}
		if err := mail.Dovecot.Stop(); err != nil {
			t.Error(err)
		}
	})
	for _, p := range parts {
		t.Run(p.name, func(t *testing.T) {
			p.run(&imapStage{
				T: t, ctx: ctx, user: p.name, dovecot: mail.Dovecot, ca: ca,
				maildir: filepath.Join(conf.Dir, "d", "mail", p.name, "Maildir"), store: &rows{byName: map[string][]byte{}},
			})
		})
	}
}

// imapStage is one user's mailbox.
type imapStage struct {
	*testing.T
	ctx     context.Context
	user    string
	maildir string
	dovecot *servers.Dovecot
	ca      *servers.CA
	store   *rows
	box     *mailbox.Box

	mu    sync.Mutex
	mails []mailbox.Mail
	read  []mailbox.Ref
	errs  []error
}

// rows is a mailbox.Store.
type rows struct {
	mu     sync.Mutex
	byName map[string][]byte
}

func (r *rows) Load(_ context.Context, name string) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byName[name], nil
}

func (r *rows) Save(_ context.Context, name string, b []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byName[name] = slices.Clone(b)
	return nil
}

func (s *imapStage) config() mailbox.Config {
	return mailbox.Config{
		Server: server(s.dovecot.IMAPSAddr(), mailbox.TLS), Login: mailbox.Login{User: s.user, Password: mailboxPassword},
		TLS: s.ca.Client(""), Cursor: s.store, Poll: 200 * time.Millisecond,
		Deliver: func(_ context.Context, m mailbox.Mail) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.mails = append(s.mails, m)
			return nil
		},
		Seen: func(_ context.Context, r mailbox.Ref) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.read = append(s.read, r)
			return nil
		},
	}
}

func server(addr string, how mailbox.Security) mailbox.Server {
	host, port, _ := strings.Cut(addr, ":")
	s := mailbox.Server{Host: host, Security: how}
	_, _ = fmt.Sscan(port, &s.Port)
	return s
}

// follow runs the mailbox, and again when its connection ends, until stop or the end of the test. It returns when the
// inbox is open.
func (s *imapStage) follow(change ...func(*mailbox.Config)) (stop func()) {
	s.Helper()
	c := s.config()
	for _, f := range change {
		f(&c)
	}
	ready := make(chan struct{}, 1000)
	c.Ready = func(context.Context) {
		select {
		case ready <- struct{}{}:
		default:
		}
	}
	s.box = mailbox.New(c)
	ctx, cancel := context.WithCancel(s.ctx)
	var running sync.WaitGroup
	running.Go(func() {
		for ctx.Err() == nil {
			err := s.box.Run(ctx)
			s.mu.Lock()
			s.errs = append(s.errs, err)
			s.mu.Unlock()
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	})
	stop = func() {
		cancel()
		running.Wait()
	}
	s.Cleanup(stop)
	select {
	case <-ready:
	case <-s.ctx.Done():
		s.Fatalf("it is not ready: %v", s.errs)
	}
	return stop
}

// deliver has Dovecot take mails by LMTP.
func (s *imapStage) deliver(ids ...string) {
	s.Helper()
	conn, err := new(net.Dialer).DialContext(s.ctx, "tcp", s.dovecot.LMTPAddr())
	if err != nil {
		s.Fatal(err)
	}
	c := smtp.NewClientLMTP(conn)
	defer c.Close()
	for _, id := range ids {
		data, err := func() (*smtp.DataCommand, error) {
			if err := c.Mail("bob@example.org", nil); err != nil {
				return nil, err
			}
			if err := c.Rcpt(s.user+"@mail.test", nil); err != nil {
				return nil, err
			}
			return c.Data()
		}()
		if err == nil {
			_, err = data.Write([]byte(testMail(id)))
		}
		if err == nil {
			err = data.Close()
		}
		if err != nil {
			s.Fatal(err)
		}
	}
}

func testMail(id string) string {
	return "From: bob@example.org\r\nTo: user@mail.test\r\nSubject: mail\r\nMessage-ID: <" + id + ">\r\nDate: " +
		time.Now().Format(time.RFC1123Z) + "\r\n\r\n" + strings.Repeat("text of "+id+"\r\n", 40)
}

// wait polls until something holds.
func (s *imapStage) wait(what string, holds func() bool) {
	s.Helper()
	for {
		s.mu.Lock()
		ok := holds()
		s.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-s.ctx.Done():
			s.Fatalf("%s: delivered %q, read %v, errors %v", what, s.ids(), s.read, s.errs)
		}
	}
}

func (s *imapStage) ids() []string {
	ids := []string{}
	for _, m := range s.mails {
		id := strings.Trim(m.MessageID, "<>")
		if m.Folder != mailbox.Inbox {
			id = string(m.Folder) + ":" + id
		}
		ids = append(ids, id)
	}
	return ids
}

// want waits until these were delivered, and then knows that they are all. The order is that of the UIDs, which the server
// gives to mails that come at once as it likes.
func (s *imapStage) want(ids ...string) {
	s.Helper()
	s.wait("mails", func() bool { return len(s.mails) >= len(ids) })
	mails, _ := s.so()
	last := map[mailbox.Folder]mailbox.Ref{}
	for _, m := range mails {
		if before := last[m.Folder]; before.Validity == m.Validity && before.UID >= m.UID {
			s.Errorf("%s:%d came after %d", m.Folder, m.UID, before.UID)
		}
		last[m.Folder] = m.Ref
	}
	s.mu.Lock()
	got := s.ids()
	s.mu.Unlock()
	slices.Sort(got)
	slices.Sort(ids)
	if !slices.Equal(got, ids) {
		s.Fatalf("delivered: %q, want %q", got, ids)
	}
}

// so is what came so far: mails, and those read elsewhere.
func (s *imapStage) so() ([]mailbox.Mail, []mailbox.Ref) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails), slices.Clone(s.read)
}

// mail is one of those delivered, which must be there.
func (s *imapStage) mail(id string) mailbox.Mail {
	s.Helper()
	mails, _ := s.so()
	i := slices.IndexFunc(mails, func(m mailbox.Mail) bool { return m.MessageID == "<"+id+">" })
	if i < 0 {
		s.Fatalf("%s was not delivered", id)
	}
	return mails[i]
}

// other is another client of the same user, with the folder open.
func (s *imapStage) other(folder string) *imapclient.Client {
	s.Helper()
	c, err := imapclient.DialInsecure(s.dovecot.IMAPAddr(), nil)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { c.Close() })
	if err := c.Login(s.user, mailboxPassword).Wait(); err != nil {
		s.Fatal(err)
	}
	if _, err := c.Select(folder, nil).Wait(); err != nil {
		s.Fatal(err)
	}
	return c
}

func (s *imapStage) count(folder string) int {
	s.Helper()
	d, err := s.other(folder).Status(folder, &imap.StatusOptions{NumMessages: true}).Wait()
	if err != nil {
		s.Fatal(err)
	}
	return int(*d.NumMessages)
}

// remove deletes files of the maildir. Dovecot may be making new ones.
func (s *imapStage) remove(pattern string) {
	s.Helper()
	files, err := filepath.Glob(filepath.Join(s.maildir, pattern))
	if err != nil || len(files) == 0 {
		s.Fatalf("%s: %v, %v", pattern, files, err)
	}
	for _, f := range files {
		if err := os.Remove(f); err != nil && !errors.Is(err, os.ErrNotExist) {
			s.Fatal(err)
		}
	}
}

func numbered(n int) (ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprintf("%d@x", i))
	}
	return ids
}

// IDLE wakes us: the next look by itself would be minutes away.
func imapIdle(s *imapStage) {
	s.deliver("before@x")
	s.follow(func(c *mailbox.Config) { c.Poll = time.Hour })
	s.deliver("1@x")
	s.want("1@x")
	s.deliver("2@x", "3@x")
	s.want("1@x", "2@x", "3@x")
	if m := s.mail("1@x"); !strings.HasSuffix(string(m.Raw), "\r\n\r\n"+strings.Repeat("text of 1@x\r\n", 40)) || m.Seen {
		s.Errorf("the mail: %+v", m)
	}
}

// A burst is delivered once and in order, while another client reads and flags.
func imapBurst(s *imapStage) {
	s.follow(func(c *mailbox.Config) {
		c.Server = server(s.dovecot.IMAPAddr(), mailbox.StartTLS)
		c.Poll = time.Hour
	})
	ids := numbered(200)
	s.deliver(ids[:100]...)
	reader := s.other("INBOX")
	var all imap.SeqSet
	all.AddRange(1, 0)
	err := reader.Store(all, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagSeen, imap.FlagFlagged}}, nil).Close()
	if err != nil {
		s.Fatal(err)
	}
	s.deliver(ids[100:]...)
	s.want(ids...)
}

// limited is a connection that is cut after so many bytes.
type limited struct {
	net.Conn
	left int
}

func (l *limited) Read(b []byte) (int, error) {
	if l.left == 0 {
		l.Close()
	}
	n, err := l.Conn.Read(b[:max(1, min(len(b), l.left))])
	l.left = max(0, l.left-n)
	return n, err
}

// Connections that are cut anywhere, also in the middle of a mail, lose and repeat nothing.
func imapCut(s *imapStage) {
	s.follow()()
	ids := numbered(30)
	s.deliver(ids...)
	left := 100
	s.follow(func(c *mailbox.Config) {
		c.Server = server(s.dovecot.IMAPAddr(), mailbox.Plain)
		c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, addr)
			left += 1500 + left/8
			return &limited{Conn: conn, left: left}, err
		}
	})
	s.want(ids...)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.errs) < 5 {
		s.Errorf("only %d connections were cut", len(s.errs))
	}
	for _, m := range s.mails {
		if m.Truncated || !strings.HasSuffix(string(m.Raw), "text of "+strings.Trim(m.MessageID, "<>")+"\r\n") {
			s.Errorf("%s is not whole", m.MessageID)
		}
	}
}

// The server's UIDs are made anew, and there is news among what was there.
func imapRenumbered(s *imapStage) {
	s.deliver("before@x")
	stop := s.follow()
	s.deliver("1@x", "2@x")
	s.want("1@x", "2@x")
	stop()
	s.remove("dovecot-uidlist")
	s.remove("dovecot.index*")
	s.deliver("3@x")
	stop = s.follow()
	s.want("1@x", "2@x", "3@x")
	s.deliver("4@x")
	s.want("1@x", "2@x", "3@x", "4@x")
	stop()
	if v := s.mail("3@x").Validity; v == s.mail("1@x").Validity {
		s.Errorf("UIDVALIDITY is still %d", v)
	}
}

// The server's index is deleted below it, with the connection up and without.
func imapIndexDeleted(s *imapStage) {
	stop := s.follow()
	s.deliver("1@x")
	s.want("1@x")
	s.remove("dovecot.index*")
	s.deliver("2@x")
	s.want("1@x", "2@x")
	stop()
	s.remove("dovecot.index*")
	s.deliver("3@x")
	s.follow()
	s.want("1@x", "2@x", "3@x")
}

func imapSent(s *imapStage) {
	s.follow()
	if err := s.box.AppendSent(s.ctx, []byte(testMail("mine@x"))); err != nil {
		s.Fatal(err)
	}
	if err := s.box.AppendSent(s.ctx, []byte(testMail("mine@x"))); err != nil { // after an answer that was lost
		s.Fatal(err)
	}
	other := s.other("Sent")
	raw := testMail("elsewhere@x")
	a := other.Append("Sent", int64(len(raw)), &imap.AppendOptions{Flags: []imap.Flag{imap.FlagSeen}})
	if _, err := a.Write([]byte(raw)); err != nil {
		s.Fatal(err)
	}
	if err := a.Close(); err != nil {
		s.Fatal(err)
	}
	if _, err := a.Wait(); err != nil {
		s.Fatal(err)
	}
	s.want("sent:elsewhere@x")
	s.deliver("1@x")
	s.want("sent:elsewhere@x", "1@x")
	if n := s.count("Sent"); n != 2 {
		s.Errorf("%d mails in Sent", n)
	}
}

// What is read elsewhere is told, also what was while we were away; what is read here is not.
func imapSeen(s *imapStage) {
	stop := s.follow(func(c *mailbox.Config) { c.Poll = time.Hour })
	s.deliver(numbered(4)...)
	s.want(numbered(4)...)
	if err := s.box.MarkSeen(s.ctx, s.mail("0@x").Ref); err != nil {
		s.Fatal(err)
	}
	other := s.other("INBOX")
	read := func(id string) {
		uids := imap.UIDSetNum(imap.UID(s.mail(id).UID))
		err := other.Store(uids, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagSeen}}, nil).Close()
		if err != nil {
			s.Fatal(err)
		}
	}
	read("1@x")
	s.wait("read elsewhere", func() bool { return len(s.read) == 1 })
	stop()
	read("2@x")
	s.follow()
	s.wait("read while away", func() bool { return len(s.read) == 2 })
	if _, read := s.so(); read[0].MessageID != "<1@x>" || read[1].MessageID != "<2@x>" {
		s.Errorf("read: %v", read)
	}
	d, err := other.Status("INBOX", &imap.StatusOptions{NumUnseen: true}).Wait()
	if err != nil || *d.NumUnseen != 1 {
		s.Errorf("unread: %+v, %v", d, err)
	}
}

func imapJunk(s *imapStage) {
	s.follow()
	s.deliver("1@x", "2@x")
	s.want("1@x", "2@x")
	byID := mailbox.Ref{Folder: mailbox.Inbox, MessageID: "<1@x>"}
	if err := s.box.MoveToJunk(s.ctx, byID); err != nil {
		s.Fatal(err)
	}
	if err := s.box.MoveToJunk(s.ctx, byID); !errors.Is(err, mailbox.ErrNotFound) {
		s.Errorf("the second time: %v", err)
	}
	if inbox, junk := s.count("INBOX"), s.count("Spam"); inbox != 1 || junk != 1 {
		s.Errorf("%d in the inbox, %d in Spam", inbox, junk)
	}
}

func imapLogin(s *imapStage) {
	c := s.config()
	c.Login.Password = "wrong"
	var refused *mailbox.LoginError
	if err := mailbox.New(c).Run(s.ctx); !errors.Is(err, mailbox.ErrLogin) || !errors.As(err, &refused) || refused.Code != "AUTHENTICATIONFAILED" {
		s.Errorf("a wrong password: %v", err)
	}
	c = s.config()
	c.TLS = nil // the system's roots do not vouch for it
	if err := mailbox.New(c).Run(s.ctx); err == nil || errors.Is(err, mailbox.ErrLogin) {
		s.Errorf("an unknown authority: %v", err)
	}
}

// The server dies, and comes back.
func imapRestart(s *imapStage) {
	s.follow()
	s.deliver("1@x")
	s.want("1@x")
	if err := s.dovecot.Kill(); err != nil {
		s.Fatal(err)
	}
	if err := s.dovecot.Start(s.ctx); err != nil {
		s.Fatal(err)
	}
	s.deliver("2@x")
	s.want("1@x", "2@x")
}
