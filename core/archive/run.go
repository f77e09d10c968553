package archive

import (
	"context"
	"errors"
	"time"

	"gangway/core/store"
)

// patience is how long a disk that takes nothing is left alone between two tries.
const patience = time.Second

// Run writes what is appended until ctx ends, and then what is left. Nothing that is appended later is kept. An error
// means that the database can no longer be trusted.
func (a *Archive) Run(ctx context.Context) error {
	defer a.queue.close()
	holes := int64(0)
	for {
		select {
		case <-a.queue.wake:
		case <-ctx.Done():
			return a.rest(ctx)
		}
		a.linger(ctx)
		if err := a.drain(ctx); err != nil {
			return err
		}
		if lost := a.Lost(); lost > holes {
			a.cfg.Logger.Warn("the history has holes: more was said than could be written", "lost", lost-holes)
			holes = lost
		}
	}
}

// linger gives others the time to come along, unless somebody waits.
func (a *Archive) linger(ctx context.Context) {
	t := time.NewTimer(a.cfg.Linger)
	defer t.Stop()
	select {
	case <-t.C:
	case <-a.queue.hurry:
	case <-ctx.Done():
	}
}

// drain writes all that waits. While the disk takes nothing, it tries again.
func (a *Archive) drain(ctx context.Context) error {
	for {
		entries, more := a.queue.take()
		if err := a.keep(ctx, entries); err != nil {
			return err
		}
		a.queue.finish(len(entries))
		if !more {
			return nil
		}
	}
}

// keep writes a batch, at least once, and while ctx lives until the disk takes it.
func (a *Archive) keep(ctx context.Context, entries []entry) error {
	if len(entries) == 0 {
		return nil
	}
	defer a.queue.stall(false)
	for first := true; ; first = false {
		err := a.write(context.WithoutCancel(ctx), entries)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, store.ErrBroken), errors.Is(err, store.ErrClosed):
			a.queue.lost.Add(int64(len(entries)))
			return fault("write", err)
		case !errors.Is(err, store.ErrDiskFull) && !errors.Is(err, store.ErrBusy):
			a.oneByOne(ctx, entries)
			return nil
		}
		if first {
			a.cfg.Logger.Warn("the history cannot be written at the moment", "waiting", len(entries), "err", err)
			a.queue.stall(true)
		}
		select {
		case <-time.After(patience):
		case <-ctx.Done():
			a.queue.lost.Add(int64(len(entries)))
			return nil
		}
	}
}

// oneByOne writes what can be written of a batch that failed over one of its entries.
func (a *Archive) oneByOne(ctx context.Context, entries []entry) {
	for i := range entries {
		if err := a.write(context.WithoutCancel(ctx), entries[i:i+1]); err != nil {
			a.queue.lost.Add(1)
			a.cfg.Logger.Error("an event is missing in the history", "id", entries[i].ID, "err", err)
		}
	}
}

// rest writes, once, what is left when the program stops.
func (a *Archive) rest(ctx context.Context) error { return a.drain(ctx) }
