package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gangway/core/xmpp/stream"
	"gangway/integration/servers"
)

// mailTaker is a server that mail is handed to.
type mailTaker struct {
	name, addr string
	lmtp       bool
	pid        int
	rest       func(context.Context) error // returns when nothing is on its way any more; may be nil
	hold       func()                      // keeps it from doing more than taking; may be nil
	release    func(context.Context) error // ends that, and returns when all is done; nil if hold is
	says       func() string               // what it complains of
	end        func()

	sent       *atomic.Int64 // by all who share the server
	mails      int
	took, used time.Duration
	later      time.Duration // used after release
}

// cost is the processor time of taking 1,000 mails, in seconds.
func (t *mailTaker) cost() float64 { return t.perThousand(t.used) }

func (t *mailTaker) perThousand(d time.Duration) float64 {
	return 1000 * d.Seconds() / float64(t.mails)
}

func (t *mailTaker) cpu() (time.Duration, error) { return treeCPU(t.pid) }

// settled is the processor time once the server has come to rest.
func (t *mailTaker) settled(ctx context.Context) (time.Duration, error) {
	last, err := t.cpu()
	for quiet := 0; err == nil && quiet < 3; {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
		var now time.Duration
		if now, err = t.cpu(); now > last+10*time.Millisecond {
			quiet = 0
		} else {
			quiet++
		}
		last = now
	}
	return last, err
}

// startTakers starts smtp-sink and Postfix, in this order, and then the gateway, once for each of its doors.
func startTakers(ctx context.Context, o mailOptions) (all []*mailTaker, err error) {
	defer func() {
		if err == nil {
			return
		}
		for _, t := range all {
			t.end()
		}
	}()
	sink, err := startSink(ctx)
	if err != nil {
		return all, err
	}
	all = append(all, sink)
	postfix, err := startPostfix(ctx, o)
	if err != nil {
		return all, err
	}
	all = append(all, postfix)
	ours, err := startGateway(ctx, o)
	return append(all, ours...), err
}

func freeAddr(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// answers waits until somebody takes connections at an address.
func answers(ctx context.Context, addr string) error {
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func startSink(ctx context.Context) (*mailTaker, error) {
	addr, err := freeAddr(ctx)
	if err != nil {
		return nil, err
	}
	args := []string{addr, "200"}
	if os.Geteuid() == 0 { // it does not run as root
		args = append([]string{"-u", "nobody"}, args...)
	}
	var complaints strings.Builder
	cmd := exec.CommandContext(ctx, "smtp-sink", args...) //nolint:gosec // our own arguments
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	t := &mailTaker{name: "smtp-sink", addr: addr, pid: cmd.Process.Pid, sent: new(atomic.Int64), says: func() string { return "nothing" }}
	t.end = func() {
		_ = cmd.Process.Kill() // it has nothing to finish
		_ = cmd.Wait()
	}
	if err := answers(ctx, addr); err != nil {
		t.end()
		return nil, fmt.Errorf("smtp-sink: %w: %s", err, complaints.String())
	}
	return t, nil
}

// startPostfix starts a Postfix whose mail goes nowhere: smtpd, cleanup, qmgr, discard.
func startPostfix(ctx context.Context, o mailOptions) (*mailTaker, error) {
	dir := filepath.Join(o.dir, "postfix")
	m, err := servers.NewMail(servers.MailConfig{Dir: dir, Extra: "transport_maps =\nrelay_domains = " + mailDomain +
		"\nrelay_transport = discard:\ndefault_process_limit = 100\n"})
	if err != nil {
		return nil, err
	}
	if err := m.Postfix.Start(ctx); err != nil {
		return nil, err
	}
	t := &mailTaker{name: "Postfix", addr: m.SMTPAddr(), pid: m.Postfix.Pid(), sent: new(atomic.Int64)}
	t.end = func() { _ = m.Postfix.Kill() }
	t.says = func() string { return strings.Join(m.Postfix.Logs(), " ") }
	t.rest = func(ctx context.Context) error { return emptied(ctx, filepath.Join(dir, "p")) }
	return t, nil
}

// emptied returns when Postfix has nothing left in its queue.
func emptied(ctx context.Context, dir string) error {
	for {
		n := 0
		for _, queue := range []string{"incoming", "active", "maildrop"} {
			files, err := os.ReadDir(filepath.Join(dir, "queue", queue))
			if err != nil {
				return err
			}
			n += len(files)
		}
		if n == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d mails are in the queue: %w", n, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// startGateway starts the program, with its database on disk, between smtp-source and an XMPP server that is played
// here and gets every mail. DNS is not asked: neither of the others does.
func startGateway(ctx context.Context, o mailOptions) ([]*mailTaker, error) {
	ctx, cancel := context.WithCancel(ctx)
	host, err := newIRCHost(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	var sent, shown atomic.Int64
	ids := map[string]bool{} // what was not confirmed before a cut comes again
	heard := func(st *stream.Stanza) {
		file := st.Child("jabber:x:oob", "x") != nil // comes by itself, with what is too long for a message
		if st.Kind == stream.Message && st.Child("", "body") != nil && !file && !ids[st.ID] {
			ids[strings.Clone(st.ID)] = true
			shown.Add(1)
		}
	}
	host.heard.Store(&heard)
	var hosting sync.WaitGroup
	hosting.Go(func() { host.run(ctx) })
	child, lmtp, smtp, err := gatewayChild(ctx, o, host.listener.Addr().String())
	stop := func() {
		if child != nil {
			child.end(syscall.SIGTERM)
		}
		cancel()
		hosting.Wait()
	}
	if err != nil {
		stop()
		return nil, err
	}
	for _, addr := range []string{lmtp, smtp} {
		if err := errors.Join(answers(ctx, addr), child.alive()); err != nil {
			stop()
			return nil, fmt.Errorf("gangway: %w: %s", err, child.lastWords())
		}
	}
	select {
	case <-host.linked:
	case <-ctx.Done():
		stop()
		return nil, ctx.Err()
	}
	var once sync.Once
	t := mailTaker{name: "gangway, LMTP", addr: lmtp, lmtp: true, pid: child.cmd.Process.Pid, says: child.lastWords, sent: &sent}
	t.end = func() { once.Do(stop) }
	t.hold = host.hold
	t.release = func(ctx context.Context) error {
		host.release()
		return caughtUp(ctx, &sent, &shown)
	}
	u := t
	u.name, u.addr, u.lmtp = "gangway, SMTP", smtp, false
	return []*mailTaker{&t, &u}, nil
}

// alive says why a child has ended.
func (c *ircChild) alive() error {
	select {
	case <-c.done:
		return fmt.Errorf("it has ended: %w", c.err)
	default:
		return nil
	}
}

// caughtUp returns when as many were shown as were sent.
func caughtUp(ctx context.Context, sent, shown *atomic.Int64) error {
	for shown.Load() < sent.Load() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d mails are shown: %w", shown.Load(), sent.Load(), ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// gatewayChild configures and starts the program with one user.
func gatewayChild(ctx context.Context, o mailOptions, xmpp string) (child *ircChild, lmtp, smtp string, err error) {
	var hooks string
	for _, addr := range []*string{&lmtp, &smtp, &hooks} {
		if *addr, err = freeAddr(ctx); err != nil {
			return nil, "", "", err
		}
	}
	dir := filepath.Join(o.dir, "gangway.d")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, "", "", err
	}
	file, err := writeConfig(dir, xmpp, fmt.Sprintf(`
[web]
hooks = %q
public_url = "https://gw.example"
[media]
upload = false
quota = "100 GiB"
user_quota = "100 GiB"
[transport.email]
domain = %q
secret = "s3cret"
lmtp = %q
smtp = %q
relay = "smtp://127.0.0.1:1"
new_user_hour = 0
new_user_day = 0
new_recipients = 0
pair_hour = 0
same_hour = 0
verify = "off"
dkim_keys = "none"
`, hooks, mailDomain, lmtp, smtp))
	if err != nil {
		return nil, "", "", err
	}
	link := exec.CommandContext(ctx, o.gangway, "user", "link", "alice@example.org", "email", mailTo, "-c", file) //nolint:gosec // our own
	if text, err := link.CombinedOutput(); err != nil {
		return nil, "", "", fmt.Errorf("%w: %s", err, text)
	}
	child, err = startChild(exec.CommandContext(ctx, o.gangway, "run", "-c", file)) //nolint:gosec // our own
	return child, lmtp, smtp, err
}
