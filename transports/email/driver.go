package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"gangway/core"
	"gangway/transports/email/auth"
	"gangway/transports/email/dkim"
)

// settings are the keys of [transport.email].
type settings struct {
	Domain   string `toml:"domain"`   // of the mail addresses; the same as the component's
	LMTP     string `toml:"lmtp"`     // host:port where the site's mail server delivers
	SMTP     string `toml:"smtp"`     // host:port where the world does
	Cert     string `toml:"tls_cert"` // PEM files that make the SMTP listener offer STARTTLS
	Key      string `toml:"tls_key"`
	MaxSize  int64  `toml:"max_size"` // bytes of one mail
	Relay    string `toml:"relay"`    // smtp:// or smtps://host:port that takes our mail
	StartTLS string `toml:"starttls"` // of an smtp:// relay: "require", "offered" or "never"
	User     string `toml:"user"`     // at the relay; empty: none
	Password string `toml:"password"`
	Receipt  string `toml:"receipt"` // what "delivered" means: "dsn" or "relay"
	Secret   string `toml:"hmac_key"`

	boxSettings
	holdSettings
	trustSettings
	limitSettings
	computedSettings
	dkimSettings
	directSettings
	originalSettings
}

const (
	defaultMaxSize = 25 << 20
	leastMaxSize   = 64 << 10
)

// Driver describes e-mail. Each mail is its own lane, so that one that is retried for days holds back no other.
func Driver() core.Driver {
	return core.Driver{
		Name: "email", Title: "E-mail", Type: "smtp", Prompt: "E-mail address",
		Lane: core.Stored, Order: core.PerMessage, Threads: true, Shared: true,
		Lifetime: usualLifetime, Delays: delays(),
		Retry: []time.Duration{ // RFC 5321 section 4.5.4.1; the second passes a greylist of five minutes
			time.Minute, 5 * time.Minute, 9 * time.Minute, 15 * time.Minute, 30 * time.Minute,
			time.Hour, 2 * time.Hour, 4 * time.Hour,
		},
		Session: (*session)(nil),
		New:     newTransport,
	}
}

// transport is the mail domain. It is safe for concurrent use.
type transport struct {
	host     core.Host
	settings settings
	domain   string  // of our addresses, in U-labels
	wire     string  // the same in A-labels
	carrier  carrier // of the mail domain
	out      tally   // of what it carried
	returns  chan returned
	resolver *net.Resolver
	boxes    *boxes // what mailboxes elsewhere share
	threads  threads
	recent   recent
	ring     *dkim.Ring  // of the keys that sign our mail; nil: nothing is signed
	tls      *tls.Config // of the SMTP listener; nil: no STARTTLS
	limits   limits
	memory   *memory
	verifier *auth.Verifier // of what comes to the SMTP listener
	senders  *core.Limiter
	pairs    pairs
	now      func() time.Time

	ready   chan struct{} // closed when the listeners of Run are bound
	servers []*server     // these, from then on
	bound   map[string]net.Addr

	mu   sync.Mutex
	verp *verp // nil until the key was first needed
}

func newTransport(h core.Host, decode core.Decoder) (core.Transport, error) {
	s := settings{MaxSize: defaultMaxSize, Receipt: "dsn", trustSettings: defaultTrust(), limitSettings: defaultLimitSettings(), computedSettings: defaultComputed(), holdSettings: defaultHold(), directSettings: defaultDirect(), originalSettings: defaultOriginals()}
	if err := decode(&s); err != nil {
		return nil, err
	}
	if s.Domain == "" {
		return nil, errors.New("domain is not set")
	}
	wire, domain, err := parseDomain(s.Domain)
	if err != nil {
		return nil, fmt.Errorf("domain: %w", err)
	}
	t := &transport{
		host: h, settings: s, domain: domain, wire: wire,
		threads: threads{h.Notes()}, limits: defaultLimits(), memory: newMemory(maxInFlight), now: time.Now,
		returns: make(chan returned, maxReturns), ready: make(chan struct{}), bound: map[string]net.Addr{},
	}
	if err := t.configure(); err != nil {
		return nil, err
	}
	return t, nil
}

// configure checks the settings that stand alone, and makes what they describe.
func (t *transport) configure() error {
	s := &t.settings
	if err := t.configureTrust(); err != nil {
		return err
	}
	if err := t.configureLimits(); err != nil {
		return err
	}
	if err := t.configureComputed(); err != nil {
		return err
	}
	if err := t.configureHold(); err != nil {
		return err
	}
	if err := t.configureBoxes(); err != nil {
		return err
	}
	if err := t.configureOriginals(); err != nil {
		return err
	}
	if s.MaxSize < leastMaxSize {
		return fmt.Errorf("max_size must be at least %d bytes", leastMaxSize)
	}
	if s.Receipt != "dsn" && s.Receipt != "relay" {
		return fmt.Errorf("receipt must be %q or %q, not %q", "dsn", "relay", s.Receipt)
	}
	if s.Secret != "" {
		if len(s.Secret) < 16 {
			return errors.New("hmac_key must have at least 16 characters")
		}
		t.verp = &verp{key: []byte(s.Secret)}
	}
	for key, addr := range map[string]string{"lmtp": s.LMTP, "smtp": s.SMTP} {
		if _, _, err := net.SplitHostPort(addr); addr != "" && err != nil {
			return fmt.Errorf("%s must be host:port: %w", key, err)
		}
	}
	if (s.Cert == "") != (s.Key == "") {
		return errors.New("tls_cert and tls_key go together")
	}
	if s.Cert != "" {
		cert, err := tls.LoadX509KeyPair(s.Cert, s.Key)
		if err != nil {
			return fmt.Errorf("tls_cert: %w", err)
		}
		t.tls = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	}
	t.configureDKIM()
	return t.configureCarrier()
}

// Run serves the listeners until ctx ends and all mail in hand was answered for.
func (t *transport) Run(ctx context.Context) error {
	servers, err := t.listen(ctx)
	if err != nil {
		return err
	}
	t.servers = servers
	close(t.ready)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	for _, s := range servers {
		all.Go(func() {
			if err := s.run(ctx); err != nil {
				cancel(err)
			}
		})
	}
	all.Go(func() { t.tellSenders(ctx) })
	<-ctx.Done()
	all.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// listen binds what the settings name, all or nothing.
func (t *transport) listen(ctx context.Context) ([]*server, error) {
	var servers []*server
	for _, l := range []struct {
		name, addr string
		lmtp       bool
	}{{"lmtp", t.settings.LMTP, true}, {"smtp", t.settings.SMTP, false}} {
		if l.addr == "" {
			continue
		}
		var config net.ListenConfig
		listener, err := config.Listen(ctx, "tcp", l.addr)
		if err != nil {
			for _, s := range servers {
				s.guard.Close()
			}
			return nil, fmt.Errorf("listen for %s: %w", l.name, err)
		}
		t.bound[l.name] = listener.Addr()
		servers = append(servers, t.newServer(listener, l.lmtp))
	}
	return servers, nil
}

// Open makes the session of an account, which needs no connection, unless the account is a mailbox elsewhere. But for
// those, an address of another domain cannot be sent from: its owner has not said that we may.
func (t *transport) Open(a core.Account) (core.Session, error) {
	own, err := parseAddress(string(a.Own))
	if err != nil {
		return nil, core.Wrap(core.Invalid, "email: open", err)
	}
	if isBox(a.Realm) {
		b, err := t.openBox(a, own)
		if err != nil {
			return nil, err
		}
		return &session{t: t, account: a, own: own, via: b}, nil
	}
	if own.domain != t.domain {
		return nil, core.E(core.Invalid, "email: open", "Your address here must end in @"+t.domain+".")
	}
	return &session{t: t, account: a, own: own}, nil
}

// envelopes returns the maker of envelope senders. Its key is made at first need and kept, because bounces come days
// later.
func (t *transport) envelopes(ctx context.Context) (*verp, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.verp != nil {
		return t.verp, nil
	}
	key, err := loadKey(ctx, t.host.Notes())
	if err != nil {
		return nil, core.Wrap(core.Unavailable, "email: envelope key", err)
	}
	t.verp = &verp{key: key}
	return t.verp, nil
}
