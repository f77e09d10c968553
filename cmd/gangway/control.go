package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gangway/config"
	"gangway/core"
)

// The other subcommands speak to a running gateway over a socket beside its database, which only the gateway's own
// user can open; without a running gateway they open the database themselves. Either way the same desk answers.

// socketPath is where a gateway with this configuration listens; empty if its database is no file.
func socketPath(cfg *config.Config) string {
	file, ok := strings.CutPrefix(cfg.Store.URL.Reveal(), "sqlite:")
	if !ok {
		return ""
	}
	return filepath.Join(filepath.Dir(file), "gangway.sock")
}

const (
	maxRequest  = 1 << 20
	maxResponse = 256 << 20
)

// control serves the desk on the socket.
type control struct {
	path string
	desk *desk
	log  *slog.Logger
	ln   net.Listener
}

// bind opens the socket. A stale one, left by a crash, is replaced: the database's lock says that nobody serves it.
func (c *control) bind(ctx context.Context) error {
	if c.path == "" {
		return nil
	}
	if err := os.Remove(c.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("control socket: %w", err)
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "unix", c.path)
	if err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	if err := os.Chmod(c.path, 0o600); err != nil {
		ln.Close()
		return fmt.Errorf("control socket: %w", err)
	}
	c.ln = ln
	return nil
}

// Run serves until ctx ends.
func (c *control) Run(ctx context.Context) error {
	if c.ln == nil {
		<-ctx.Done()
		return nil
	}
	srv := &http.Server{Handler: c, ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if srv.Shutdown(late) != nil {
			_ = srv.Close() // whoever asks still is cut off
		}
	})
	defer stop()
	if err := srv.Serve(c.ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("control socket: %w", err)
	}
	return nil
}

// ServeHTTP answers POST /<operation> with what the desk says.
func (c *control) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	op := strings.TrimPrefix(r.URL.Path, "/")
	args, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	var out any
	if err == nil {
		begun := &firstByte{Writer: w}
		var streams bool
		if streams, err = c.desk.stream(r.Context(), op, args, begun); streams && err == nil {
			return
		}
		if begun.yes { // whoever reads it sees that it is cut off
			c.log.Warn("answer cut off", "op", op, "err", err)
			panic(http.ErrAbortHandler)
		}
		if !streams {
			out, err = c.desk.do(r.Context(), op, args)
		}
	}
	if err != nil {
		w.WriteHeader(http.StatusUnprocessableEntity)
		out = core.AsError(err)
	}
	if err := json.NewEncoder(w).Encode(out); err != nil {
		c.log.Debug("control answer not written", "err", err)
	}
}

// firstByte is a writer that says whether anything was written.
type firstByte struct {
	io.Writer
	yes bool
}

func (f *firstByte) Write(p []byte) (int, error) {
	f.yes = true
	return f.Writer.Write(p)
}

// caller asks the desk for an operation. out may be nil; the result of one that streams goes to an io.Writer.
type caller func(ctx context.Context, op string, in, out any) error

// withDesk finds a desk to ask, in a running gateway or over the database, and calls fn.
func withDesk(ctx context.Context, load loader, fn func(caller) error) error {
	cfg, err := load()
	if err != nil {
		return err
	}
	path := socketPath(cfg)
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		},
	}}
	if path != "" && alive(ctx, path) {
		return fn(func(ctx context.Context, op string, in, out any) error { return callSocket(ctx, client, op, in, out) })
	}
	app, err := openApp(ctx, cfg, discard())
	if err != nil {
		return err
	}
	defer app.close(ctx)
	d := &desk{app: app}
	return fn(func(ctx context.Context, op string, in, out any) error { return callDesk(ctx, d, op, in, out) })
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// alive says whether somebody serves the socket.
func alive(ctx context.Context, path string) bool {
	conn, err := (&net.Dialer{Timeout: 2 * time.Second}).DialContext(ctx, "unix", path)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

func callSocket(ctx context.Context, client *http.Client, op string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://gangway/"+op, bytes.NewReader(body))
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("asking the running gateway: %w", err)
	}
	defer res.Body.Close()
	answer := json.NewDecoder(io.LimitReader(res.Body, maxResponse))
	if res.StatusCode != http.StatusOK {
		e := new(core.Error)
		if err := answer.Decode(e); err != nil {
			return fmt.Errorf("asking the running gateway: %s", res.Status)
		}
		return e
	}
	switch w, streams := out.(io.Writer); {
	case streams:
		if _, err := io.Copy(w, res.Body); err != nil {
			return fmt.Errorf("reading from the running gateway: %w", err)
		}
		return nil
	case out == nil:
		return nil
	}
	return answer.Decode(out)
}

// callDesk asks a desk in this process, by the same JSON.
func callDesk(ctx context.Context, d *desk, op string, in, out any) error {
	args, err := json.Marshal(in)
	if err != nil {
		return err
	}
	if w, streams := out.(io.Writer); streams {
		_, err := d.stream(ctx, op, args, w)
		return err
	}
	result, err := d.do(ctx, op, args)
	if err != nil || out == nil {
		return err
	}
	b, err := json.Marshal(result)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, out)
}
