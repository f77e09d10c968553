//go:build integration

package integration

import (
	"testing"

	"gangway/integration/world"
)

// TestIRCNetworks plays the room scenarios on other networks than a plain ngIRCd, which TestNative has: over TLS, with
// a certificate that is verified, and on InspIRCd with its IRCv3.
func TestIRCNetworks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		options world.Options
	}{
		{"ngircd over TLS", world.Options{IRCTLS: true}},
		{"inspircd", world.Options{InspIRCd: true}},
		{"inspircd over TLS", world.Options{InspIRCd: true, IRCTLS: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, ctx := start(t, c.options)
			people := newStage(ctx, t, w, world.Usual).people
			for _, sc := range []scenario{
				{"joining a room", joiningARoom}, {"a nick changes", aNickChanges}, {"private messages", privateMessages},
			} {
				t.Run(sc.name, func(t *testing.T) { sc.play(&stage{T: t, World: w, ctx: ctx, people: people}) })
			}
		})
	}
}
