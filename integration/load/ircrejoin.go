package main

import (
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"
)

// ircRejoin has many users in some channels each, restarts the IRC server, and watches them come back. The network has
// its usual flood control.
func ircRejoin(o ircOptions, users int, out io.Writer) error {
	kind := ircKinds(o)[0] // biboumi does not come back
	s, err := newIRCStage(o, kind)
	if err != nil {
		return err
	}
	defer s.close()
	fmt.Fprintf(out, "rejoin: %d users in %d channels each, %d in every channel; the IRC server is away for %v\n\n", users, o.rooms, o.share, o.rest)
	began := time.Now()
	for room := range o.rooms {
		if err := s.joinAll(0, users, func(i int) string { return "#load" + strconv.Itoa(room) + "-" + strconv.Itoa(i/o.share) }); err != nil {
			return err
		}
		s.host.joined.Store(0)
	}
	joining := time.Since(began)
	if _, err := s.child.settled(s.ctx); err != nil {
		return err
	}
	time.Sleep(o.rest)
	before, err := s.child.rss()
	if err != nil {
		return err
	}
	r, err := s.comeBack(o.rest, users*o.rooms)
	if err != nil {
		return err
	}
	time.Sleep(o.rest)
	after, err := s.child.rss()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "the first joins took\t%v\t\n", joining.Round(time.Millisecond))
	fmt.Fprintf(w, "channels joined again\t%d of %d\t\n", r.joins, users*o.rooms)
	fmt.Fprintf(w, "after the server's return\t%v\t\n", r.took.Round(time.Millisecond))
	fmt.Fprintf(w, "connections tried\t%d, at most %d in a second\t\n", r.attempts, r.fastest)
	fmt.Fprintf(w, "memory before, at most, after\t%d, %d, %d KiB\t\n", before, r.peak, after)
	return w.Flush()
}

// comeback is what was seen of it.
type comeback struct {
	took     time.Duration
	joins    int64
	attempts int64
	fastest  int64 // attempts in one second
	peak     int   // KiB
}

// comeBack restarts the IRC server, which is down for a while, and returns when so many channels are joined again.
func (s *ircStage) comeBack(down time.Duration, want int) (comeback, error) {
	s.net.stop()
	select {
	case <-time.After(down):
	case <-s.ctx.Done():
		return comeback{}, s.ctx.Err()
	}
	s.net.joins.Store(0)
	s.net.attempts.Store(0)
	if err := s.net.start(s.ctx); err != nil {
		return comeback{}, err
	}
	var r comeback
	began := time.Now()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var window [10]int64 // of the attempts up to each tick of the last second
	for i := 0; s.net.joins.Load() < int64(want); i++ {
		select {
		case <-tick.C:
		case <-s.child.done:
			return r, fmt.Errorf("the gateway has ended: %w", s.child.err)
		case <-s.ctx.Done():
			return r, fmt.Errorf("%d of %d channels are joined again: %w", s.net.joins.Load(), want, s.ctx.Err())
		}
		now := s.net.attempts.Load()
		r.fastest = max(r.fastest, now-window[i%len(window)])
		window[i%len(window)] = now
		rss, err := s.child.rss()
		if err != nil {
			return r, err
		}
		r.peak = max(r.peak, rss)
	}
	r.took, r.joins, r.attempts = time.Since(began), s.net.joins.Load(), s.net.attempts.Load()
	return r, nil
}
