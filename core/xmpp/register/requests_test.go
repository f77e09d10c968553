package register

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"gangway/core"
)

// waiters are the requests of Alice.
type waiters struct {
	all []core.Request
	log []string
}

func (w *waiters) Requests(_ context.Context, a core.Account) ([]core.Request, error) {
	if string(a.User) != alice {
		return nil, nil
	}
	return w.all, nil
}

func (w *waiters) note(what string, peer core.Address) error {
	w.log = append(w.log, what+" "+string(peer))
	return nil
}

func (w *waiters) Accept(_ context.Context, _ core.Account, peer core.Address) error {
	return w.note("accept", peer)
}

func (w *waiters) Turned(_ context.Context, _ core.Account, peer core.Address) error {
	return w.note("turned", peer)
}

func (w *waiters) Denounce(_ context.Context, _ core.Account, peer core.Address, _ string) error {
	return w.note("denounce", peer)
}

// Who waits is let in, blocked or reported by a word, or from a list.
func TestRequests(t *testing.T) {
	w := &waiters{}
	s := stage(t, func(c *Config) { c.Requests = w })
	s.say(alice, "requests")
	s.hear(alice, "Nobody waits to be let in.")
	since := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	for i := range 3 {
		w.all = append(w.all, core.Request{Ref: core.Ref{Peer: core.Address(fmt.Sprintf("eve%d@evil.example", i))}, Messages: i + 1, Since: since})
	}
	s.say(alice, "requests")
	s.hear(alice, `3 wait to be let in:*eve0@evil.example, 1 message since 2 November*eve1@evil.example, 2 messages*1. let one in*2. block one*3. block one and tell*4. nothing*`)
	s.say(alice, "1")
	s.hear(alice, "About whom?*1. eve0@evil.example*2. eve1@evil.example*")
	s.say(alice, "2")
	s.hear(alice, "eve1@evil.example can write to you*")
	s.say(alice, "accept eve0@evil.example")
	s.hear(alice, "eve0@evil.example can write to you*")
	s.say(alice, "report eve1@evil.example")
	s.hear(alice, "The administrator is told of eve1@evil.example*")
	s.say(alice, "block eve2@evil.example")
	s.hear(alice, "You hear nothing more from eve2@evil.example*")
	want := "accept eve1@evil.example|accept eve0@evil.example|denounce eve1@evil.example|turned eve1@evil.example|turned eve2@evil.example"
	if got := strings.Join(w.log, "|"); got != want {
		t.Errorf("done: %s, want %s", got, want)
	}
	s.say(alice, "contacts blocked")
	s.hear(alice, "2 contacts:*eve1*eve2*")
	s.say(bob, "requests")
	s.hear(bob, "You are not registered here*")
}
