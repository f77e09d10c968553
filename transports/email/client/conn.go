package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Mode is what of TLS a server must have.
type Mode uint8

// The modes.
const (
	Require  Mode = iota // STARTTLS, with a good certificate
	Implicit             // TLS from the first byte
	Offered              // STARTTLS if the server has it, whatever its certificate says
	Never
)

// Login makes what proves who we are, for one connection.
type Login func(ctx context.Context) (sasl.Client, error)

// Selector is a sasl.Client that looks at what the server offers before it starts.
type Selector interface {
	Choose(offered func(mechanism string) bool)
}

// Times are how long a server may take (RFC 5321 section 4.5.3.2).
type Times struct {
	Connect time.Duration // TCP, and TLS
	Command time.Duration // each answer
	Begin   time.Duration // the answer to DATA
	Dot     time.Duration // the answer to the last byte
}

// DefaultTimes are those of RFC 5321.
func DefaultTimes() Times {
	return Times{Connect: 30 * time.Second, Command: 5 * time.Minute, Begin: 2 * time.Minute, Dot: 10 * time.Minute}
}

// Config is how to speak with a server.
type Config struct {
	Hello string // what we are called, in A-labels
	Name  string // what the server is called in the log
	Mode  Mode
	TLS   *tls.Config // ServerName is the one whose certificate is looked for
	Login Login       // nil: none
	Times Times
	Dial  func(ctx context.Context, network, addr string) (net.Conn, error) // nil: that of package net
}

// Conn is a connection that is ready to take a mail. It is for one goroutine at a time.
type Conn struct {
	smtp   *smtp.Client
	guard  *guard
	raw    net.Conn
	times  Times
	name   string
	mode   Mode
	secure *tls.ConnectionState // nil: plain
	sent   int                  // mails tried
	ended  bool                 // closed, because a context ended
}

// Dial connects to addr (host:port), greets, encrypts and logs in. If ctx ends before that is done, it ends too. Its
// errors are *Error.
func Dial(ctx context.Context, addr string, config Config) (*Conn, error) {
	dial := config.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	within, cancel := context.WithTimeout(ctx, config.Times.Connect)
	raw, err := dial(within, "tcp", addr)
	cancel()
	if err != nil {
		return nil, At(Connect, err)
	}
	c := &Conn{raw: raw, guard: newGuard(raw), times: config.Times, name: config.Name, mode: config.Mode}
	stop := c.EndWith(ctx)
	err = c.open(ctx, config)
	if !stop() && err == nil {
		err = At(Connect, ctx.Err())
	}
	if err != nil {
		raw.Close()
		return nil, err
	}
	return c, nil
}

func (c *Conn) open(ctx context.Context, config Config) error {
	if config.Mode == Implicit {
		if err := c.guard.secure(ctx, config.TLS, c.times.Connect); err != nil {
			return At(Secure, err)
		}
		c.encrypted()
	}
	if err := c.hail(config.Hello); err != nil {
		return At(Connect, err)
	}
	if err := c.upgrade(ctx, config); err != nil {
		return err
	}
	if config.Login == nil {
		return nil
	}
	return c.logIn(ctx, config.Login)
}

// hail hears the greeting and says EHLO.
func (c *Conn) hail(hello string) error {
	c.smtp = smtp.NewClient(c.guard)
	c.smtp.CommandTimeout, c.smtp.SubmissionTimeout = c.times.Command, c.times.Dot
	return c.smtp.Hello(hello)
}

// upgrade says STARTTLS where that is wanted, and EHLO again: what was offered in the open counts no more.
func (c *Conn) upgrade(ctx context.Context, config Config) error {
	if config.Mode == Implicit || config.Mode == Never {
		return nil
	}
	if ok, _ := c.smtp.Extension("STARTTLS"); !ok {
		if config.Mode == Offered {
			return nil
		}
		return At(Secure, errors.New("the server does not offer STARTTLS"))
	}
	tlsConfig := config.TLS
	if config.Mode == Offered { // against listeners only: there is no one to vouch for the certificate
		tlsConfig = tlsConfig.Clone()
		tlsConfig.InsecureSkipVerify = true
	}
	if err := c.guard.startTLS(ctx, tlsConfig, c.times.Connect); err != nil {
		return At(Secure, err)
	}
	c.encrypted()
	return At(Connect, c.hail(config.Hello))
}

func (c *Conn) encrypted() {
	if t, ok := c.guard.Conn.(*tls.Conn); ok {
		state := t.ConnectionState()
		c.secure = &state
	}
}

func (c *Conn) logIn(ctx context.Context, login Login) error {
	auth, err := login(ctx)
	if err != nil {
		return At(Auth, err)
	}
	if choose, ok := auth.(Selector); ok {
		choose.Choose(c.smtp.SupportsAuth)
	}
	return At(Auth, c.smtp.Auth(offeredOnly{auth, c.smtp.SupportsAuth}))
}

// offeredOnly is a sasl.Client that does not start with what the server does not take.
type offeredOnly struct {
	sasl.Client
	offered func(string) bool
}

// Start starts.
func (o offeredOnly) Start() (string, []byte, error) {
	mechanism, first, err := o.Client.Start()
	if err == nil && !o.offered(mechanism) {
		err = fmt.Errorf("the server does not offer AUTH %s", mechanism)
	}
	return mechanism, first, err
}

// EndWith closes the connection when ctx ends, until stop is called. stop says whether it was in time.
func (c *Conn) EndWith(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { c.raw.Close() })
}

// Verified says that the server is encrypted with, and has shown who it is.
func (c *Conn) Verified() bool { return c.secure != nil && c.mode != Offered }

// Name is what the server is called in the log.
func (c *Conn) Name() string { return c.name }

// TLS is how the connection is encrypted; nil: it is not.
func (c *Conn) TLS() *tls.ConnectionState { return c.secure }

// Extension says whether the server has an extension, and what it says about it.
func (c *Conn) Extension(name string) (bool, string) { return c.smtp.Extension(name) }

// quitTime is how long a server may take over our leave.
const quitTime = 10 * time.Second

// Quit takes leave; how that ends is no matter.
func (c *Conn) Quit() {
	c.smtp.CommandTimeout = quitTime
	_ = c.smtp.Quit()
	c.raw.Close()
}

// Close cuts the connection.
func (c *Conn) Close() { c.raw.Close() }

// password logs in with a name and a password: by PLAIN, or by LOGIN where only that is offered.
type password struct {
	sasl.Client
	login sasl.Client
}

// Password is the Login of a name and a password.
func Password(user, secret string) Login {
	return func(context.Context) (sasl.Client, error) {
		return &password{sasl.NewPlainClient("", user, secret), sasl.NewLoginClient(user, secret)}, nil
	}
}

// Choose chooses.
func (p *password) Choose(offered func(string) bool) {
	if !offered(sasl.Plain) && offered(sasl.Login) {
		p.Client = p.login
	}
}
