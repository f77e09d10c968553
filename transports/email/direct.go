package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"code.dny.dev/ssrf"

	"gangway/transports/email/client"
	"gangway/transports/email/mtasts"
	"gangway/transports/email/mx"
)

// directSettings say how mail goes straight to the servers of other domains, when there is no relay.
type directSettings struct {
	Hello    string        `toml:"hello"`          // what we call ourselves in EHLO: the name that our address leads back to
	Port     int           `toml:"direct_port"`    // of other servers; 25 everywhere but in a lab
	Private  bool          `toml:"direct_private"` // servers at addresses that are not the Internet's: in a lab
	STS      bool          `toml:"mta_sts"`        // the policies of other domains are heeded (RFC 8461)
	Lifetime time.Duration `toml:"lifetime"`       // how long a mail is tried
}

const (
	smtpPort      = 25
	usualLifetime = 48 * time.Hour
	mostLifetime  = 5 * 24 * time.Hour // RFC 5321 section 4.5.4.1
)

func defaultDirect() directSettings {
	return directSettings{Port: smtpPort, STS: true, Lifetime: usualLifetime}
}

// configureDirect checks the settings.
func (t *transport) configureDirect() error {
	s := &t.settings.directSettings
	if s.Hello == "" {
		s.Hello = t.wire
	}
	wire, _, err := parseDomain(s.Hello)
	if err != nil {
		return errors.New("hello must be the name of this host, such as mx.example.org")
	}
	s.Hello = wire
	if s.Port < 1 || s.Port > 65535 {
		return fmt.Errorf("direct_port must be a port, not %d", s.Port)
	}
	if s.Lifetime < time.Hour || s.Lifetime > mostLifetime {
		return fmt.Errorf("lifetime must be from 1h to %s, not %s", mostLifetime, s.Lifetime)
	}
	return nil
}

// direct is the carrier straight to the servers of the recipients' domains.
type direct struct {
	mx  *mx.Carrier
	out *tally
	log *slog.Logger
}

func (t *transport) newDirect() *direct {
	s := t.settings
	config := mx.Config{
		Hello: s.Hello, Resolver: t.resolver, Port: s.Port, Private: s.Private,
		Ours: t.ours, OursAt: t.oursAt, Times: client.DefaultTimes(), Now: t.now,
	}
	if s.STS {
		config.Policies = policies{&mtasts.Cache{
			Resolver: t.resolver, Fetch: mtasts.ByHTTPS(t.dialWeb()), Notes: t.host.Notes(), Logger: t.host.Logger(), Now: t.now,
		}}
	}
	return &direct{log: t.host.Logger(), out: &t.out, mx: mx.New(config)}
}

// dialWeb connects to web servers that other domains name: on the Internet only, but in a lab.
func (t *transport) dialWeb() func(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: 30 * time.Second, Resolver: t.resolver}
	if !t.settings.Private {
		d.Control = ssrf.New().Safe
	}
	return d.DialContext
}

// policies are those of MTA-STS.
type policies struct{ cache *mtasts.Cache }

// Policy returns the policy of a domain; nil if it has none.
func (p policies) Policy(ctx context.Context, domain string) (mx.Policy, error) {
	found, ok, err := p.cache.Policy(ctx, domain)
	if err != nil || !ok {
		return nil, err
	}
	return found, nil
}

// ours says whether a server of that name is this gateway.
func (t *transport) ours(host string) bool { return host == t.wire || host == t.settings.Hello }

// oursAt says whether our own listener is there.
func (t *transport) oursAt(a netip.AddrPort) bool {
	host, port, err := net.SplitHostPort(t.settings.SMTP)
	if err != nil || port != strconv.Itoa(int(a.Port())) {
		return false
	}
	if ip, err := netip.ParseAddr(host); err == nil && !ip.IsUnspecified() {
		return ip == a.Addr()
	}
	all, err := net.InterfaceAddrs()
	return err == nil && slices.ContainsFunc(all, func(on net.Addr) bool {
		prefix, err := netip.ParsePrefix(on.String())
		return err == nil && prefix.Addr() == a.Addr()
	})
}

// send hands one mail over to a server of its recipient's domain.
func (d *direct) send(ctx context.Context, e envelope, mail []byte) error {
	sent, err := d.mx.Send(ctx, e.wire(), mail)
	d.out.note(err, sent.TLS)
	if err != nil {
		return err
	}
	secure := "none"
	if sent.TLS != 0 {
		secure = tls.VersionName(sent.TLS)
	}
	d.log.Info("mail handed over", "message", e.id, "mta", sent.MTA, "tls", secure, "policy", sent.Policy)
	return nil
}
