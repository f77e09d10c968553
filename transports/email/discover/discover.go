package discover

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Security is how a connection is encrypted.
type Security uint8

// The ways. Plain is for servers on the same machine only; no file or record of a stranger's is believed to want it.
const (
	TLS      Security = iota // from the first byte
	StartTLS                 // asked for first thing, and required
	Plain
)

// Server is one way to reach a mailbox, or to submit from it.
type Server struct {
	Host     string // in A-labels, lower case
	Port     int
	Security Security
	User     string // whom to log in as
	// Sure says that User is what the server's owner wants; else the part before the @ is worth a try, too.
	Sure bool
}

// Found is what is known about an address. The best servers come first; each is there once.
type Found struct {
	IMAP, SMTP []Server
	Provider   *Provider // nil: none that is known
}

// Resolver asks the DNS; *net.Resolver is one.
type Resolver interface {
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupSRV(ctx context.Context, service, proto, name string) (cname string, addrs []*net.SRV, err error)
	LookupHost(ctx context.Context, host string) ([]string, error)
}

// Finder finds servers. It is safe for concurrent use.
type Finder struct {
	Resolver Resolver     // nil: the system's
	Client   *http.Client // see Guard.Client
	// Database is asked for domains that say nothing themselves: a URL to which the domain is added, such as
	// https://autoconfig.thunderbird.net/v1.1/. Empty: none is told who is looked for.
	Database string
}

const (
	findTime   = 15 * time.Second // for all questions together
	maxServers = 8                // of each kind, for one address
)

// Find returns what is known about local@domain; domain is in A-labels. It does not fail: where nothing is known the
// lists are empty.
func (f *Finder) Find(ctx context.Context, local, domain string) Found {
	domain = strings.ToLower(domain)
	if p := byDomain(domain); p != nil {
		return p.found(local, domain)
	}
	ctx, cancel := context.WithTimeout(ctx, findTime)
	defer cancel()
	var own, records, listed, exchange Found
	var usual Found
	var all sync.WaitGroup
	all.Go(func() { own = f.autoconfig(ctx, local, domain, ownFiles(local, domain)) })
	all.Go(func() { records = f.srv(ctx, local, domain) })
	all.Go(func() { exchange = f.exchanger(ctx, local, domain) })
	all.Go(func() { usual = f.usual(ctx, local, domain) })
	if f.Database != "" {
		all.Go(func() { listed = f.autoconfig(ctx, local, domain, []string{f.Database + domain}) })
	}
	all.Wait()
	found := Found{Provider: exchange.Provider}
	for _, part := range []Found{own, records, listed, exchange, usual} {
		found.add(part)
	}
	return found
}

// add adds the servers of other that are not there yet.
func (f *Found) add(other Found) {
	f.IMAP = merge(f.IMAP, other.IMAP)
	f.SMTP = merge(f.SMTP, other.SMTP)
}

func merge(all, more []Server) []Server {
	for _, s := range more {
		known := slices.ContainsFunc(all, func(k Server) bool { return k.Host == s.Host && k.Port == s.Port })
		if !known && len(all) < maxServers {
			all = append(all, s)
		}
	}
	return all
}

// srv asks for the records of RFC 6186, and of RFC 8314 for submission with TLS from the first byte.
func (f *Finder) srv(ctx context.Context, local, domain string) Found {
	var found Found
	var all sync.WaitGroup
	services := [...]struct {
		name     string
		security Security
		servers  []Server
	}{{"imaps", TLS, nil}, {"imap", StartTLS, nil}, {"submissions", TLS, nil}, {"submission", StartTLS, nil}}
	for i := range services {
		s := &services[i]
		all.Go(func() {
			_, records, err := f.resolver().LookupSRV(ctx, s.name, "tcp", domain)
			if err != nil {
				return
			}
			slices.SortStableFunc(records, func(a, b *net.SRV) int { return cmp.Compare(a.Priority, b.Priority) })
			for _, r := range records {
				host, ok := hostOf(r.Target)
				if !ok { // "." says that there is no such service
					continue
				}
				s.servers = append(s.servers, Server{Host: host, Port: int(r.Port), Security: s.security, User: local + "@" + domain})
			}
		})
	}
	all.Wait()
	found.IMAP = merge(merge(nil, services[0].servers), services[1].servers)
	found.SMTP = merge(merge(nil, services[2].servers), services[3].servers)
	return found
}

// exchanger looks at whom the domain's mail goes to: a provider that is in the table, or one with files of its own.
func (f *Finder) exchanger(ctx context.Context, local, domain string) Found {
	records, err := f.resolver().LookupMX(ctx, domain)
	if err != nil || len(records) == 0 {
		return Found{}
	}
	best := slices.MinFunc(records, func(a, b *net.MX) int { return cmp.Compare(a.Pref, b.Pref) })
	host, ok := hostOf(best.Host)
	if !ok {
		return Found{}
	}
	if p := byExchanger(host); p != nil {
		return p.found(local, domain)
	}
	parent := organisation(host)
	if parent == "" || parent == organisation(domain) {
		return Found{}
	}
	return f.autoconfig(ctx, local, domain, ownFilesOf(local, domain, parent))
}

// usual are the names that servers have, as far as there are such hosts.
func (f *Finder) usual(ctx context.Context, local, domain string) Found {
	names := [...]string{"imap." + domain, "smtp." + domain, "mail." + domain, domain}
	var there [len(names)]bool
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() {
			addrs, err := f.resolver().LookupHost(ctx, name)
			there[i] = err == nil && len(addrs) > 0
		})
	}
	all.Wait()
	var found Found
	for _, security := range []Security{TLS, StartTLS} {
		for i, name := range names {
			if !there[i] {
				continue
			}
			s := Server{Host: name, Security: security, User: local + "@" + domain}
			if i != 1 {
				s.Port = [...]int{993, 143}[security]
				found.IMAP = append(found.IMAP, s)
			}
			if i != 0 {
				s.Port = [...]int{465, 587}[security]
				found.SMTP = append(found.SMTP, s)
			}
		}
	}
	return found
}

func (f *Finder) resolver() Resolver {
	if f.Resolver != nil {
		return f.Resolver
	}
	return net.DefaultResolver
}
