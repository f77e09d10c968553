//go:build integration

package integration

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"gangway/core/xmpp/stream"
	"gangway/core/xmpp/xmpptest"
	"gangway/integration/servers"
	"gangway/integration/servers/serverstest"
)

// openBoxHouse is a gateway that links mailboxes and has a domain of its own, with a Dovecot and a Postfix that the DNS
// knows of. Only what this test needs of a house is there.
func openBoxHouse(t *testing.T) *mailHouse {
	t.Helper()
	h := &mailHouse{xmpp: xmpptest.New(t), dir: serverstest.Dir(t), lmtp: mustFree(t)}
	h.xmpp.Patience = mailPatience
	ca, err := servers.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	authority := filepath.Join(h.dir, "ca.pem")
	if err := ca.WriteFile(authority); err != nil {
		t.Fatal(err)
	}
	h.postfix = serverstest.Start(t, servers.NewMail, servers.MailConfig{
		Dir: filepath.Join(h.dir, "m"), Users: mailPeople(), CA: ca, Gateway: viaPostfix, GatewayLMTP: h.lmtp,
	})
	port := func(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }
	h.names = serverstest.DNS(t, "mx.mail.test. 60 IN A 127.0.0.1", "mail.test. 60 IN MX 10 mx.mail.test.",
		"_imaps._tcp.mail.test. 60 IN SRV 0 1 "+port(h.postfix.IMAPSAddr())+" mx.mail.test.",
		"_submission._tcp.mail.test. 60 IN SRV 0 1 "+port(h.postfix.SubmissionAddr())+" mx.mail.test.",
	)
	web := mustFree(t)
	h.config = filepath.Join(h.dir, "gangway.toml")
	text := fmt.Sprintf(`[xmpp]
server = %q
domain = %q
[store]
url = "sqlite:%s/gangway.db"
[access]
allow = ["*@example.org"]
[limits]
messages = 0
registrations = 0
domain_registrations = 0
[web]
listen = %q
[log]
level = "debug"
[transport.email]
domain = %q
secret = %q
dns = %q
dkim_keys = "none"
hold = "0s"
lmtp = %q
relay = "smtp://%s"
mailboxes = ["mail.test"]
mailbox_hosts = ["mx.mail.test"]
mailbox_ca = %q
`, h.xmpp.Addr(), xmpptest.Host, h.dir, web, viaPostfix, xmpptest.Secret, h.names.Addr(), h.lmtp, h.postfix.SMTPAddr(), authority)
	if err := os.WriteFile(h.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	h.gangway = serverstest.Start(t, servers.NewGangway, servers.GangwayConfig{Dir: h.dir, Binary: binary, Config: h.config, Web: web})
	return h
}

// TestMailboxThroughXMPP links mailboxes of a real Dovecot with two fields each, and lives with them: mail in, an answer
// out, what was sent with another program, what was read here, a second account that the same person writes to, and a
// password that is changed.
func TestMailboxThroughXMPP(t *testing.T) {
	t.Parallel()
	h := openBoxHouse(t)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	t.Cleanup(cancel)
	alice := "alice@" + xmpptest.Host
	s := &mailStage{T: t, View: h.xmpp.Share(t, alice), mailHouse: h, ctx: ctx, gw: viaPostfix}
	s.Set("gw", viaPostfix)
	s.Set("alice", alice)
	s.Set("phone", alice+"/phone")
	s.Ignore("<presence/>")
	t.Cleanup(func() {
		if t.Failed() {
			s.showLog()
		}
	})
	s.link("bob@mail.test", "secret")

	s.post(servers.Envelope{From: "carol@mail.test", To: []string{"bob@mail.test"}}, plainMail("carol@mail.test", "bob@mail.test", "a question", "", "how are you?"))
	question := s.hears("carol@mail.test", "how are you?")
	s.says("carol@mail.test", "a1", "<body>well, thank you</body>")
	raw := string(s.mailTo("carol", "well, thank you"))
	for _, want := range []string{"bob@mail.test", "In-Reply-To: <a-question-bob.mail.test@test>"} {
		if !strings.Contains(raw, want) {
			t.Errorf("the answer lacks %q:\n%s", want, raw)
		}
	}
	s.until("the answer is in the sent folder", func() bool { return s.folder("bob", "secret", "Sent").all > 0 })
	if sent := s.folder("bob", "secret", "Sent"); sent.all != 1 || sent.unread != 0 {
		t.Errorf("%+v in the sent folder", sent)
	}

	// Read here, read there.
	if inbox := s.folder("bob", "secret", "INBOX"); inbox.unread == 0 {
		t.Errorf("%+v in the inbox before it is read", inbox)
	}
	s.Send("<message type='chat' from='$phone' to='" + s.jid("carol@mail.test") + "' id='r1'><displayed xmlns='urn:xmpp:chat-markers:0' id='" + question.ID + "'/></message>")
	s.until("the mail is read", func() bool { return s.folder("bob", "secret", "INBOX").unread == 0 })

	// A second mailbox: what comes to it says so, and the answer goes from there.
	s.link("dave@mail.test", "secret")
	s.post(servers.Envelope{From: "carol@mail.test", To: []string{"dave@mail.test"}}, plainMail("carol@mail.test", "dave@mail.test", "another", "", "are you Dave, too?"))
	if st := s.hears("carol@mail.test", "are you Dave, too?"); !strings.Contains(st.Body(), "To: dave@mail.test") {
		t.Errorf("it is not said which address it came to: %s", st.Body())
	}
	s.says("carol@mail.test", "a2", "<body>so I am</body>")
	if raw := string(s.mailTo("carol", "so I am")); !strings.Contains(raw, "dave@mail.test") || strings.Contains(raw, "bob@mail.test") {
		t.Errorf("the answer is from another address:\n%s", raw)
	}
	s.says("carol@mail.test", "a3", "<body>and about the first</body><reply xmlns='urn:xmpp:reply:0' id='"+question.ID+"' to='"+s.jid("carol@mail.test")+"'/>")
	if raw := string(s.mailTo("carol", "and about the first")); !strings.Contains(raw, "bob@mail.test") {
		t.Errorf("an answer to a mail to the first address is from another:\n%s", raw)
	}
	// The password is changed on the server: the user is told what to do, and does it.
	s.setPassword("bob", "changed")
	s.until("the server refuses the login", func() bool {
		return strings.Contains(s.statusOf("bob@mail.test"), "refuses the login")
	})
	s.link("bob@mail.test", "changed")
	s.post(servers.Envelope{From: "erin@mail.test", To: []string{"bob@mail.test"}}, plainMail("erin@mail.test", "bob@mail.test", "again", "", "back again"))
	s.hears("erin@mail.test", "back again")
}

// post hands in a mail at the only mail server there is.
func (s *mailStage) post(e servers.Envelope, raw []byte) {
	s.Helper()
	if err := servers.Submit(s.ctx, s.postfix.SMTPAddr(), e, raw); err != nil {
		s.Fatal(err)
	}
}

// chat says something to the gateway.
func (s *mailStage) chat(text string) {
	s.Helper()
	s.n++
	s.Send(fmt.Sprintf("<message type='chat' from='$phone' to='$gw' id='chat%d'><body>%s</body></message>", s.n, text))
}

// answer waits for what the gateway says with a text in it.
func (s *mailStage) answer(text string) string {
	s.Helper()
	return s.await(fmt.Sprintf("%q from the gateway", text), func(st *stream.Stanza) bool {
		return st.Local() == "message" && st.From == viaPostfix && strings.Contains(st.Body(), text)
	}).Body()
}

// link links a mailbox with its two fields, and waits until it is followed.
func (s *mailStage) link(address, password string) {
	s.Helper()
	s.chat("register")
	s.answer("Which e-mail address")
	s.chat("2")
	s.answer("E-mail address")
	s.chat(address)
	s.answer("Password")
	s.chat(password)
	s.await("the mailbox to be linked", func(st *stream.Stanza) bool {
		if st.Local() == "message" && st.From == viaPostfix && strings.Contains(st.Body(), "refuse") {
			s.Fatalf("not linked: %s", st.Body())
		}
		return st.Local() == "message" && st.From == viaPostfix && strings.Contains(st.Body(), "mailbox "+address)
	})
	s.until(address+" is connected", func() bool { return strings.Contains(s.statusOf(address), ": connected") })
}

// statusOf is what the gateway says of a mailbox.
func (s *mailStage) statusOf(address string) string {
	s.Helper()
	s.chat("status")
	for line := range strings.Lines(s.answer(address)) {
		if strings.HasPrefix(line, address) {
			return line
		}
	}
	return ""
}

func (s *mailStage) until(what string, done func() bool) {
	s.Helper()
	for pause := 200 * time.Millisecond; !done(); pause = min(2*pause, 5*time.Second) {
		select {
		case <-s.ctx.Done():
			s.Fatalf("%s: not in time", what)
		case <-time.After(pause): // the gateway takes only so many words a minute
		}
	}
}

type folderState struct{ all, unread uint32 }

// folder is what is in a folder of somebody's, as another program sees it.
func (s *mailStage) folder(user, password, name string) folderState {
	s.Helper()
	conn, err := new(net.Dialer).DialContext(s.ctx, "tcp", s.postfix.IMAPAddr())
	if err != nil {
		s.Fatal(err)
	}
	c := imapclient.New(conn, nil)
	defer c.Close()
	if err := c.Login(user, password).Wait(); err != nil {
		s.Fatal(err)
	}
	st, err := c.Status(name, &imap.StatusOptions{NumMessages: true, NumUnseen: true}).Wait()
	if err != nil {
		s.Fatal(err)
	}
	_ = c.Logout().Wait()
	return folderState{*st.NumMessages, *st.NumUnseen}
}

// loggedIn tries a login at the mail server.
func (s *mailStage) loggedIn(user, password string) error {
	conn, err := new(net.Dialer).DialContext(s.ctx, "tcp", s.postfix.IMAPAddr())
	if err != nil {
		return err
	}
	c := imapclient.New(conn, nil)
	defer c.Close()
	return c.Login(user, password).Wait()
}

// setPassword changes a password of Dovecot's, and ends what is logged in.
func (s *mailStage) setPassword(user, password string) {
	s.Helper()
	file := filepath.Join(s.dir, "m", "d", "users")
	text, err := os.ReadFile(file)
	if err != nil {
		s.Fatal(err)
	}
	changed := strings.Replace(string(text), user+":{PLAIN}secret:", user+":{PLAIN}"+password+":", 1)
	if changed == string(text) {
		s.Fatal("the password is not there")
	}
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		s.Fatal(err)
	}
	s.until("the server has read the password", func() bool { return s.loggedIn(user, password) == nil })
	kick := exec.CommandContext(s.ctx, "doveadm", "-c", filepath.Join(s.dir, "m", "d", "dovecot.conf"), "kick", user)
	if said, err := kick.CombinedOutput(); err != nil {
		s.Fatalf("%v: %s", err, said)
	}
}
