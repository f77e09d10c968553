package core_test

import (
	"context"
	"testing"
	"testing/synctest"

	"gangway/core"
)

// knownNet knows users by a word and an address.
type knownNet struct{ *fakeNet }

func (knownNet) Identify(_ context.Context, user core.UserID) ([]string, error) {
	if user == alice.User {
		return []string{"w0rd", "2001:db8::1", "w0rd.gw.test"}, nil
	}
	return []string{"other", "2001:db8::2"}, nil
}

// TestIdentified finds users by what complaints say of them.
func TestIdentified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &fakeNet{}
		d := net.driver(core.Driver{Lane: core.Live})
		d.New = func(h core.Host, _ core.Decoder) (core.Transport, error) {
			net.host = h
			return knownNet{net}, nil
		}
		h := newHallOf(t, net, d)
		defer h.stop()
		for text, want := range map[string]core.UserID{
			"w0rd": alice.User, "~W0RD": alice.User, "nick!~w0rd@somewhere": alice.User, "~x@2001:DB8:0::2": bob.User, "[2001:db8::2]": bob.User,
			"w0rd.gw.test": alice.User, "nick!x@w0rd.gw.test": alice.User, "": "", "@": "", "nobody": "", "!": "", "w0rd@2001:db8::1": alice.User,
		} {
			found, err := h.Identified(t.Context(), text)
			switch {
			case want == "" && (kind(err) != core.NotFound || len(found) > 0):
				t.Errorf("%q: %v, %v", text, found, err)
			case want != "" && (err != nil || len(found) != 1 || found[0].User != want):
				t.Errorf("%q: %v, %v", text, found, err)
			}
		}
	})
}
