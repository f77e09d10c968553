package email

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"gangway/core"
	"gangway/core/transporttest"
)

const domain = "gw.example"

var (
	alice = core.Account{ID: "acc-a", User: "alice@example.org", Network: "email", Own: "alice@gw.example", Name: "Alice Doe"}
	bella = core.Account{ID: "acc-b", User: "bella@example.org", Network: "email", Own: "bella@gw.example"}
)

// decoder sets fields by their toml keys, as the real one does.
func decoder(keys map[string]any) core.Decoder {
	return func(into any) error {
		v := reflect.ValueOf(into).Elem()
		for key, value := range keys {
			found := false
			for _, f := range reflect.VisibleFields(v.Type()) {
				if f.Tag.Get("toml") == key {
					v.FieldByIndex(f.Index).Set(reflect.ValueOf(value))
					found = true
				}
			}
			if !found {
				return fmt.Errorf("unknown key %q", key)
			}
		}
		return nil
	}
}

// gateway is a running transport.
type gateway struct {
	*transport
	host *transporttest.Host
	stop func()
}

// start runs a transport with both listeners on free ports. change may alter it before it runs.
func start(t *testing.T, keys map[string]any, change func(*transport)) *gateway {
	t.Helper()
	all := map[string]any{
		"domain": domain, "lmtp": "127.0.0.1:0", "smtp": "127.0.0.1:0", "relay": "smtp://127.0.0.1:1", "hmac_key": "0123456789abcdef",
		"verify": "off", "same_hour": 0, "dkim_keys": t.TempDir(),
	}
	for k, v := range keys {
		all[k] = v
	}
	host := transporttest.NewHost(t, alice, bella)
	made, err := Driver().New(host, decoder(all))
	if err != nil {
		t.Fatal(err)
	}
	tr := made.(*transport)
	tr.limits.tarpit = 0
	if change != nil {
		change(tr)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- tr.Run(ctx) }()
	var once sync.Once
	g := &gateway{transport: tr, host: host}
	g.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	t.Cleanup(g.stop)
	<-tr.ready
	return g
}

func (g *gateway) messages() []*core.Message {
	var all []*core.Message
	for _, e := range g.host.Events() {
		if m, ok := e.(*core.Message); ok {
			all = append(all, m)
		}
	}
	return all
}

func (g *gateway) receipts() []*core.Receipt {
	var all []*core.Receipt
	for _, e := range g.host.Events() {
		if r, ok := e.(*core.Receipt); ok {
			all = append(all, r)
		}
	}
	return all
}

// dialogue is one raw SMTP connection.
type dialogue struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

func (g *gateway) dial(t *testing.T, listener string) *dialogue {
	t.Helper()
	c, err := net.Dial("tcp", g.bound[listener].String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(time.Minute))
	return &dialogue{t: t, Conn: c, r: bufio.NewReader(c)}
}

// hello greets.
func (g *gateway) hello(t *testing.T, listener string) *dialogue {
	t.Helper()
	d := g.dial(t, listener)
	d.expect("220")
	if listener == "lmtp" {
		d.send("LHLO me")
	} else {
		d.send("EHLO me")
	}
	d.expect("250")
	return d
}

func (d *dialogue) send(lines ...string) {
	d.t.Helper()
	if _, err := io.WriteString(d, strings.Join(lines, "\r\n")+"\r\n"); err != nil {
		d.t.Fatalf("send: %v", err)
	}
}

// reply reads one answer, of any number of lines.
func (d *dialogue) reply() (string, error) {
	var all strings.Builder
	for {
		line, err := d.r.ReadString('\n')
		all.WriteString(line)
		if err != nil || len(line) < 4 || line[3] != '-' {
			return all.String(), err
		}
	}
}

func (d *dialogue) expect(prefix string) string {
	d.t.Helper()
	got, err := d.reply()
	if err != nil || !strings.HasPrefix(got, prefix) {
		d.t.Fatalf("answer %q, %v, want %s", got, err, prefix)
	}
	return got
}

// ended expects the connection's end, and returns what was said before it.
func (d *dialogue) ended() string {
	d.t.Helper()
	rest, err := io.ReadAll(d.r)
	if errors.Is(err, context.DeadlineExceeded) || err != nil && strings.Contains(err.Error(), "timeout") {
		d.t.Fatalf("the connection goes on; said was %q", rest)
	}
	return string(rest)
}

// transaction sends the envelope and DATA.
func (d *dialogue) transaction(from string, to ...string) {
	d.t.Helper()
	d.send("MAIL FROM:<" + from + ">")
	d.expect("250")
	for _, r := range to {
		d.send("RCPT TO:<" + r + ">")
		d.expect("250")
	}
	d.send("DATA")
	d.expect("354")
}

// relayDouble is a mail server that takes everything, or what it was told to.
type relayDouble struct {
	server *smtp.Server
	addr   string
	mails  chan relayed

	mu     sync.Mutex
	refuse map[string]error // by command: "mail", "rcpt", "data"
}

type relayed struct {
	from, to string
	mail     string
	opts     *smtp.MailOptions
	rcpt     *smtp.RcptOptions
}

func startRelay(t *testing.T, change func(*smtp.Server)) *relayDouble {
	t.Helper()
	r := &relayDouble{mails: make(chan relayed, 1000), refuse: map[string]error{}}
	r.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &relaySession{r: r}, nil }))
	r.server.Domain = "relay.example"
	r.server.EnableDSN = true
	r.server.ErrorLog = quiet{}
	if change != nil {
		change(r.server)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.addr = l.Addr().String()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = r.server.Serve(l)
	}()
	t.Cleanup(func() {
		r.server.Close()
		<-ended
	})
	return r
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

func (r *relayDouble) set(command string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse[command] = err
}

func (r *relayDouble) answer(command string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refuse[command]
}

type relaySession struct {
	r   *relayDouble
	got relayed
}

func (s *relaySession) Reset()        { s.got = relayed{} }
func (s *relaySession) Logout() error { return nil }

func (s *relaySession) Mail(from string, o *smtp.MailOptions) error {
	s.got.from, s.got.opts = from, o
	return s.r.answer("mail")
}

func (s *relaySession) Rcpt(to string, o *smtp.RcptOptions) error {
	s.got.to, s.got.rcpt = to, o
	return s.r.answer("rcpt")
}

func (s *relaySession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := s.r.answer("data"); err != nil {
		return err
	}
	s.got.mail = string(b)
	s.r.mails <- s.got
	return nil
}

// session opens alice's session.
func (g *gateway) session(t *testing.T) core.Session {
	t.Helper()
	s, err := g.Open(alice)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func note(text string) *core.Message {
	return &core.Message{
		Ref: core.Ref{Account: alice.ID, Peer: "bob@example.com"}, IDs: core.IDs{ID: core.NewID()}, Text: text,
		At: time.Date(2026, 11, 2, 3, 4, 5, 0, time.UTC),
	}
}

func newReader(c net.Conn) *bufio.Reader { return bufio.NewReader(c) }

// waitFor waits for what another goroutine is about to do.
func waitFor(done func() bool) bool {
	for range 30_000 {
		if done() {
			return true
		}
		time.Sleep(time.Millisecond)
	}
	return false
}

// inMail says whether a connection of the transport is in the middle of a mail.
func inMail(tr *transport) bool {
	for _, s := range tr.servers {
		s.guard.mu.Lock()
		for c := range s.guard.conns {
			c.mu.Lock()
			in := c.inMail
			c.mu.Unlock()
			if in {
				s.guard.mu.Unlock()
				return true
			}
		}
		s.guard.mu.Unlock()
	}
	return false
}

func smtpCode(err error) int {
	var s *smtp.SMTPError
	if errors.As(reply(err), &s) {
		return s.Code
	}
	return 0
}
