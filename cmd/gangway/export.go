package main

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"gangway/core"
	"gangway/core/media"
	"gangway/core/outbox"
)

// An export is everything that is kept about a user, as JSON lines: one object on each line, of a kind and with its data.
// The first line says whose it is, and the last one that it is whole:
//
//	{"kind":"export","data":{"user":"alice@example.org","version":1,"at":"2026-11-24T12:00:00Z"}}
//	{"kind":"account","data":{"id":"...","network":"sms","own":"+15550100001",...}}
//	...
//	{"kind":"end","data":{"records":1234}}
//
// The kinds between them: what mapping.Export has; "queued" and "undelivered", what is on its way or was given up;
// "history", what was said in rooms; and "file", the list of the files that the user was given.
type exportLine struct {
	Kind string `json:"kind"`
	Data any    `json:"data"`
}

const (
	exportVersion = 1
	lettersPage   = 50 // each may be as large as a stanza
)

type (
	exportHead struct {
		User    core.UserID `json:"user"`
		Version int         `json:"version"`
		At      time.Time   `json:"at"`
	}
	exportEnd struct {
		Records int `json:"records"` // lines before this one
	}
	// exportedEvent is something said.
	exportedEvent struct {
		Network   string          `json:"network"`
		Direction string          `json:"direction,omitempty"`
		At        time.Time       `json:"at"`
		Attempts  int             `json:"attempts,omitempty"`
		GivenUp   string          `json:"given_up,omitempty"` // why
		Kind      string          `json:"kind"`
		Event     json.RawMessage `json:"event,omitempty"`
	}
)

// exporter writes the lines.
type exporter struct {
	app     *app
	user    core.UserID
	enc     *json.Encoder
	records int
	account map[core.AccountID]string // the networks of the user's accounts
}

// export writes everything that is kept about a user. It holds no more of it at once than a page.
func (a *app) export(ctx context.Context, u core.UserID, w io.Writer) error {
	x := &exporter{app: a, user: u, enc: json.NewEncoder(w), account: map[core.AccountID]string{}}
	x.enc.SetEscapeHTML(false)
	if err := x.line("export", exportHead{u, exportVersion, time.Now().UTC()}); err != nil {
		return err
	}
	for _, part := range []func(context.Context) error{x.mapping, x.letters, x.history, x.files} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return x.line("end", exportEnd{x.records})
}

func (x *exporter) line(kind string, data any) error {
	x.records++
	if err := x.enc.Encode(exportLine{kind, data}); err != nil {
		return core.Wrap(core.Internal, "export", err)
	}
	return nil
}

func (x *exporter) mapping(ctx context.Context) error {
	accounts, err := x.app.mapping.AccountsOf(ctx, x.user)
	if err != nil {
		return err
	}
	for _, a := range accounts {
		x.account[a.ID] = a.Network
	}
	return x.app.mapping.Export(ctx, x.user, x.line)
}

func (x *exporter) letters(ctx context.Context) error {
	for _, dead := range []bool{false, true} {
		for after := int64(0); ; {
			page, err := x.app.queue.List(ctx, outbox.Filter{User: x.user, Dead: dead, After: after, Limit: lettersPage})
			if err != nil {
				return err
			}
			for _, l := range page {
				after = l.Seq
				if err := x.letter(l); err != nil {
					return err
				}
			}
			if len(page) < lettersPage {
				break
			}
		}
	}
	return nil
}

func (x *exporter) letter(l outbox.Letter) error {
	e, err := exported(l.Network, l.Queued, l.Event)
	if err != nil {
		return err
	}
	kind := "queued"
	e.Direction, e.Attempts = l.Direction.String(), l.Attempts
	if l.Dead {
		kind = "undelivered"
		if l.LastErr != nil {
			e.GivenUp = l.LastErr.Sentence()
		}
	}
	return x.line(kind, e)
}

func (x *exporter) history(ctx context.Context) error {
	for account, network := range x.account {
		err := x.app.history.Export(ctx, account, func(a core.Archived) error {
			e, err := exported(network, a.At, a.Event)
			if err != nil {
				return err
			}
			return x.line("history", e)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *exporter) files(ctx context.Context) error {
	return x.app.media.Export(ctx, x.user, func(f media.Exported) error { return x.line("file", f) })
}

func exported(network string, at time.Time, e core.Event) (exportedEvent, error) {
	x := exportedEvent{Network: network, At: at.UTC(), Kind: "unreadable"}
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
