package servers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const (
	// StartTimeout bounds Start when its context has no earlier deadline. It is generous because a machine may be busy.
	StartTimeout = 60 * time.Second
	// StopTimeout is how long Stop waits for a server to end politely.
	StopTimeout = 10 * time.Second

	killTimeout = 20 * time.Second      // only a process stuck in the kernel takes longer
	tryTimeout  = 5 * time.Second       // for one attempt at a handshake
	pollEvery   = 20 * time.Millisecond // pace of everything that can only be polled
)

// Process is a server as the operating system sees it: one command, in a session of its own, run again and again.
// Each server of this package embeds one.
type Process struct {
	name   string
	path   string
	args   []string
	env    []string
	cred   *syscall.Credential
	site   *Site    // where it runs; nil: here
	resolv string   // its /etc/resolv.conf; empty: this machine's
	output string   // file that stdout and stderr are appended to
	logs   []string // further log files
	// before runs ahead of each start: to clear what an unclean end has left. May be nil.
	before func() error
	// ready is tried until it returns nil; each try has its own short deadline.
	ready func(context.Context) error

	starting sync.Mutex // held by Start: one at a time

	mu     sync.Mutex
	pid    int           // of the main process, as last started
	done   chan struct{} // closed when all its processes have ended
	killed bool          // Kill was called
	reaped bool          // pid may belong to somebody else by now
	err    error         // how it ended
}

var _ Server = (*Process)(nil)

// Name is the server's name in errors and logs.
func (p *Process) Name() string { return p.name }

// Logs names the files the server writes about itself.
func (p *Process) Logs() []string { return append([]string{p.output}, p.logs...) }

// Done is closed when the server, as last started, has ended; nil before the first Start.
func (p *Process) Done() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done
}

// Pid is the main process's id as last started, 0 before that.
func (p *Process) Pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pid
}

// Start starts the server and returns when it answers.
func (p *Process) Start(ctx context.Context) error {
	p.starting.Lock()
	defer p.starting.Unlock()
	if p.running() {
		return fmt.Errorf("start %s: it is running", p.name)
	}
	if p.before != nil {
		if err := p.before(); err != nil {
			return fmt.Errorf("start %s: %w", p.name, err)
		}
	}
	done, err := p.launch()
	if err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, StartTimeout)
	defer cancel()
	if err := p.await(ctx, done); err != nil {
		killErr := p.Kill()
		return errors.Join(fmt.Errorf("start %s: %w\n%s", p.name, err, p.tail()), killErr)
	}
	return nil
}

// launch starts the command; the goroutine it leaves closes the returned channel when the last process has ended.
//
// Pdeathsig fires when the *thread* that forked ends, so that thread is pinned until the child is gone (go.dev/issue/27505).
// One that went to another site for the fork is not used again.
func (p *Process) launch() (<-chan struct{}, error) {
	out, err := os.OpenFile(p.output, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o640)
	if err != nil {
		return nil, err
	}
	cmd := p.command(out)
	done := make(chan struct{})
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := p.fork(cmd)
		if p.site == nil {
			defer runtime.UnlockOSThread()
		}
		_ = out.Close()
		if err == nil {
			p.set(cmd.Process.Pid, done)
		}
		started <- err
		if err == nil {
			p.reap(cmd, done)
		}
	}()
	return done, <-started
}

// fork starts the command from where it is to run.
func (p *Process) fork(cmd *exec.Cmd) error {
	if p.site != nil {
		if err := p.site.ns.enter(); err != nil {
			return err
		}
	}
	return cmd.Start()
}

func (p *Process) command(out *os.File) *exec.Cmd {
	path, args, cred := p.path, p.args, p.cred
	if p.resolv != "" {
		path, args, cred = "/usr/bin/unshare", p.resolving(), nil
	}
	cmd := exec.Command(path, args...) //nolint:gosec,noctx // our own fixed arguments; a context would kill one process only
	cmd.Env = append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}, p.env...)
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL, Credential: cred}
	return cmd
}

// resolving are the arguments of unshare(1) that run the command, as the same process, with another resolv.conf.
func (p *Process) resolving() []string {
	const script = `mount --bind "$1" /etc/resolv.conf && shift && exec "$@"`
	args := []string{"--mount", "/bin/sh", "-c", script, "sh", p.resolv}
	if p.cred != nil {
		args = append(args, "/usr/bin/setpriv", fmt.Sprintf("--reuid=%d", p.cred.Uid), fmt.Sprintf("--regid=%d", p.cred.Gid),
			"--clear-groups", "--pdeathsig=KILL")
	}
	return append(append(args, p.path), p.args...)
}

func (p *Process) set(pid int, done chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pid, p.done = pid, done
	p.killed, p.reaped, p.err = false, false, nil
}

// reap waits for the main process, then for its workers, and only then gives up the id.
func (p *Process) reap(cmd *exec.Cmd, done chan struct{}) {
	_ = awaitExit(cmd.Process.Pid) // an error here shows in Wait too
	clearSession(cmd.Process.Pid, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.killed
	})
	p.mu.Lock()
	p.err = cmd.Wait()
	p.reaped = true
	p.mu.Unlock()
	close(done)
}

// await polls ready until it succeeds, the process ends or the context does.
func (p *Process) await(ctx context.Context, done <-chan struct{}) error {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		try, cancel := context.WithTimeout(ctx, tryTimeout)
		err := p.ready(try)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-done:
			return fmt.Errorf("it ended by itself: %s", p.ending())
		case <-ctx.Done():
			return fmt.Errorf("not ready in time: %w", err)
		case <-ticker.C:
		}
	}
}

// ending says how the last run ended.
func (p *Process) ending() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		return "exit status 0"
	}
	return p.err.Error()
}

func (p *Process) running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done != nil && !p.reaped
}

// Stop asks the server to end with SIGTERM and kills what is left after StopTimeout.
func (p *Process) Stop() error {
	p.mu.Lock()
	done := p.done
	if done != nil && !p.reaped {
		_ = syscall.Kill(p.pid, syscall.SIGTERM) // it may just have ended
	}
	p.mu.Unlock()
	if done == nil {
		return nil
	}
	select {
	case <-done:
		return nil
	case <-time.After(StopTimeout):
		return p.Kill()
	}
}

// Kill sends SIGKILL to every process of the server and returns when none is left.
func (p *Process) Kill() error {
	p.mu.Lock()
	done := p.done
	if done != nil && !p.reaped {
		p.killed = true
		signalSession(p.pid, syscall.SIGKILL)
	}
	p.mu.Unlock()
	if done == nil {
		return nil
	}
	select {
	case <-done:
		return nil
	case <-time.After(killTimeout):
		return fmt.Errorf("kill %s: its processes do not end", p.name)
	}
}
