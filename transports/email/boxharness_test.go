package email

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"gangway/core"
)

const (
	boxOwn      = "alice@mail.example"
	boxPassword = "correct horse"
)

// provider is somebody's mail server: IMAP from memory, and submission that wants a login.
type provider struct {
	t     *testing.T
	imap  string
	smtp  string
	user  *imapmemserver.User
	mails chan relayed

	mu       sync.Mutex
	password string
	logins   []string // at IMAP, whether taken or not
	relay    *relayDouble
}

func startProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{t: t, password: boxPassword, user: imapmemserver.NewUser(boxOwn, boxPassword)}
	for _, folder := range []string{"INBOX", "Sent", "Junk"} {
		if err := p.user.Create(folder, nil); err != nil {
			t.Fatal(err)
		}
	}
	mem := imapmemserver.New()
	mem.AddUser(p.user)
	server := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &watched{mem.NewSession(), p}, nil, nil
		},
		Caps: imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapIdle: {}, imap.CapUIDPlus: {}}, InsecureAuth: true, Logger: log.New(io.Discard, "", 0),
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(l)
	}()
	t.Cleanup(func() {
		server.Close()
		<-served
	})
	p.imap = l.Addr().String()
	p.relay = startRelay(t, func(s *smtp.Server) {
		s.AllowInsecureAuth = true
		s.Backend = smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
			return &submitted{relaySession{r: p.relay}, p, false}, nil
		})
	})
	p.smtp, p.mails = p.relay.addr, p.relay.mails
	return p
}

// watched is a session of the IMAP server that asks for the password that is good now.
type watched struct {
	imapserver.Session
	p *provider
}

func (w *watched) Login(user, password string) error {
	w.p.mu.Lock()
	good := password == w.p.password
	w.p.logins = append(w.p.logins, user)
	w.p.mu.Unlock()
	if !good {
		return imapserver.ErrAuthFailed
	}
	return w.Session.Login(user, boxPassword)
}

// Idle tells of all that comes; that of the server in memory, not of what came just before.
func (w *watched) Idle(to *imapserver.UpdateWriter, stop <-chan struct{}) error {
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		if err := w.Poll(to, true); err != nil {
			return err
		}
		select {
		case <-again.C:
		case <-stop:
			return nil
		}
	}
}

// submitted is a session of the submission server.
type submitted struct {
	relaySession
	p  *provider
	in bool
}

func (s *submitted) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *submitted) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		s.p.mu.Lock()
		defer s.p.mu.Unlock()
		if user != boxOwn || password != s.p.password {
			return smtp.ErrAuthFailed
		}
		s.in = true
		return nil
	}), nil
}

func (s *submitted) Mail(from string, o *smtp.MailOptions) error {
	if !s.in {
		return smtp.ErrAuthRequired
	}
	return s.relaySession.Mail(from, o)
}

func (p *provider) change(password string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.password = password
}

func (p *provider) tried() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.logins)
}

// put puts a mail into a folder.
func (p *provider) put(folder, mail string) {
	p.t.Helper()
	mail = strings.ReplaceAll(mail, "\n", "\r\n")
	if _, err := p.user.Append(folder, literal{bytes.NewReader([]byte(mail)), int64(len(mail))}, &imap.AppendOptions{}); err != nil {
		p.t.Fatal(err)
	}
}

type literal struct {
	io.Reader
	n int64
}

func (l literal) Size() int64 { return l.n }

// status is how many mails a folder has, and how many of them are unread.
func (p *provider) status(folder string) (all, unread int) {
	p.t.Helper()
	s, err := p.user.Status(folder, &imap.StatusOptions{NumMessages: true, NumUnseen: true})
	if err != nil {
		p.t.Fatal(err)
	}
	return int(*s.NumMessages), int(*s.NumUnseen)
}

// startBoxes is start for who links mailboxes. The folder of what was sent is looked at often.
func startBoxes(t *testing.T) *gateway {
	t.Helper()
	return start(t, map[string]any{"mailboxes": []string{"*"}, "mailbox_hosts": []string{"127.0.0.1"}}, func(tr *transport) {
		tr.boxes.poll = time.Second
	})
}

// account is alice's at a provider, as linked.
func (p *provider) account(t *testing.T) core.Account {
	t.Helper()
	sealed, err := secret{Password: boxPassword}.seal()
	if err != nil {
		t.Fatal(err)
	}
	return core.Account{
		ID: "acc-box", User: alice.User, Network: "email", Realm: boxOwn, Own: boxOwn, Name: "Alice Doe", Secret: sealed,
		Options: map[string]string{
			optionIMAP: "imap+plain://" + strings.ReplaceAll(boxOwn, "@", "%40") + "@" + p.imap,
			optionSMTP: "smtp+plain://" + strings.ReplaceAll(boxOwn, "@", "%40") + "@" + p.smtp,
		},
	}
}

// follow runs a session of an account until the test ends, and waits until it is connected.
func (g *gateway) follow(t *testing.T, a core.Account) core.Session {
	t.Helper()
	g.host.Add(a)
	s, err := g.Open(a)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	g.host.Wait("connected", func(e core.Event) bool {
		st, ok := e.(*core.Status)
		return ok && st.Account == a.ID && st.Link == core.Connected
	})
	return s
}

// letterFrom is a mail of Bob's.
func letterFrom(id, text string, more ...string) string {
	return fmt.Sprintf("Return-Path: <bob@example.com>\nFrom: Bob <bob@example.com>\nTo: %s\nMessage-ID: <%s@example.com>\nDate: %s\nSubject: s\n%s\n%s\n",
		boxOwn, id, time.Now().Format(time.RFC1123Z), strings.Join(more, ""), text)
}
