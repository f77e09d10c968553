package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"

	"gangway/config"
	"gangway/core/web"
	"gangway/core/xmpp"
)

func runCommand(load loader) *cobra.Command {
	return &cobra.Command{
		Use: "run", Short: "Run the gateway until it is told to stop (SIGTERM); SIGHUP reads the configuration again",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := load()
			if err != nil {
				return err
			}
			logs := new(logging)
			return serve(cmd.Context(), cfg, load, logs.logger(os.Stderr, cfg.Log), logs)
		},
	}
}

// serve is the program's life, read from top to bottom: build, bind, run, and stop in the reverse order.
func serve(ctx context.Context, cfg *config.Config, load loader, log *slog.Logger, logs *logging) error {
	for _, w := range cfg.Warnings {
		log.Warn(w.Error())
	}
	a, err := openApp(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer a.close(ctx)
	x, err := wire(a)
	if err != nil {
		return err
	}
	a.links, a.lists = x.links, x.roster
	reload := &reloader{app: a, load: load, logs: logs}
	desk := &desk{app: a, reload: reload.do}
	a.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	pages := web.New(web.Config{
		Listen: cfg.Web.Listen, Hooks: cfg.Web.Hooks, Webhooks: a.webhooks(), Media: a.media.Handler(), Ready: a.ready, Logger: log,
		Metrics: promhttp.HandlerFor(a.registry, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}),
	})
	if err := pages.Bind(ctx); err != nil {
		return err
	}
	ctl := &control{path: socketPath(cfg), desk: desk, log: log}
	if err := ctl.bind(ctx); err != nil {
		pages.Close()
		return err
	}

	// The links outlive the gateway, which says goodbye over them; the gateway outlives nothing.
	work, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	linkCtx, stopLinks := context.WithCancel(context.WithoutCancel(ctx))
	defer stopLinks()
	var links, side sync.WaitGroup
	part := func(wg *sync.WaitGroup, ctx context.Context, name string, run func(context.Context) error) {
		wg.Go(func() {
			if err := run(ctx); err != nil {
				stop(fmt.Errorf("%s: %w", name, err))
			}
		})
	}
	for _, l := range x.links {
		part(&links, linkCtx, "link of "+l.Domain(), l.Run)
	}
	a.history.measure(a.registry)
	part(&links, linkCtx, "history", a.history.Run)
	part(&side, work, "contact lists", x.roster.Run)
	part(&side, work, "rooms", x.rooms.Run)
	side.Go(func() { x.restoreRooms(work, a) })
	part(&side, work, "web", pages.Run)
	part(&side, work, "control", ctl.Run)
	part(&side, work, "media", a.media.Run)
	side.Go(func() { a.sweep(work) })
	side.Go(func() { trim(work) })
	side.Go(func() { reload.onSignal(work) })
	log.Info("gangway is running", "version", versionText(), "domains", len(x.links))

	if err := a.gateway.Run(work, x.edge); err != nil {
		stop(err)
	}
	stop(nil)
	log.Info("gangway is stopping")
	side.Wait()
	x.farewell(context.WithoutCancel(ctx), log)
	stopLinks()
	links.Wait()
	if err := context.Cause(work); ctx.Err() == nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// farewell tells everybody whom it concerns that the gateway goes.
func (x *xmppSide) farewell(ctx context.Context, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	x.rooms.Close()
	for _, l := range x.links {
		if err := x.roster.Withdraw(ctx, l.domain); err != nil {
			log.Warn("presence not withdrawn", "domain", l.Domain(), "err", err)
		}
	}
}

func (a *app) webhooks() map[string]http.Handler {
	hooks := map[string]http.Handler{}
	for _, n := range a.gateway.Networks() {
		if h := n.TransportCaps.Webhook; h != nil {
			hooks[n.Driver.Name] = h
		}
	}
	return hooks
}

// ready says what must work for the gateway to be of use.
func (a *app) ready() []web.Part {
	parts := []web.Part{{Name: "store", OK: true}}
	if err := a.db.Err(); err != nil {
		parts[0] = web.Part{Name: "store", Text: err.Error()}
	}
	for _, l := range a.links {
		s := l.Status()
		p := web.Part{Name: "link " + l.Domain(), OK: s.State == xmpp.Online, Text: s.State.String()}
		if s.Err != nil {
			p.Text += ": " + explain(s.Err)
		}
		parts = append(parts, p)
	}
	return parts
}

// sweep forgets, once an hour, what has been kept for long enough.
func (a *app) sweep(ctx context.Context) {
	for {
		if _, err := a.mapping.Sweep(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("sweep", "err", err)
		}
		if err := a.history.Sweep(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("sweep of the history", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Hour):
		}
	}
}

// reloader reads the configuration again and puts in force what can be changed while running.
type reloader struct {
	app  *app
	load loader
	logs *logging
	mu   sync.Mutex
}

// do reloads. A configuration with errors changes nothing. It says what is in force now that was not before, and what
// waits for a restart: everything in which the file differs from what the program was started with.
func (r *reloader) do() (config.Changes, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next, err := r.load()
	if err != nil {
		return config.Changes{}, err
	}
	since, all := config.Diff(r.app.access.Load(), next), config.Diff(r.app.cfg, next)
	r.app.apply(next)
	r.app.history.Retain(next.Archive.Keep, next.Archive.Limit)
	r.app.media.Rebound(mediaBounds(next.Media))
	r.logs.apply(next.Log)
	// The networks are made at the start; what changed in them waits for the next one.
	changes := config.Changes{Restart: all.Restart}
	for _, key := range all.Reload {
		if isTransport(key) {
			changes.Restart = append(changes.Restart, key)
		}
	}
	slices.Sort(changes.Restart)
	for _, key := range since.Reload {
		if !isTransport(key) {
			changes.Reload = append(changes.Reload, key)
		}
	}
	return changes, nil
}

func isTransport(key string) bool { return len(key) > 10 && key[:10] == "transport." }

func (r *reloader) onSignal(ctx context.Context) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
		}
		changes, err := r.do()
		if err != nil {
			r.app.log.Error("configuration not reloaded: the old one stays in force", "err", err)
			continue
		}
		r.app.log.Info("configuration reloaded", "in_force", changes.Reload)
		if len(changes.Restart) > 0 {
			r.app.log.Warn("a part of the configuration waits for a restart", "after_restart", changes.Restart)
		}
	}
}
