package archive

import (
	"context"
	"embed"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"gangway/core"
	"gangway/core/store"
)

//go:embed migrations/*/*.sql
var migrations embed.FS

const day = 24 * time.Hour

// Config bounds the archive. Zero stands for the defaults written beside the fields.
type Config struct {
	Keep   time.Duration // how long an event is kept: 30 days
	Limit  int           // events of one room: 10,000
	Linger time.Duration // how long an event may wait for others before it is written: 200 ms

	Waiting      int // events in the queue: 8,192
	WaitingBytes int // and their bytes: 16 MiB

	Logger *slog.Logger // nil: none
}

func (c Config) withDefaults() Config {
	for _, f := range []struct {
		have *int
		want int
	}{{&c.Limit, 10_000}, {&c.Waiting, 8192}, {&c.WaitingBytes, 16 << 20}} {
		if *f.have <= 0 {
			*f.have = f.want
		}
	}
	if c.Keep <= 0 {
		c.Keep = 30 * day
	}
	if c.Linger <= 0 {
		c.Linger = 200 * time.Millisecond
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// Archive is the history of all rooms of all accounts. Its methods may be called from many goroutines.
type Archive struct {
	db      *store.DB
	cfg     Config
	queue   queue
	filling fillings
	now     func() time.Time
	counted int

	retain atomic.Pointer[retention]
}

// retention is how much is kept.
type retention struct {
	keep  time.Duration
	limit int
}

// Retain has other bounds of Config.Keep and Config.Limit in force from the next Sweep on; 0 is the default.
func (a *Archive) Retain(keep time.Duration, limit int) {
	c := Config{Keep: keep, Limit: limit}.withDefaults()
	a.retain.Store(&retention{c.Keep, c.Limit})
}

// Open brings the tables up to date. It starts nothing: what is appended waits for Run.
func Open(ctx context.Context, db *store.DB, cfg Config) (*Archive, error) {
	if err := db.Migrate(ctx, "archive", migrations); err != nil {
		return nil, err
	}
	a := &Archive{db: db, cfg: cfg.withDefaults(), now: time.Now, counted: counted}
	a.queue.init(a.cfg.Waiting, a.cfg.WaitingBytes)
	a.Retain(cfg.Keep, cfg.Limit)
	return a, nil
}

// Append keeps an event of a room: a Message, a Reaction or a Retraction, which must not be changed any more. A zero
// At is now, and nothing is said in the future. It queues and does not wait. What was kept before under the same
// account, room and id is kept once, and so is what a network tells again about the past.
//
// A Message must have its Author, also where it is the user's own. One with Replaces corrects; a Retraction empties
// the message that it is about. Invalid for an event that has no room or id, or is of another kind; OverLimit when the
// queue is full: the event is not kept then.
func (a *Archive) Append(_ context.Context, e core.Archived) error {
	now := a.now()
	late, err := complete(&e, now)
	if err != nil {
		return err
	}
	if !a.queue.put(entry{Archived: e, late: late}) {
		return core.E(core.OverLimit, "archive: append", "The history cannot keep up at the moment.")
	}
	return nil
}

// old is how long ago something must have been said to be of the past: a network tells it again or late.
const old = time.Minute

// complete fills in what may be left out of an event, and says whether it is of the past.
func complete(e *core.Archived, now time.Time) (late bool, err error) {
	if m, ok := e.Event.(*core.Message); ok && m != nil {
		if e.ID == "" {
			e.ID = m.ID
		}
		if e.At.IsZero() {
			e.At = m.At
		}
	}
	if e.At.IsZero() || e.At.After(now) {
		e.At = now
	}
	if e.Event == nil || e.ID == "" || e.Event.Where().Account == "" || e.Event.Where().Peer == "" {
		return false, core.E(core.Invalid, "archive: append", "An event of a history needs a room and an id.")
	}
	switch e.Event.(type) {
	case *core.Message, *core.Reaction, *core.Retraction:
		return now.Sub(e.At) > old, nil
	}
	return false, core.E(core.Invalid, "archive: append", "That is nothing that is said.")
}

// Lost is how many events had no place in the queue, or could not be written, since the program began.
func (a *Archive) Lost() int64 { return a.queue.lost.Load() }

// fault turns an error of the database into one that may cross a door. Errors that are ours already pass unchanged.
func fault(op string, err error) error {
	var ours *core.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ours):
		return err
	case errors.Is(err, store.ErrDiskFull), errors.Is(err, store.ErrBusy), errors.Is(err, store.ErrClosed),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return core.Wrap(core.Unavailable, "archive: "+op, err)
	}
	return core.Wrap(core.Internal, "archive: "+op, err)
}
