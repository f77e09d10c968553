package core

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Config is what a Gateway stands on. Routes, People, Keepers, Blobs, Choices, Archive, PublicURL, Trace and Logger may be
// left out.
type Config struct {
	Queue     Queue
	Accounts  Accounts
	Routes    Routes // nil: a user's oldest account speaks
	Ledger    Ledger
	Notes     func(network string) Notes
	Blobs     Blobs
	Choices   Choices
	Requests  Requests // nil: everybody can write to everybody
	Archive   Archive
	People    People         // nil: nobody is let in but by the allow-list, and nobody is suspended
	Access    func() *Access // what the configuration says now; nil: nobody may
	Keepers   []Keeper       // who keeps something by user, beside the People: they take part in Move and Erase
	PublicURL string         // what the webhook listener is reached by from outside, without a slash at the end
	Trace     *Trace
	Logger    *slog.Logger
}

// Network is a configured transport with its abilities.
type Network struct {
	Driver        Driver
	Transport     Transport
	Caps          Caps // of Driver.Session: compare with nil only
	TransportCaps TransportCaps

	strangers func() string // what becomes of their messages, usually; nil: the network has no requests
}

// Gateway is the hall: everything passes through it, in either direction. It is safe for concurrent use.
type Gateway struct {
	cfg      Config
	log      *slog.Logger
	networks map[string]*Network
	names    []string // in the order of Add

	edge    Edge                 // set by Run, before anything is started
	running atomic.Pointer[Edge] // the same, for those who may come before Run
	wake    chan struct{}        // tells Run that there are sessions to start; holds at most one
	sent    *limiter             // Limits.Messages
	tries   *limiter             // Limits.Registrations and DomainRegistrations
	stops   atomic.Uint64        // counts calls of stop

	mu       sync.Mutex
	sessions map[AccountID]*supervisor
	opening  map[AccountID]*opening
	pending  []*supervisor        // made, and not yet started by Run
	ended    bool                 // Run starts no more
	met      chan acquaintance    // whose requests are to be looked at
	starts   map[string]time.Time // when the next session of a network and realm may start
}

// NewGateway makes a gateway without networks. It starts nothing.
func NewGateway(cfg Config) *Gateway {
	log := cfg.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if cfg.People == nil {
		cfg.People = noPeople{}
	}
	return &Gateway{
		cfg: cfg, log: log,
		networks: map[string]*Network{},
		wake:     make(chan struct{}, 1),
		sent:     newLimiter(),
		tries:    newLimiter(),
		sessions: map[AccountID]*supervisor{},
		opening:  map[AccountID]*opening{},
		met:      make(chan acquaintance, 1000),
		starts:   map[string]time.Time{},
	}
}

// Add makes a driver's transport from its settings. All calls come before Run.
func (g *Gateway) Add(d Driver, settings Decoder) error {
	if _, ok := g.networks[d.Name]; ok {
		return fmt.Errorf("transport %q is there twice", d.Name)
	}
	t, err := d.New(&host{g: g, network: d.Name}, settings)
	if err != nil {
		return fmt.Errorf("transport %s: %w", d.Name, err)
	}
	n := &Network{Driver: d, Transport: t, Caps: CapsOf(d.Session), TransportCaps: TransportCapsOf(t)}
	if p := n.TransportCaps.Patient; p != nil {
		n.Driver.Lifetime = p.Lifetime()
	}
	if g.cfg.Requests != nil && d.Lane == Stored {
		n.strangers = g.usualStrangers
	}
	g.networks[d.Name] = n
	g.names = append(g.names, d.Name)
	return nil
}

// Network returns a configured network, or nil.
func (g *Gateway) Network(name string) *Network { return g.networks[name] }

// Networks returns the configured networks in the order of Add.
func (g *Gateway) Networks() []*Network {
	all := make([]*Network, 0, len(g.names))
	for _, name := range g.names {
		all = append(all, g.networks[name])
	}
	return all
}

// Account returns the user's account on a network and realm, making an implicit one where the driver has those and
// the user is allowed. Unenrolled if there is none.
func (g *Gateway) Account(ctx context.Context, user UserID, network, realm string) (Account, error) {
	n := g.networks[network]
	if n == nil {
		return Account{}, E(NotFound, "core: account", "There is no such network here.")
	}
	a, err := g.cfg.Accounts.AccountOf(ctx, user, network, realm)
	if err == nil || !n.Driver.Implicit || KindOf(err) != Unenrolled {
		return a, err
	}
	if err := g.Admit(ctx, user); err != nil {
		return Account{}, err
	}
	if err := g.mayTry(g.access(), user); err != nil {
		return Account{}, err
	}
	return g.cfg.Accounts.Link(ctx, Account{User: user, Network: network, Realm: realm})
}

// Run serves until ctx ends or a transport cannot be served, then stops in this order: transports (nothing new comes
// in), the queue (what is in hand is finished), sessions. The edge must work until Run has returned.
func (g *Gateway) Run(ctx context.Context, edge Edge) error {
	g.edge = edge
	g.running.Store(&edge)
	transports, stopTransports := context.WithCancelCause(ctx)
	defer stopTransports(nil)
	after := context.WithoutCancel(ctx)
	queue, stopQueue := context.WithCancel(after)
	defer stopQueue()
	sessions, stopSessions := context.WithCancel(after)
	defer stopSessions()

	var inbound, work, lives sync.WaitGroup
	for _, n := range g.Networks() {
		inbound.Go(func() {
			if err := n.Transport.Run(transports); err != nil && transports.Err() == nil {
				stopTransports(fmt.Errorf("transport %s: %w", n.Driver.Name, err))
			}
		})
	}
	work.Go(func() {
		if err := g.cfg.Queue.Run(queue, g.handlers()); err != nil && queue.Err() == nil {
			stopTransports(fmt.Errorf("queue: %w", err))
		}
	})
	work.Go(func() { g.watchRequests(queue) })
	lives.Go(func() { g.startSessions(sessions, &lives) })
	if err := g.openAll(transports); err != nil && ctx.Err() == nil {
		stopTransports(err)
	}

	<-transports.Done()
	inbound.Wait()
	stopQueue()
	work.Wait()
	g.end()
	stopSessions()
	lives.Wait()
	if err := context.Cause(transports); ctx.Err() == nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// end refuses sessions from now on: nobody would run them.
func (g *Gateway) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended = true
}

// openAll opens the sessions of stored networks, which must be there to receive; live ones open at first use.
func (g *Gateway) openAll(ctx context.Context) error {
	for _, n := range g.Networks() {
		if n.Driver.Lane != Stored {
			continue
		}
		accounts, err := g.cfg.Accounts.Accounts(ctx, n.Driver.Name)
		if err != nil {
			return fmt.Errorf("accounts of %s: %w", n.Driver.Name, err)
		}
		for _, a := range accounts {
			if g.active(ctx, a.User) != nil {
				continue
			}
			if err := g.With(ctx, a, func(Session) error { return nil }); err != nil {
				g.log.Warn("session not opened", "network", a.Network, "account", a.ID, "err", err)
			}
		}
	}
	return nil
}

// startSessions starts what With has made, with the context that all sessions end with. Those that come too late for
// that are started, too: what they were handed is to be answered. Before ctx ends there are no more to come (end).
func (g *Gateway) startSessions(ctx context.Context, lives *sync.WaitGroup) {
	for over := false; !over; {
		select {
		case <-ctx.Done():
			over = true
		case <-g.wake:
		}
		g.mu.Lock()
		pending := g.pending
		g.pending = nil
		g.mu.Unlock()
		for _, s := range pending {
			lives.Go(func() { s.run(ctx) })
		}
	}
}

// pace returns how long to wait before a session of a network and realm may start.
func (g *Gateway) pace(d Driver, realm string) time.Duration {
	if d.Pace == 0 {
		return 0
	}
	key := d.Name + " " + realm
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if len(g.starts) > 1000 {
		for k, t := range g.starts {
			if t.Before(now) {
				delete(g.starts, k)
			}
		}
	}
	at := g.starts[key]
	if at.Before(now) {
		at = now
	}
	g.starts[key] = at.Add(d.Pace)
	return at.Sub(now)
}
