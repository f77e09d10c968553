package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gangway/core"
	"gangway/core/store"
)

const (
	journalTries = 3 // then a verdict is carried out without the journal
	lastTries    = 5 // of carrying out a verdict when the queue is stopping
	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
)

// settling is a turn's verdicts on their way to the disk.
type settling struct {
	lane  *lane
	holds []*held
	gone  []*entry
	mute  bool // the journal is left out
}

// journalError is a failure of the Journal itself.
type journalError struct{ err error }

func (e *journalError) Error() string { return "journal: " + e.err.Error() }
func (e *journalError) Unwrap() error { return e.err }

// carryOut writes verdicts, and tries until it can: what has been done must not be done again. An error means that
// it never will.
func (o *Outbox) carryOut(ctx context.Context, s *settling) error {
	pause := firstPause
	for try := 1; ; try++ {
		err := o.settles.Write(context.WithoutCancel(ctx), s)
		if err == nil {
			return nil
		}
		if o.db.Err() != nil || ctx.Err() != nil && try >= lastTries {
			return fmt.Errorf("outbox: %d verdicts could not be written; the items will be handled again: %w",
				len(s.holds), err)
		}
		var j *journalError
		if errors.As(err, &j) && try >= journalTries {
			o.log.Error("outbox: the journal fails; going on without it", "seq", s.holds[0].it.Seq, "err", err)
			s.mute = true
			continue
		}
		o.log.Warn("outbox: verdicts could not be written; trying again", "seq", s.holds[0].it.Seq, "err", err)
		time.Sleep(pause)
		pause = min(2*pause, longestPause)
	}
}

// settleAll carries out many turns' verdicts: it is one transaction's share of them.
func (o *Outbox) settleAll(tx *store.Tx, ss []*settling) error {
	ctx := context.Background() // a group commit is nobody's in particular
	var finished []int64
	var then []*row
	for _, s := range ss {
		for _, h := range s.holds {
			if err := o.tellJournal(ctx, tx, s, h); err != nil {
				return err
			}
			done, err := settleOne(ctx, tx, h)
			if err != nil {
				return err
			}
			if done {
				finished = append(finished, h.e.seq)
				err = unhold(ctx, tx, &placed{entry: h.e, direction: h.it.Direction, network: h.it.Network, lane: h.it.Lane})
			}
			if err != nil {
				return err
			}
			then = append(then, h.then...)
		}
	}
	if err := deleteRows(ctx, tx, finished); err != nil {
		return err
	}
	tx.OnCommit(func() {
		for _, s := range ss {
			o.settled(s)
		}
	})
	if len(then) == 0 {
		return nil
	}
	return o.insert(tx, then)
}

func (o *Outbox) tellJournal(ctx context.Context, tx *store.Tx, s *settling, h *held) error {
	if o.cfg.Journal == nil || s.mute || !h.decoded {
		return nil
	}
	if err := o.cfg.Journal.Settle(ctx, tx, h.it, h.v); err != nil {
		return &journalError{err}
	}
	return nil
}

// settleOne writes one verdict, but for the deletion of a finished row.
func settleOne(ctx context.Context, tx *store.Tx, h *held) (finished bool, err error) {
	h.gone = false
	switch h.v.Outcome {
	case core.Retry:
		return false, retryRow(ctx, tx, h)
	case core.Dead:
		_, err := tx.Exec(ctx, "INSERT INTO outbox_dead (seq, direction, network, user_id, lane, dedup, event, body, "+
			"queued, expires, attempts, error, died) SELECT seq, direction, network, user_id, lane, dedup, event, body, "+
			"queued, expires, attempts + 1, ?, ? FROM outbox WHERE seq = ?",
			encodeError(h.v.Err), micros(time.Now()), h.e.seq)
		return true, err
	default:
		return true, nil
	}
}

// retryRow updates the row of an item that is to be tried again. One that was not attempted at all, because the
// queue is stopping, only loses its mark.
func retryRow(ctx context.Context, tx *store.Tx, h *held) error {
	var n int64
	var err error
	switch {
	case !h.v.At.IsZero():
		n, err = tx.Exec(ctx, "UPDATE outbox SET attempts = attempts + 1, not_before = ?, panics = ?, error = ?, "+
			"begun = CASE WHEN ? THEN begun ELSE 0 END WHERE seq = ?",
			micros(h.v.At), h.panics, encodeError(h.v.Err), h.v.Begun, h.e.seq)
	case !h.v.Begun:
		n, err = tx.Exec(ctx, "UPDATE outbox SET begun = 0 WHERE seq = ?", h.e.seq)
	default:
		return nil
	}
	h.gone = n == 0
	return err
}

// settled brings memory into line with what has been committed, and gives the lane back.
func (o *Outbox) settled(s *settling) {
	var back []*entry
	gone := s.gone
	for _, h := range s.holds {
		if h.v.Outcome != core.Retry || h.gone {
			gone = append(gone, h.e)
			continue
		}
		h.e.panics = h.panics
		if !h.v.Begun {
			h.it.Begun = time.Time{}
		}
		if h.v.At.IsZero() {
			if !h.own { // the handler is stopping; should it not be, this is no reason to spin
				h.e.at = max(h.e.at, micros(time.Now().Add(pauseAfter)))
			}
		} else {
			h.it.Attempts++
			h.it.LastErr = h.v.Err
			h.it.NotBefore = h.v.At
			h.e.at = micros(h.v.At)
		}
		back = append(back, h.e)
	}
	o.pending.Add(-int64(len(gone)))
	o.lanes.giveBack(s.lane, back, gone)
}
