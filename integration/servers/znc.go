package servers

import (
	"context"
	"fmt"
	"net"
	"os"
)

// ZNCConfig says whose bouncer it is.
type ZNCConfig struct {
	Dir      string    // its own; made when absent
	Upstream IRCServer // the network behind it
	Nick     string    // of its only user, and their name
	Password string
	Channel  string // where it always is
	// Replay has it tell its whole buffer to whoever attaches, and not only what was said since somebody was attached.
	Replay bool
}

// ZNC is a ZNC 1.8 with one user on one network, "net". The module for znc.in/playback is none of Debian's: it tells
// unasked what was said.
type ZNC struct {
	*Process
	conf ZNCConfig
	port int
}

// NewZNC writes the configuration; it starts nothing. Start returns when the user is on the network, which must run.
func NewZNC(conf ZNCConfig) (*ZNC, error) {
	z, err := newZNC(conf)
	if err != nil {
		return nil, fmt.Errorf("znc: %w", err)
	}
	return z, nil
}

func newZNC(conf ZNCConfig) (*ZNC, error) {
	h, err := newHome(conf.Dir, "irc")
	if err != nil {
		return nil, err
	}
	z := &ZNC{conf: conf}
	if err := freePorts(&z.port); err != nil {
		return nil, err
	}
	for _, dir := range []string{"data", "data/configs"} {
		if err := h.mkdir(dir); err != nil {
			return nil, err
		}
	}
	data := struct {
		ZNCConfig
		Port     int
		Host, To string
	}{ZNCConfig: conf, Port: z.port}
	if data.Host, data.To, err = net.SplitHostPort(conf.Upstream.Addr()); err != nil {
		return nil, err
	}
	if _, err := h.renderTo("data/configs/znc.conf", "znc.conf", data); err != nil {
		return nil, err
	}
	z.Process = h.process("znc", "/usr/bin/znc", "--foreground", "--datadir", h.path("data"))
	z.before = func() error { // its lock outlives kill -9
		if err := os.Remove(h.path("data/znc.pid")); err != nil && !os.IsNotExist(err) {
			return err
		}
		return nil
	}
	z.ready = func(ctx context.Context) error {
		conn, err := dial(ctx, z.Addr())
		if err != nil {
			return err
		}
		if err := conn.Close(); err != nil {
			return err
		}
		return probeNick(ctx, conf.Upstream.Addr(), conf.Nick)
	}
	return z, nil
}

// Addr is where clients connect, without TLS.
func (z *ZNC) Addr() string { return loopback(z.port) }

// Pass is what a client says with PASS.
func (z *ZNC) Pass() string { return z.conf.Nick + "/net:" + z.conf.Password }
