package main

import (
	"context"
	"encoding/json"
	"time"

	"gangway/core"
	"gangway/core/outbox"
	"gangway/mapping"
)

// dossier is everything that is kept about a user, as one JSON document.
type dossier struct {
	mapping.Export
	Letters []exportedEvent `json:"queued"`            // on its way, or given up
	History []exportedEvent `json:"history,omitempty"` // of rooms
}

// exportedEvent is something said.
type exportedEvent struct {
	Network   string          `json:"network"`
	Direction string          `json:"direction,omitempty"`
	At        time.Time       `json:"at"`
	GivenUp   string          `json:"given_up,omitempty"` // why
	Kind      string          `json:"kind"`
	Event     json.RawMessage `json:"event,omitempty"`
}

// export collects what is kept about a user, in all places.
func (a *app) export(ctx context.Context, u core.UserID) (d dossier, err error) {
	if d.Export, err = a.mapping.Export(ctx, u); err != nil {
		return dossier{}, err
	}
	if d.Letters, err = a.exportLetters(ctx, u); err != nil {
		return dossier{}, err
	}
	if a.history == nil {
		return d, nil
	}
	for _, account := range d.Accounts {
		err := a.history.Export(ctx, account.ID, func(e core.Archived) error {
			x, err := exported(account.Network, e.At, e.Event)
			d.History = append(d.History, x)
			return err
		})
		if err != nil {
			return dossier{}, err
		}
	}
	return d, nil
}

func (a *app) exportLetters(ctx context.Context, u core.UserID) ([]exportedEvent, error) {
	all := []exportedEvent{}
	for _, dead := range []bool{false, true} {
		for after := int64(0); ; {
			page, err := a.queue.List(ctx, outbox.Filter{User: u, Dead: dead, After: after, Limit: 1000})
			if err != nil {
				return nil, err
			}
			for _, l := range page {
				x, err := exported(l.Network, l.Queued, l.Event)
				if err != nil {
					return nil, err
				}
				x.Direction = l.Direction.String()
				if l.LastErr != nil && dead {
					x.GivenUp = l.LastErr.Sentence()
				}
				all = append(all, x)
				after = l.Seq
			}
			if len(page) == 0 {
				break
			}
		}
	}
	return all, nil
}

func exported(network string, at time.Time, e core.Event) (exportedEvent, error) {
	x := exportedEvent{Network: network, At: at, Kind: "unreadable"}
	if e == nil {
		return x, nil
	}
	name, body, err := core.EncodeEvent(e)
	if err != nil {
		return x, core.Wrap(core.Internal, "export", err)
	}
	x.Kind, x.Event = name, body
	return x, nil
}
