package mailbox

import (
	"context"
	"time"
)

// A server may wake us for nothing restless times, and again once each restPace; then it has to wait a second more each
// time.
const (
	restless = 20
	restPace = 10 * time.Second
	restMost = 30 * time.Second
)

// forNothing notes that the server woke us. What turns out to be news is taken back: see calm.
func (s *session) forNothing() {
	now := time.Now()
	s.nothing = max(0, s.nothing-int(now.Sub(s.woken)/restPace)) + 1
	s.woken = now
}

func (s *session) calm() { s.nothing = 0 }

// wait returns when there may be something to look at.
func (s *session) wait(ctx context.Context) error {
	if s.nothing > restless {
		pause := min(time.Duration(s.nothing-restless)*time.Second, restMost)
		if done, err := s.pass(ctx, time.Now().Add(pause), nil, nil); done {
			return err
		}
	}
	c := s.conn
	select {
	case <-c.wake: // what is about has set its flag before
	default:
	}
	if c.mail.Load() || c.changes.Load() || c.doubt.Load() {
		s.forNothing()
		return nil
	}
	until := s.looked.Add(idleFor)
	if s.poll.Before(until) && (c.noIdle || s.followsSent()) {
		until = s.poll
	}
	if c.noIdle {
		if done, err := s.pass(ctx, until, c.wake, nil); done {
			return err
		}
		if !time.Now().Before(until) {
			return c.do(answerBounds, func() error { return c.client.Noop().Wait() })
		}
		s.forNothing()
		return nil
	}
	return s.waitIdle(ctx, until)
}

func (s *session) waitIdle(ctx context.Context, until time.Time) error {
	c := s.conn
	i, err := c.startIdle()
	if err != nil {
		return err
	}
	w, err := s.rest(ctx, until, c.wake, i.over)
	if err == nil {
		err = c.stopIdle(i)
	}
	if i.isRefused() {
		c.noIdle = true
	}
	switch {
	case w != nil:
		return s.grant(ctx, w, err)
	case time.Now().Before(until):
		s.forNothing()
	default:
		s.calm()
	}
	return err
}

// pass waits, and does what is asked for meanwhile. done: it was not undisturbed.
func (s *session) pass(ctx context.Context, until time.Time, wake, over <-chan struct{}) (done bool, err error) {
	w, err := s.rest(ctx, until, wake, over)
	if w != nil {
		return true, s.grant(ctx, w, err)
	}
	return err != nil, err
}

// rest waits until something happens, and returns what is asked for, if that is it.
func (s *session) rest(ctx context.Context, until time.Time, wake, over <-chan struct{}) (*wish, error) {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-s.conn.client.Closed():
		return nil, s.conn.lost()
	case w := <-s.box.wishes:
		return w, nil
	case <-wake:
	case <-over:
	case <-timer.C:
	}
	return nil, nil
}
