package xmpp

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"gangway/core/xmpp/stream"
)

// watched pings a server that has been silent for a while and gives it up when
// it stays silent. It sits below the stanza reader.
type watched struct {
	net.Conn
	link     *Link
	heard    time.Time // when the last bytes came
	deadline time.Time // as set; moved only when it has passed
	pinged   bool
	before   func() // called before each read, which may have to wait
}

var errSilent = errors.New("the server is silent and does not answer a ping")

func (w *watched) Read(b []byte) (int, error) {
	if w.before != nil {
		w.before()
	}
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

// intake reads the stanzas of one connection. Those for the router it hands over
// together, all that came with one read: a burst costs the router's lock once.
type intake struct {
	link *Link
	came []arrival
}

const intakeMost = 256 // stanzas handed over at once

// readLoop reads until the stream ends. It only parses and hands over.
func (l *Link) readLoop(work context.Context, conn *watched, rd *stream.Reader) error {
	in := &intake{link: l}
	conn.before = func() { in.handOver(work) }
	defer in.handOver(work)
	for {
		st, err := rd.Next()
		if err == nil {
			err = in.take(work, st)
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

// handOver gives the router what is at hand.
func (in *intake) handOver(work context.Context) {
	if len(in.came) == 0 {
		return
	}
	in.link.cfg.Router.dispatch(work, in.link, in.came, in.link.cfg.Trace)
	clear(in.came)
	in.came = in.came[:0]
}

// take gives a stanza to whoever it is for.
func (in *intake) take(work context.Context, st *stream.Stanza) error {
	l := in.link
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
		in.handOver(work) // an answer does not overtake what came before it
		if l.pong(st) || !l.calls.take(st, l.cfg.HostDomain) {
			st.Release() // late, or nobody asked
		}
	default:
		if in.came = append(in.came, arrived(st)); len(in.came) == intakeMost {
			in.handOver(work)
		}
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
