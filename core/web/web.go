// Package web serves the gateway's pages over HTTP: health and metrics on one listener, the networks' webhooks on
// another, so that what the world may reach shares nothing with what only the administrator may.
//
// Goroutines: Server.Run owns one per listener and waits for both.
package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Config is what a Server serves. An empty address means: do not listen.
type Config struct {
	Listen   string                  // health and metrics
	Hooks    string                  // webhooks and files only
	Metrics  http.Handler            // at /metrics; nil: none
	Webhooks map[string]http.Handler // by transport: at /hooks/<name>/
	Media    http.Handler            // files, at /media/ beside the webhooks; nil: none
	Ready    func() []Part           // what /readyz reports on
	Logger   *slog.Logger
}

// Part is something that must work for the gateway to be ready.
type Part struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Text string `json:"text,omitempty"`
}

// Server is the HTTP side. Bind it before the rest of the program starts, so that a taken port stops the start-up.
type Server struct {
	cfg       Config
	listeners []net.Listener
	servers   []*http.Server
}

// New makes a server. It starts nothing.
func New(cfg Config) *Server { return &Server{cfg: cfg} }

// Bind opens the listeners. On error none stays open.
func (s *Server) Bind(ctx context.Context) error {
	for _, l := range []struct {
		name, addr string
		handler    http.Handler
	}{
		{"listen", s.cfg.Listen, s.admin()},
		{"hooks", s.cfg.Hooks, s.hooks()},
	} {
		if l.addr == "" {
			continue
		}
		ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", l.addr)
		if err != nil {
			s.Close()
			return fmt.Errorf("web.%s = %q: %w", l.name, l.addr, err)
		}
		s.listeners = append(s.listeners, ln)
		s.servers = append(s.servers, &http.Server{
			Handler:           l.handler,
			ReadHeaderTimeout: 10 * time.Second,
			ReadTimeout:       30 * time.Second,
			WriteTimeout:      60 * time.Second,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    64 << 10,
			ErrorLog:          slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelDebug),
		})
	}
	return nil
}

// Close closes the listeners of a server that is not run.
func (s *Server) Close() {
	for _, ln := range s.listeners {
		ln.Close()
	}
	s.listeners, s.servers = nil, nil
}

// Run serves until ctx ends, then lets requests in hand finish for up to ten seconds.
func (s *Server) Run(ctx context.Context) error {
	errs := make(chan error, len(s.servers))
	var wg sync.WaitGroup
	for i, srv := range s.servers {
		wg.Go(func() {
			if err := srv.Serve(s.listeners[i]); !errors.Is(err, http.ErrServerClosed) {
				errs <- fmt.Errorf("web: %w", err)
			}
		})
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-errs:
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	for _, srv := range s.servers {
		if srv.Shutdown(stop) != nil {
			_ = srv.Close() // the requests that took too long are cut off
		}
	}
	wg.Wait()
	return err
}

func (s *Server) admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /readyz", s.ready)
	if s.cfg.Metrics != nil {
		mux.Handle("GET /metrics", s.cfg.Metrics)
	}
	return safe(mux)
}

func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	parts := s.cfg.Ready()
	code := http.StatusOK
	for _, p := range parts {
		if !p.OK {
			code = http.StatusServiceUnavailable
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(map[string]any{"ready": code == http.StatusOK, "parts": parts}); err != nil {
		s.cfg.Logger.Debug("readyz not written", "err", err)
	}
}

func (s *Server) hooks() http.Handler {
	mux := http.NewServeMux()
	for name, h := range s.cfg.Webhooks {
		prefix := "/hooks/" + name
		mux.Handle(prefix+"/", http.StripPrefix(prefix, h))
	}
	if s.cfg.Media != nil {
		mux.Handle("/media/", http.StripPrefix("/media", s.cfg.Media))
	}
	return safe(mux)
}

// safe sets the headers that stop a browser from making more of an answer than it is.
func safe(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		w.Header().Set("Cache-Control", "no-store")
		h.ServeHTTP(w, r)
	})
}

// Addr returns the address of the i-th listener as bound, for tests that listen on port 0.
func (s *Server) Addr(i int) string { return s.listeners[i].Addr().String() }
