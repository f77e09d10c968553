//go:build integration

package demo

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// transcriptLines are what a reader must find, in this order. A figure stands for each MS.
var transcriptLines = []string{
	"three components of Prosody",
	"MS  [gangway email dkim rotate makes keys",
	"v=spf1",
	"MS  email.example.test: Your e-mail address is alice@email.example.test",
	"MS  Alice to Carol: Lunch at noon?",
	"MS  [receipt for Alice: Carol's mail server has it]",
	"MS  Carol to Alice: Yes! The usual place?",
	"MS  Alice to Carol: The usual place.",
	"MS  [error for Alice, item-not-found: There is no mailbox",
	"MS  sms.example.test: Your number is +15550100001",
	"MS  Alice to +15550199999: Running late, start without me",
	"MS  [receipt for Alice: the carrier has delivered it]",
	"MS  +15550199999 to Alice: No hurry, we saved you a seat",
	"MS  [error for Alice, remote-server-timeout:",
	"MS  [Alice joins #lobby%irc.test@irc.example.test",
	"MS  [Bob joins #lobby%irc.test@irc.example.test",
	"MS  Alice in #lobby: Hello from XMPP",
	"MS  Dave in #lobby: Hello from IRC, both of you",
	"MS  Alice to Dave: Between us: nice bridge",
	"MS  [receipt for Alice: the IRC server took it]",
	"MS  Dave to Alice: Thanks, I had not noticed one",
	"20 steps, 0 failed",
}

func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "gangway")
	if out, err := exec.Command("go", "build", "-o", binary, "gangway/cmd/gangway").CombinedOutput(); err != nil {
		t.Fatalf("building gangway: %v\n%s", err, out)
	}
	return binary
}

// watchTemp has the demo's directory made where the test can look for it; what it returns fails the test if it is still
// there.
func watchTemp(t *testing.T) (left func()) {
	t.Helper()
	dir, err := os.MkdirTemp("", "gd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", dir)
	return func() {
		t.Helper()
		if names, err := filepath.Glob(filepath.Join(dir, "gangway-*")); err != nil || len(names) > 0 {
			t.Errorf("left behind: %v, %v", names, err)
		}
	}
}

func TestOnce(t *testing.T) {
	binary := build(t)
	left := watchTemp(t)
	var out bytes.Buffer
	if err := Run(t.Context(), Options{Once: true, Out: &out, Binary: binary}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	rest := out.String()
	for _, want := range transcriptLines {
		pattern := strings.Replace(regexp.QuoteMeta(want), "MS", ` +[0-9.]+ ms`, 1)
		at := regexp.MustCompile(pattern).FindStringIndex(rest)
		if at == nil {
			t.Fatalf("no %q, or not in its place:\n%s", want, out.String())
		}
		rest = rest[at[1]:]
	}
	if strings.Contains(out.String(), "NOW YOU") {
		t.Error("it tells how to log in to what is about to end")
	}
	left()
}

// interrupter ends the context when the demo has said something.
type interrupter struct {
	bytes.Buffer
	at   string
	stop func()
}

func (i *interrupter) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(i.at)) {
		i.stop()
	}
	return i.Buffer.Write(p)
}

// TestStay: the demo tells how to log in, and Ctrl-C is the way it ends.
func TestStay(t *testing.T) {
	binary := build(t)
	left := watchTemp(t)
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	out := &interrupter{at: "Ctrl-C stops everything", stop: stop}
	if err := Run(ctx, Options{Out: out, Binary: binary}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{"/connect alice@example.test server 127.0.0.1 port ", "gangway.toml", "STOPPING"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	left()
}

// TestInterrupted: in the middle of it, Ctrl-C is an error of no step, and nothing is left.
func TestInterrupted(t *testing.T) {
	binary := build(t)
	left := watchTemp(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out := &interrupter{at: "Lunch at noon?", stop: stop}
	if err := Run(ctx, Options{Once: true, Out: out, Binary: binary}); !errors.Is(err, errInterrupted) {
		t.Fatalf("%v\n%s", err, out.String())
	}
	left()
}

// TestBrokenProgram: a program that does not start is a reason, not a hang.
func TestBrokenProgram(t *testing.T) {
	left := watchTemp(t)
	var out bytes.Buffer
	err := Run(t.Context(), Options{Once: true, Out: &out, Binary: "/bin/false"})
	if err == nil || !strings.Contains(err.Error(), "start gangway: it ended by itself") {
		t.Fatalf("%v\n%s", err, out.String())
	}
	left()
}
