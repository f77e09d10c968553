package mx

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"code.dny.dev/ssrf"
	"github.com/emersion/go-smtp"

	"gangway/transports/email/client"
)

const (
	atOnce = 2  // connections to the servers of one domain
	waits  = 16 // mails that wait for them: the others are tried again later, so that no domain takes all that is at hand
	// busyFor is after which time those are tried again.
	busyFor = time.Minute
)

// Policy says how a domain wants its servers to be reached.
type Policy interface {
	// Allows says whether a server, in A-labels, is one that the domain names.
	Allows(host string) bool
	// Enforced says that a server without TLS of a good certificate, or that is not allowed, gets no mail.
	Enforced() bool
	// Name is what the log calls it.
	Name() string
}

// Policies finds the policy of a domain, in A-labels; nil if it has none.
type Policies interface {
	Policy(ctx context.Context, domain string) (Policy, error)
}

// Config is how a Carrier works.
type Config struct {
	Hello    string // what we are called, in A-labels: a name that leads back to our address
	Resolver Resolver
	Policies Policies          // nil: no domain has one
	Port     int               // 25, but in a lab
	Private  bool              // addresses that are not the Internet's are taken: in a lab
	Ours     func(string) bool // whether a server's name is our own
	OursAt   func(netip.AddrPort) bool
	TLS      *tls.Config // nil: the system's authorities
	Times    client.Times
	Dial     func(ctx context.Context, network, addr string) (net.Conn, error) // nil: that of package net
	Now      func() time.Time
}

// Sent is how a mail went.
type Sent struct {
	MTA    string // the server that took it
	TLS    uint16 // the version; 0: plain
	Policy string // what of TLS was asked of it; empty: nothing
}

// Carrier takes mail straight to the servers of its recipients' domains. It is safe for concurrent use.
type Carrier struct {
	config Config
	guard  *ssrf.Guardian
	hosts  hosts

	mu    sync.Mutex
	lanes map[string]*lane // of the domains that mail is on the way to
}

type lane struct {
	*client.Lane
	users int
}

// Wait is the least time after which it makes sense to try again.
type Wait struct {
	For time.Duration
	Err error
}

// Error returns the text for the log.
func (w *Wait) Error() string {
	return fmt.Sprintf("not before %s: %v", w.For.Round(time.Second), w.Err)
}

// Unwrap returns the cause.
func (w *Wait) Unwrap() error { return w.Err }

// New makes a Carrier.
func New(config Config) *Carrier {
	return &Carrier{config: config, guard: ssrf.New(ssrf.WithAnyPort()), lanes: map[string]*lane{}}
}

// Send hands one mail over to a server of its recipient's domain. Its errors are *client.Error; what can pass soon is
// or wraps a *Wait.
func (c *Carrier) Send(ctx context.Context, e client.Envelope, mail []byte) (Sent, error) {
	domain := strings.ToLower(e.To[strings.LastIndexByte(e.To, '@')+1:])
	if domain == "" || isLiteral(domain) {
		return Sent{}, fault(client.Rcpt, noDomain, errors.New("a recipient at an address instead of a domain"))
	}
	if c.config.Ours(domain) {
		return Sent{}, fault(client.Rcpt, loops, errors.New("the recipient's domain is this gateway"))
	}
	l := c.enter(domain)
	defer c.leave(domain, l)
	conn, err := l.Enter(ctx)
	if errors.Is(err, client.ErrBusy) {
		err = &Wait{busyFor, err}
	}
	if err != nil {
		return Sent{}, client.At(client.Connect, err)
	}
	d := &delivery{Carrier: c, domain: domain, envelope: e, mail: mail}
	defer func() { l.Leave(d.left) }()
	if err := d.ask(ctx); err != nil {
		d.left = conn
		return Sent{}, err
	}
	if conn == nil || !conn.Renew(ctx) {
		return d.deliver(ctx)
	}
	if d.enforced() && !conn.Verified() {
		conn.Close()
		return d.deliver(ctx)
	}
	return d.over(ctx, conn)
}

func (c *Carrier) enter(domain string) *lane {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.lanes[domain]
	if l == nil {
		l = &lane{Lane: client.NewLane(atOnce, waits)}
		c.lanes[domain] = l
	}
	l.users++
	return l
}

func (c *Carrier) leave(domain string, l *lane) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l.users--; l.users == 0 {
		delete(c.lanes, domain)
	}
}

// dialAddr is the address of a server, or why it is not dialled.
func (c *Carrier) dialAddr(a netip.Addr) (string, error) {
	if !c.config.Private {
		if err := c.guard.SafeAddr(a); err != nil {
			return "", err
		}
	}
	return net.JoinHostPort(a.String(), strconv.Itoa(c.config.Port)), nil
}

// answered returns what a server said, if err is that.
func answered(err error) (*smtp.SMTPError, bool) {
	var s *smtp.SMTPError
	ok := errors.As(err, &s)
	return s, ok && s.Code != 0
}
