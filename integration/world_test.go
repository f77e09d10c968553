//go:build integration

package integration

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"gangway/integration/client"
	"gangway/integration/servers/serverstest"
	"gangway/integration/world"
)

// binary is the program as built for these tests.
var binary string

func TestMain(m *testing.M) {
	if job := os.Getenv(followJob); job != "" { // not a test, but what one of them kills
		os.Exit(followMailbox(job))
	}
	dir, err := os.MkdirTemp("", "gw")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "gangway")
	if out, err := exec.Command("go", "build", "-o", binary, "../cmd/gangway").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building gangway: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// start starts a world that ends with the test; when the test fails, the program's log is shown.
func start(t *testing.T, o world.Options) (*world.World, context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	t.Cleanup(cancel)
	o.Dir, o.Binary = serverstest.Dir(t), binary
	w, err := world.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			if log, err := os.ReadFile(w.Gangway.Logs()[0]); err == nil {
				t.Logf("gangway.log:\n%s", log[max(0, len(log)-20_000):])
			}
		}
	})
	return w, ctx
}

func login(ctx context.Context, t *testing.T, w *world.World, user, resource string, opts ...client.Option) *client.Client {
	t.Helper()
	c, err := w.Login(ctx, user, resource, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func wait(ctx context.Context, t *testing.T, c *client.Client, what string, match func(*client.Stanza) bool) *client.Stanza {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	st, err := c.Wait(ctx, match)
	if err != nil {
		t.Fatalf("%s did not come: %v\n%s", what, err, journal(c))
	}
	return st
}

func journal(c *client.Client) string {
	s := ""
	for _, st := range c.Log() {
		s += st.Raw + "\n"
	}
	return s
}
