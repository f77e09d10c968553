package main

import (
	"context"

	"gangway/core"
	"gangway/core/outbox"
	"gangway/core/xmpp/register"
)

// letters shows a user the dead letters that are theirs, and nobody else's.
type letters struct{ queue *outbox.Outbox }

// Undelivered lists them, the oldest first. Failed receipts of an account that is gone are of no use to anybody.
func (l letters) Undelivered(ctx context.Context, user core.UserID, network string, limit int) ([]register.Letter, error) {
	dead, err := l.queue.List(ctx, outbox.Filter{User: user, Network: network, Dead: true, Limit: limit})
	if err != nil {
		return nil, err
	}
	var all []register.Letter
	for _, d := range dead {
		m, ok := d.Event.(*core.Message)
		if !ok {
			continue
		}
		all = append(all, register.Letter{
			Seq: d.Seq, Incoming: d.Direction == core.ToXMPP, Peer: m.Peer, Queued: d.Queued, Text: m.Text, Err: d.LastErr,
		})
	}
	return all, nil
}

// Retry queues one again.
func (l letters) Retry(ctx context.Context, user core.UserID, network string, seq int64) error {
	if err := l.owns(ctx, user, network, seq); err != nil {
		return err
	}
	return l.queue.Retry(ctx, seq)
}

// Drop forgets one.
func (l letters) Drop(ctx context.Context, user core.UserID, network string, seq int64) error {
	if err := l.owns(ctx, user, network, seq); err != nil {
		return err
	}
	return l.queue.Drop(ctx, seq)
}

func (l letters) owns(ctx context.Context, user core.UserID, network string, seq int64) error {
	letter, err := l.queue.Get(ctx, seq)
	if err != nil {
		return err
	}
	if !letter.Dead || letter.User != user || letter.Network != network {
		return core.E(core.NotFound, "letters: find", "There is no undelivered message of that number.")
	}
	return nil
}
