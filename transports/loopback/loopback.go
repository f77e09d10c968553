// Package loopback is the smallest complete transport: a network that ends where it begins. What is sent to the
// address of another account arrives there; what is sent to "echo" comes back. It is the double of a network in
// tests, and the tour for whoever writes a transport: this file is all there is to one.
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
		Lane: core.Stored, Order: core.PerPeer, Threads: true,
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

// Enroll asks for the address and takes it.
func (t *transport) Enroll(_ context.Context, user core.UserID, _ *core.Account, answers map[string]string) (core.Step, error) {
	ask := core.Step{
		Title: "Loopback", Text: "Which address would you like?",
		Fields: []core.Field{{Name: "address", Label: "Address", Value: proposal(user), Required: true}},
	}
	if answers == nil {
		return ask, nil
	}
	target, err := t.Parse(answers["address"])
	if err != nil {
		ask.Text = core.AsError(err).Sentence()
		return ask, nil
	}
	return core.Step{
		Title: "Loopback", Text: "You are " + string(target.Address) + ". Write to \"echo\" to try it.", Done: true,
		Link: &core.Account{Own: target.Address},
	}, nil
}

// proposal is the part of a user's name that can be an address.
func proposal(user core.UserID) string {
	name, _, _ := strings.Cut(string(user), "@")
	return strings.ToLower(name)
}

type session struct {
	host    core.Host
	account core.Account
}

// Run says that the network is there, and waits.
func (s *session) Run(ctx context.Context) error {
	if err := s.host.Deliver(ctx, &core.Status{Ref: core.Ref{Account: s.account.ID}, Link: core.Connected}); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// Send delivers m to whoever has the address; it has arrived when Send returns.
func (s *session) Send(ctx context.Context, m *core.Message) (core.Taken, error) {
	to, from := s.account, m.Peer
	if m.Peer != Echo {
		owner, err := s.host.Owner(ctx, m.Peer, s.account.Own)
		if err != nil {
			return core.Taken{}, core.Wrap(core.KindOf(err), "loopback: send", err)
		}
		to, from = owner, s.account.Own
	}
	remote := core.RemoteID(m.ID)
	err := s.host.Deliver(ctx, &core.Message{
		Ref: core.Ref{Account: to.ID, Peer: from}, IDs: core.IDs{Remote: "from-" + remote},
		At: time.Now(), Subject: m.Subject, Text: m.Text, Thread: m.Thread, ReplyTo: core.IDs{Remote: m.ReplyTo.Remote},
	})
	if err != nil {
		return core.Taken{}, err
	}
	return core.Taken{Remote: remote, State: core.Delivered}, nil
}
