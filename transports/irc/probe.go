package irc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	"gangway/core"
)

const (
	stepWithin = 10 * time.Second // one step of the way to a network that is looked at
	mostTried  = 2                // addresses of one family
)

// probe is the host of a session that is only there to look, and the road that it takes.
type probe struct {
	core.Host // nil: a session uses no more of its host than what follows
	net       *network
	session   *session
	stop      context.CancelFunc

	mu       sync.Mutex
	findings []core.Finding
	step     string // the one under way
	conn     net.Conn
	arrived  bool // the network let us in
	late     bool // it did not in time
	upgraded bool // it asked for TLS first (sts)
}

// giveUp ends a look that takes too long. A polite end would take longer still.
func (p *probe) giveUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.late = true
	p.stop()
	if p.conn != nil {
		p.conn.Close()
	}
}

// begin says which step comes now.
func (p *probe) begin(step string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.step = step
}

// note says what came of a step. The lock is not held.
func (p *probe) note(f core.Finding) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.add(p.step, f)
}

// add notes a finding. The lock is held.
func (p *probe) add(what string, f core.Finding) {
	f.Name = p.net.name + " " + what
	p.findings = append(p.findings, f)
}

// fail notes that a step led no further. The lock is held.
func (p *probe) fail(err error, next string) {
	p.add(p.step, core.Finding{Err: err, Text: next})
}

// dial goes the way to a network step by step; see link.go for how a user's session goes it.
func (p *probe) dial(ctx context.Context, n *network) (net.Conn, error) {
	p.mu.Lock()
	if len(p.findings) > 0 { // a second time: in TLS, as the network wants it
		p.findings, p.upgraded = nil, true
	}
	p.mu.Unlock()
	if n.dialing != nil {
		done := n.dialing()
		defer done()
	}
	p.begin(stepResolve)
	families, err := p.resolve(ctx, n)
	if err != nil {
		return nil, err
	}
	p.begin(stepConnect)
	conn, err := p.connect(ctx, n, families)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.conn = conn
	p.mu.Unlock()
	if n.connected != nil {
		n.connected(conn)
	}
	p.begin(stepTLS)
	if conn, err = p.secure(ctx, n, conn); err == nil {
		p.begin(stepRegister)
	}
	return conn, err
}

// family is one of the two kinds of addresses.
type family struct {
	name  string
	addrs []netip.Addr
	conn  net.Conn
	took  time.Duration
	err   error
}

// resolve finds the addresses of a network, of either family.
func (p *probe) resolve(ctx context.Context, n *network) ([]*family, error) {
	host, _, err := net.SplitHostPort(n.address)
	if err != nil {
		return nil, err
	}
	families := []*family{{name: "IPv6"}, {name: "IPv4"}}
	if a, err := netip.ParseAddr(host); err == nil {
		one := families[0]
		if a.Unmap().Is4() {
			one = families[1]
		}
		one.addrs = []netip.Addr{a}
		p.note(core.Finding{Text: "an " + one.name + " address: " + host})
		return []*family{one}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, stepWithin)
	defer cancel()
	var wg sync.WaitGroup
	for i, kind := range []string{"ip6", "ip4"} {
		wg.Go(func() { families[i].addrs, families[i].err = net.DefaultResolver.LookupNetIP(ctx, kind, host) })
	}
	wg.Wait()
	if families[0].err != nil && families[1].err != nil {
		return nil, families[1].err
	}
	var parts []string
	for _, f := range families {
		parts = append(parts, f.listed())
	}
	found := core.Finding{Text: host + ": " + strings.Join(parts, "; ")}
	if n.source.IsValid() && len(families[0].addrs) == 0 {
		found = core.Finding{Warn: true, Err: errors.New(host + " has no IPv6 address"),
			Text: "source_prefix does nothing here: all users come from this machine's own IPv4 address."}
	}
	p.note(found)
	return families, nil
}

// listed are a family's addresses, the first few.
func (f *family) listed() string {
	switch {
	case len(f.addrs) == 0:
		return "no " + f.name
	case len(f.addrs) > mostTried:
		return fmt.Sprintf("%s %v and %d more", f.name, f.addrs[0], len(f.addrs)-1)
	}
	var texts []string
	for _, a := range f.addrs {
		texts = append(texts, a.String())
	}
	return f.name + " " + strings.Join(texts, ", ")
}

// connect opens a connection by each family, and keeps that by the first that works.
func (p *probe) connect(ctx context.Context, n *network, families []*family) (net.Conn, error) {
	var wg sync.WaitGroup
	for _, f := range families {
		wg.Go(func() { f.reach(ctx, n) })
	}
	wg.Wait()
	var conn net.Conn
	var failed, worked []string
	var lasting error
	for _, f := range families {
		switch {
		case len(f.addrs) == 0:
		case f.err == nil:
			worked = append(worked, fmt.Sprintf("by %s in %v", f.name, f.took.Round(100*time.Microsecond)))
			if conn == nil {
				conn = f.conn
			} else {
				f.conn.Close()
			}
		case absent(f.err):
			worked = append(worked, "not by "+f.name+", which this machine has not")
			lasting = f.err
		default:
			failed = append(failed, fmt.Sprintf("not by %s (%v)", f.name, f.err))
			lasting = f.err
		}
	}
	switch {
	case conn == nil && lasting == nil:
		return nil, &net.DNSError{Err: "no address", Name: n.host, IsNotFound: true}
	case conn == nil:
		return nil, lasting
	case len(failed) > 0:
		p.note(core.Finding{Warn: true, Err: fmt.Errorf("%s is reached %s", n.address, strings.Join(append(worked, failed...), "; ")),
			Text: "Users are connected by the other. Look at the firewall, or tell those who run the network."})
	default:
		p.note(core.Finding{Text: n.address + " " + strings.Join(worked, "; ")})
	}
	return conn, nil
}

// absent says whether a machine has no way at all to a family of addresses.
func absent(err error) bool {
	return errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}

// reach tries the addresses of a family, one after the other.
func (f *family) reach(ctx context.Context, n *network) {
	_, port, err := net.SplitHostPort(n.address)
	if err != nil {
		f.err = err
		return
	}
	ctx, cancel := context.WithTimeout(ctx, stepWithin)
	defer cancel()
	for _, a := range f.addrs[:min(len(f.addrs), mostTried)] {
		one := *n
		one.address = net.JoinHostPort(a.String(), port)
		began := time.Now()
		if f.conn, f.err = one.reach(ctx, net.Dialer{KeepAlive: -1}); f.err == nil {
			f.took = time.Since(began)
			return
		}
	}
}

// secure begins to speak TLS, where that is wanted, and looks at the certificate.
func (p *probe) secure(ctx context.Context, n *network, conn net.Conn) (net.Conn, error) {
	if n.tls == nil {
		p.note(plainly(conn.RemoteAddr()))
		return conn, nil
	}
	ctx, cancel := context.WithTimeout(ctx, stepWithin)
	defer cancel()
	secure := tls.Client(conn, n.tls)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	p.note(n.certified(secure.ConnectionState()))
	return secure, nil
}

// plainly is what to say of a connection without TLS.
func plainly(remote net.Addr) core.Finding {
	if to, err := netip.ParseAddrPort(remote.String()); err == nil && (to.Addr().Unmap().IsLoopback() || to.Addr().Unmap().IsPrivate()) {
		return core.Finding{Text: "without TLS, as the configuration says (irc://)"}
	}
	return core.Finding{Warn: true, Err: errors.New("without TLS, as the configuration says (irc://): what users say, passwords too, can be read on the way"),
		Text: "Write ircs:// if the network has TLS, at port " + securePort + " as a rule."}
}

// certified is what to say of a certificate that was verified.
func (n *network) certified(state tls.ConnectionState) core.Finding {
	c := state.PeerCertificates[0]
	by := "an authority of the system"
	if n.roots != nil {
		by = "the \"ca\" of the configuration"
	}
	text := fmt.Sprintf("%s, the certificate of %s, verified by %s, good until %s", tls.VersionName(state.Version), namesOf(c), by, day(c.NotAfter))
	if time.Until(c.NotAfter) > soonOver {
		return core.Finding{Text: text}
	}
	return core.Finding{Warn: true, Err: errors.New("the certificate ends soon: " + text),
		Text: "Those who run the network must renew it: nobody is connected after that day."}
}

// Preferences implements core.Host: nobody has chosen anything.
func (p *probe) Preferences(context.Context, core.AccountID) (core.Preferences, error) {
	return core.Preferences{}, nil
}
