//go:build integration

package integration

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gangway/integration/servers"
	"gangway/integration/servers/serverstest"
	"gangway/integration/world"
)

// TestIRCHybrid plays the room scenarios on ircd-hybrid, in the place of the usual IRC server.
func TestIRCHybrid(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	dir := serverstest.Dir(t)
	w, err := world.New(world.Options{Dir: dir, Binary: binary})
	if err != nil {
		t.Fatal(err)
	}
	hybrid, err := servers.NewHybrid(servers.IRCConfig{Dir: filepath.Join(dir, "hybrid"), Unlimited: true})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(w.Config)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte("irc://"+w.IRC.Addr()), []byte("irc://"+hybrid.Addr()))
	if err := os.WriteFile(w.Config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	w.IRC = hybrid
	if err := w.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Stop(); err != nil {
			t.Error(err)
		}
	})
	people := newStage(ctx, t, w, world.Usual).people
	for _, sc := range []scenario{
		{"joining a room", joiningARoom}, {"a nick changes", aNickChanges}, {"private messages", privateMessages},
	} {
		t.Run(sc.name, func(t *testing.T) { sc.play(&stage{T: t, World: w, ctx: ctx, people: people}) })
	}
}
