//go:build integration

package integration

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gangway/integration/client"
	"gangway/integration/servers"
	"gangway/integration/world"
)

func TestCheckFindsAllWell(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, world.Options{})
	for _, state := range []string{"running", "stopped"} {
		out, code := gangway(ctx, t, w, "check")
		if code != 0 || strings.Contains(out, "FAIL") {
			t.Errorf("check beside a %s gateway: %d\n%s", state, code, out)
		}
		for _, d := range []string{world.Mail, world.SMS, world.IRC} {
			if !strings.Contains(out, d) {
				t.Errorf("check beside a %s gateway does not mention %s:\n%s", state, d, out)
			}
		}
		if code, _, raw := readyz(ctx, t, w); state == "running" && code != http.StatusOK {
			t.Errorf("check disturbs the running gateway: %d %s", code, raw)
		}
		if err := w.Gangway.Stop(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWrongComponentSecret(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, world.Options{})
	alice := login(ctx, t, w, world.Alice, "phone")
	register(ctx, t, alice, world.SMS, world.Numbers()[0])
	if err := w.Gangway.Stop(); err != nil {
		t.Fatal(err)
	}
	edit(t, w, "domain = \"irc.example.test\"\nsecret = \"secret\"", "domain = \"irc.example.test\"\nsecret = \"no-such-secret\"")

	out, code := gangway(ctx, t, w, "check")
	if code != 1 || !strings.Contains(out, "FAIL  xmpp irc.example.test") || !strings.Contains(out, "does not accept the secret for irc.example.test") ||
		!strings.Contains(out, "ok    xmpp sms.example.test") || strings.Contains(out, "no-such-secret") {
		t.Errorf("check: %d\n%s", code, out)
	}

	run(ctx, t, w)
	until(ctx, t, "the other links up, this one refused", func() (bool, string) {
		code, parts, raw := readyz(ctx, t, w)
		bad := parts["link irc.example.test"]
		return code == http.StatusServiceUnavailable && parts["link sms.example.test"].OK && parts["link email.example.test"].OK &&
			!bad.OK && strings.Contains(bad.Text, "does not accept the secret"), raw
	})
	smsFlows(ctx, t, w, alice)
}

// run starts the program without waiting until all is well, since it will not be; it is stopped with the test.
func run(ctx context.Context, t *testing.T, w *world.World) {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(ctx), binary, "run", "-c", w.Config)
	log, err := os.Create(filepath.Join(filepath.Dir(w.Config), "second.log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Errorf("it ended by itself: %v", err)
		}
		force := time.AfterFunc(servers.StopTimeout, func() { _ = cmd.Process.Kill() })
		defer force.Stop()
		if err := cmd.Wait(); err != nil {
			t.Errorf("run: %v", err)
		}
		log.Close()
		if b, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("second.log:\n%s", b[max(0, len(b)-20_000):])
		}
	})
}

// TestTakenComponent: another connection takes a domain away. The gateway takes it back, once the other is gone at the
// latest, and the other domains notice nothing.
func TestTakenComponent(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, world.Options{})
	alice := login(ctx, t, w, world.Alice, "phone")
	register(ctx, t, alice, world.SMS, world.Numbers()[0])

	// A second gateway with the same database is refused, with the reason.
	out, code := gangway(ctx, t, w, "run")
	if code != 1 || !strings.Contains(out, "is in use by process") {
		t.Errorf("a second gateway: %d\n%s", code, out)
	}

	// One with a database of its own gets the domain on this server, which keeps the newer connection.
	before := metric(ctx, t, w, `gangway_link_reconnects_total{domain="irc.example.test"}`)
	other := filepath.Join(filepath.Dir(w.Config), "other.toml")
	text := fmt.Sprintf("[xmpp]\nserver = %q\ndomain = %q\n[store]\nurl = \"sqlite:%s/other/gangway.db\"\n[access]\nallow = [\"*\"]\n"+
		"[transport.loopback]\ndomain = %q\nsecret = %q\n", w.XMPP.ComponentAddr(), world.Domain, filepath.Dir(other), world.IRC, world.Password)
	if err := errors.Join(os.Mkdir(filepath.Join(filepath.Dir(other), "other"), 0o700), os.WriteFile(other, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	b, err := exec.CommandContext(ctx, binary, "check", "-c", other).CombinedOutput()
	if err != nil {
		t.Fatalf("the other one: %v\n%s", err, b)
	}
	until(ctx, t, "the link back", func() (bool, string) {
		code, _, raw := readyz(ctx, t, w)
		after := metric(ctx, t, w, `gangway_link_reconnects_total{domain="irc.example.test"}`)
		return code == http.StatusOK && after != before, raw + " " + after
	})
	if _, parts, raw := readyz(ctx, t, w); !parts["link sms.example.test"].OK {
		t.Errorf("another link is down: %s", raw)
	}
	smsFlows(ctx, t, w, alice)
	if _, err := alice.Join(ctx, lobby, "alice"); err != nil {
		t.Errorf("joining a room afterwards: %v", err)
	}
}

// TestHugeStanza: the host server may end the stream of whoever sends 10 MB; the gateway's links are not touched.
func TestHugeStanza(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, world.Options{})
	alice, bob := login(ctx, t, w, world.Alice, "phone"), login(ctx, t, w, world.Bob, "phone")
	register(ctx, t, alice, world.SMS, world.Numbers()[0])
	register(ctx, t, bob, world.SMS, world.Numbers()[1])
	before := metric(ctx, t, w, `gangway_link_reconnects_total{domain="sms.example.test"}`)
	id, err := bob.Say(smsPeer+"@"+world.SMS, strings.Repeat("x", 10<<20))
	if err != nil {
		t.Log("the host server ends bob's stream: ", err)
	} else {
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			if st, err := bob.Wait(ctx, client.ErrorOf(id)); err == nil {
				t.Log("bob is told:", st.Err())
			}
		}()
		select {
		case <-answered:
		case <-bob.Done():
			t.Log("the host server ends bob's stream")
			<-answered
		}
	}
	smsFlows(ctx, t, w, alice)
	if after := metric(ctx, t, w, `gangway_link_reconnects_total{domain="sms.example.test"}`); after != before {
		t.Errorf("the link was lost: %s connections, %s before", after, before)
	}

	// What the host server lets through and SMS cannot carry comes back as an error.
	id, err = alice.Say(smsPeer+"@"+world.SMS, strings.Repeat("words ", 20_000))
	if err != nil {
		t.Fatal(err)
	}
	st := wait(ctx, t, alice, "the refusal of 120 kB", client.ErrorOf(id))
	t.Log(st.Err())
	smsFlows(ctx, t, w, alice)
}
