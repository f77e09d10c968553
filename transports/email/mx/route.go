package mx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/emersion/go-smtp"
	"golang.org/x/net/idna"

	"gangway/transports/email/client"
)

// Resolver is what is asked of the DNS; *net.Resolver does. Names end with a dot.
type Resolver interface {
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupIP(ctx context.Context, network, host string) ([]net.IP, error)
}

const (
	maxHosts     = 10 // servers of a domain that are tried
	maxAddresses = 4  // of one server
)

// Statuses of RFC 3463 and RFC 7505.
var (
	noDomain  = smtp.EnhancedCode{5, 1, 2}
	takesNone = smtp.EnhancedCode{5, 1, 10}
	dnsFails  = smtp.EnhancedCode{4, 4, 3}
	noRoute   = smtp.EnhancedCode{5, 4, 4}
	loops     = smtp.EnhancedCode{5, 4, 6}
	insecure  = smtp.EnhancedCode{4, 7, 10}
	untrusted = smtp.EnhancedCode{4, 7, 11}
)

// fault is an error with a status that we give ourselves: nobody has said a code.
func fault(at client.Stage, status smtp.EnhancedCode, err error) error {
	return client.At(at, fmt.Errorf("%w: %w", err, &smtp.SMTPError{EnhancedCode: status}))
}

// Routes returns the servers of a domain in A-labels, in the order in which they are to be tried; those of equal
// preference are shuffled. ours says which of them is this gateway: it stands behind it then, and only servers that are
// preferred to us are returned.
func Routes(ctx context.Context, r Resolver, domain string, ours func(host string) bool) ([]string, error) {
	found, err := r.LookupMX(ctx, domain+".")
	if len(found) == 0 && err != nil && !notFound(err) {
		return nil, fault(client.Connect, dnsFails, fmt.Errorf("MX of %s: %w", domain, err))
	}
	if len(found) == 0 { // RFC 5321 section 5.1: the domain itself
		found = []*net.MX{{Host: domain + "."}}
	}
	if len(found) == 1 && strings.Trim(found[0].Host, ".") == "" { // RFC 7505
		return nil, fault(client.Rcpt, takesNone, fmt.Errorf("null MX of %s", domain))
	}
	hosts := sorted(found)
	if len(hosts) == 0 {
		return nil, fault(client.Rcpt, noRoute, fmt.Errorf("MX of %s: no names of servers", domain))
	}
	for _, h := range hosts {
		if ours(h.Host) {
			pref := h.Pref
			hosts = slices.DeleteFunc(hosts, func(mx net.MX) bool { return mx.Pref >= pref })
			break
		}
	}
	if len(hosts) == 0 {
		return nil, fault(client.Rcpt, loops, fmt.Errorf("MX of %s is this gateway", domain))
	}
	names := make([]string, 0, min(len(hosts), maxHosts))
	for _, h := range hosts[:cap(names)] {
		names = append(names, h.Host)
	}
	return names, nil
}

// sorted are the servers with names that can be looked up, in the order of their preferences.
func sorted(found []*net.MX) []net.MX {
	hosts := make([]net.MX, 0, len(found))
	for _, mx := range found {
		name, err := idna.Lookup.ToASCII(strings.ToLower(strings.TrimSuffix(mx.Host, ".")))
		if err != nil || name == "" || len(name) > 253 || isLiteral(name) {
			continue // RFC 5321 section 5.1: a name, and no address
		}
		hosts = append(hosts, net.MX{Host: name, Pref: mx.Pref})
	}
	rand.Shuffle(len(hosts), func(i, j int) { hosts[i], hosts[j] = hosts[j], hosts[i] })
	slices.SortStableFunc(hosts, func(a, b net.MX) int { return cmp.Compare(a.Pref, b.Pref) })
	seen := map[string]bool{}
	return slices.DeleteFunc(hosts, func(mx net.MX) bool {
		again := seen[mx.Host]
		seen[mx.Host] = true
		return again
	})
}

func isLiteral(name string) bool {
	_, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil || strings.HasPrefix(name, "[")
}

// Addresses returns where a server is: IPv6 first, then IPv4.
func Addresses(ctx context.Context, r Resolver, host string) ([]netip.Addr, error) {
	ips, err := r.LookupIP(ctx, "ip", host+".")
	if err != nil && !notFound(err) {
		return nil, fault(client.Connect, dnsFails, fmt.Errorf("address of %s: %w", host, err))
	}
	var v6, v4 []netip.Addr
	for _, ip := range ips {
		a, ok := netip.AddrFromSlice(ip)
		switch a = a.Unmap(); {
		case !ok:
		case a.Is4():
			v4 = append(v4, a)
		default:
			v6 = append(v6, a)
		}
	}
	if len(v6) > maxAddresses/2 && len(v4) > 0 { // a server that is away by one may be there by the other
		v6 = v6[:maxAddresses/2]
	}
	all := slices.Concat(v6, v4)
	if len(all) == 0 {
		return nil, fault(client.Rcpt, noDomain, fmt.Errorf("%s has no address", host))
	}
	return all[:min(len(all), maxAddresses)], nil
}

// notFound says that there is surely no such name, or nothing of the kind under it.
func notFound(err error) bool {
	var d *net.DNSError
	return errors.As(err, &d) && d.IsNotFound && !d.IsTemporary && !d.IsTimeout
}
