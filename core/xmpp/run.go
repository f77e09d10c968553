package xmpp

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
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

// Run keeps the link up until ctx ends. Then it closes politely: it writes what
// is queued, closes our stream, and hands on what the server still sends until
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
	unwatch := context.AfterFunc(ctx, l.stopping)
	closer := l.closeLater(ctx, conn)

	err = l.readLoop(work, rd)
	unwatch()
	closer()
	l.offline(err)
	close(done)
	return l.finish(conn, err, wrote)
}

// connect dials and logs in within the time for that.
func (l *Link) connect(ctx context.Context) (net.Conn, *stream.Reader, error) {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.Handshake)
	defer cancel()
	conn, err := l.dial(ctx)
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	rd, err := l.login(ctx, conn, &watched{Conn: conn, link: l})
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	return conn, rd, nil
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

// watched pings a server that has been silent for a while and gives it up when
// it stays silent. It sits below the stanza reader.
type watched struct {
	net.Conn
	link     *Link
	heard    time.Time // when the last bytes came
	deadline time.Time // as set; moved only when it has passed
	pinged   bool
}

var errSilent = errors.New("the server is silent and does not answer a ping")

func (w *watched) Read(b []byte) (int, error) {
	cfg := &w.link.cfg
	switch state := w.link.Status().State; {
	case cfg.HostDomain == "", state == Connecting:
		return w.Conn.Read(b) // nobody to ping: TCP keepalive has to do
	case state != Online:
		_ = w.SetReadDeadline(time.Time{})
		return w.Conn.Read(b)
	}
	if w.heard.IsZero() {
		w.heard = time.Now()
	}
	for {
		w.setDeadline()
		n, err := w.Conn.Read(b)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			w.heard, w.pinged = time.Now(), false
			return n, err
		}
		switch silent := time.Since(w.heard); {
		case silent >= cfg.Idle+cfg.Dead:
			return 0, errSilent
		case silent >= cfg.Idle && !w.pinged:
			w.pinged = true
			w.link.keepalive()
		}
	}
}

// setDeadline makes Read come back when the silence may have become too long.
// It leaves a deadline that is still to come: most reads are well before it.
func (w *watched) setDeadline() {
	if time.Now().Before(w.deadline) {
		return
	}
	w.deadline = w.heard.Add(w.link.cfg.Idle)
	if w.pinged {
		w.deadline = w.deadline.Add(w.link.cfg.Dead)
	}
	_ = w.SetReadDeadline(w.deadline)
}

// keepalive asks for a sign of life. Any byte is one, so the answer is not
// waited for; that it could not be queued would mean that there is traffic.
func (l *Link) keepalive() {
	_, _ = l.Send(func(e *stream.Encoder) {
		encodePing(e, l.cfg.Domain, l.cfg.HostDomain, "keepalive")
	})
}

// readLoop reads until the stream ends. It only parses and hands over.
func (l *Link) readLoop(work context.Context, rd *stream.Reader) error {
	for {
		st, err := rd.Next()
		if err == nil {
			err = l.dispatch(work, st)
		}
		var refused *stream.StanzaError
		switch {
		case err == nil:
		case errors.As(err, &refused):
			l.refused(refused)
		default:
			return err
		}
	}
}

// dispatch gives a stanza to whoever it is for.
func (l *Link) dispatch(work context.Context, st *stream.Stanza) error {
	if t := l.cfg.Trace; t != nil && t.In != nil {
		t.In(l.cfg.Domain, st)
	}
	switch {
	case st.Kind == stream.Other:
		defer st.Release()
		if st.Is(stream.NSStream, "error") {
			return l.refusal(streamError(st))
		}
		l.log.Debug("unknown element on the stream", "name", st.Local())
	case st.Kind == stream.IQ && (st.Type == "result" || st.Type == "error"):
		if l.pong(st) || !l.calls.take(st, l.cfg.HostDomain) {
			st.Release() // late, or nobody asked
		}
	default:
		l.cfg.Router.dispatch(work, l, st, l.cfg.Trace)
	}
	return nil
}

// refused answers a stanza that could not be read, if it says whom to answer.
func (l *Link) refused(r *stream.StanzaError) {
	if t := l.cfg.Trace; t != nil && t.Refused != nil {
		t.Refused(l.cfg.Domain, r)
	}
	l.log.Info("stanza refused", "kind", r.Kind, "id", r.ID, "err", r.Err)
	if err := refuse(l, r.Kind, r.ID, r.From, r.To, r.Type, ErrorOf(r)); err != nil {
		l.log.Debug("refusal not sent", "id", r.ID, "err", err)
	}
}
