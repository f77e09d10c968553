package email

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"gangway/transports/email/discover"
	"gangway/transports/email/oauth"
)

// boxSettings are the keys about mailboxes that people have elsewhere.
type boxSettings struct {
	Mailboxes    []string `toml:"mailboxes"`          // mail domains of which addresses may be linked; "*": all. Empty: none
	MailboxHosts []string `toml:"mailbox_hosts"`      // servers that are connected to wherever they are; host or host:port
	MailboxCA    string   `toml:"mailbox_ca"`         // PEM file of authorities that vouch for such servers, beside the system's
	MailboxMax   int      `toml:"mailboxes_per_user"` // 0: defaultMailboxes
	Database     string   `toml:"mailbox_database"`   // URL to which a domain is added: see discover.Finder

	OAuth map[string]oauthSettings `toml:"oauth"`
}

// oauthSettings are the keys of [transport.email.oauth.NAME].
type oauthSettings struct {
	ClientID     string   `toml:"client_id"`
	ClientSecret string   `toml:"client_secret"`
	DeviceURL    string   `toml:"device_url"`
	TokenURL     string   `toml:"token_url"`
	Scopes       []string `toml:"scopes"`
	Domains      []string `toml:"domains"` // of addresses, beside those of the provider's own
	Title        string   `toml:"title"`
}

const (
	defaultMailboxes = 5
	maxMailboxes     = 50
)

// boxes is what all mailboxes share. It is safe for concurrent use.
type boxes struct {
	finder    *discover.Finder
	guard     *discover.Guard
	roots     *x509.CertPool // nil: the system's
	providers map[string]*oauth.Provider
	most      int           // of one user
	poll      time.Duration // between looks at what a server does not tell by itself; 0: as the mailbox has it

	refused *refusals
	grants  *grants
}

// configureBoxes checks the settings about mailboxes, and makes what they describe.
func (t *transport) configureBoxes() error {
	s := &t.settings.boxSettings
	for i, d := range s.Mailboxes {
		if d == "*" {
			continue
		}
		wire, _, err := parseDomain(d)
		if err != nil {
			return fmt.Errorf(`mailboxes: %q is neither a mail domain nor "*"`, d)
		}
		s.Mailboxes[i] = wire
	}
	if s.MailboxMax < 0 || s.MailboxMax > maxMailboxes {
		return fmt.Errorf("mailboxes_per_user must be from 1 to %d", maxMailboxes)
	}
	if s.Database != "" && !strings.HasPrefix(s.Database, "https://") {
		return errors.New("mailbox_database must be an https URL, such as https://autoconfig.thunderbird.net/v1.1/")
	}
	b := &boxes{most: s.MailboxMax, providers: map[string]*oauth.Provider{}, refused: newRefusals(), grants: newGrants(time.Now)}
	if b.most == 0 {
		b.most = defaultMailboxes
	}
	b.guard = discover.NewGuard(s.MailboxHosts...)
	b.finder = &discover.Finder{Client: b.guard.Client(), Database: s.Database}
	if t.resolver != nil {
		b.guard.Resolver, b.finder.Resolver = t.resolver, t.resolver
	}
	t.boxes = b
	if err := b.trust(s.MailboxCA); err != nil {
		return err
	}
	for name, o := range s.OAuth {
		p, err := o.provider(name)
		if err != nil {
			return fmt.Errorf("oauth.%s: %w", name, err)
		}
		b.providers[name] = p
	}
	return nil
}

func (b *boxes) trust(file string) error {
	if file == "" {
		return nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("mailbox_ca: %w", err)
	}
	if b.roots, err = x509.SystemCertPool(); err != nil {
		b.roots = x509.NewCertPool()
	}
	if !b.roots.AppendCertsFromPEM(pem) {
		return fmt.Errorf("mailbox_ca: there is no certificate in %s", file)
	}
	return nil
}

// secure is how TLS is spoken with a host.
func (b *boxes) secure(host string) *tls.Config {
	return &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, RootCAs: b.roots}
}

// provider is the authorization server that the keys describe, on top of what is known of its name.
func (o oauthSettings) provider(name string) (*oauth.Provider, error) {
	p, _ := oauth.Preset(name)
	p.Name, p.ClientID, p.ClientSecret, p.Domains = name, o.ClientID, o.ClientSecret, slices.Clone(o.Domains)
	if o.DeviceURL != "" {
		p.DeviceURL = o.DeviceURL
	}
	if o.TokenURL != "" {
		p.TokenURL = o.TokenURL
	}
	if len(o.Scopes) > 0 {
		p.Scopes = o.Scopes
	}
	if o.Title != "" {
		p.Title = o.Title
	}
	if p.Title == "" {
		p.Title = name
	}
	for i, d := range p.Domains {
		wire, _, err := parseDomain(d)
		if err != nil {
			return nil, fmt.Errorf("domains: %q is not a domain", d)
		}
		p.Domains[i] = wire
	}
	return &p, p.Check()
}

// tokensFor is the authorization server for addresses of a domain, or of a provider that is known; nil: none.
func (b *boxes) tokensFor(domain string, known *discover.Provider) *oauth.Provider {
	for _, p := range b.providers {
		if slices.Contains(p.Domains, domain) {
			return p
		}
	}
	if known == nil {
		return nil
	}
	return b.providers[known.OAuth]
}

// linkable says whether addresses of a domain may be linked.
func (t *transport) linkable(domain string) bool {
	return slices.ContainsFunc(t.settings.Mailboxes, func(d string) bool { return d == "*" || d == domain })
}

// servesDomain says whether addresses of our own domain are given out.
func (t *transport) servesDomain() bool {
	s := &t.settings
	return s.LMTP != "" || s.SMTP != "" || s.Relay != "" || len(s.Mailboxes) == 0
}

// isBox says whether an account is a mailbox elsewhere. Its realm is its own address, folded.
func isBox(realm string) bool { return realm != "" }
