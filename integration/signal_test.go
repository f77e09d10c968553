//go:build integration

package integration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"gangway/integration/client"
	"gangway/integration/servers"
	"gangway/integration/world"
)

// TestStopKeepsTheQueue: SIGTERM ends the program politely with messages queued; they are delivered after the restart.
func TestStopKeepsTheQueue(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, world.Options{})
	alice := login(ctx, t, w, world.Alice, "phone")
	register(ctx, t, alice, world.SMS, world.Numbers()[0])
	register(ctx, t, alice, world.Mail, "alice")
	if err := w.Mail.Stop(); err != nil {
		t.Fatal(err)
	}
	const n = 20
	for i := range n {
		if _, err := alice.Say(carolJID, fmt.Sprintf("queued %d.", i)); err != nil {
			t.Fatal(err)
		}
	}
	until(ctx, t, "all queued", func() (bool, string) {
		out, _ := gangway(ctx, t, w, "queue", "list", "--json", "--transport", "email")
		var rows []struct{ Attempts int }
		if err := json.Unmarshal([]byte(out), &rows); err != nil {
			return false, out
		}
		return len(rows) == n, out
	})
	begun := time.Now()
	if err := w.Gangway.Stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took > servers.StopTimeout {
		t.Errorf("SIGTERM is obeyed after %v only, by force", took)
	}
	log, err := os.ReadFile(w.Gangway.Logs()[0])
	if err != nil || !bytes.Contains(log, []byte("gangway is stopping")) || bytes.Contains(log, []byte("panic")) {
		t.Errorf("no polite end: %v", err)
	}
	if err := errors.Join(w.Mail.Start(ctx), w.Gangway.Start(ctx)); err != nil {
		t.Fatal(err)
	}
	out, _ := gangway(ctx, t, w, "queue", "list", "--json", "--transport", "email")
	var rows []struct{ Seq int64 }
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, r := range rows { // those whose turn is later are asked to come now; the others are on their way
		if out, code := gangway(ctx, t, w, "queue", "retry", fmt.Sprint(r.Seq)); code != 0 && !strings.Contains(out, "no such message") {
			t.Fatal(out)
		}
	}
	for i := range n {
		if _, err := w.Mail.WaitMessage(ctx, world.Carol, servers.Contains(fmt.Sprintf("queued %d.", i))); err != nil {
			t.Fatal(err)
		}
	}
	smsFlows(ctx, t, w, alice)
}

func TestReload(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, world.Options{Access: "alice@" + world.Domain})
	alice, bob := login(ctx, t, w, world.Alice, "phone"), login(ctx, t, w, world.Bob, "phone")
	register(ctx, t, alice, world.SMS, world.Numbers()[0])
	answer := func() string {
		t.Helper()
		if _, err := bob.Say(world.SMS, "cancel"); err != nil { // whatever was asked before
			t.Fatal(err)
		}
		wait(ctx, t, bob, "the end of the conversation", client.MessageFrom(world.SMS, ""))
		last, err := world.Register(ctx, bob, world.SMS)
		if err != nil {
			t.Fatal(err)
		}
		return last
	}
	refusal := answer()
	t.Log("before:", refusal)

	hup := func(line string) {
		t.Helper()
		log := w.Gangway.Logs()[0]
		old, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(w.Gangway.Pid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		until(ctx, t, line, func() (bool, string) {
			b, err := os.ReadFile(log)
			if err != nil {
				return false, err.Error()
			}
			return bytes.Contains(b[len(old):], []byte(line)), string(b[len(old):])
		})
	}
	edit(t, w, "[access]", "[acess]")
	hup("configuration not reloaded: the old one stays in force")
	if now := answer(); now != refusal {
		t.Errorf("a broken file changes something: %q", now)
	}
	smsFlows(ctx, t, w, alice)
	edit(t, w, "[acess]\nallow = [\"alice@", "[access]\nallow = [\"*@")
	hup("configuration reloaded")
	if now := answer(); now == refusal {
		t.Errorf("the reload has no effect: %q", now)
	}
	smsFlows(ctx, t, w, alice)
}
