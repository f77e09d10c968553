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
func (l letters) Undelivered(ctx context.Context, user core.UserID, network string, after int64, limit int) ([]register.Letter, error) {
	var all []register.Letter
	for len(all) < limit {
		dead, err := l.queue.List(ctx, outbox.Filter{User: user, Network: network, Dead: true, After: after, Limit: limit})
		if err != nil {
			return nil, err
		}
		for _, d := range dead {
			after = d.Seq
			if m, ok := d.Event.(*core.Message); ok && len(all) < limit {
				all = append(all, register.Letter{
					Seq: d.Seq, Incoming: d.Direction == core.ToXMPP, Peer: m.Peer, Queued: d.Queued, Text: m.Text, Err: d.LastErr,
				})
			}
		}
		if len(dead) < limit {
			break
		}
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
