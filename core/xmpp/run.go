package xmpp

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"gangway/core"
	"gangway/core/xmpp/stream"
)

// Waiting times between attempts: full jitter up to a bound that doubles, and
// long ones when only a change of configuration can help.
const (
	retryFirst   = 500 * time.Millisecond
	retryMost    = 30 * time.Second
	refusedFirst = 30 * time.Second
	refusedMost  = 5 * time.Minute
	steady       = 30 * time.Second // a connection that lived shorter counts as a failed attempt
)

// Run keeps the link up until ctx ends. Then it closes politely: it answers
// what the server has sent so far, writes what is queued, closes our stream, and hands on what the server still sends until
// the server closes too, so that nothing the server gave us is lost; it waits
// for the handlers, and returns nil. It returns an error only for a
// configuration that must not be used. It is called once.
func (l *Link) Run(ctx context.Context) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	err := l.run(ctx, work)
	left := l.end(err)
	stop := time.AfterFunc(l.cfg.Drain, cancel)
	defer stop.Stop()
	l.cfg.Router.wait()
	if left > 0 {
		l.log.Warn("stanzas not sent before the end", "stanzas", left)
	}
	return err
}

// end refuses everything from now on and returns how many stanzas are left.
func (l *Link) end(err error) int {
	l.setState(Stopped, err)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	return len(l.out.marks)
}

func (l *Link) run(ctx, work context.Context) error {
	failures := 0
	for {
		l.setState(Connecting, nil)
		began := time.Now()
		err := l.connection(ctx, work)
		if stopped(ctx) {
			return nil
		}
		if core.KindOf(err) == core.Denied && stateAfter(err) == Waiting {
			return err // the refusal to speak plain text
		}
		if time.Since(began) >= steady {
			failures = 0
		}
		state := stateAfter(err)
		delay := backoff(state, failures)
		failures++
		l.setState(state, err)
		l.log.Warn("component link down", "state", state, "err", err, "retry", delay.Round(time.Millisecond))
		if pause(ctx, delay); stopped(ctx) {
			return nil
		}
	}
}

func stopped(ctx context.Context) bool { return ctx.Err() != nil }

func backoff(state State, failures int) time.Duration {
	n := min(failures, 16)
	if state == Refused || state == Conflict {
		d := min(refusedFirst<<n, refusedMost)
		return d/2 + rand.N(d/2) //nolint:gosec // jitter
	}
	return rand.N(min(retryFirst<<n, retryMost)) //nolint:gosec // jitter
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// connection lives one connection's life and returns why it ended.
func (l *Link) connection(ctx, work context.Context) error {
	conn, rd, err := l.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()

	l.online()
	l.log.Info("component link up")
	done := make(chan struct{})
	wrote := make(chan error, 1)
	go func() {
		err := l.writeLoop(conn, done)
		if err != nil {
			conn.Close() // ends the reading
		}
		wrote <- err
	}()
	unwatch := l.stopWith(ctx)
	closer := l.closeLater(ctx, conn)

	err = l.readLoop(work, conn, rd)
	unwatch()
	closer()
	l.offline(err)
	close(done)
	return l.finish(conn, err, wrote)
}

// connect dials and logs in within the time for that.
func (l *Link) connect(ctx context.Context) (*watched, *stream.Reader, error) {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.Handshake)
	defer cancel()
	conn, err := l.dial(ctx)
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	w := &watched{Conn: conn, link: l}
	rd, err := l.login(ctx, conn, w)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	return w, rd, nil
}

// stopWith closes the stream when ctx ends, once what the server had sent by then is served and answered: after our
// closing tag nothing could be said about it any more. end gives up waiting for that.
func (l *Link) stopWith(ctx context.Context) (end func()) {
	waiting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		defer close(ended)
		l.settle(waiting)
		l.stopping()
	})
	return func() {
		cancel()
		if !unwatch() {
			<-ended
		}
	}
}

// settle waits, for half of Drain at most, until the server has nothing on the way to us that it sent before, and no
// handler is at work.
func (l *Link) settle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.Drain/2)
	defer cancel()
	if l.cfg.HostDomain != "" {
		st, err := l.IQ(ctx, l.cfg.HostDomain, "get", func(e *stream.Encoder) { e.Empty("ping", NSPing) })
		if err == nil {
			st.Release() // an error is an answer as well
		}
	}
	select {
	case <-l.cfg.Router.idle():
	case <-ctx.Done():
	}
}

// closeLater closes the connection if the server does not within Drain after
// ctx has ended.
func (l *Link) closeLater(ctx context.Context, conn net.Conn) (cancel func()) {
	late := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		t := time.NewTimer(l.cfg.Drain)
		defer t.Stop()
		select {
		case <-t.C:
			conn.Close()
		case <-late:
		}
	})
	return func() { stop(); close(late) }
}

// finish ends the writing and chooses the error that says most.
func (l *Link) finish(conn net.Conn, err error, wrote <-chan error) error {
	if !errors.Is(err, io.EOF) {
		conn.Close()
		if werr := <-wrote; werr != nil && errors.Is(err, net.ErrClosed) {
			return werr
		}
		return err
	}
	guard := time.AfterFunc(time.Second, func() { conn.Close() })
	defer guard.Stop()
	if werr := <-wrote; werr == nil && l.Status().State != Stopping {
		_, _ = conn.Write([]byte(stream.CloseTag)) // a courtesy; the server has closed already
	}
	return errors.New("the server closed the stream")
}

// online begins a new epoch. What was held for it is queued already.
func (l *Link) online() {
	l.mu.Lock()
	l.epoch++
	l.out.queued = uint64(len(l.out.marks))
	l.barriers = barriers{}
	l.setStateLocked(Online, nil)
	s := l.status
	l.mu.Unlock()
	l.wakeWriter()
	l.trace(s)
}

// stopping refuses further writes and lets the writer close the stream.
func (l *Link) stopping() {
	l.setState(Stopping, nil)
	l.wakeWriter()
}

// offline tells everybody who waits for this connection that it is gone.
func (l *Link) offline(err error) {
	l.mu.Lock()
	if l.status.State == Online {
		l.setStateLocked(Waiting, err)
	}
	l.barriers.release(^uint64(0), ErrLost)
	l.out = l.out.rest(0)
	l.mu.Unlock()
	l.calls.fail(ErrLost)
}
