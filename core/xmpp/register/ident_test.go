package register

import (
	"context"
	"testing"

	"gangway/core"
)

// known is a network that knows its users by words.
type known struct{}

func (known) Identify(context.Context, core.UserID) ([]string, error) { return nil, nil }

// TestIdent has an administrator look for whom a network complains of, in a chat and by command.
func TestIdent(t *testing.T) {
	s := stage(t, func(c *Config) { c.Domain.Network.TransportCaps.Identifier = known{} })
	const admin = string(root)
	const found = "bob@example.org (irc, irc.test)\nbob@example.org (irc, bo on irc.other.test)"
	s.say(admin, "ident ~w0rd@host")
	s.hear(admin, found)
	s.say(admin, "ident")
	s.hear(admin, "By what does the network know them?*")
	s.say(admin, "~w0rd@host")
	s.hear(admin, found)
	s.say(admin, "ident nobody")
	s.hear(admin, "Nobody here is known by that.")
	if got := byCommand(t, s, admin, s.command(t, "ident"), [][]pair{{{"word", "~w0rd@host"}}}); got != found {
		t.Errorf("%q", got)
	}
	s.say(alice, "ident ~w0rd@host")
	s.hear(alice, "Only an administrator can do that.")
}

// TestNoIdent: where a network knows nobody by a word there is nothing to ask for.
func TestNoIdent(t *testing.T) {
	s := stage(t)
	s.say(string(root), "ident x")
	s.hear(string(root), "An address looks like*")
}
