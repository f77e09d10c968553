package email

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"gangway/core"
	"gangway/transports/email/dkim"
	"gangway/transports/email/dnsrecords"
	"gangway/transports/email/mtasts"
)

// Published is what the world must find of a configured mail domain, and how to look for it.
type Published struct {
	Domain   dnsrecords.Domain // without its keys, see Records, and addresses, see Locate
	Keys     dkim.Keys
	Resolver *net.Resolver
	signs    bool
}

// PublishedBy reads the settings. resolver is host:port of the DNS server to ask; empty: as the settings say.
func PublishedBy(decode core.Decoder, resolver string) (*Published, error) {
	s := settings{trustSettings: defaultTrust(), directSettings: defaultDirect()}
	if err := decode(&s); err != nil {
		return nil, err
	}
	wire, _, err := parseDomain(s.Domain)
	if err != nil {
		return nil, fmt.Errorf("domain: %w", err)
	}
	p := &Published{Domain: dnsrecords.Domain{Name: wire, Host: wire, Hello: wire, Reports: "postmaster"}}
	if s.Hello != "" {
		if p.Domain.Hello, _, err = parseDomain(s.Hello); err != nil {
			return nil, errors.New("hello must be the name of this host, such as mx.example.org")
		}
		p.Domain.Host = p.Domain.Hello
	}
	if u, err := url.Parse(s.Relay); err == nil && s.Relay != "" && !isLoopback(u.Hostname()) {
		p.Domain.Relay = u.Hostname()
	}
	if resolver == "" {
		resolver = s.DNS
	}
	if p.Resolver, err = newResolver(resolver); err != nil {
		return nil, err
	}
	p.Keys, p.signs = dkimKeys(s, wire)
	p.Domain.Unsigned = !p.signs
	return p, nil
}

// LoadKeys adds the DKIM keys: those that sign, and those that will.
func (p *Published) LoadKeys() error {
	if !p.signs {
		return nil
	}
	all, signing, err := p.Keys.Generations()
	if err != nil {
		return err
	}
	for _, g := range all {
		if g.Name < signing {
			continue // an old one, of which nothing needs to be published anew
		}
		for _, k := range g.Keys {
			value, err := dkim.Record(k.Signer.Public())
			if err != nil {
				return err
			}
			p.Domain.Keys = append(p.Domain.Keys, dnsrecords.Key{
				Name: dkim.Name(k.Selector, p.Domain.Name), Value: value, Waiting: g.Name != signing,
			})
		}
	}
	return nil
}

const locateTimeout = 10 * time.Second

// Locate finds the addresses of the mail server, unless they are said.
func (p *Published) Locate(ctx context.Context) {
	if len(p.Domain.IPs) > 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, locateTimeout)
	defer cancel()
	all, err := p.Resolver.LookupNetIP(ctx, "ip", p.Domain.Host)
	if err != nil {
		return // then they are what has to be published
	}
	for _, ip := range all {
		p.Domain.IPs = append(p.Domain.IPs, ip.Unmap())
	}
	slices.SortFunc(p.Domain.IPs, netip.Addr.Compare)
}

// Check looks at what is published.
func (p *Published) Check(ctx context.Context) []dnsrecords.Result {
	dialer := &net.Dialer{Resolver: p.Resolver, Timeout: locateTimeout}
	c := &dnsrecords.Checker{Resolver: p.Resolver, Policy: mtasts.ByHTTPS(dialer.DialContext)}
	return c.Check(ctx, p.Domain)
}
