package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gangway/config"
	"gangway/core"
	"gangway/core/media"
	"gangway/core/metrics"
	"gangway/core/outbox"
	"gangway/core/store"
	"gangway/core/xmpp/roster"
	"gangway/core/xmpp/upload"
	"gangway/mapping"
	"gangway/transports"
)

// app is everything below the XMPP edge: what the subcommands share.
type app struct {
	cfg      *config.Config
	log      *slog.Logger
	db       *store.DB
	mapping  *mapping.Map
	queue    *outbox.Outbox
	media    *media.Media
	uploads  *upload.Service
	history  *history
	gateway  *core.Gateway
	registry *prometheus.Registry
	access   atomic.Pointer[config.Config] // the newest reading of the file
	policy   atomic.Pointer[core.Access]   // what it says of who may do what

	links []*link        // set by run, before anything is served
	lists *roster.Roster // the same; nil: nothing runs that could change a contact list
}

// openApp opens the database and makes the gateway with its transports. It starts nothing; close it in any case.
func openApp(ctx context.Context, cfg *config.Config, log *slog.Logger) (*app, error) {
	a := &app{cfg: cfg, log: log, registry: prometheus.NewRegistry()}
	a.apply(cfg)
	if err := a.openStore(ctx); err != nil {
		a.close(ctx)
		return nil, err
	}
	if err := a.makeGateway(); err != nil {
		a.close(ctx)
		return nil, err
	}
	return a, nil
}

// apply puts in force what a reading of the file says about access.
func (a *app) apply(cfg *config.Config) {
	a.access.Store(cfg)
	policy := &core.Access{
		Allow:   func(u core.UserID) bool { return cfg.Access.Allowed(string(u)) },
		Domain:  func(u core.UserID) string { return string(u[strings.LastIndexByte(string(u), '@')+1:]) },
		Approve: cfg.Access.Approve, Invites: cfg.Access.Invites,
		Limits: core.Limits(cfg.Limits), Strangers: cfg.Access.Strangers,
	}
	for _, jid := range cfg.Admins {
		if u, err := user(jid); err == nil { // the file has been validated
			policy.Admins = append(policy.Admins, u)
		}
	}
	a.policy.Store(policy)
}

func (a *app) openStore(ctx context.Context) (err error) {
	a.db, err = store.Open(ctx, store.Config{URL: a.cfg.Store.URL.Reveal(), Logger: a.log})
	if err != nil {
		return fmt.Errorf("store.url: %w", err)
	}
	key, err := storeKey(a.cfg)
	if err != nil {
		return fmt.Errorf("store.key: %w", err)
	}
	a.mapping, err = mapping.Open(ctx, a.db, mapping.NewSealer(key), mapping.Options{
		Retired: named(a.cfg, "email"), Shared: sharedNetworks(a.cfg),
	})
	if err != nil {
		return err
	}
	a.queue, err = outbox.New(ctx, a.db, outbox.Config{Journal: a.mapping, Logger: a.log})
	if err != nil {
		return err
	}
	if a.history, err = openHistory(ctx, a.db, a.mapping, a.cfg.Archive, a.log); err != nil {
		return err
	}
	return a.openMedia(ctx)
}

// named are the transports of a driver.
func named(cfg *config.Config, driver string) []string {
	var names []string
	for _, t := range cfg.Transports {
		if t.Driver == driver {
			names = append(names, t.Name)
		}
	}
	return names
}

// sharedNetworks are the transports on which all accounts of a user reach the same correspondents.
func sharedNetworks(cfg *config.Config) []string {
	var names []string
	for _, d := range transports.All() {
		if d.Shared {
			names = append(names, named(cfg, d.Name)...)
		}
	}
	return names
}

// storeKey is the key that seals secrets: the configured one, or a file beside the database that is made if need be.
func storeKey(cfg *config.Config) (mapping.Key, error) {
	switch path := cfg.Store.Key.Path(); {
	case path != "":
		return mapping.ReadKey(path)
	case cfg.Store.Key.IsSet():
		return mapping.ParseKey(cfg.Store.Key.Reveal())
	}
	file := strings.TrimPrefix(cfg.Store.URL.Reveal(), "sqlite:")
	return mapping.KeyFile(filepath.Join(filepath.Dir(file), "gangway.key"))
}

func (a *app) makeGateway() error {
	trace := metrics.New(a.registry, metrics.Source{
		Networks: a.networkNames,
		Groups:   func(n string) []core.Group { return a.gateway.Groups(n) },
		Group:    func(n, realm string) string { return a.gateway.Network(n).GroupOf(realm) },
		Counts:   func(n string) []core.Count { return a.gateway.Counts(n) },
		Queue:    a.depths,
		Links:    a.linkFigures,
	})
	a.gateway = core.NewGateway(core.Config{
		Queue: a.queue, Accounts: a.mapping, Ledger: a.mapping, Routes: a.mapping, Notes: a.mapping.Notes, Blobs: a.media,
		People: a.mapping, Choices: a.mapping, Requests: a.mapping, Archive: a.history, Access: a.policy.Load, Keepers: a.keepers(),
		PublicURL: strings.TrimSuffix(a.cfg.Web.PublicURL, "/"),
		Trace:     trace, Logger: a.log,
	})
	for i := range a.cfg.Transports {
		t := &a.cfg.Transports[i]
		driver, ok := transports.Named(t.Driver)
		if !ok {
			return t.Errorf("driver", fmt.Sprintf("there is no transport %q", t.Driver), "the known ones are "+driverNames())
		}
		driver.Name = t.Name
		if err := a.gateway.Add(driver, t.Decode); err != nil {
			return placed(t, err)
		}
	}
	return nil
}

// keepers are those who keep something by user, beside the mapping.
func (a *app) keepers() []core.Keeper {
	return []core.Keeper{a.queue, lists{a}, a.history, a.media}
}

// lists are the contact lists of users, as far as anything is kept about them.
type lists struct{ app *app }

// Move implements core.Keeper: the roster finds out by itself.
func (l lists) Move(context.Context, core.UserID, core.UserID) error { return nil }

// Erase implements core.Keeper.
func (l lists) Erase(ctx context.Context, user core.UserID) error {
	if l.app.lists != nil {
		return l.app.lists.Erase(ctx, user)
	}
	var errs []error
	for _, name := range l.app.networkNames() {
		errs = append(errs, roster.Forget(ctx, l.app.mapping.Notes, name, user))
	}
	return errors.Join(errs...)
}

// placed gives a transport's complaint about its settings the place in the file.
func placed(t *config.Transport, err error) error {
	if errors.As(err, new(*config.Error)) {
		return err
	}
	return t.Errorf("", err.Error(), "")
}

func driverNames() string {
	var names []string
	for _, d := range transports.All() {
		names = append(names, d.Name)
	}
	return strings.Join(names, ", ")
}

func (a *app) networkNames() []string {
	var names []string
	for _, n := range a.gateway.Networks() {
		names = append(names, n.Driver.Name)
	}
	return names
}

// depths reads the queue's figures; a database that cannot be read shows no figures, and /readyz says why.
func (a *app) depths() []metrics.Depth {
	stats, err := a.queue.Stats(context.Background())
	if err != nil {
		return nil
	}
	var all []metrics.Depth
	for _, s := range stats {
		all = append(all, metrics.Depth{
			Network: s.Network, Direction: s.Direction, Waiting: s.Pending, Dead: s.Dead, Oldest: age(s.Oldest),
		})
	}
	return all
}

// close closes what is open.
func (a *app) close(context.Context) {
	if a.db == nil {
		return
	}
	if a.media != nil {
		if err := a.media.Close(); err != nil {
			a.log.Error("closing the folder of files", "err", err)
		}
	}
	if err := a.db.Close(); err != nil {
		a.log.Error("closing the database", "err", err)
	}
}

// age is the time since t, none for the zero time.
func age(t time.Time) time.Duration {
	if t.IsZero() {
		return 0
	}
	return time.Since(t)
}
