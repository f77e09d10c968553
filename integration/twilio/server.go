package twilio

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"regexp"
	"sync"
	"time"
)

// The account a Server has when its Config names none. The token is alphanumeric because twilio-go refuses others.
const (
	DefaultAccountSID = "AC00000000000000000000000000000001"
	DefaultAuthToken  = "11112222333344445555666677778888"
)

// Config describes one account. The zero value is an account without numbers.
type Config struct {
	Addr       string            // where Run listens; "127.0.0.1:0" if empty
	AccountSID string            // DefaultAccountSID if empty
	AuthToken  string            // also the key that signs webhooks; DefaultAuthToken if empty
	APIKeys    map[string]string // API key SID (SK...) to secret: other credentials for the REST API
	Numbers    []Number
	Services   []Service

	Now  func() time.Time // the clock of resource dates and listings; time.Now if nil
	Seed uint64           // of the faults injected by probability: same seed and same requests, same faults

	// Dial connects to webhook hosts; a net.Dialer if nil. TLS configures webhooks over https.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	TLS  *tls.Config

	// SignFragment signs webhook URLs with their #fragment. Twilio's documents do not say which of the two is
	// signed, so a client should pass its tests with both.
	SignFragment bool

	ListingDelay time.Duration  // how long a new message is missing from listings
	DirectMedia  bool           // answer media with the bytes; the real API redirects (307) to a content host
	Record       func(Exchange) // told of every REST exchange, from several goroutines; may be nil
	Logger       *slog.Logger   // slog.Default() if nil
}

// Number is a phone number the account owns.
type Number struct {
	E164        string
	SMSURL      string // webhook of inbound messages; may carry a #fragment with connection overrides
	FallbackURL string // called when SMSURL fails
	NoSMS       bool   // owned but not able to send: 21606
	NoOptOut    bool   // Twilio does not handle STOP for it (short codes outside a Messaging Service)
}

// Service is a Messaging Service: a pool of the account's numbers.
type Service struct {
	SID            string   // MG and 32 hex digits
	Numbers        []string // of the account's numbers; the first one is used when a message names no sender
	InboundURL     string   // replaces the numbers' own webhook, if not empty
	FallbackURL    string
	StatusCallback string // used by messages that bring none
	AdvancedOptOut bool   // inbound webhooks carry OptOutType
}

// Server is the stand-in. Make it with New; it answers while Run runs. All methods may be called from any goroutine,
// before, during and after Run.
type Server struct {
	cfg Config
	log *slog.Logger
	mux *http.ServeMux

	ready chan struct{} // closed when url is known, or will never be

	mu       sync.Mutex
	url      string
	ctx      context.Context // of the running Run; nil outside: the one place where a Context outlives a call
	backlog  []func(context.Context)
	jobs     sync.WaitGroup
	active   int           // jobs not finished, backlog included
	changed  chan struct{} // closed and replaced after every change of state
	numbers  map[string]*Number
	services map[string]*Service
	messages map[string]*record
	order    []*record // by creation
	media    map[string]*mediaRecord
	optOuts  map[optOut]bool
	scripts  []scripted
	faults   []queuedFault
	chaos    []chaos
	rand     *rand.Rand
	requests []Request
	attempts []Attempt
	clients  map[overrides]*http.Client
}

// New returns a server for the account described by cfg. It opens nothing and starts nothing.
func New(cfg Config) *Server {
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:0"
	}
	if cfg.AccountSID == "" {
		cfg.AccountSID = DefaultAccountSID
	}
	if cfg.AuthToken == "" {
		cfg.AuthToken = DefaultAuthToken
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	s := &Server{
		cfg: cfg, log: cfg.Logger,
		ready:    make(chan struct{}),
		changed:  make(chan struct{}),
		numbers:  map[string]*Number{},
		services: map[string]*Service{},
		messages: map[string]*record{},
		media:    map[string]*mediaRecord{},
		optOuts:  map[optOut]bool{},
		rand:     rand.New(rand.NewPCG(cfg.Seed, 0)),
		clients:  map[overrides]*http.Client{},
	}
	for _, n := range cfg.Numbers {
		s.numbers[n.E164] = &n
	}
	for _, svc := range cfg.Services {
		s.services[svc.SID] = &svc
	}
	s.mux = s.routes()
	return s
}

// AccountSID returns the SID of the account, for the client's configuration.
func (s *Server) AccountSID() string { return s.cfg.AccountSID }

// AuthToken returns the token of the account: REST password and key of the signatures.
func (s *Server) AuthToken() string { return s.cfg.AuthToken }

// SetWebhook changes where inbound messages of a number are posted. It reports an unknown number.
func (s *Server) SetWebhook(number, smsURL, fallbackURL string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.numbers[number]
	if n == nil {
		return fmt.Errorf("set webhook: %s is not a number of the account", number)
	}
	n.SMSURL, n.FallbackURL = smsURL, fallbackURL
	return nil
}

// URL returns the base URL of the REST API, without a trailing slash. It waits until Run listens; it is empty if Run
// could not.
func (s *Server) URL() string {
	<-s.ready
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

// Run listens on Config.Addr and serves until ctx is done; then it drops what is in flight and returns nil. It may be
// called once.
func (s *Server) Run(ctx context.Context) error {
	if err := s.cfg.check(); err != nil {
		close(s.ready)
		return fmt.Errorf("run twilio stand-in: %w", err)
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", s.cfg.Addr)
	if err != nil {
		close(s.ready)
		return fmt.Errorf("run twilio stand-in: %w", err)
	}
	return s.serve(ctx, ln)
}

func (s *Server) serve(ctx context.Context, ln net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.begin(ctx, "http://"+ln.Addr().String())
	srv := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }()
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	cancel() // ends handlers that hang, and callbacks under way
	grace, stop := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer stop()
	if srv.Shutdown(grace) != nil {
		_ = srv.Close() // a client in the middle of its request
	}
	if err == nil {
		err = <-failed
	}
	s.finish()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("run twilio stand-in: %w", err)
}

// begin publishes the URL and starts what was asked for before Run.
func (s *Server) begin(ctx context.Context, url string) {
	s.mu.Lock()
	s.ctx, s.url = ctx, url
	backlog := s.backlog
	s.backlog = nil
	for _, job := range backlog {
		s.start(job)
	}
	s.mu.Unlock()
	close(s.ready)
}

func (s *Server) finish() {
	s.mu.Lock()
	s.ctx = nil
	s.mu.Unlock()
	s.jobs.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.clients {
		c.CloseIdleConnections()
	}
}

// spawn runs job under Run's context, now or as soon as Run is called. It must not be called with mu held.
func (s *Server) spawn(job func(context.Context)) { s.reserve(job)() }

// reserve counts job as under way and returns what starts it, which must be called once.
func (s *Server) reserve(job func(context.Context)) (begin func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.ctx == nil {
			s.backlog = append(s.backlog, job)
			return
		}
		s.start(job)
	}
}

// start needs mu held and ctx set.
func (s *Server) start(job func(context.Context)) {
	ctx := s.ctx
	s.jobs.Go(func() {
		job(ctx)
		s.mu.Lock()
		s.active--
		s.notify()
		s.mu.Unlock()
	})
}

// notify wakes all who wait for a change. It needs mu held.
func (s *Server) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Server) now() time.Time { return s.cfg.Now().UTC() }

func (c *Config) check() error {
	if !accountPattern.MatchString(c.AccountSID) {
		return fmt.Errorf("account SID %q: want AC and 32 hex digits", c.AccountSID)
	}
	owned := map[string]bool{}
	for _, n := range c.Numbers {
		if !phonePattern.MatchString(n.E164) {
			return fmt.Errorf("number %q: want E.164, such as +15550100001", n.E164)
		}
		owned[n.E164] = true
	}
	for _, svc := range c.Services {
		if !servicePattern.MatchString(svc.SID) {
			return fmt.Errorf("messaging service SID %q: want MG and 32 hex digits", svc.SID)
		}
		for _, n := range svc.Numbers {
			if !owned[n] {
				return fmt.Errorf("messaging service %s: %s is not a number of the account", svc.SID, n)
			}
		}
	}
	return nil
}

var (
	accountPattern = regexp.MustCompile(`^AC[0-9a-f]{32}$`)
	servicePattern = regexp.MustCompile(`^MG[0-9a-f]{32}$`)
	phonePattern   = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`) // E.164
)
