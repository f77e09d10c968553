package mailaddress

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/pelletier/go-toml/v2"

	"gangway/core"
	"gangway/core/outbox"
	"gangway/core/store"
	"gangway/core/xmpp"
	"gangway/core/xmpp/chat"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/roster"
	"gangway/core/xmpp/xmpptest"
	"gangway/mapping"
	"gangway/transports/email"
)

// sink is a mail server that takes everything.
type sink struct {
	to chan string
}

func (s sink) NewSession(*smtp.Conn) (smtp.Session, error) { return s, nil }

func (s sink) Mail(string, *smtp.MailOptions) error { return nil }

func (s sink) Rcpt(to string, _ *smtp.RcptOptions) error { s.to <- to; return nil }

func (s sink) Data(r io.Reader) error { _, err := io.Copy(io.Discard, r); return err }

func (s sink) Reset() {}

func (s sink) Logout() error { return nil }

// listen returns a listener on a free port.
func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// chain is a gateway from LMTP to XMPP, and back to SMTP.
func chain(t *testing.T, lmtp string) (*xmpptest.Server, sink) {
	t.Helper()
	ctx := t.Context()
	db, err := store.Open(ctx, store.Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "gangway.db")})
	if err != nil {
		t.Fatal(err)
	}
	key, err := mapping.ParseKey(strings.Repeat("5a", 32))
	if err != nil {
		t.Fatal(err)
	}
	people, err := mapping.Open(ctx, db, mapping.NewSealer(key), mapping.Options{Retired: []string{"email"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := people.Link(ctx, core.Account{User: "alice@example.org", Network: "email", Own: "alice@gw.example"}); err != nil {
		t.Fatal(err)
	}
	queue, err := outbox.New(ctx, db, outbox.Config{Journal: people})
	if err != nil {
		t.Fatal(err)
	}
	gw := core.NewGateway(core.Config{Queue: queue, Accounts: people, Ledger: people, Notes: people.Notes, People: people, Choices: people,
		Access: func() *core.Access { return &core.Access{Allow: func(core.UserID) bool { return true }} }})
	out := sink{to: make(chan string, 10)}
	server, relay := smtp.NewServer(out), listen(t)
	server.EnableSMTPUTF8 = true
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(relay) }()
	t.Cleanup(func() { server.Close(); <-served })
	err = gw.Add(email.Driver(), func(settings any) error {
		return toml.Unmarshal([]byte(`domain = "gw.example"`+"\nlmtp = \""+lmtp+"\"\nrelay = \"smtp://"+relay.Addr().String()+`"`), settings)
	})
	if err != nil {
		t.Fatal(err)
	}
	d := &edge.Domain{Name: "email.gw", Network: gw.Network("email"), Aliases: people.Aliases("email")}
	chats := chat.New(chat.Config{Gateway: gw, Ledger: people, Contacts: people})
	router := xmpp.NewRouter(xmpp.RouterConfig{})
	router.Message(&edge.Switch{Domain: d, Contact: chats.Handler(d)})
	srv := xmpptest.New(t)
	d.Link = xmpptest.Start(t, srv, d.Name, router)
	e, err := edge.New(edge.Config{Domains: []*edge.Domain{d}, Chat: chats, Roster: roster.New(roster.Config{Gateway: gw, Accounts: people, Contacts: people})})
	if err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- gw.Run(running, e) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("gateway: %v", err)
		}
		if err := db.Close(); err != nil {
			t.Errorf("store: %v", err)
		}
	})
	return srv, out
}

// hand gives the gateway a mail, as soon as it listens.
func hand(t *testing.T, addr, mail string) {
	t.Helper()
	var conn net.Conn
	for deadline := time.Now().Add(time.Minute); ; {
		var err error
		if conn, err = net.Dial("tcp", addr); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond) // until somebody listens
	}
	c := smtp.NewClientLMTP(conn)
	defer c.Close()
	if err := c.Mail("bounce@example.com", nil); err != nil {
		t.Fatal(err)
	}
	if err := c.Rcpt("alice@gw.example", nil); err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, mail); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// Mail from an address that no JID can hold comes, says who it is from, and is answered.
func TestOddSender(t *testing.T) {
	free := listen(t)
	addr := free.Addr().String()
	free.Close()
	srv, out := chain(t, addr)
	hand(t, addr, "From: <علي@example.com>\r\nTo: alice@gw.example\r\nMessage-ID: <1@example.com>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhello\r\n")
	got := srv.Expect(`<message from='*@email.gw/gateway' to='alice@example.org'><body>From: علي@example.com
hello</body><nick xmlns='http://jabber.org/protocol/nick'>علي@example.com</nick></message>`)
	from := got.From
	if !mapping.IsAlias(from) {
		t.Fatalf("from %s", from)
	}
	srv.Send(`<message type='chat' id='m1' from='alice@example.org/phone' to='` + from + `'><body>hello yourself</body></message>`)
	select {
	case to := <-out.to:
		if to != "علي@example.com" {
			t.Errorf("the answer went to %q", to)
		}
	case <-time.After(time.Minute):
		t.Fatal("no answer went out")
	}
}
