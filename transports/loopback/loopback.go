// Package loopback is the smallest complete transport: a network that ends where it begins. What is sent to the
// address of another account arrives there; what is sent to "echo" comes back. It is the double of a network in
// tests, and the tour for whoever writes a transport: this file and session.go are all there is to one. enroll.go and
// abilities.go are what a transport may leave out.
package loopback

import (
	"context"
	"strings"
	"time"

	"gangway/core"
)

// Echo is the address that answers with what it was told.
const Echo core.Address = "echo"

// Driver describes the network. An account's own address is a lower-case word.
func Driver() core.Driver {
	return core.Driver{
		Name: "loopback", Title: "Loopback", Type: "loopback",
		Lane: core.Stored, Order: core.PerPeer, Threads: true, Reactions: core.ReactionRules{Most: 6},
		Lifetime: time.Hour, Retry: []time.Duration{time.Second, time.Minute},
		Session: (*session)(nil),
		New: func(h core.Host, settings core.Decoder) (core.Transport, error) {
			var none struct{}
			if err := settings(&none); err != nil {
				return nil, err
			}
			return &transport{host: h}, nil
		},
	}
}

type transport struct{ host core.Host }

// Run has nothing to serve.
func (t *transport) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Parse accepts a word of letters, digits and dashes, in any case.
func (t *transport) Parse(s string) (core.Target, error) {
	word := strings.ToLower(s)
	bad := strings.ContainsFunc(word, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	})
	if word == "" || len(word) > 64 || bad {
		return core.Target{}, core.E(core.Invalid, "loopback: parse",
			"An address here is one word of letters, digits and dashes, such as \"echo\".")
	}
	return core.Target{Address: core.Address(word)}, nil
}

// Format is the word itself.
func (t *transport) Format(target core.Target) string { return string(target.Address) }

// Open makes a session, which needs no connection.
func (t *transport) Open(a core.Account) (core.Session, error) {
	return &session{host: t.host, account: a}, nil
}
