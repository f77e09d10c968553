package loopback

import (
	"context"

	"gangway/core"
)

// What a session can do besides. Each is there because of its interface alone: the gateway asks core.CapsOf.
var (
	_ core.Editor        = (*session)(nil)
	_ core.Retractor     = (*session)(nil)
	_ core.Reactor       = (*session)(nil)
	_ core.TypingSender  = (*session)(nil)
	_ core.ReadMarker    = (*session)(nil)
	_ core.ContactLister = (*session)(nil)
	_ core.Profiler      = (*session)(nil)
)

// Edit changes what the other side sees. A message keeps its name, however often it is changed.
func (s *session) Edit(ctx context.Context, m *core.Message) (core.Taken, error) {
	there, first, err := s.about(ctx, m.Peer, m.Replaces.Remote)
	if err != nil {
		return core.Taken{}, err
	}
	changed := copied(there, m)
	changed.Replaces = core.IDs{Remote: first}
	if err := s.host.Deliver(ctx, changed); err != nil {
		return core.Taken{}, err
	}
	return core.Taken{Remote: m.Replaces.Remote, State: core.Delivered}, nil
}

// Retract takes a message back there.
func (s *session) Retract(ctx context.Context, r *core.Retraction) error {
	there, name, err := s.about(ctx, r.Peer, r.Remote)
	if err != nil {
		return err
	}
	return s.host.Deliver(ctx, &core.Retraction{Ref: there, IDs: core.IDs{Remote: name}, At: r.At})
}

// React shows the whole set there.
func (s *session) React(ctx context.Context, r *core.Reaction) error {
	there, name, err := s.about(ctx, r.Peer, r.Remote)
	if err != nil {
		return err
	}
	return s.host.Deliver(ctx, &core.Reaction{Ref: there, IDs: core.IDs{Remote: name}, Emoji: r.Emoji, At: r.At})
}

// Read tells the sender of a message that it was read.
func (s *session) Read(ctx context.Context, r *core.Receipt) error {
	there, name, err := s.about(ctx, r.Peer, r.Remote)
	if err != nil {
		return err
	}
	return s.host.Deliver(ctx, &core.Receipt{Ref: there, IDs: core.IDs{Remote: name}, State: core.Read})
}

// Typing shows there that somebody writes here.
func (s *session) Typing(ctx context.Context, t *core.Typing) error {
	there, err := s.there(ctx, t.Peer)
	if err != nil {
		return err
	}
	return s.host.Deliver(ctx, &core.Typing{Ref: there, On: t.On})
}

// about is the conversation, and the name of a message in it, as the other side has them.
func (s *session) about(ctx context.Context, peer core.Address, name core.RemoteID) (core.Ref, core.RemoteID, error) {
	if name == "" {
		return core.Ref{}, "", core.E(core.NotFound, "loopback: message", "That message is not known here any more.")
	}
	there, err := s.there(ctx, peer)
	return there, across(name), err
}

// Contacts is the echo, whom everybody knows.
func (s *session) Contacts(ctx context.Context) ([]core.Profile, error) {
	p, err := s.Profile(ctx, Echo)
	if err != nil {
		return nil, err
	}
	return []core.Profile{*p}, nil
}

// Profile is the name that the owner of an address goes by.
func (s *session) Profile(ctx context.Context, peer core.Address) (*core.Profile, error) {
	p := &core.Profile{Ref: core.Ref{Account: s.account.ID, Peer: peer}, Name: "Echo", Note: "Says what it is told."}
	if peer == Echo {
		return p, nil
	}
	owner, err := s.host.Owner(ctx, peer, s.account.Own)
	if err != nil {
		return nil, core.Wrap(core.KindOf(err), "loopback: profile", err)
	}
	p.Name, p.Note = owner.Name, ""
	return p, nil
}
