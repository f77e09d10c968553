package register

import (
	"context"
	"testing"

	"gangway/core"
	"gangway/core/xmpp"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/edge/edgetest"
	"gangway/core/xmpp/stream"
)

// nobody is a table without accounts.
type nobody struct{}

func (nobody) AccountsOf(context.Context, core.UserID) ([]core.Account, error) { return nil, nil }

// sender counts what is written.
type sender struct {
	xmpp.Sender
	domain  string
	stanzas int
}

func (s *sender) Domain() string { return s.domain }

func (s *sender) Write(fn func(*stream.Encoder)) error {
	enc := stream.Encoder{Domain: s.domain}
	fn(&enc)
	s.stanzas += enc.Count()
	return enc.Err()
}

// Who is erased is taken leave of on every domain where they were, over that
// domain's own link.
func TestEraseOnAllDomains(t *testing.T) {
	var desks []*Desk
	s := stage(t, func(c *Config) { c.Neighbours = func() []*Desk { return desks } })
	withBob(s)
	other := &sender{domain: "sms.gw"}
	here := New(Config{
		Domain:  &edge.Domain{Name: "sms.gw", Network: edgetest.Network((*edgetest.Plain)(nil)), Link: other},
		Gateway: s.hall, Accounts: s.hall, Contacts: s.book,
	})
	elsewhere := New(Config{
		Domain:  &edge.Domain{Name: "irc.gw", Network: edgetest.Network((*edgetest.Plain)(nil))},
		Gateway: s.hall, Accounts: nobody{}, Contacts: s.book,
	})
	desks = []*Desk{s.desk, here, elsewhere}
	for _, text := range []string{"erase", "yes"} {
		s.say(alice, text)
		s.hear(alice, "*")
	}
	s.say(alice, "erase")
	s.hear(alice, "Nothing is kept about you any more.")
	for range 6 { // three of Bob, three of the gateway
		s.srv.Expect(`<presence to='` + alice + `'/>`)
	}
	s.srv.Quiet(alice+"/x", "email.gw")
	if got := other.stanzas; got != 6 {
		t.Errorf("%d stanzas over the other link", got)
	}
}
