package irc

import (
	"context"
	"strconv"
	"time"

	"gangway/core"
	"gangway/transports/irc/wire"
)

const (
	keepalive     = "gangway"
	barrierPrefix = "gangway-"
	barrierEvery  = 4 // unanswered lines that wait for a barrier while more are queued
	writeBuffer   = 1024
	maxUrgent     = 200
)

// command is one line to be written.
type command struct {
	wire.Command
	ask *request // nil: nobody waits for an answer
}

// urgent queues a line that passes by the flood control and the registration.
func (s *session) urgent(c wire.Command) {
	l := s.link
	if len(l.urgent) >= maxUrgent {
		return // a network that asks faster than it reads
	}
	l.urgent = append(l.urgent, &command{Command: c})
	select {
	case l.wake <- struct{}{}:
	default:
	}
	s.pump()
}

// enqueue queues a line. Bounds are the callers' to keep, who can refuse.
func (s *session) enqueue(c *command) {
	s.queue = append(s.queue, c)
	s.pump()
}

// pump starts the writer unless it runs or there is nothing to write.
func (s *session) pump() {
	l := s.link
	if l == nil || l.closed || l.silent || l.writer != nil || len(l.urgent) == 0 && (!l.ready || len(s.queue) == 0) {
		return
	}
	l.writer = make(chan struct{})
	go s.write(l, l.writer)
}

// write writes until there is nothing to write.
func (s *session) write(l *link, ended chan struct{}) {
	defer close(ended)
	buf := make([]byte, 0, writeBuffer)
	for {
		var wait time.Duration
		s.mu.Lock()
		buf = buf[:0]
		if !l.closed {
			buf, wait = s.take(l, buf)
			s.dispatch(context.Background()) // of what cannot be written somebody waits to hear
		}
		if len(buf) == 0 && wait == 0 {
			l.writer = nil
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		if len(buf) > 0 && !s.put(l, buf) {
			return
		}
		if wait > 0 && !l.pause(wait) {
			return
		}
	}
}

// put writes lines to the network. When that fails the connection is closed, which the reader notices; the writer
// ends without making room for another.
func (s *session) put(l *link, lines []byte) bool {
	l.conn.SetWriteDeadline(time.Now().Add(writeWithin))
	_, err := l.conn.Write(lines)
	if err == nil {
		return true
	}
	s.mu.Lock()
	l.broken = err
	s.mu.Unlock()
	l.conn.Close()
	return false
}

// pause waits for the flood control, an urgent line, or the end of the connection: false.
func (l *link) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.wake:
	case <-l.done:
		return false
	}
	return true
}

// take appends the lines that may be written now, and returns how long until the next may.
func (s *session) take(l *link, buf []byte) ([]byte, time.Duration) {
	buf = s.takeUrgent(l, buf)
	select {
	case <-l.wake:
	default:
	}
	now := time.Now()
	for l.ready && !l.silent && len(s.queue) > 0 && len(buf) < 4*writeBuffer {
		if wait := l.flood.wait(now); wait > 0 {
			return buf, wait
		}
		c := s.queue[0]
		s.queue[0] = nil
		if s.queue = s.queue[1:]; len(s.queue) == 0 {
			s.queue = nil
		}
		l.flood.spend(now)
		buf = s.encode(l, buf, c)
		if c.Verb() == "QUIT" {
			l.silent = true
			return buf, 0
		}
		if l.within = c.opens(l.within); !l.within {
			buf = s.bar(l, s.takeUrgent(l, buf), now)
		}
	}
	return buf, 0
}

// takeUrgent appends what does not wait, but for the end of a batch of ours.
func (s *session) takeUrgent(l *link, buf []byte) []byte {
	if l.within {
		return buf
	}
	for _, c := range l.urgent {
		buf = s.encode(l, buf, c)
	}
	l.urgent = nil
	return buf
}

// opens says whether a batch of ours is open after a command, if one was before.
func (c *command) opens(before bool) bool {
	switch {
	case c.Verb() != "BATCH":
		return before
	case before:
		return false // they are not nested
	}
	return true
}

// encode appends one command, and notes who waits for its answer.
func (s *session) encode(l *link, buf []byte, c *command) []byte {
	label := ""
	if c.ask != nil && l.caps&capLabels != 0 {
		l.labels++
		label = strconv.FormatUint(l.labels, 36)
	}
	longer, err := s.written(c.Command).Append(buf, label, l.support.LineLen)
	if err != nil {
		if c.ask != nil {
			s.answer(c.ask, &core.Error{Kind: core.Invalid, Op: "irc: write", Err: err,
				Text: "That cannot be written as one line of IRC."}, nil)
		} else {
			s.t.log.Warn("line not written", "account", s.account.ID, "command", c.Verb(), "err", err)
		}
		return buf
	}
	s.traffic.out.Add(1)
	if c.ask != nil {
		c.ask.label, c.ask.written = label, time.Now()
		if label == "" && !l.echoes(c.ask) {
			l.unbarred++
			c.ask.barrier = l.barrier + 1
		}
		l.asked = append(l.asked, c.ask)
	}
	return longer
}

// bar appends a barrier, a PING whose PONG says that everything before it was processed, when requests wait for one.
// While more lines are queued it waits for a few, since it costs as much as a line of text.
func (s *session) bar(l *link, buf []byte, now time.Time) []byte {
	more := len(s.queue) > 0 && s.queue[0].Verb() != "QUIT"
	if l.unbarred == 0 || more && l.unbarred < barrierEvery {
		return buf
	}
	l.barrier++
	l.unbarred = 0
	l.flood.spend(now)
	s.traffic.out.Add(1)
	token := barrierPrefix + strconv.FormatUint(l.barrier, 10)
	buf, err := wire.Ping(token).Append(buf, "", wire.MaxBody)
	if err != nil {
		s.t.log.Error("barrier not written", "account", s.account.ID, "err", err) // cannot be
	}
	return buf
}
