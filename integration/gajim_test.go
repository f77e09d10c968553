//go:build integration

package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gangway/integration/client"
	"gangway/integration/world"
)

// nobody is the user that Gajim runs as: it refuses root.
const nobody = 65534

// gajimWait bounds the journey, each step of which has two minutes of its own.
const gajimWait = 6 * time.Minute

// gajimJourney: a person with Gajim opens the service discovery of their server, finds the transports listed as such,
// and registers with one by its form.
func gajimJourney(s *stage) {
	p := s.newPerson()
	home, err := os.MkdirTemp("", "gw") // with the test's own directory the path would not be open to others
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = os.RemoveAll(home) })
	run := filepath.Join(home, "run")
	if err := os.Mkdir(run, 0o700); err != nil {
		s.Fatal(err)
	}
	for _, dir := range []string{home, run} {
		if err := os.Chown(dir, nobody, nobody); err != nil {
			s.Fatal(err)
		}
	}
	script := copyFile(s.T, "clients/gajim.py", filepath.Join(home, "gajim.py"))
	cert := copyFile(s.T, s.XMPP.CertFile(), filepath.Join(home, "server.pem"))
	host, port, err := net.SplitHostPort(s.XMPP.Addr())
	if err != nil {
		s.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		s.Fatal(err)
	}
	conf, err := json.Marshal(map[string]any{
		"user": p.name, "domain": world.Domain, "password": world.Password, "host": host, "port": number, "cert": cert,
		"gateways": []string{world.Mail, world.SMS, world.IRC}, "name": world.Mail, "label": "Name before @",
		"out": filepath.Join(home, "out"),
	})
	if err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.ctx, gajimWait)
	defer cancel()
	cmd := exec.CommandContext(ctx, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
		"dbus-run-session", "--", "/usr/bin/python3", script)
	cmd.Env = []string{
		"HOME=" + home, "XDG_RUNTIME_DIR=" + run, "PATH=/usr/bin:/bin", "LANG=C.UTF-8", "GDK_BACKEND=x11", "NO_AT_BRIDGE=0",
		"GTK_MODULES=gail:atk-bridge", "LIBGL_ALWAYS_SOFTWARE=1",
	}
	cmd.Dir = home
	cmd.WaitDelay = 10 * time.Second
	var log bytes.Buffer // what starts as a service on the bus writes there too
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(conf), &log, &log
	err = cmd.Run()
	lines, _ := os.ReadFile(filepath.Join(home, "out")) // none: shown below
	var outcomes []outcome
	for line := range strings.Lines(string(lines)) {
		var o outcome
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			s.Fatalf("%v in %q", err, line)
		}
		if o.text("error") != "" {
			s.Errorf("Gajim, step %s: %s\n%s", o.text("step"), o.text("error"), strings.Join(o.list("screen"), "\n"))
		}
		outcomes = append(outcomes, o)
	}
	if err != nil || len(outcomes) != 2 || s.Failed() {
		tail := log.Bytes()
		s.Fatalf("%d of 2 steps, %v\n%s", len(outcomes), err, tail[max(0, len(tail)-6000):])
	}
	transports := slices.Index(outcomes[0].list("found"), "Transports")
	for _, gateway := range []string{world.Mail, world.SMS, world.IRC} {
		if at := slices.IndexFunc(outcomes[0].list("found"), func(row string) bool { return strings.HasSuffix(row, gateway) }); at < transports {
			s.Errorf("%s is not among the transports: %q", gateway, outcomes[0].list("found"))
		}
	}
	// The gateway says the same.
	query := p.ask(world.Mail, "get", "<query xmlns='jabber:iq:register'/>").Child("jabber:iq:register", "query")
	if !slices.ContainsFunc(query.Children, func(e *client.Element) bool { return e.Name.Local == "registered" }) {
		s.Error("Gajim has submitted the form, and nobody is registered")
	}
}

// copyFile copies a file for everybody to read and returns its new name.
func copyFile(t *testing.T, from, to string) string {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o644); err != nil { //nolint:gosec // another user reads it
		t.Fatal(err)
	}
	return to
}

// TestGajim has servers of its own, so that it can be left out by itself.
func TestGajim(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, world.Options{Flavour: world.PrivilegedProsody})
	gajimJourney(newStage(ctx, t, w, world.PrivilegedProsody))
}
