//go:build integration

package integration

import (
	"testing"

	"gangway/integration/client"
	"gangway/integration/ircv3"
	"gangway/integration/world"
)

// TestIRCSASL registers an account of the network with the gateway: it is logged in before it enters a room, and what
// the network refuses is told.
func TestIRCSASL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, password, account string }{
		{"right", "sesame", "jilles"}, {"wrong", "open", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := startV3(t, ircv3.Config{Accounts: map[string]string{"jilles": "sesame"}}, nil)
			alice := login(v.ctx, t, v.World, world.Alice, "phone")
			form := "<query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'>"
			for _, f := range [][2]string{{"network", "v3.test"}, {"nick", "alice"}, {"login", "jilles"}, {"password", c.password}, {"more", "false"}} {
				form += "<field var='" + f[0] + "'><value>" + f[1] + "</value></field>"
			}
			if _, err := alice.IQ(v.ctx, world.IRC, "set", form+"</x></query>"); err != nil {
				t.Fatal(err)
			}
			_, err := alice.Join(v.ctx, v3Room, "alice")
			if c.account == "" {
				if !client.IsCondition(err, "not-authorized") {
					t.Errorf("a wrong password: %v, want not-authorized\n%s", err, journal(alice))
				}
				return
			}
			if err != nil {
				t.Fatalf("%v\n%s", err, journal(alice))
			}
			if got := v.net.Account("alice"); got != c.account {
				t.Errorf("logged in as %q, want %q", got, c.account)
			}
		})
	}
}
