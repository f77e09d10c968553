package xmpp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"gangway/core"
	"gangway/core/xmpp/addr"
	"gangway/core/xmpp/stream"
)

// Config is what a Link needs to know. Zero durations and bounds stand for the
// defaults written beside them.
type Config struct {
	Server     string      // host:port of the server's component port
	Domain     string      // ours
	Secret     string      // shared with the server
	HostDomain string      // the server's own domain, which answers pings; see Link.Confirm
	TLS        *tls.Config // direct TLS; nil for none
	Insecure   bool        // allow plain text to a server that is not on loopback

	Router *Router      // gets every stanza that is not an answer to us
	Logger *slog.Logger // ids and domains only
	Trace  *Trace       // may be nil
	Limits stream.Limits

	Dial func(ctx context.Context, network, address string) (net.Conn, error) // nil: the network

	MaxQueue int // bytes waiting to be written while connected: 8 MiB
	MaxHeld  int // bytes kept while there is no connection: 1 MiB

	Handshake    time.Duration // dial to handshake: 30 s
	Idle         time.Duration // silence after which the server is pinged: 60 s
	Dead         time.Duration // further silence after which it is given up: 30 s
	WriteTimeout time.Duration // for one flush: 30 s
	Drain        time.Duration // for the server to close after we did: 10 s
}

func (c Config) withDefaults() Config {
	orDuration(&c.Handshake, 30*time.Second)
	orDuration(&c.Idle, 60*time.Second)
	orDuration(&c.Dead, 30*time.Second)
	orDuration(&c.WriteTimeout, 30*time.Second)
	orDuration(&c.Drain, 10*time.Second)
	if c.MaxQueue == 0 {
		c.MaxQueue = 8 << 20
	}
	if c.MaxHeld == 0 {
		c.MaxHeld = 1 << 20
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func orDuration(d *time.Duration, def time.Duration) {
	if *d == 0 {
		*d = def
	}
}

// State is where a Link stands.
type State uint8

// The states. In Refused and Conflict the link tries again too, but slowly: they
// end when somebody changes a configuration.
const (
	Stopped    State = iota // Run is not running
	Connecting              // dialling or shaking hands
	Online
	Waiting  // before the next attempt
	Refused  // the server does not take our domain or secret
	Conflict // another connection has our domain
	Stopping // closing politely
)

func (s State) String() string {
	names := [...]string{"stopped", "connecting", "online", "waiting", "refused", "conflict", "stopping"}
	if int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("state(%d)", s)
}

// Status is a Link's state and how it got there.
type Status struct {
	State    State
	Since    time.Time
	Err      error // why there is no connection; nil when Online
	Attempts int   // failed attempts since the last connection
}

// Trace is a set of hooks for metrics. Every field may be nil. They are called
// inline and must be quick.
type Trace struct {
	State     func(domain string, s Status)
	In        func(domain string, st *stream.Stanza)            // every stanza read; not to be kept
	Refused   func(domain string, err *stream.StanzaError)      // a stanza that could not be read
	Overflow  func(domain string, st *stream.Stanza)            // a stanza refused because a queue was full
	Out       func(domain string, stanzas, bytes int)           // one flush
	Confirmed func(domain string, stanzas int, d time.Duration) // one barrier ping answered
}

// Link is a component's connection to its server, kept up for as long as Run
// runs. It implements Sender.
type Link struct {
	cfg   Config
	log   *slog.Logger
	calls calls

	wake     chan struct{} // capacity 1: there is something to write
	encoders sync.Pool

	mu       sync.Mutex
	status   Status
	changed  chan struct{} // closed and replaced at each change of status
	ended    bool          // Run has returned
	epoch    uint64        // number of the current or last connection
	out      queue
	moved    sync.Cond // out has been emptied, or the status is another
	barriers barriers
}

var _ Sender = (*Link)(nil)

// New checks the configuration. It starts nothing.
func New(cfg Config) (*Link, error) {
	cfg = cfg.withDefaults()
	host, _, err := net.SplitHostPort(cfg.Server)
	own, _ := addr.Parse(cfg.Domain)
	switch {
	case err != nil:
		return nil, core.Wrap(core.Invalid, "component link", fmt.Errorf("server %q: %w", cfg.Server, err))
	case own.Domain() != cfg.Domain || own.Key() != cfg.Domain || cfg.Domain == "":
		return nil, core.E(core.Invalid, "component link", fmt.Sprintf("%q is not a domain in lower case.", cfg.Domain))
	case cfg.Secret == "":
		return nil, core.E(core.Invalid, "component link", "There is no secret for "+cfg.Domain+".")
	case cfg.Router == nil:
		return nil, errors.New("component link: no router")
	}
	if ip := net.ParseIP(host); ip != nil && !ip.IsLoopback() && !cfg.plainAllowed() {
		return nil, plaintextError(cfg.Server)
	}
	l := &Link{cfg: cfg, log: cfg.Logger.With("domain", cfg.Domain), wake: make(chan struct{}, 1), changed: make(chan struct{})}
	l.moved.L = &l.mu
	l.calls.init()
	l.encoders.New = func() any { return &stream.Encoder{Domain: cfg.Domain} }
	return l, nil
}

// plainAllowed reports whether nothing has to be asked of the way to the server.
func (c *Config) plainAllowed() bool { return c.TLS != nil || c.Insecure || c.Dial != nil }

func plaintextError(server string) error {
	return core.E(core.Denied, "component link", fmt.Sprintf(
		"%s is not on this machine, and without TLS the component secret and every message would cross the network in the clear. "+
			"Set tls = true, or insecure = true if the network between is yours alone.", server))
}

// Domain returns the component's domain.
func (l *Link) Domain() string { return l.cfg.Domain }

// Status returns where the link stands.
func (l *Link) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status
}

// Ready waits until the link is online. It returns an error when ctx ends or
// when the link stops.
func (l *Link) Ready(ctx context.Context) error {
	for {
		l.mu.Lock()
		state, changed, ended := l.status.State, l.changed, l.ended
		l.mu.Unlock()
		switch {
		case state == Online:
			return nil
		case state == Stopping || ended:
			return ErrStopping
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// setState moves to a state and tells whoever waits for that.
func (l *Link) setState(s State, err error) {
	l.mu.Lock()
	l.setStateLocked(s, err)
	status := l.status
	l.mu.Unlock()
	l.trace(status)
}

func (l *Link) setStateLocked(s State, err error) {
	attempts := l.status.Attempts
	switch s {
	case Online:
		attempts = 0
	case Waiting, Refused, Conflict:
		attempts++
	}
	l.status = Status{State: s, Since: time.Now(), Err: err, Attempts: attempts}
	close(l.changed)
	l.changed = make(chan struct{})
	l.moved.Broadcast()
}

func (l *Link) trace(s Status) {
	if t := l.cfg.Trace; t != nil && t.State != nil {
		t.State(l.cfg.Domain, s)
	}
}
