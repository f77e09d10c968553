//go:build integration

package serverstest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"gangway/integration/servers"
	"gangway/integration/servers/serverstest"
)

const gateway = "email.example.test"

// received is a message as the gateway's LMTP server, played by the test, got it.
type received struct {
	from, to string
	raw      []byte
}

// lmtpServer takes mail for the gateway's domain, but for nobody@, which it does not know.
type lmtpServer struct {
	got  chan received
	busy atomic.Bool // answer 451 to everything
}

func (s *lmtpServer) NewSession(*smtp.Conn) (smtp.Session, error) {
	return &lmtpSession{server: s}, nil
}

type lmtpSession struct {
	server *lmtpServer
	r      received
}

func (s *lmtpSession) Mail(from string, _ *smtp.MailOptions) error { s.r.from = from; return nil }
func (s *lmtpSession) Reset()                                      { s.r = received{} }
func (s *lmtpSession) Logout() error                               { return nil }

func (s *lmtpSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.server.busy.Load() {
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "Busy"}
	}
	if strings.HasPrefix(to, "nobody@") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such person here"}
	}
	s.r.to = to
	return nil
}

func (s *lmtpSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.r.raw = raw
	s.server.got <- s.r
	return nil
}

func (s *lmtpSession) LMTPData(r io.Reader, status smtp.StatusCollector) error {
	to := s.r.to
	status.SetStatus(to, s.Data(r))
	return nil
}

func (s *lmtpServer) listen(t *testing.T) (addr string) {
	t.Helper()
	addr, err := servers.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	srv := smtp.NewServer(s)
	srv.LMTP, srv.Domain = true, gateway
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	t.Cleanup(func() {
		_ = srv.Close()
		<-done
	})
	return addr
}

func (s *lmtpServer) next(t *testing.T) received {
	t.Helper()
	select {
	case r := <-s.got:
		return r
	case <-deadline(t).Done():
		t.Fatal("no mail for the gateway")
		return received{}
	}
}

func mailSystem(t *testing.T) (*servers.Mail, *lmtpServer) {
	t.Helper()
	lmtp := &lmtpServer{got: make(chan received, 100)}
	addr := lmtp.listen(t)
	return serverstest.Start(t, servers.NewMail, servers.MailConfig{
		Dir: serverstest.Dir(t), Users: people, Gateway: gateway, GatewayLMTP: addr,
		Refuse: map[string]string{"spam@" + gateway: "554 5.7.1 Go away"},
	}), lmtp
}

func note(from, to, subject string) []byte {
	return fmt.Appendf(nil, "From: <%s>\r\nTo: <%s>\r\nSubject: %s\r\nMessage-ID: <%s@test>\r\nDate: Thu, 01 Jan 2026 00:00:00 +0000\r\n\r\n.dot\r\nfirst line\r\n",
		from, to, subject, strings.ReplaceAll(subject, " ", "-"))
}

func TestMail(t *testing.T) {
	m, lmtp := mailSystem(t)
	t.Run("to a mailbox", func(t *testing.T) { toMailbox(t, m) })
	t.Run("to the gateway", func(t *testing.T) { toGateway(t, m, lmtp) })
	t.Run("retry", func(t *testing.T) { retry(t, m, lmtp) })
	t.Run("refused", func(t *testing.T) { refused(t, m) })
	t.Run("bounced", func(t *testing.T) { bounced(t, m, lmtp) })
	t.Run("success notice", func(t *testing.T) { successNotice(t, m, lmtp) })
	t.Run("killed", func(t *testing.T) { mailKilled(t, m, lmtp) })
}

func toMailbox(t *testing.T, m *servers.Mail) {
	from, to := "al@"+gateway, m.Address("bob")
	if err := m.Send(deadline(t), from, to, note(from, to, "to bob")); err != nil {
		t.Fatal(err)
	}
	raw, err := m.WaitMessage(deadline(t), "bob", servers.Contains("Subject: to bob"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(raw, []byte("\r\n\r\n.dot\r\nfirst line\r\n")) {
		t.Fatalf("the message arrives as %q", raw)
	}
	all, err := m.Messages(deadline(t), "bob")
	if err != nil || len(all) != 1 {
		t.Fatalf("%d messages, %v", len(all), err)
	}
	if none, err := m.Messages(deadline(t), "alice"); err != nil || len(none) != 0 {
		t.Fatalf("alice has %d messages, %v", len(none), err)
	}
	if _, err := m.Messages(deadline(t), "carol"); err == nil {
		t.Fatal("a mailbox of nobody can be read")
	}
}

func toGateway(t *testing.T, m *servers.Mail, lmtp *lmtpServer) {
	from, to := m.Address("bob"), "alice@"+gateway
	if err := m.Send(deadline(t), from, to, note(from, to, "to the gateway")); err != nil {
		t.Fatal(err)
	}
	r := lmtp.next(t)
	if r.from != from || r.to != to || !bytes.Contains(r.raw, []byte("Subject: to the gateway")) {
		t.Fatalf("the gateway gets %+v", r)
	}
}

func retry(t *testing.T, m *servers.Mail, lmtp *lmtpServer) {
	from, to := m.Address("bob"), "alice@"+gateway
	lmtp.busy.Store(true)
	if err := m.Send(deadline(t), from, to, note(from, to, "try again")); err != nil {
		t.Fatal(err)
	}
	for ctx := deadline(t); ; {
		text, err := servers.Tail(m.Postfix.Logs()[1])
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text, "status=deferred") {
			break
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			t.Fatal("nothing is deferred")
		}
	}
	lmtp.busy.Store(false)
	if r := lmtp.next(t); !bytes.Contains(r.raw, []byte("try again")) {
		t.Fatalf("got %+v", r)
	}
}

func refused(t *testing.T, m *servers.Mail) {
	for to, want := range map[string]string{
		m.Address("reject"):  "550 5.1.1",
		m.Address("full"):    "552 5.2.2",
		m.Address("later"):   "451 4.3.0",
		"spam@" + gateway:    "554 5.7.1",
		"who@elsewhere.test": "554 5.7.1",
	} {
		err := m.Send(deadline(t), "al@"+gateway, to, note("al@"+gateway, to, "no"))
		se, ok := errors.AsType[*smtp.SMTPError](err)
		if !ok {
			t.Errorf("%s: %v", to, err)
			continue
		}
		if got := fmt.Sprintf("%d %d.%d.%d", se.Code, se.EnhancedCode[0], se.EnhancedCode[1], se.EnhancedCode[2]); got != want {
			t.Errorf("%s is refused with %s, want %s", to, got, want)
		}
	}
}

func bounced(t *testing.T, m *servers.Mail, lmtp *lmtpServer) {
	from, to := "al@"+gateway, m.Address("unknown")
	if err := m.Send(deadline(t), from, to, note(from, to, "into the void")); err != nil {
		t.Fatal(err)
	}
	r := lmtp.next(t)
	if r.from != "" || r.to != from || !bytes.Contains(r.raw, []byte("Action: failed")) || !bytes.Contains(r.raw, []byte("Status: 5.1.1")) {
		t.Fatalf("the bounce is %+v\n%s", r, r.raw)
	}
	from, to = m.Address("bob"), "nobody@"+gateway
	if err := m.Send(deadline(t), from, to, note(from, to, "unknown there")); err != nil {
		t.Fatal(err)
	}
	if _, err := m.WaitMessage(deadline(t), "bob", servers.Contains("No such person here")); err != nil {
		t.Fatal(err)
	}
}

func successNotice(t *testing.T, m *servers.Mail, lmtp *lmtpServer) {
	from, to := "al@"+gateway, m.Address("bob")
	err := m.Submit(deadline(t), servers.Envelope{
		From: from, To: []string{to}, ID: "env-17", Notify: []smtp.DSNNotify{smtp.DSNNotifySuccess, smtp.DSNNotifyFailure},
	}, note(from, to, "tell me"))
	if err != nil {
		t.Fatal(err)
	}
	r := lmtp.next(t)
	for _, want := range []string{"multipart/report", "Action: delivered", "Status: 2.0.0", "Original-Envelope-Id: env-17", "Final-Recipient: rfc822; " + to} {
		if !bytes.Contains(r.raw, []byte(want)) {
			t.Errorf("the notice lacks %q", want)
		}
	}
	if r.from != "" || r.to != from || t.Failed() {
		t.Fatalf("the notice is from %q to %q:\n%s", r.from, r.to, r.raw)
	}
}

// mailKilled: what was accepted before kill -9 is delivered after the next start, and mailboxes are kept.
func mailKilled(t *testing.T, m *servers.Mail, lmtp *lmtpServer) {
	lmtp.busy.Store(true)
	from, to := m.Address("bob"), "alice@"+gateway
	if err := m.Send(deadline(t), from, to, note(from, to, "survivor")); err != nil {
		t.Fatal(err)
	}
	before, err := m.Messages(deadline(t), "bob")
	if err != nil || len(before) == 0 {
		t.Fatalf("%d messages, %v", len(before), err)
	}
	addr := m.SMTPAddr()
	if err := m.Kill(); err != nil {
		t.Fatal(err)
	}
	for _, a := range []string{m.SMTPAddr(), m.IMAPAddr(), m.Dovecot.LMTPAddr()} {
		if _, err := net.Dial("tcp", a); err == nil {
			t.Fatalf("somebody still listens at %s", a)
		}
	}
	lmtp.busy.Store(false)
	if err := m.Start(deadline(t)); err != nil {
		t.Fatal(err)
	}
	if m.SMTPAddr() != addr {
		t.Fatal("the address changed")
	}
	if r := lmtp.next(t); !bytes.Contains(r.raw, []byte("survivor")) {
		t.Fatalf("got %+v", r)
	}
	after, err := m.Messages(deadline(t), "bob")
	if err != nil || len(after) != len(before) {
		t.Fatalf("bob had %d messages and has %d, %v", len(before), len(after), err)
	}
}

func TestMailWithoutGateway(t *testing.T) {
	m := serverstest.Start(t, servers.NewMail, servers.MailConfig{Dir: serverstest.Dir(t), Domain: "other.test", Users: people})
	from, to := m.Address("alice"), m.Address("bob")
	if to != "bob@other.test" {
		t.Fatal(to)
	}
	if err := m.Send(deadline(t), from, to, note(from, to, "between neighbours")); err != nil {
		t.Fatal(err)
	}
	if _, err := m.WaitMessage(deadline(t), "bob", servers.Contains("neighbours")); err != nil {
		t.Fatal(err)
	}
	if err := m.Stop(); err != nil {
		t.Fatal(err)
	}
}

// TestSubmission: who logs in may hand in mail, with TLS from the start or after STARTTLS, and nobody else may.
func TestSubmission(t *testing.T) {
	ca, err := servers.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	m := serverstest.Start(t, servers.NewMail, servers.MailConfig{Dir: serverstest.Dir(t), Users: people, CA: ca})
	dials := map[string]func() (*smtp.Client, error){
		"STARTTLS": func() (*smtp.Client, error) { return smtp.DialStartTLS(m.SubmissionAddr(), ca.Client("localhost")) },
		"TLS":      func() (*smtp.Client, error) { return smtp.DialTLS(m.SubmissionsAddr(), ca.Client("localhost")) },
	}
	for name, dial := range dials {
		for password, want := range map[string]bool{people[0].Password: true, "wrong": false, "": false} {
			c, err := dial()
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if password != "" {
				err = c.Auth(sasl.NewPlainClient("", m.Address(people[0].Name), password))
			}
			if err == nil {
				err = c.SendMail(m.Address(people[0].Name), []string{m.Address("bob")}, bytes.NewReader(note(people[0].Name, "bob", name)))
			}
			if (err == nil) != want {
				t.Errorf("%s with password %q: %v", name, password, err)
			}
		}
		if _, err := m.WaitMessage(deadline(t), "bob", servers.Contains("Subject: "+name)); err != nil {
			t.Error(err)
		}
	}
	c, err := imapclient.DialTLS(m.IMAPSAddr(), &imapclient.Options{TLSConfig: ca.Client("localhost")})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login("bob", people[1].Password).Wait(); err != nil {
		t.Error(err)
	}
}
