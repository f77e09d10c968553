package mx

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/emersion/go-smtp"

	"gangway/transports/email/client"
)

// delivery is one mail on its way to one of the servers of its domain.
type delivery struct {
	*Carrier
	domain   string
	envelope client.Envelope
	mail     []byte
	policy   Policy

	left *client.Conn // after it: the connection that can be used on; nil: none
}

// verdict is what comes of one server.
type verdict uint8

const (
	next  verdict = iota // another may do better
	final                // there is an answer
)

// ask finds out how the domain wants to be reached.
func (d *delivery) ask(ctx context.Context) error {
	if d.config.Policies == nil {
		return nil
	}
	var err error
	d.policy, err = d.config.Policies.Policy(ctx, d.domain)
	return client.At(client.Connect, err)
}

func (d *delivery) enforced() bool { return d.policy != nil && d.policy.Enforced() }

// deliver tries the servers in turn. Of what they say, that it may pass counts more than that it does not.
func (d *delivery) deliver(ctx context.Context) (Sent, error) {
	names, err := Routes(ctx, d.config.Resolver, d.domain, d.config.Ours)
	if err != nil {
		return Sent{}, err
	}
	var worst error
	waiting := time.Duration(-1)
	for _, host := range names {
		if w := d.hosts.wait(host, d.config.Now()); w > 0 {
			if waiting < 0 || w < waiting {
				waiting = w
			}
			continue
		}
		sent, v, err := d.host(ctx, host)
		if err == nil || v == final || ctx.Err() != nil {
			return sent, err
		}
		if worst == nil || passing(err) || !passing(worst) {
			worst = err
		}
	}
	if worst == nil {
		err := fmt.Errorf("the servers of %s are left alone for a while", d.domain)
		return Sent{}, client.At(client.Connect, &Wait{waiting, err})
	}
	if waiting >= 0 && !passing(worst) { // one of those that were left out may take it
		err := fmt.Errorf("others are left alone for a while: %s", worst) //nolint:errorlint // its status is not the mail's
		worst = client.At(client.Connect, &Wait{waiting, err})
	}
	return Sent{}, worst
}

// passing says whether an error may pass: of a server that refuses to talk at all, or whose status says so.
func passing(err error) bool {
	var s *smtp.SMTPError
	if !errors.As(err, &s) {
		return true
	}
	if s.Code == 0 {
		return s.EnhancedCode[0] == 4
	}
	return s.Code/100 == 4 || client.StageOf(err) < client.Mail
}

// host tries one server, at all its addresses.
func (d *delivery) host(ctx context.Context, host string) (Sent, verdict, error) {
	if d.enforced() && !d.policy.Allows(host) {
		return Sent{}, next, client.Named(host, fault(client.Secure, untrusted, errors.New("not a server that the domain's policy names")))
	}
	addresses, err := Addresses(ctx, d.config.Resolver, host)
	if err != nil {
		return Sent{}, next, client.Named(host, err)
	}
	for _, a := range addresses {
		var conn *client.Conn
		conn, err = d.dial(ctx, host, a)
		if err != nil {
			continue
		}
		d.hosts.reached(host)
		sent, err := d.over(ctx, conn)
		return sent, d.judge(host, err), err
	}
	if ctx.Err() == nil && client.StageOf(err) == client.Connect && !errors.Is(err, errOutside) {
		d.hosts.missed(host, d.config.Now())
	}
	return Sent{}, next, client.Named(host, err)
}

var errOutside = errors.New("not an address of the Internet")

// judge says whether the answer of a server is that of its domain. A server that takes leave, or breaks off before it
// has all, is just away; whether it has all, nobody can know.
func (d *delivery) judge(host string, err error) verdict {
	answer, spoken := answered(err)
	switch {
	case err == nil:
		return final
	case spoken && answer.Code == 421:
		d.hosts.closed(host, d.config.Now())
		return next
	case spoken || client.StageOf(err) == client.Dot:
		return final
	}
	var own *smtp.SMTPError
	if errors.As(err, &own) { // such as that it has no SMTPUTF8
		return final
	}
	return next
}

// dial connects to a server at an address, with TLS as the domain wants it. Where it wants nothing, what TLS there is
// is taken, and none is better than no mail.
func (d *delivery) dial(ctx context.Context, host string, a netip.Addr) (*client.Conn, error) {
	addr, err := d.dialAddr(a)
	if err != nil {
		return nil, fault(client.Rcpt, noRoute, fmt.Errorf("%w: %w", errOutside, err))
	}
	if d.config.OursAt(netip.AddrPortFrom(a, uint16(d.config.Port))) { //nolint:gosec // checked with the settings
		return nil, fault(client.Rcpt, loops, fmt.Errorf("%s is this gateway", host))
	}
	config := client.Config{Hello: d.config.Hello, Mode: client.Offered, Times: d.config.Times, TLS: d.tls(host), Name: host, Dial: d.config.Dial}
	if d.enforced() {
		config.Mode = client.Require
	}
	conn, err := client.Dial(ctx, addr, config)
	if err == nil || client.StageOf(err) != client.Secure {
		return conn, err
	}
	if d.enforced() {
		return nil, refusedTLS(err)
	}
	if _, spoken := answered(err); !spoken && !client.IsHandshake(err) {
		return nil, err
	}
	config.Mode = client.Never
	return client.Dial(ctx, addr, config)
}

func (d *delivery) tls(host string) *tls.Config {
	config := &tls.Config{}
	if d.config.TLS != nil {
		config = d.config.TLS.Clone()
	}
	config.ServerName, config.MinVersion = host, tls.VersionTLS12
	return config
}

// refusedTLS is that a server has not the TLS that its domain's policy asks for. It may pass: somebody stands in
// between, or a certificate has expired.
func refusedTLS(err error) error {
	status := insecure
	if client.IsHandshake(err) {
		status = untrusted
	}
	return fault(client.Secure, status, err)
}

// over hands the mail over by a connection.
func (d *delivery) over(ctx context.Context, conn *client.Conn) (Sent, error) {
	_, err := conn.Send(ctx, d.envelope, d.mail)
	sent := Sent{MTA: conn.Name()}
	if state := conn.TLS(); state != nil {
		sent.TLS = state.Version
	}
	if d.policy != nil {
		sent.Policy = d.policy.Name()
	}
	if conn.Usable(err) {
		d.left = conn
	} else {
		conn.Close()
	}
	return sent, client.Named(conn.Name(), err)
}
