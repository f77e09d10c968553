package servers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// shellServer is a server made of a shell script; it is ready when the file "up" exists in its directory.
func shellServer(t *testing.T, script string) (*Process, string) {
	t.Helper()
	dir := t.TempDir()
	up := filepath.Join(dir, "up")
	p := &Process{
		name: "shell", path: "/bin/sh", args: []string{"-c", script}, env: []string{"DIR=" + dir},
		output: filepath.Join(dir, "out"),
		before: func() error { return os.RemoveAll(up) },
		ready:  func(context.Context) error { _, err := os.Stat(up); return err },
	}
	t.Cleanup(func() { _ = p.Kill() })
	return p, dir
}

// worker starts a grandchild that ignores SIGTERM, notes its id and gets ready.
const worker = `trap '' TERM; sleep 300 & echo $! >$DIR/worker; trap 'echo bye; exit 0' TERM; : >$DIR/up; while :; do wait; done`

func workerPid(t *testing.T, dir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "worker"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	state, _, _ := parseStat(string(stat))
	return state != "Z" && state != "X"
}

func TestProcessEndsWithItsWorkersAndStartsAgain(t *testing.T) {
	for _, tc := range []struct {
		name string
		end  func(*Process) error
	}{
		{"kill", (*Process).Kill},
		{"stop", (*Process).Stop},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, dir := shellServer(t, worker)
			for range 2 {
				if err := p.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := p.Start(t.Context()); err == nil {
					t.Fatal("a second start of a running server succeeds")
				}
				pid := workerPid(t, dir)
				if !alive(pid) {
					t.Fatal("the worker does not run")
				}
				if err := tc.end(p); err != nil {
					t.Fatal(err)
				}
				if alive(pid) {
					t.Fatal("the worker outlives the server")
				}
				select {
				case <-p.Done():
				default:
					t.Fatal("Done is open after the end")
				}
			}
			if err := tc.end(p); err != nil {
				t.Fatalf("ending what has ended: %v", err)
			}
		})
	}
}

func TestStopIsPolite(t *testing.T) {
	p, dir := shellServer(t, `trap 'echo saved >$DIR/saved; exit 0' TERM; : >$DIR/up; while :; do sleep 0.01; done`)
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "saved")); err != nil {
		t.Fatalf("the server could not finish: %v", err)
	}
}

func TestStartReportsWhatTheServerSaid(t *testing.T) {
	p, _ := shellServer(t, `echo "fatal: port taken"; exit 3`)
	err := p.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "fatal: port taken") {
		t.Fatalf("start: %v", err)
	}
	if p.running() {
		t.Fatal("it counts as running")
	}
}

func TestStartGivesUpWithItsContext(t *testing.T) {
	p, dir := shellServer(t, `sleep 300 & echo $! >$DIR/worker; wait`)
	ctx, cancel := context.WithCancel(t.Context())
	p.ready = func(context.Context) error {
		if _, err := os.Stat(filepath.Join(dir, "worker")); err == nil {
			cancel()
		}
		return errors.New("no answer")
	}
	err := p.Start(ctx)
	if err == nil || !strings.Contains(err.Error(), "no answer") {
		t.Fatalf("start: %v", err)
	}
	if alive(workerPid(t, dir)) {
		t.Fatal("a failed start leaves a process")
	}
}

// TestMain lets this test binary be the parent that dies in TestServerDiesWithItsParent.
func TestMain(m *testing.M) {
	if dir := os.Getenv("SERVERS_TEST_PARENT"); dir != "" {
		p := &Process{
			name: "orphan", path: "/bin/sh", args: []string{"-c", "echo $$ >$DIR/worker; : >$DIR/up; exec sleep 300"},
			env: []string{"DIR=" + dir}, output: filepath.Join(dir, "out"),
			ready: func(context.Context) error { _, err := os.Stat(filepath.Join(dir, "up")); return err },
		}
		if err := p.Start(context.Background()); err != nil {
			panic(err)
		}
		fmt.Println("started")
		select {}
	}
	os.Exit(m.Run())
}

func TestServerDiesWithItsParent(t *testing.T) {
	dir := t.TempDir()
	parent := exec.CommandContext(t.Context(), os.Args[0])
	parent.Env = append(os.Environ(), "SERVERS_TEST_PARENT="+dir)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	pid := workerPid(t, dir)
	if !alive(pid) {
		t.Fatal("the server does not run")
	}
	if err := parent.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	for deadline := time.Now().Add(10 * time.Second); alive(pid); time.Sleep(pollEvery) {
		if time.Now().After(deadline) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatal("the server outlives its parent")
		}
	}
}

func TestParseStat(t *testing.T) {
	for _, tc := range []struct {
		stat, state string
		session     int
		ok          bool
	}{
		{"12 (sh) S 1 12 34 0 -1", "S", 34, true},
		{"12 (a) R (b) Z 1 12 7 0", "Z", 7, true},
		{"12 (cut) S 1", "", 0, false},
		{"12 nothing", "", 0, false},
		{"12 (sh) S 1 12 x 0", "S", 0, false},
	} {
		state, session, ok := parseStat(tc.stat)
		if ok != tc.ok || ok && (state != tc.state || session != tc.session) {
			t.Errorf("parseStat(%q) = %q, %d, %v", tc.stat, state, session, ok)
		}
	}
}

func TestFreePortIsNeverGivenTwice(t *testing.T) {
	seen := map[int]bool{}
	for range 200 {
		port, err := FreePort()
		if err != nil {
			t.Fatal(err)
		}
		if seen[port] {
			t.Fatalf("port %d twice", port)
		}
		if port < lowestPort || port >= firstEphemeral() {
			t.Fatalf("port %d is outside the range", port)
		}
		seen[port] = true
	}
	if err := reserve(firstKey(seen)); !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("reserving a port again: %v", err)
	}
}

func firstKey(m map[int]bool) int {
	for k := range m {
		return k
	}
	return 0
}

func TestSafe(t *testing.T) {
	for _, s := range []string{"", "s3cret", "alice@example.test", "[127.0.0.1]:2424", "/tmp/gw1/x"} {
		if got, err := safe(s); err != nil || got != s {
			t.Errorf("safe(%q) = %q, %v", s, got, err)
		}
	}
	for _, s := range []string{"a b", "a\"b", "a\nb", "a;b", "a{b", "$(id)", "a\\b", "é"} {
		if _, err := safe(s); err == nil {
			t.Errorf("safe(%q) passes", s)
		}
	}
}
