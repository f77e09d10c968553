package email

import (
	"context"
	"errors"
	"net"
	"slices"
	"time"

	"github.com/emersion/go-smtp"
)

const (
	idleRelay   = 20 * time.Second // that a connection is kept for the next mail; servers wait for minutes
	mailsAtOnce = 100              // over one connection
	resetWithin = 10 * time.Second // that an idle connection may take to show that it is alive
)

// relayLink is a connection to the relay, greeted and logged in.
type relayLink struct {
	*smtp.Client
	raw   net.Conn
	sent  int         // mails tried
	timer *time.Timer // closes it when idle
}

// open returns a connection: one that was kept, if it still answers, else a new one.
func (r *relay) open(ctx context.Context) (*relayLink, error) {
	for {
		l := r.kept()
		if l == nil {
			return r.dial(ctx)
		}
		stop := l.endsWith(ctx)
		l.CommandTimeout = resetWithin
		err := l.Reset()
		l.CommandTimeout = r.command
		if err == nil && stop() {
			return l, nil
		}
		l.raw.Close()
		if ctx.Err() != nil {
			return nil, at(stageConnect, ctx.Err())
		}
	}
}

// endsWith closes the connection when ctx ends, until stop is called. stop says whether it was in time.
func (l *relayLink) endsWith(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { l.raw.Close() })
}

// kept takes the connection that was used last out of those that wait.
func (r *relay) kept() *relayLink {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n := len(r.idle); n > 0; n = len(r.idle) {
		l := r.idle[n-1]
		r.idle = r.idle[:n-1]
		if l.timer.Stop() {
			return l
		}
	}
	return nil
}

// release keeps a connection for the next mail if the relay has answered to everything on it, or ends it.
func (r *relay) release(l *relayLink, err error) {
	var answer *smtp.SMTPError
	clear := err == nil || errors.As(err, &answer) && answer.Code != 421
	l.sent++
	r.mu.Lock()
	if clear && !r.closed && l.sent < mailsAtOnce && len(r.idle) < cap(r.slots) {
		l.timer = time.AfterFunc(idleRelay, func() { r.expire(l) })
		r.idle = append(r.idle, l)
		r.mu.Unlock()
		return
	}
	r.mu.Unlock()
	l.end(clear)
}

// end ends a connection, politely where that is possible.
func (l *relayLink) end(politely bool) {
	if politely {
		l.CommandTimeout = resetWithin
		_ = l.Quit() // the mails are taken; how the connection ends is no matter
	}
	l.raw.Close()
}

// expire ends a connection that nobody needed. It is gone already if somebody has just taken it.
func (r *relay) expire(l *relayLink) {
	r.mu.Lock()
	i := slices.Index(r.idle, l)
	if i >= 0 {
		r.idle = slices.Delete(r.idle, i, i+1)
	}
	r.mu.Unlock()
	l.end(i >= 0)
}

// close ends the connections that wait; from then on none is kept.
func (r *relay) close() {
	r.mu.Lock()
	idle := r.idle
	r.idle, r.closed = nil, true
	r.mu.Unlock()
	for _, l := range idle {
		if l.timer.Stop() {
			l.end(true)
		}
	}
}
