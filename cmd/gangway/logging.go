package main

import (
	"context"
	"io"
	"log/slog"
	"sync/atomic"

	"gangway/config"
)

// logging is how much is logged, and how, which a reload can change.
type logging struct {
	level slog.LevelVar
	json  atomic.Bool
}

// logger writes as the configuration says, each record in one write.
func (l *logging) logger(w io.Writer, cfg config.Log) *slog.Logger {
	l.apply(cfg)
	opts := &slog.HandlerOptions{Level: &l.level}
	return slog.New(&eitherHandler{l, slog.NewTextHandler(w, opts), slog.NewJSONHandler(w, opts)})
}

// apply puts a reading of the file in force.
func (l *logging) apply(cfg config.Log) {
	l.json.Store(cfg.Format == "json")
	var level slog.Level
	if level.UnmarshalText([]byte(cfg.Level)) != nil {
		level = slog.LevelInfo // Load has checked it
	}
	l.level.Set(level)
}

// eitherHandler writes by one of two handlers.
type eitherHandler struct {
	logging    *logging
	text, json slog.Handler
}

func (h *eitherHandler) now() slog.Handler {
	if h.logging.json.Load() {
		return h.json
	}
	return h.text
}

// Enabled implements slog.Handler.
func (h *eitherHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.now().Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (h *eitherHandler) Handle(ctx context.Context, r slog.Record) error {
	return h.now().Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h *eitherHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &eitherHandler{h.logging, h.text.WithAttrs(attrs), h.json.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h *eitherHandler) WithGroup(name string) slog.Handler {
	return &eitherHandler{h.logging, h.text.WithGroup(name), h.json.WithGroup(name)}
}
