package auth

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"
)

// Resolver looks names up; *net.Resolver does.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error)
	LookupAddr(ctx context.Context, addr string) (names []string, err error)
}

// What one mail may cost in DNS. SPF alone may ask 10 questions, of which each MX and PTR leads to 10 more (RFC 7208
// section 4.6.4).
const (
	maxLookups  = 60
	maxRecords  = 100     // in one answer; the rest is not looked at
	maxText     = 4 << 10 // bytes of one TXT record; a longer one counts as none
	lookupTime  = 5 * time.Second
	verifyTime  = 20 * time.Second
	maxHostname = 253
)

// bounded is a Resolver for one mail.
type bounded struct {
	Resolver

	mu   sync.Mutex
	left int
}

var errTooMany = errors.New("too many questions to DNS")

// ask has a question answered within its bounds. Every error is a *net.DNSError: one that is not temporary says that
// there is nothing, or never will be anything, to find.
func ask[T any](ctx context.Context, b *bounded, name string, lookup func(context.Context, string) ([]T, error)) ([]T, error) {
	if !isHostname(name) {
		return nil, &net.DNSError{Err: "not a name", Name: "?", IsNotFound: true}
	}
	b.mu.Lock()
	b.left--
	over := b.left < 0
	b.mu.Unlock()
	if over {
		return nil, &net.DNSError{Err: errTooMany.Error(), Name: name}
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	all, err := lookup(ctx, name)
	var dns *net.DNSError
	switch {
	case err == nil:
		return all[:min(len(all), maxRecords)], nil
	case errors.As(err, &dns):
		return nil, dns
	}
	return nil, &net.DNSError{Err: err.Error(), Name: name, IsTemporary: true}
}

// LookupTXT implements Resolver.
func (b *bounded) LookupTXT(ctx context.Context, name string) ([]string, error) {
	all, err := ask(ctx, b, name, b.Resolver.LookupTXT)
	kept := all[:0:0]
	for _, text := range all {
		if len(text) <= maxText {
			kept = append(kept, text)
		}
	}
	return kept, err
}

// LookupMX implements Resolver.
func (b *bounded) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	return ask(ctx, b, name, b.Resolver.LookupMX)
}

// LookupIPAddr implements Resolver.
func (b *bounded) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	return ask(ctx, b, host, b.Resolver.LookupIPAddr)
}

// LookupAddr implements Resolver.
func (b *bounded) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	return ask(ctx, b, addr, b.Resolver.LookupAddr)
}

// isHostname says whether a name, or the text of an IP address, can be asked for at all. Underscores can (_dmarc).
func isHostname(name string) bool {
	name = strings.TrimSuffix(name, ".")
	if name == "" || len(name) > maxHostname {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" && !strings.Contains(name, ":") || len(label) > 63 {
			return false
		}
	}
	return !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`/\[]`, r) })
}

// isTemporary says whether the same question may be answered later.
func isTemporary(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && (dns.IsTemporary || dns.IsTimeout)
}

// Organisation returns the domain that somebody has registered, of which domain is a part: its public suffix and one
// label more (RFC 7489 section 3.2). Under a public suffix itself it is domain.
func Organisation(domain string) string {
	domain = lower(domain)
	if org, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return org
	}
	return domain
}

// aligned says whether two domains are the same, or, unless strict, of the same organisation.
func aligned(a, b string, strict bool) bool {
	a, b = lower(a), lower(b)
	if a == "" || b == "" {
		return false
	}
	return a == b || !strict && Organisation(a) == Organisation(b)
}

func lower(domain string) string { return strings.ToLower(strings.TrimSuffix(domain, ".")) }
