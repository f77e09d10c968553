package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"gangway/core"
)

// relay is the mail server that takes our mail. It is safe for concurrent use.
type relay struct {
	host     string // host:port
	hello    string // what we are called
	implicit bool   // TLS from the first byte
	startTLS string // "require", "offered", "never"
	user     string
	password string
	tls      *tls.Config
	slots    chan struct{} // connections at once

	connect, command, submission time.Duration // RFC 5321 section 4.5.3.2
}

const relayConns = 8

// newRelay reads the settings. Without TLS the relay must be on this machine, unless it is said otherwise; a password
// never goes over an open line to another.
func newRelay(s settings, hello string) (*relay, error) {
	if s.Relay == "" {
		return nil, errors.New(`relay is not set: name the mail server that takes outgoing mail, such as relay = "smtp://127.0.0.1:25"`)
	}
	u, err := url.Parse(s.Relay)
	if err != nil {
		return nil, errors.New("relay is not a URL like smtp://host:port") // err would quote a password
	}
	if u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" {
		return nil, errors.New("relay must be smtp://host:port or smtps://host:port")
	}
	r := &relay{
		hello: hello, implicit: u.Scheme == "smtps", startTLS: s.StartTLS, user: s.User, password: s.Password,
		tls:     &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12},
		slots:   make(chan struct{}, relayConns),
		connect: 30 * time.Second, command: 5 * time.Minute, submission: 10 * time.Minute,
	}
	if u.User != nil {
		r.user = u.User.Username()
		if p, ok := u.User.Password(); ok {
			r.password = p
		}
	}
	port := u.Port()
	switch {
	case port != "":
	case r.implicit:
		port = "465"
	default:
		port = "25"
	}
	r.host = net.JoinHostPort(u.Hostname(), port)
	return r, r.checkTLS(isLoopback(u.Hostname()))
}

func (r *relay) checkTLS(local bool) error {
	switch r.startTLS {
	case "":
		r.startTLS = "require"
		if local {
			r.startTLS = "never"
		}
	case "require", "offered", "never":
	default:
		return fmt.Errorf(`starttls must be "require", "offered" or "never", not %q`, r.startTLS)
	}
	if r.user != "" && !r.implicit && !local && r.startTLS != "require" {
		return errors.New(`a password is not sent without TLS: use smtps:// or starttls = "require"`)
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// stageError is an error with the stage of the dialogue it came in.
type stageError struct {
	stage stage
	err   error
}

func (e *stageError) Error() string { return e.err.Error() }
func (e *stageError) Unwrap() error { return e.err }

func at(s stage, err error) error {
	if err == nil {
		return nil
	}
	return &stageError{stage: s, err: err}
}

// dial connects, greets, encrypts and logs in. The connection is closed when ctx ends, or by done.
func (r *relay) dial(ctx context.Context) (c *smtp.Client, done func(), err error) {
	dialer := net.Dialer{Timeout: r.connect}
	raw, err := dialer.DialContext(ctx, "tcp", r.host)
	if err != nil {
		return nil, nil, at(stageConnect, err)
	}
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	done = func() {
		stop()
		raw.Close()
	}
	if c, err = r.greet(ctx, newRelayConn(raw)); err != nil {
		done()
		return nil, nil, err
	}
	return c, done, nil
}

func (r *relay) greet(ctx context.Context, conn net.Conn) (*smtp.Client, error) {
	if r.implicit {
		secure := tls.Client(conn, r.tls)
		ctx, cancel := context.WithTimeout(ctx, r.connect)
		defer cancel()
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, at(stageConnect, err)
		}
		conn = secure
	}
	c, err := r.hail(conn)
	if err != nil {
		return nil, at(stageConnect, err)
	}
	if r.user == "" {
		return c, nil
	}
	if !c.SupportsAuth(sasl.Plain) {
		return nil, at(stageAuth, errors.New("the server does not offer AUTH PLAIN"))
	}
	return c, at(stageAuth, c.Auth(sasl.NewPlainClient("", r.user, r.password)))
}

// hail says EHLO, and STARTTLS where that is wanted.
func (r *relay) hail(conn net.Conn) (*smtp.Client, error) {
	c := r.client(smtp.NewClient(conn))
	if r.implicit || r.startTLS == "never" {
		return c, c.Hello(r.hello)
	}
	if err := c.Hello(r.hello); err != nil {
		return nil, err
	}
	if ok, _ := c.Extension("STARTTLS"); !ok {
		if r.startTLS == "offered" {
			return c, nil
		}
		return nil, errors.New("the server does not offer STARTTLS")
	}
	return r.secure(conn)
}

// secure upgrades a connection that was greeted already. go-smtp upgrades only new ones: this one is shown as such.
func (r *relay) secure(conn net.Conn) (*smtp.Client, error) {
	config := r.tls
	if r.startTLS == "offered" { // against listeners only: there is no one to vouch for the certificate
		config = config.Clone()
		config.InsecureSkipVerify = true
	}
	c, err := smtp.NewClientStartTLS(&greeted{Conn: conn, left: []byte("220 again\r\n")}, config)
	if err != nil {
		return nil, err
	}
	return c, r.client(c).Hello(r.hello)
}

// greeted is a connection whose greeting is read once more.
type greeted struct {
	net.Conn
	left []byte
}

// Read reads the greeting, then the connection.
func (g *greeted) Read(b []byte) (int, error) {
	if len(g.left) > 0 {
		n := copy(b, g.left)
		g.left = g.left[n:]
		return n, nil
	}
	return g.Conn.Read(b)
}

func (r *relay) client(c *smtp.Client) *smtp.Client {
	c.CommandTimeout, c.SubmissionTimeout = r.command, r.submission
	return c
}

// envelope is what the relay is told about a mail.
type envelope struct {
	id      string // for its reports
	from    string
	to      string
	utf8    bool // the address needs SMTPUTF8
	success bool // a report of success is wanted
}

// send hands one mail over. nil: the relay has it.
func (r *relay) send(ctx context.Context, e envelope, mail []byte) error {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return at(stageConnect, ctx.Err())
	}
	c, done, err := r.dial(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := r.transfer(c, e, mail); err != nil {
		return err
	}
	_ = c.Quit() // the mail is taken; how the connection ends is no matter
	return nil
}

func (r *relay) transfer(c *smtp.Client, e envelope, mail []byte) error {
	if ok, _ := c.Extension("SMTPUTF8"); e.utf8 && !ok {
		return at(stageRcpt, refusal(550, smtp.EnhancedCode{5, 6, 7}, ""))
	}
	if limit, ok := c.MaxMessageSize(); ok && limit > 0 && len(mail) > limit {
		return at(stageMail, refusal(552, smtp.EnhancedCode{5, 3, 4}, ""))
	}
	err := c.Mail(e.from, &smtp.MailOptions{
		Size: int64(len(mail)), UTF8: e.utf8, Return: smtp.DSNReturnHeaders, EnvelopeID: e.id,
	})
	if err != nil {
		return at(stageMail, err)
	}
	if err := c.Rcpt(e.to, e.rcptOptions()); err != nil {
		return at(stageRcpt, err)
	}
	w, err := c.Data()
	if err != nil {
		return at(stageData, err)
	}
	if _, err := w.Write(mail); err != nil {
		return at(stageData, err)
	}
	return at(stageData, w.Close()) // the answer to the final dot, which alone counts
}

// rcptOptions ask for reports (RFC 3461); go-smtp leaves them out where the relay has no DSN.
func (e envelope) rcptOptions() *smtp.RcptOptions {
	o := &smtp.RcptOptions{Notify: []smtp.DSNNotify{smtp.DSNNotifyFailure, smtp.DSNNotifyDelayed}}
	if e.success {
		o.Notify = append(o.Notify, smtp.DSNNotifySuccess)
	}
	if !e.utf8 {
		o.OriginalRecipientType, o.OriginalRecipient = smtp.DSNAddressTypeRFC822, e.to
	}
	return o
}

// relayFailure turns what went wrong with the relay into what the user reads.
func relayFailure(peer string, err error) *core.Error {
	const op = "email: send"
	var s *stageError
	where := stageConnect
	if errors.As(err, &s) {
		where = s.stage
	}
	var answer *smtp.SMTPError
	if !errors.As(err, &answer) || where == stageConnect || where == stageAuth {
		e := core.Wrap(core.Unavailable, op, err)
		e.Text = "The mail server does not take mail at the moment."
		if where == stageAuth {
			e.Kind = core.Internal // the operator's matter
		}
		return e
	}
	st := status{code: answer.Code}
	if ec := answer.EnhancedCode; ec[0] > 0 {
		st.enhanced = enhanced(ec)
	}
	e := st.failure(op, peer, answer.Message, where)
	e.Err = err
	return e
}
