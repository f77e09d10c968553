//go:build integration

package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"gangway/integration/client"
	"gangway/integration/ircclient"
	"gangway/integration/world"
)

const lobby = "#lobby%irc.test@" + world.IRC

func dial(ctx context.Context, t *testing.T, w *world.World, nick string) *ircclient.Client {
	t.Helper()
	c, err := ircclient.Dial(ctx, w.IRC.Addr(), ircclient.Config{Nick: nick})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Join(ctx, "#lobby"); err != nil {
		t.Fatal(err)
	}
	return c
}

func enter(ctx context.Context, t *testing.T, c *client.Client) {
	t.Helper()
	if _, err := c.Join(ctx, lobby, "alice"); err != nil {
		t.Fatalf("%v\n%s", err, journal(c))
	}
}

// TestIRCComesBackByItself kills the IRC server under a joined user: nobody does anything, and the room goes on.
func TestIRCComesBackByItself(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, world.Options{})
	dial(ctx, t, w, "dave")
	alice := login(ctx, t, w, world.Alice, "phone")
	enter(ctx, t, alice)
	if err := w.IRC.Kill(); err != nil {
		t.Fatal(err)
	}
	wait(ctx, t, alice, "the word that the connection is lost", func(s *client.Stanza) bool {
		return s.From() == lobby && strings.Contains(s.Body(), "reconnecting")
	})
	id, err := alice.SendMessage(client.Message{To: lobby, Type: "groupchat", Body: "is anybody there?"})
	if err != nil {
		t.Fatal(err)
	}
	wait(ctx, t, alice, "the error of what could not be said", client.ErrorOf(id))
	if err := w.IRC.Start(ctx); err != nil {
		t.Fatal(err)
	}
	dave := dial(ctx, t, w, "dave2")
	if _, err := retry(ctx, func() (any, error) { return nil, isOn(ctx, dave, "alice") }); err != nil {
		t.Fatal(err)
	}
	if err := dave.Privmsg("#lobby", "we are back"); err != nil {
		t.Fatal(err)
	}
	wait(ctx, t, alice, "a line after the restart", client.MessageFrom(lobby+"/dave2", "we are back"))
}

// isOn asks who is in the room.
func isOn(ctx context.Context, c *ircclient.Client, nick string) error {
	if err := c.Send("NAMES #lobby"); err != nil {
		return err
	}
	l, err := c.Wait(ctx, ircclient.Command("353"))
	if err != nil {
		return err
	}
	if !strings.Contains(l.Last(), nick) {
		return fmt.Errorf("%s is not among %s", nick, l.Last())
	}
	return nil
}

// TestXMPPRestartKeepsIRC kills the XMPP server: the IRC connection stays, and self-ping is honest afterwards.
func TestXMPPRestartKeepsIRC(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, world.Options{})
	dave := dial(ctx, t, w, "dave")
	alice := login(ctx, t, w, world.Alice, "phone")
	enter(ctx, t, alice)
	if err := w.XMPP.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := w.XMPP.Start(ctx); err != nil {
		t.Fatal(err)
	}
	again, err := retry(ctx, func() (*client.Client, error) { return w.Login(ctx, world.Alice, "phone") })
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if _, err := retry(ctx, func() (*client.Stanza, error) { return again.Join(ctx, lobby, "alice") }); err != nil {
		t.Fatal(err)
	}
	if _, err := again.IQ(ctx, lobby+"/alice", "get", "<ping xmlns='urn:xmpp:ping'/>"); err != nil {
		t.Errorf("self-ping: %v", err)
	}
	if err := dave.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	for _, l := range dave.Log() {
		if l.Nick() == "alice" && (l.Command == "QUIT" || l.Command == "PART") {
			t.Errorf("on IRC alice left: %s", l.Raw)
		}
	}
}

// TestStopAndStart stops the program politely: rooms are told (332), what was queued arrives after the start.
func TestStopAndStart(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, world.Options{})
	dial(ctx, t, w, "dave")
	alice := login(ctx, t, w, world.Alice, "phone")
	register(ctx, t, alice, world.SMS, world.Numbers()[0])
	enter(ctx, t, alice)
	if err := w.Gangway.Stop(); err != nil {
		t.Fatal(err)
	}
	wait(ctx, t, alice, "the room's farewell", func(s *client.Stanza) bool {
		return s.Type() == "unavailable" && s.HasStatus("110") && s.HasStatus("332")
	})
	if _, err := w.Twilio.Inbound(ctx, "+15550199999", world.Numbers()[0], "while you were away"); err == nil {
		t.Error("the webhook of a program that is stopped was answered")
	}
	if err := w.Gangway.Start(ctx); err != nil {
		t.Fatal(err)
	}
	wait(ctx, t, alice, "what was sent meanwhile", client.MessageFrom("+15550199999@"+world.SMS, "while you were away"))
	if _, err := alice.IQ(ctx, lobby+"/alice", "get", "<ping xmlns='urn:xmpp:ping'/>"); !client.IsCondition(err, "not-acceptable") {
		t.Errorf("self-ping after the restart: %v, want not-acceptable", err)
	}
}

// retry tries until it works or ctx ends: servers need a moment after a restart.
func retry[T any](ctx context.Context, fn func() (T, error)) (T, error) {
	for {
		v, err := fn()
		if err == nil {
			return v, nil
		}
		select {
		case <-ctx.Done():
			return v, err
		case <-time.After(200 * time.Millisecond):
		}
	}
}
