package email

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// limits bound what connections may cost.
type limits struct {
	conns   int           // open at once
	perHost int           // of them from one address (one /64 of IPv6); not for LMTP
	idle    time.Duration // without a byte
	budget  time.Duration // from one finished mail, or the connection's start, to the next
	unknown int           // refused recipients before the connection is ended; not for LMTP
	tarpit  time.Duration // before that is said
	grace   time.Duration // for mail in hand when the gateway stops
}

func defaultLimits() limits {
	return limits{
		conns: 200, perHost: 30, idle: time.Minute, budget: 15 * time.Minute, unknown: 5, tarpit: 5 * time.Second,
		grace: 10 * time.Second,
	}
}

const (
	maxRecipients = 100     // RFC 5321 section 4.5.3.1.8
	maxLine       = 1 << 20 // bytes; longer ones are no mail
)

// guard is a listener whose connections keep what go-smtp does not promise; see guardConn.
type guard struct {
	net.Listener
	limits limits
	lmtp   bool
	tls    *tls.Config // nil: no STARTTLS
	domain string      // of a postmaster without one; empty: they are refused

	mu       sync.Mutex
	conns    map[*guardConn]struct{}
	perHost  map[netip.Prefix]int
	stopping bool
}

func newGuard(l net.Listener, lim limits, lmtp bool, config *tls.Config) *guard {
	return &guard{
		Listener: l, limits: lim, lmtp: lmtp, tls: config,
		conns: map[*guardConn]struct{}{}, perHost: map[netip.Prefix]int{},
	}
}

// Accept returns the next connection that the limits let in. The others are told to come back later.
func (g *guard) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if gc := g.admit(c); gc != nil {
			return gc, nil
		}
		turnAway(c)
	}
}

func turnAway(c net.Conn) {
	defer c.Close()
	c.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = io.WriteString(c, "421 4.7.0 Too many connections, please come back later\r\n") // it is turned away regardless
}

func (g *guard) admit(c net.Conn) *guardConn {
	host := hostOf(c.RemoteAddr())
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopping || len(g.conns) >= g.limits.conns || !g.lmtp && g.perHost[host] >= g.limits.perHost {
		return nil
	}
	gc := &guardConn{Conn: c, guard: g, host: host, deadline: time.Now().Add(g.limits.budget)}
	gc.in = bufio.NewReader(timedReader{gc})
	gc.front, gc.lines = g.tls != nil, true
	g.conns[gc] = struct{}{}
	g.perHost[host]++
	return gc
}

func (g *guard) forget(c *guardConn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, ok := g.conns[c]; !ok {
		return
	}
	delete(g.conns, c)
	if g.perHost[c.host]--; g.perHost[c.host] <= 0 {
		delete(g.perHost, c.host)
	}
}

// stop closes the listener, and the connections, each as soon as it is not in the middle of a mail.
func (g *guard) stop() {
	g.Close()
	for _, c := range g.all() {
		c.stop()
	}
}

// abort ends the connections now.
func (g *guard) abort() {
	for _, c := range g.all() {
		_ = c.Close() // it is given up
	}
}

// all lets nobody in any more and returns who is in.
func (g *guard) all() []*guardConn {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stopping = true
	all := make([]*guardConn, 0, len(g.conns))
	for c := range g.conns {
		all = append(all, c)
	}
	return all
}

// hostOf is what connections are counted by.
func hostOf(addr net.Addr) netip.Prefix {
	ap, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return netip.Prefix{}
	}
	ip := ap.Addr().Unmap()
	bits := ip.BitLen()
	if ip.Is6() {
		bits = 64
	}
	p, _ := ip.WithZone("").Prefix(bits)
	return p
}

// guardConn is a connection as go-smtp sees it.
//
//   - A read that failed is final. go-smtp goes back to reading commands after a failed DATA, and would execute the
//     rest of a stalled body.
//     It also takes the end of the connection for the end of the last chunk of BDAT: such a mail is not whole.
//   - Each read has its own deadline, within a budget for the whole transaction; go-smtp sets one for all of DATA.
//   - In DATA, runs of CR count as one: go-smtp does not see the end of "\r\r\n.\r\n" and waits for ever.
//   - STARTTLS is done here, in front of go-smtp, because all this has to see the plain text.
//   - RCPT TO:<postmaster> gets our domain, without which go-smtp refuses it (RFC 5321 section 4.5.1).
type guardConn struct {
	net.Conn // TLS after STARTTLS
	guard    *guard
	host     netip.Prefix
	in       *bufio.Reader

	// These belong to go-smtp's goroutine of the connection.
	front bool   // STARTTLS is offered and done here
	lines bool   // commands are looked at, one by one; not while they may be content
	line  []byte // of a command, not yet read by go-smtp
	cr    bool   // the last byte given out was a CR

	mu       sync.Mutex
	err      error // of the read that failed
	deadline time.Time
	stopping bool
	inMail   bool // between DATA or BDAT and the answer
	collapse bool // runs of CR
}

// Read reads what go-smtp asks for.
func (c *guardConn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		n, err := c.next(b)
		if n > 0 {
			n = c.collapseCR(b[:n])
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func (c *guardConn) next(b []byte) (int, error) {
	if len(c.line) == 0 && c.lines {
		if err := c.command(); err != nil {
			return 0, err
		}
	}
	if len(c.line) > 0 {
		n := copy(b, c.line)
		c.line = c.line[n:]
		return n, nil
	}
	return c.in.Read(b)
}

// collapseCR drops each CR that follows another, in place.
func (c *guardConn) collapseCR(b []byte) int {
	c.mu.Lock()
	on := c.collapse
	c.mu.Unlock()
	if !on {
		c.cr = false
		return len(b)
	}
	if !c.cr && !bytes.Contains(b, []byte("\r\r")) {
		c.cr = b[len(b)-1] == '\r'
		return len(b)
	}
	n := 0
	for _, ch := range b {
		if ch == '\r' && c.cr {
			continue
		}
		c.cr = ch == '\r'
		b[n] = ch
		n++
	}
	return n
}

// timedReader reads from the network, or from TLS, under the deadlines.
type timedReader struct{ c *guardConn }

func (t timedReader) Read(b []byte) (int, error) {
	c := t.c
	c.mu.Lock()
	err := c.err
	if err == nil && c.stopping && !c.inMail {
		err = io.EOF
	}
	if err == nil {
		at := time.Now().Add(c.guard.limits.idle)
		if at.After(c.deadline) {
			at = c.deadline
		}
		c.Conn.SetReadDeadline(at)
	}
	c.mu.Unlock()
	if err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(b)
	if err != nil {
		c.fail(err)
	}
	return n, err
}

// fail makes every further read fail. What is written still goes out.
func (c *guardConn) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
}

// failed says whether a read has failed.
func (c *guardConn) failed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err != nil
}

// broken says whether the connection ends before the client has said that it wants to.
func (c *guardConn) broken() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err != nil || c.stopping
}

// beginMail says that the content of a mail comes now. plain: by DATA. False if the gateway is stopping.
func (c *guardConn) beginMail(plain bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopping {
		return false
	}
	c.inMail, c.collapse = true, plain
	return true
}

// endMail says that a mail, if there was one, was read to its end and answered: the next one has a new budget.
func (c *guardConn) endMail() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.inMail {
		return
	}
	c.inMail, c.collapse, c.lines = false, false, true
	c.deadline = time.Now().Add(c.guard.limits.budget)
}

func (c *guardConn) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopping = true
	if !c.inMail {
		c.Conn.SetReadDeadline(time.Unix(1, 0))
	}
}

// Close closes the connection and makes room for another.
func (c *guardConn) Close() error {
	c.guard.forget(c)
	c.mu.Lock()
	conn := c.Conn
	c.mu.Unlock()
	return conn.Close()
}

// SetReadDeadline does nothing: the deadlines of reading are the guard's.
func (c *guardConn) SetReadDeadline(time.Time) error { return nil }

// SetDeadline sets the deadline of writing only.
func (c *guardConn) SetDeadline(t time.Time) error { return c.SetWriteDeadline(t) }
