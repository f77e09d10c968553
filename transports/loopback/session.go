package loopback

import (
	"context"
	"strings"
	"time"

	"gangway/core"
)

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
	there, err := s.there(ctx, m.Peer)
	if err != nil {
		return core.Taken{}, err
	}
	if err := s.host.Deliver(ctx, copied(there, m)); err != nil {
		return core.Taken{}, err
	}
	return core.Taken{Remote: core.RemoteID(m.ID), State: core.Delivered}, nil
}

// copied is a message as the other side sees it.
func copied(there core.Ref, m *core.Message) *core.Message {
	return &core.Message{
		Ref: there, IDs: core.IDs{Remote: across(core.RemoteID(m.ID))}, At: time.Now(), Subject: m.Subject, Text: m.Text, Lang: m.Lang,
		Attachments: m.Attachments, Thread: m.Thread, Also: m.Also, ReplyTo: core.IDs{Remote: across(m.ReplyTo.Remote)},
	}
}

// there is a conversation as the other side of it knows it.
func (s *session) there(ctx context.Context, peer core.Address) (core.Ref, error) {
	if peer == Echo {
		return core.Ref{Account: s.account.ID, Peer: Echo}, nil
	}
	owner, err := s.host.Owner(ctx, peer, s.account.Own)
	if err != nil {
		return core.Ref{}, core.Wrap(core.KindOf(err), "loopback: peer", err)
	}
	return core.Ref{Account: owner.ID, Peer: s.account.Own}, nil
}

// received stands before the name of a message where it was received: without it, it is its sender's name for it.
const received = "from-"

// across is the name of a message on the other side.
func across(name core.RemoteID) core.RemoteID {
	if name == "" {
		return ""
	}
	if own, ok := strings.CutPrefix(string(name), received); ok {
		return core.RemoteID(own)
	}
	return received + name
}
