package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"text/tabwriter"
	"time"

	"gangway/integration/servers"
	"gangway/transports/irc/ircdtest"
)

// The targets for an idle IRC session, in KiB of resident memory.
const (
	idleTargetPlain = 32
	idleTargetTLS   = 56
)

// idleLoad measures what an idle IRC session costs: an IRC server in this process, and in a child process a gateway
// with many sessions that are connected and say nothing. Only the child's memory counts.
func idleLoad(args []string, out io.Writer) error {
	var o idleOptions
	fs := flag.NewFlagSet("idle", flag.ContinueOnError)
	fs.IntVar(&o.Sessions, "sessions", 1000, "how many")
	fs.DurationVar(&o.Rest, "rest", 5*time.Second, "how long they are idle before they are measured")
	child := fs.String("child", "", "be the gateway, with these options (used by the measurement itself)")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *child != "" {
		if err := json.Unmarshal([]byte(*child), &o); err != nil {
			return err
		}
		return idleGateway(o, out)
	}
	if o.Sessions < 1 {
		return errors.New("-sessions must be positive")
	}
	return idleMeasure(o, out)
}

// idleOptions say what the child does.
type idleOptions struct {
	Sessions int
	Rest     time.Duration
	Address  string // ircs:// or irc://
	CA       string
	Rooms    bool // each in a channel of its own
}

// idleResult is what the child saw of itself, in KiB.
type idleResult struct {
	Before     int // with a few sessions, so that what is there once is there
	Idle       int // with all, as it stands
	Collected  int // after a garbage collection that returned what it could
	Counted    int // the sessions between Before and Idle
	Goroutines int // per session, times 100
}

func (r idleResult) each(rss int) float64 { return float64(rss-r.Before) / float64(r.Counted) }

func idleMeasure(o idleOptions, out io.Writer) error {
	dir, err := os.MkdirTemp("", "gangway-load-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	defer serving.Wait()
	defer cancel()
	plain, secure, ca, err := idleServers(ctx, &serving, dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "idle IRC sessions: %d, the gateway in a process of its own, KiB of RSS per session\n\n", o.Sessions)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "connection\tchannels\tas it stands\tcollected\tgoroutines\ttarget\t\t")
	for _, c := range []struct {
		name, address, ca string
		rooms             bool
		target            float64
	}{
		{"plain", plain, "", false, idleTargetPlain}, {"TLS", secure, ca, false, idleTargetTLS},
		{"plain", plain, "", true, 0}, {"TLS", secure, ca, true, 0},
	} {
		o.Address, o.CA, o.Rooms = c.address, c.ca, c.rooms
		r, err := idleChild(ctx, o)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		rooms, target, verdict := "0", "", ""
		if c.rooms {
			rooms = "1"
		}
		if c.target > 0 {
			target, verdict = fmt.Sprint("<= ", c.target), "missed"
			if r.each(r.Idle) <= c.target {
				verdict = "met"
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%.1f\t%.1f\t%.2f\t%s\t%s\t\n", c.name, rooms, r.each(r.Idle), r.each(r.Collected),
			float64(r.Goroutines)/100, target, verdict)
	}
	return w.Flush()
}

// idleServers starts the IRC server on two ports.
func idleServers(ctx context.Context, serving *sync.WaitGroup, dir string) (plain, secure, caFile string, err error) {
	ca, err := servers.NewCA()
	if err != nil {
		return "", "", "", err
	}
	caFile = filepath.Join(dir, "ca.pem")
	if err := ca.WriteFile(caFile); err != nil {
		return "", "", "", err
	}
	certPEM, keyPEM, err := ca.Issue()
	if err != nil {
		return "", "", "", err
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return "", "", "", err
	}
	listen := func(config *tls.Config) (string, error) {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		_, port, _ := net.SplitHostPort(l.Addr().String())
		if config != nil {
			l = tls.NewListener(l, config)
		}
		srv := &ircdtest.Server{Caps: []string{"multi-prefix", "userhost-in-names", "echo-message"}}
		serving.Go(func() { _ = srv.Serve(ctx, l) }) // it ends with ctx; earlier, the child will say so
		return "localhost:" + port, nil
	}
	if plain, err = listen(nil); err != nil {
		return "", "", "", err
	}
	secure, err = listen(&tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	return "irc://" + plain, "ircs://" + secure, caFile, err
}

// idleChild runs the gateway and returns what it saw of itself.
func idleChild(ctx context.Context, o idleOptions) (idleResult, error) {
	self, err := os.Executable()
	if err != nil {
		return idleResult{}, err
	}
	options, err := json.Marshal(o)
	if err != nil {
		return idleResult{}, err
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, self, "idle", "-child", string(options)) //nolint:gosec // ourselves
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := cmd.Run(); err != nil {
		return idleResult{}, err
	}
	var r idleResult
	err = json.Unmarshal(out.Bytes(), &r)
	return r, err
}

// residentKiB is the resident set of this process.
func residentKiB() (int, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0, errors.New("/proc/self/statm is not understood")
	}
	pages, err := strconv.Atoi(string(fields[1]))
	return pages * os.Getpagesize() / 1024, err
}
