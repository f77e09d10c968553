package main

import (
	"context"
	"io"
	"time"

	"gangway/core"
	"gangway/core/outbox"
	"gangway/core/xmpp/edge"
	"gangway/core/xmpp/register"
	"gangway/mapping"
)

// desk makes the desk of a domain: what its users and administrators can ask for. Where messages are not stored, none
// are undelivered, and none are on their way.
func (x *xmppSide) desk(a *app, d *edge.Domain) *register.Desk {
	cfg := register.Config{
		Domain: d, Gateway: a.gateway, Accounts: a.mapping, Contacts: a.mapping, Choices: a.mapping, Blobs: a.media,
		Data: papers{a}, Admin: chair{a.gateway, a.mapping}, Logger: a.log,
	}
	if d.Network.Driver.Lane == core.Stored {
		cfg.Requests = a.gateway
		cfg.Letters, cfg.Timeline = letters{a.queue}, timeline{a.mapping, a.queue}
	}
	if d.Network.MayHold() {
		cfg.Window = a.gateway
	}
	if d.Network.Caps.Rooms != nil {
		cfg.Rooms = x.rooms.On(d).Registration()
		cfg.Chosen = func(ctx context.Context, a core.Account) error { return x.rooms.Reconsider(ctx, d, a) }
	}
	return register.New(cfg)
}

// papers are everything that is kept about a user.
type papers struct{ app *app }

// Export writes them as JSON lines.
func (p papers) Export(ctx context.Context, user core.UserID, w io.Writer) error {
	return p.app.export(ctx, user, w)
}

// Erase forgets them.
func (p papers) Erase(ctx context.Context, user core.UserID) error {
	return p.app.gateway.Erase(ctx, user)
}

// chair is what administrators do.
type chair struct {
	*core.Gateway
	mapping *mapping.Map
}

// Invite makes an invitation.
func (c chair) Invite(ctx context.Context, by core.UserID, network string, uses int, expires time.Time) (string, error) {
	token, _, err := c.mapping.NewInvite(ctx, mapping.Invite{Network: network, By: string(by), Uses: uses, Expires: expires})
	return token, err
}

// timeline says where messages are: what the ledger knows, and what the queue knows of those that are in it.
type timeline struct {
	mapping *mapping.Map
	queue   *outbox.Outbox
}

// Timeline returns the last messages of a conversation.
func (t timeline) Timeline(ctx context.Context, a core.Account, peer core.Address, limit int) ([]register.Moment, error) {
	known, err := t.mapping.Timeline(ctx, a.ID, peer, limit)
	if err != nil || len(known) == 0 {
		return nil, err
	}
	queued, err := t.queued(ctx, a)
	if err != nil {
		return nil, err
	}
	moments := make([]register.Moment, len(known))
	for i, k := range known {
		m := register.Moment{At: k.At, Mine: k.Mine, State: k.State, Changed: k.Changed}
		if l, ok := queued[k.ID]; ok && k.Mine {
			m.Attempts, m.Err = l.Attempts, l.LastErr
			if !l.Dead && l.NotBefore.After(time.Now()) {
				m.Next = l.NotBefore
			}
		}
		moments[i] = m
	}
	return moments, nil
}

// queued are the user's messages that wait, or have been given up, each by its own name, also those within others.
func (t timeline) queued(ctx context.Context, a core.Account) (map[core.MessageID]outbox.Letter, error) {
	toNetwork, window := core.ToNetwork, core.Window
	all := map[core.MessageID]outbox.Letter{}
	for _, f := range []outbox.Filter{{Direction: &toNetwork, Dead: true}, {Direction: &toNetwork}, {Direction: &window}} {
		f.User, f.Network, f.Limit = a.User, a.Network, 1000
		letters, err := t.queue.List(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, l := range letters {
			for _, id := range namesIn(l.Event) {
				all[id] = l
			}
		}
	}
	return all, nil
}

// namesIn are the messages that an event on its way to a network is.
func namesIn(e core.Event) (ids []core.MessageID) {
	if h, ok := e.(*core.Held); ok {
		e = h.Fold()
	}
	m, ok := e.(*core.Message)
	if !ok {
		return nil
	}
	ids = append(ids, m.ID)
	for _, p := range m.Parts {
		ids = append(ids, p.ID)
	}
	return ids
}
