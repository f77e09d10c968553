package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"gangway/core"
	"gangway/core/outbox"
	"gangway/core/store"
)

// pair is a raw file and a queue to be measured beside each other.
type pair struct {
	raw  *rawLog
	db   *store.DB
	box  *outbox.Outbox
	stop context.CancelFunc
	done chan error
}

// pair opens both and runs the queue; without a handler, items stay where they are, and their keys are merged.
func (b *bench) pair(handlers map[core.Direction]core.Handler) (*pair, error) {
	raw, err := openRaw(b.path("raw"))
	if err != nil {
		return nil, err
	}
	db, box, err := b.open()
	if err != nil {
		return nil, errors.Join(err, raw.f.Close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &pair{raw: raw, db: db, box: box, stop: cancel, done: make(chan error, 1)}
	go func() { p.done <- box.Run(ctx, handlers) }()
	return p, nil
}

func (p *pair) close() error {
	p.stop()
	return errors.Join(<-p.done, p.db.Close(), p.raw.f.Close())
}

// rate is how often something was done in how much time, over all its turns.
type rate struct {
	n    atomic.Int64
	took time.Duration
}

func (r *rate) perSecond() float64 { return float64(r.n.Load()) / r.took.Seconds() }

// measure calls fn from so many goroutines for a while.
func (r *rate) measure(producers int, turn time.Duration, fn func(i int64) error) error {
	var failed atomic.Pointer[error]
	var all sync.WaitGroup
	begin := time.Now()
	for range producers {
		all.Go(func() {
			for time.Since(begin) < turn && failed.Load() == nil {
				if err := fn(r.n.Add(1)); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	all.Wait()
	r.took += time.Since(begin)
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}
