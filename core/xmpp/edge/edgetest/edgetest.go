// Package edgetest holds the doubles that tests of the XMPP edge share: a
// network that exists in memory, and the hall as a test wants it to answer.
package edgetest

import (
	"context"
	"strings"

	"gangway/core"
)

// Network returns a network whose addresses are like those of e-mail, in any
// case, with rooms "#name" on realms: "#name%realm", "nick%realm". s says what
// its sessions can do: Plain or Full.
func Network(s core.Session) *core.Network {
	d := core.Driver{Name: "mail", Title: "E-mail", Type: "smtp", Session: s}
	return &core.Network{Driver: d, Transport: transport{}, Caps: core.CapsOf(s)}
}

type transport struct{}

func (transport) Run(ctx context.Context) error { <-ctx.Done(); return nil }

// Parse knows "name@domain", where a domain has no case, "name%realm" and "%realm".
func (transport) Parse(s string) (core.Target, error) {
	if name, realm, ok := strings.Cut(s, "%"); ok && realm != "" && !strings.ContainsAny(s, " ") {
		return core.Target{Realm: realm, Address: core.Address(name), Room: strings.HasPrefix(name, "#")}, nil
	}
	name, domain, ok := strings.Cut(strings.TrimPrefix(s, "mailto:"), "@")
	if !ok || name == "" || domain == "" || strings.ContainsAny(s, " %") {
		return core.Target{}, core.E(core.Invalid, "mail: parse", "An address looks like alice@example.com.")
	}
	return core.Target{Address: core.Address(name + "@" + strings.ToLower(domain))}, nil
}

func (transport) Format(t core.Target) string {
	if t.Realm != "" {
		return string(t.Address) + "%" + t.Realm
	}
	return string(t.Address)
}

func (transport) Open(core.Account) (core.Session, error) { return (*Plain)(nil), nil }

// Plain is a session that can do nothing beyond its contract.
type Plain struct{}

// Run implements core.Session.
func (*Plain) Run(ctx context.Context) error { <-ctx.Done(); return nil }

// Send implements core.Session.
func (*Plain) Send(context.Context, *core.Message) (core.Taken, error) { return core.Taken{}, nil }

// Full is a session with every ability that the edge shows.
type Full struct{ Plain }

// Typing implements core.TypingSender.
func (*Full) Typing(context.Context, *core.Typing) error { return nil }

// Read implements core.ReadMarker.
func (*Full) Read(context.Context, *core.Receipt) error { return nil }

// Edit implements core.Editor.
func (*Full) Edit(context.Context, *core.Message) (core.Taken, error) { return core.Taken{}, nil }

// Retract implements core.Retractor.
func (*Full) Retract(context.Context, *core.Retraction) error { return nil }

// React implements core.Reactor.
func (*Full) React(context.Context, *core.Reaction) error { return nil }

// Query implements core.Querier: every program says that it is one.
func (*Full) Query(_ context.Context, _ core.Address, _ core.Query, answered func(string, error)) error {
	answered("a program", nil)
	return nil
}

// Join implements core.Rooms.
func (*Full) Join(context.Context, core.Address, core.Join) error { return nil }

// Leave implements core.Rooms.
func (*Full) Leave(context.Context, core.Address, string) error { return nil }

// Rename implements core.Rooms.
func (*Full) Rename(context.Context, core.Address, string, core.Origin) error { return nil }

// Occupant implements core.Rooms.
func (*Full) Occupant(_ core.Address, nick string) core.Address { return core.Address(nick) }

// Snapshot implements core.Rooms: the account is in no room.
func (*Full) Snapshot(core.Address) (*core.RoomJoined, error) {
	return nil, core.E(core.NotFound, "test: room", "You are not in that room.")
}
