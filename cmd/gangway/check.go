package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gangway/config"
	"gangway/core"
	"gangway/core/store"
)

func checkCommand(load loader) *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "Look whether everything is as it should be, one line each, and what to do about what is not",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), 2*time.Minute)
			defer cancel()
			c := &checker{out: cmd.OutOrStdout()}
			c.all(ctx, load)
			if c.bad != nil {
				return failed{c.bad}
			}
			return nil
		},
	}
}

// checker prints findings.
type checker struct {
	out io.Writer
	bad error // the first that failed
}

func (c *checker) say(where string, f core.Finding) {
	name := where
	if f.Name != "" {
		name += " " + f.Name
	}
	switch {
	case f.Err == nil:
		fmt.Fprintf(c.out, "ok    %-22s %s\n", name, f.Text)
		return
	case f.Warn:
		fmt.Fprintf(c.out, "warn  %-22s %s\n", name, oneLine(explain(f.Err)))
	default:
		c.bad = cmp.Or(c.bad, f.Err)
		fmt.Fprintf(c.out, "FAIL  %-22s %s\n", name, oneLine(explain(f.Err)))
	}
	if f.Text != "" {
		fmt.Fprintf(c.out, "      %-22s -> %s\n", "", f.Text)
	}
}

func (c *checker) all(ctx context.Context, load loader) {
	cfg, err := load()
	if err != nil {
		c.say("config", core.Finding{Err: err})
		return
	}
	c.say("config", core.Finding{Text: fmt.Sprintf("%d transports, no unknown keys", len(cfg.Transports))})
	c.say("access", core.Finding{Text: accessText(cfg)})
	for _, w := range cfg.Warnings {
		c.say("config", core.Finding{Err: w, Warn: true})
	}
	if path := socketPath(cfg); path != "" && alive(ctx, path) {
		c.running(ctx, load)
		return
	}
	a, err := openApp(ctx, cfg, discard())
	if err != nil {
		c.say(placeOf(err), core.Finding{Err: err, Text: nextStep(err)})
		return
	}
	defer a.close(ctx)
	c.say("store", core.Finding{Text: "opened, schema up to date, key fits"})
	x, err := wire(a)
	if err != nil {
		c.say("xmpp", core.Finding{Err: err})
		return
	}
	for _, l := range x.links {
		f := core.Finding{Name: l.Domain(), Text: "logged in"}
		if err := l.Check(ctx); err != nil {
			f.Err, f.Text = err, linkStep(err)
		}
		c.say("xmpp", f)
	}
	for _, f := range a.mediaFindings(ctx, false) {
		c.say("media", f)
	}
	c.transports(ctx, a)
}

// running asks the gateway that is running; logging in beside it would end its links.
func (c *checker) running(ctx context.Context, load loader) {
	err := withDesk(ctx, load, func(call caller) error {
		var rows []statusRow
		if err := call(ctx, "status", struct{}{}, &rows); err != nil {
			return err
		}
		for _, r := range rows {
			f := core.Finding{Name: r.Part, Text: r.Text}
			if !r.OK {
				f.Err, f.Text = errors.New(r.Text), "see the gateway's log"
			}
			c.say("running", f)
		}
		var checks []checkRow
		if err := call(ctx, "check", struct{}{}, &checks); err != nil {
			return err
		}
		for _, r := range checks {
			f := core.Finding{Name: r.Name, Warn: r.Warn, Text: r.Text}
			if r.Error != "" {
				f.Err = errors.New(r.Error)
			}
			c.say(r.Network, f)
		}
		return nil
	})
	if err != nil {
		c.say("running", core.Finding{Err: err})
	}
}

func (c *checker) transports(ctx context.Context, a *app) {
	for _, n := range a.gateway.Networks() {
		if n.TransportCaps.Checker == nil {
			continue
		}
		for _, f := range n.TransportCaps.Checker.Check(ctx) {
			c.say(n.Driver.Name, f)
		}
	}
}

// checkRow is a Finding as the desk passes it on.
type checkRow struct {
	Network, Name, Error, Text string
	Warn                       bool
}

// check looks at the files and the transports of a running gateway.
func (d *desk) check(ctx context.Context) []checkRow {
	var rows []checkRow
	for _, f := range d.app.mediaFindings(ctx, true) {
		rows = append(rows, rowOf("media", f))
	}
	for _, n := range d.app.gateway.Networks() {
		if n.TransportCaps.Checker == nil {
			continue
		}
		for _, f := range n.TransportCaps.Checker.Check(ctx) {
			rows = append(rows, rowOf(n.Driver.Name, f))
		}
	}
	return rows
}

func rowOf(network string, f core.Finding) checkRow {
	row := checkRow{Network: network, Name: f.Name, Text: f.Text, Warn: f.Warn}
	if f.Err != nil {
		row.Error = explain(f.Err)
	}
	return row
}

// linkStep says what to do about a component that cannot log in.
func linkStep(err error) string {
	if errors.As(err, new(*net.OpError)) {
		return "look at xmpp.server, and whether the host server runs and has a component port there"
	}
	return "compare domain and secret with the component's in the host server's configuration"
}

func placeOf(err error) string {
	if errors.As(err, new(*config.Error)) {
		return "config"
	}
	return "store"
}

// nextStep says what to do about a database that cannot be opened.
func nextStep(err error) string {
	switch {
	case errors.Is(err, store.ErrNewer):
		return "install a newer gangway, or restore the backup that the older one can read"
	case errors.Is(err, store.ErrLocked):
		return "stop the gateway that has it open, or ask it: `gangway status`"
	case errors.Is(err, store.ErrDiskFull):
		return "make room on the disk"
	case errors.Is(err, store.ErrNotDatabase):
		return "set store.url to gangway's own file, or to one that does not exist yet"
	}
	return "look at store.url, and at the owner and mode of the file and its folder"
}

// accessText says in a line who may use the gateway and how much.
func accessText(cfg *config.Config) string {
	who := "administrators"
	if len(cfg.Access.Allow) > 0 {
		who = strings.Join(cfg.Access.Allow, ", ")
	}
	if cfg.Access.Invites {
		who += "; by invitation"
	}
	if cfg.Access.Approve {
		who += "; others when an administrator approves"
	}
	if cfg.Limits.Messages > 0 {
		who += fmt.Sprintf("; %d messages a minute each", cfg.Limits.Messages)
	}
	return who
}
