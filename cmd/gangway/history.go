package main

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"gangway/config"
	"gangway/core"
	"gangway/core/archive"
	"gangway/core/store"
	"gangway/mapping"
)

// history is the archive of rooms, with the table that says whose account is whose.
type history struct {
	*archive.Archive
	accounts *mapping.Map
	enabled  bool // otherwise nothing new is kept, and rooms show none of it
}

var (
	_ core.Keeper  = (*history)(nil)
	_ core.Archive = (*history)(nil)
)

// errKeptNone is what sessions are told when the configuration wants no history.
var errKeptNone = core.E(core.Unsupported, "history", "This gateway keeps no history.")

// Since implements core.Archive.
func (h *history) Since(ctx context.Context, room core.Ref) (core.Mark, error) {
	if !h.enabled {
		return core.Mark{}, errKeptNone
	}
	return h.Archive.Since(ctx, room)
}

// Begin implements core.Archive.
func (h *history) Begin(ctx context.Context, room core.Ref) error {
	if !h.enabled {
		return errKeptNone
	}
	return h.Archive.Begin(ctx, room)
}

// Fill implements core.Archive.
func (h *history) Fill(ctx context.Context, room core.Ref, page []core.Archived) ([]core.Archived, error) {
	if !h.enabled {
		return nil, errKeptNone
	}
	return h.Archive.Fill(ctx, room, page)
}

// openHistory brings the archive's tables up to date, also if the configuration wants none: what an earlier run has kept
// belongs to its users, who may export and erase it.
func openHistory(ctx context.Context, db *store.DB, m *mapping.Map, cfg config.Archive, log *slog.Logger) (*history, error) {
	a, err := archive.Open(ctx, db, archive.Config{Keep: cfg.Keep, Limit: cfg.Limit, Logger: log})
	if err != nil {
		return nil, err
	}
	return &history{a, m, cfg.Enabled}, nil
}

// measure shows how much of the history is missing.
func (h *history) measure(r prometheus.Registerer) {
	r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "gangway_archive_lost_total", Help: "Messages of rooms that were shown and could not be kept.",
	}, func() float64 { return float64(h.Lost()) }))
}

// Move implements core.Keeper: the history is kept by account, which stays the same.
func (h *history) Move(context.Context, core.UserID, core.UserID) error { return nil }

// Erase implements core.Keeper: it forgets the accounts that are gone, as those of the user are by now.
func (h *history) Erase(ctx context.Context, _ core.UserID) error { return h.orphans(ctx) }

// Sweep forgets what is too old or too much, and what is left of accounts that are gone.
func (h *history) Sweep(ctx context.Context) error {
	if _, err := h.Archive.Sweep(ctx); err != nil {
		return err
	}
	return h.orphans(ctx)
}

// orphans forgets what is left of accounts that are gone.
func (h *history) orphans(ctx context.Context) error {
	accounts, err := h.Accounts(ctx)
	if err != nil {
		return err
	}
	for _, id := range accounts {
		_, err := h.accounts.Account(ctx, id)
		if err == nil || core.KindOf(err) != core.NotFound {
			continue
		}
		if err := h.Forget(ctx, id); err != nil {
			return err
		}
	}
	return nil
}
