package outbox

import (
	"context"
	"errors"
	"time"

	"gangway/core/store"
)

const (
	mergeEvery  = time.Minute
	forgetEvery = time.Hour
)

// keep does what has to be done now and then, until ctx ends.
func (o *Outbox) keep(ctx context.Context) {
	ticker := time.NewTicker(o.cfg.Watch)
	defer ticker.Stop()
	merged := time.Now()
	forgot := merged.Add(-forgetEvery)
	for {
		var errs []error
		_, err := o.carryOutOrders(ctx)
		errs = append(errs, err)
		atLeast := int64(mergeAt)
		if time.Since(merged) >= mergeEvery {
			atLeast, merged = 1, time.Now()
		}
		errs = append(errs, o.merge(ctx, atLeast))
		if time.Since(forgot) >= forgetEvery {
			forgot = time.Now()
			errs = append(errs, o.forget(ctx, forgot))
		}
		if err := errors.Join(errs...); err != nil && ctx.Err() == nil {
			o.log.Warn("outbox: housekeeping failed; it will be tried again", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-o.kick:
		}
	}
}

// forget removes the keys and dead letters whose time is over.
func (o *Outbox) forget(ctx context.Context, now time.Time) error {
	if err := o.forgetSeen(ctx, micros(now)); err != nil {
		return err
	}
	before := micros(now.Add(-o.cfg.DeadFor))
	_, err := o.db.Slices(ctx, func(tx *store.Tx) (int64, error) {
		return tx.Exec(ctx, "DELETE FROM outbox_dead WHERE seq IN "+
			"(SELECT seq FROM outbox_dead WHERE died < ? ORDER BY died LIMIT ?)", before, store.Slice)
	})
	return err
}
