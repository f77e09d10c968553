package email

import (
	"strings"
	"testing"

	"gangway/core"
)

func TestComputed(t *testing.T) {
	for user, want := range map[core.UserID]string{
		"alice@example.org":       "alice=example.org",
		"o'neil+x@example.org":    "o=27neil=2bx=example.org",
		"a=b@example.org":         "a=3db=example.org",
		"jürgen@example.org":      "j=c3=bcrgen=example.org",
		"x=example.org@other.org": "x=3dexample.org=other.org",
		"b@example.org":           "", // would look like an envelope sender
		"a@bücher.example":        "", // no ASCII
		core.UserID(strings.Repeat("x", 60) + "@example.org"): "", // too long
	} {
		local, ok := computed(user)
		if ok != (want != "") || ok && local != want {
			t.Errorf("%s: %q, %v", user, local, ok)
		}
		if !ok {
			continue
		}
		if back, ok := uncomputed(strings.ToUpper(local)); !ok || back != user {
			t.Errorf("%s comes back as %q", local, back)
		}
	}
	for _, local := range []string{"alice", "=", "a=", "=example.org", "a=6=example.org", "a=zz=example.org", "a=61=example.org", "a=41=example.org"} {
		if user, ok := uncomputed(local); ok {
			t.Errorf("%q is of %q", local, user)
		}
	}
}

// TestComputedRecipient: mail for it reaches who is registered, and nobody else.
func TestComputedRecipient(t *testing.T) {
	for mode, want := range map[string]string{computedRegistered: "250", computedOff: "550 5.1.1"} {
		g := start(t, map[string]any{"computed": mode}, nil)
		d := g.hello(t, "smtp")
		d.send("MAIL FROM:<bob@example.com>")
		d.expect("250")
		d.send("RCPT TO:<alice=example.org@gw.example>")
		d.expect(want)
		d.send("RCPT TO:<carol=example.org@gw.example>")
		d.expect("550 5.1.1")
	}
}

// FuzzComputed: no two users have one address, and no address two users.
func FuzzComputed(f *testing.F) {
	f.Add("alice@example.org", "alice=example.org")
	f.Add("a=b@c", "a=3db=c")
	f.Fuzz(func(t *testing.T, user, local string) {
		if local, ok := computed(core.UserID(user)); ok && strings.ToLower(user) == user {
			if back, ok := uncomputed(local); !ok || string(back) != user {
				t.Errorf("%q -> %q -> %q, %v", user, local, back, ok)
			}
		}
		if user, ok := uncomputed(local); ok {
			if again, ok := computed(user); !ok || again != strings.ToLower(local) {
				t.Errorf("%q -> %q -> %q, %v", local, user, again, ok)
			}
		}
	})
}
