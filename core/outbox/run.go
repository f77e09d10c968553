package outbox

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"gangway/core"
)

// Run implements core.Queue. Its error is that of a database which can no longer be used; what was being handled is
// then handled again after a restart. A direction without a handler stays on disk.
func (o *Outbox) Run(ctx context.Context, handlers map[core.Direction]core.Handler) error {
	if o.db.Shared() {
		return errors.New("outbox: run: the database is open for administration only")
	}
	if !o.running.CompareAndSwap(false, true) {
		return errors.New("outbox: run: it runs already")
	}
	defer o.running.Store(false)
	defer o.lanes.reset()
	if err := o.load(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("outbox: load: %w", err)
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var all sync.WaitGroup
	stopped := make(chan struct{})
	unhook := context.AfterFunc(ctx, func() { o.lanes.stop(); close(stopped) })
	for d, h := range handlers {
		for range max(h.Workers, 1) {
			all.Go(func() { o.work(ctx, d, h, fail) })
		}
	}
	all.Go(func() { o.lanes.clock(ctx) })
	all.Go(func() { o.keep(ctx) })
	all.Wait()
	if !unhook() {
		<-stopped
	}
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// work takes turns until the schedule stops.
func (o *Outbox) work(ctx context.Context, d core.Direction, h core.Handler, fail context.CancelCauseFunc) {
	for {
		l, hand := o.lanes.take(d, max(h.Batch, 1))
		if l == nil {
			return
		}
		if err := o.turn(ctx, h, l, hand); err != nil {
			fail(err)
			return
		}
	}
}
