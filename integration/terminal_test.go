//go:build integration

package integration

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// clientWait is how long a real client may take over anything: the machine may be busy.
const clientWait = 120 * time.Second

// terminal is a program in a terminal of its own, in tmux, with a home of its own.
type terminal struct {
	t      *testing.T
	ctx    context.Context
	home   string
	socket string
}

// newTerminal starts a command in a terminal of 180 by 55, which ends with the test.
func newTerminal(ctx context.Context, t *testing.T, command string) *terminal {
	t.Helper()
	dir, err := os.MkdirTemp("", "gw") // short: the path of a socket is bounded
	if err != nil {
		t.Fatal(err)
	}
	x := &terminal{t, ctx, dir, filepath.Join(dir, "tmux")}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the screen:\n%s", x.screen())
		}
		_ = exec.Command("tmux", "-S", x.socket, "kill-server").Run()
		_ = os.RemoveAll(dir)
	})
	if out, err := x.tmux("-f", "/dev/null", "-u", "new-session", "-d", "-s", "main", "-x", "180", "-y", "55", command); err != nil {
		t.Fatalf("tmux: %v\n%s", err, out)
	}
	return x
}

func (x *terminal) tmux(args ...string) (string, error) {
	cmd := exec.CommandContext(context.WithoutCancel(x.ctx), "tmux", append([]string{"-S", x.socket}, args...)...)
	cmd.Env = []string{"HOME=" + x.home, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "TERM=xterm-256color", "SHELL=/bin/sh"}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// screen is what can be seen, and what has scrolled away.
func (x *terminal) screen() string {
	out, err := x.tmux("capture-pane", "-p", "-J", "-S", "-400", "-t", "main")
	if err != nil {
		return fmt.Sprint(err, out)
	}
	return strings.TrimSpace(out)
}

// enter types a line.
func (x *terminal) enter(line string) {
	x.t.Helper()
	for _, args := range [][]string{{"send-keys", "-t", "main", "-l", "--", line}, {"send-keys", "-t", "main", "Enter"}} {
		if out, err := x.tmux(args...); err != nil {
			x.t.Fatalf("tmux: %v\n%s", err, out)
		}
	}
}

// see waits until all the texts are on the screen.
func (x *terminal) see(texts ...string) {
	x.t.Helper()
	x.until("on the screen", x.screen, texts...)
}

// until polls a text that grows until it holds all that is wanted.
func (x *terminal) until(where string, read func() string, texts ...string) {
	x.t.Helper()
	deadline := time.Now().Add(clientWait)
	for {
		got, missing := read(), ""
		for _, text := range texts {
			if !strings.Contains(got, text) {
				missing = text
			}
		}
		if missing == "" {
			return
		}
		if time.Now().After(deadline) || x.ctx.Err() != nil {
			x.t.Fatalf("%q is not %s:\n%s", missing, where, got[max(0, len(got)-8000):])
		}
		time.Sleep(100 * time.Millisecond)
	}
}
