package outbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

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
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	var failed atomic.Pointer[error] // the first
	stopped := make(chan struct{})
	unhook := context.AfterFunc(ctx, func() { o.lanes.stop(); close(stopped) })
	for d, h := range handlers {
		for range max(h.Workers, 1) {
			all.Go(func() {
				if err := o.work(ctx, d, h); err != nil {
					failed.CompareAndSwap(nil, &err)
					cancel()
				}
			})
		}
	}
	all.Go(func() { o.lanes.clock(ctx) })
	all.Go(func() { o.keep(ctx) })
	all.Wait()
	if !unhook() {
		<-stopped
	}
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// work takes turns until the schedule stops, or one cannot be ended.
func (o *Outbox) work(ctx context.Context, d core.Direction, h core.Handler) error {
	for {
		l, hand := o.lanes.take(d, max(h.Batch, 1), h.Share)
		if l == nil {
			return nil
		}
		if err := o.turn(ctx, h, l, hand); err != nil {
			return err
		}
	}
}
