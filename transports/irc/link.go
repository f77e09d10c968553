package irc

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
	"gopkg.in/irc.v4"

	"gangway/core"
	"gangway/transports/irc/format"
	"gangway/transports/irc/isupport"
	"gangway/transports/irc/wire"
)

const (
	dialWithin  = 20 * time.Second
	writeWithin = 30 * time.Second
)

// errSilent is the cause when a network owes an answer for too long.
var errSilent = errors.New("no answer")

// link is one connection. Its owner is the session, under the session's mutex; only lines belongs to the reader.
type link struct {
	conn  net.Conn
	lines *wire.Reader
	done  chan struct{} // closed when the connection has ended
	wake  chan struct{} // tells a writer that waits for the flood control of an urgent line; holds one

	began   time.Time
	heard   time.Time // when the last line came
	pinged  time.Time // when the unanswered keepalive was written; zero: there is none
	pulse   pulse
	quit    time.Time // when QUIT was queued; zero: it was not
	silent  bool      // QUIT is written: nothing may follow
	closed  bool      // no writer may start
	ready   bool      // registered, and the network has said what it can
	reg     *registration
	refusal *core.Error // the network's last word on why it will not have us
	broken  error       // why writing failed

	caps      capability
	offers    map[string]string // the values of capabilities, where they say something
	secure    string            // the port, if the connection is in TLS only because the network asked (sts)
	auth      *authentication   // nil: no login is under way
	loggedIn  bool
	loginName string      // of the account that we are logged in to
	loginErr  *core.Error // why we are not, although connected
	bound     bool        // to one of a bouncer's networks
	kept      time.Time   // when it was last asked for the nick that the user wants
	support   isupport.Support
	server    string // as it calls itself
	nick      string
	user      string // of our own prefix, as others see it; empty: not known yet
	host      string

	told       teller        // what the network is told of the user
	release    func()        // called when the connection has ended
	writer     chan struct{} // closed when the writer ends; nil: there is none
	urgent     []*command
	flood      bucket
	asked      []*request           // written, not answered, oldest first
	labels     uint64               // made so far
	refs       uint64               // of batches, made so far
	within     bool                 // a batch of ours is open: nothing else may be written
	barrier    uint64               // written so far
	unbarred   int                  // requests behind the last barrier
	batches    map[string]*batch    // open ones, by their reference
	batched    int                  // lines kept of them
	batchBytes int                  // and bytes
	typing     map[typist]time.Time // who is shown to be writing, and until when
	typed      time.Time            // when it was last said that the user is
	typedTo    core.Address
	profiled   map[string]bool    // by folded nick: see onRealname
	missing    *missing           // what is asked for of an absence; nil: nothing
	hangUp     context.CancelFunc // ends the wait for a client of the user's; nil: there is none
	replies    bucket             // for CTCP
}

func newLink(conn net.Conn, n *network) *link {
	now := time.Now()
	return &link{
		conn: conn, lines: wire.NewReader(conn), began: now, heard: now,
		done: make(chan struct{}), wake: make(chan struct{}, 1), release: func() {},
		support: isupport.Default(), flood: bucket{burst: n.burst, interval: n.interval},
		replies: bucket{burst: 4, interval: 10 * time.Second},
	}
}

// interrupt makes the reader return at once, with a timeout.
func (l *link) interrupt() { l.conn.SetReadDeadline(time.Unix(1, 0)) }

// dial connects to a network: TLS, verified, wherever the configuration does not say irc://, and never less.
func dial(ctx context.Context, n *network) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	d := net.Dialer{KeepAlive: -1} // our own pings keep the connection alive
	if n.dialing != nil {
		done := n.dialing()
		defer done()
	}
	conn, err := n.reach(ctx, d)
	if err == nil && n.connected != nil {
		n.connected(conn)
	}
	if err != nil || n.tls == nil {
		return conn, err
	}
	secure := tls.Client(conn, n.trusting(n.tls))
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// reach opens the connection itself: from the user's own address, unless the network has none of that kind.
func (n *network) reach(ctx context.Context, d net.Dialer) (net.Conn, error) {
	var safe func(network, address string, c syscall.RawConn) error
	if n.guarded {
		safe = ssrf.New(ssrf.WithPorts(securePorts()...)).Safe
	}
	d.Control = safe
	if n.source.IsValid() {
		own := d
		own.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(n.source, 0))
		own.Control = func(network, address string, c syscall.RawConn) error {
			if safe != nil {
				if err := safe(network, address, c); err != nil {
					return err
				}
			}
			return freebind(c)
		}
		conn, err := own.DialContext(ctx, "tcp", n.address)
		if err == nil || !errors.As(err, new(*net.AddrError)) {
			return conn, err
		}
	}
	return d.DialContext(ctx, "tcp", n.address)
}

// unreachable explains why there is no connection.
func (s *session) unreachable(err error) error {
	e := &core.Error{Kind: core.Unavailable, Op: "irc: connect", Err: err}
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var host x509.HostnameError
	var record tls.RecordHeaderError
	switch {
	case errors.Is(err, ssrf.ErrProhibitedIP), errors.Is(err, ssrf.ErrProhibitedNetwork), errors.Is(err, ssrf.ErrProhibitedPort):
		e.Kind, e.Text = core.Denied, "This gateway connects to public IRC servers only, and "+s.net.name+" is not one."
	case errors.As(err, &dns) && dns.IsNotFound:
		e.Text = "There is no server called " + s.net.host + "."
	case errors.As(err, &cert), errors.As(err, &host):
		e.Text = "The certificate of " + s.net.name + " cannot be verified, so the gateway does not connect to it."
	case errors.Is(err, errPin):
		e.Text = s.net.name + " shows another certificate than the one that you trust, so the gateway does not connect to it."
	case errors.As(err, &record):
		e.Text = s.net.name + " does not speak TLS there, and the gateway does not connect without it."
	default:
		e.Text = "The IRC server " + s.net.name + " cannot be reached."
	}
	return e
}

// lost explains why the connection ended; nil when it was our wish.
func (s *session) lost(l *link, cause error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lostLocked(l, cause)
}

func (s *session) lostLocked(l *link, cause error) error {
	switch {
	case l.refusal != nil:
		return l.refusal
	case !l.quit.IsZero():
		return nil
	case l.broken != nil:
		cause = l.broken
	}
	text := "The connection to " + s.net.name + " was lost."
	if errors.Is(cause, errSilent) {
		text = s.net.name + " stopped answering."
	}
	return &core.Error{Kind: core.Unavailable, Op: "irc: read", Text: text, Err: cause}
}

// onError notes why the network closes the connection, which it does next.
func (s *session) onError(m *irc.Message) {
	l := s.link
	if !l.quit.IsZero() {
		return
	}
	words := format.Styled(m.Trailing())
	e := &core.Error{
		Kind: core.Unavailable, Op: "irc: read", Code: "ERROR",
		Text: fmt.Sprintf("%s closed the connection: %s", s.net.name, words), Err: errors.New("closed by the network"),
	}
	plain := strings.ToLower(words)
	switch {
	case containsAny(plain, "throttl", "too fast", "too many", "reconnect"):
		e.After = time.Minute
	case containsAny(plain, "-lined", ":lined", "-line)", "access denied", "banned", "bad password", "password incorrect", "not authorized", "not authorised"):
		e.Kind = core.Denied
	}
	switch {
	case l.refusal == nil:
		l.refusal = e
	case l.refusal.Code == irc.ERR_YOUREBANNEDCREEP: // which as a rule does not say why
		l.refusal.Text += " (" + words + ")"
	}
}

// refuse notes a numeric that says that the network will not have us.
func (s *session) refuse(m *irc.Message) {
	e := refusal("irc: register", m)
	e.Kind = core.Denied
	e.Text = s.net.name + " refuses the connection: " + e.Text
	s.link.refusal = e
}

func containsAny(s string, parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
