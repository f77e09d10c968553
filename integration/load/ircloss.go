package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"text/tabwriter"
	"time"

	"gangway/core/xmpp/stream"
)

// ircBurst is how many messages are on their way when the gateway is ended.
const ircBurst = 50

// burst is what became of one.
type burst struct {
	sent, arrived int
	errors        int // answered with an error
	silent        int // neither arrived nor answered
	lied          int // of those, shown to the sender as said
}

func (b *burst) add(other burst) {
	b.sent += other.sent
	b.arrived += other.arrived
	b.errors += other.errors
	b.silent += other.silent
	b.lied += other.lied
}

// ircLoss ends the gateway in the middle of bursts, in both directions, and counts what is missing.
func ircLoss(o ircOptions, kinds []ircKind, _ []int, out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "ended in a burst of %d, %d times\tgateway\tarrived\trefused\tlost\tlost of %d\tlost, but reflected\t\t\n", ircBurst, o.rounds, ircBurst)
	for _, row := range []struct {
		name string
		sig  syscall.Signal
		play func(ircOptions, ircKind, syscall.Signal) (burst, error)
	}{
		{"XMPP -> IRC, kill -9", syscall.SIGKILL, burstToIRC}, {"XMPP -> IRC, SIGTERM", syscall.SIGTERM, burstToIRC},
		{"IRC -> XMPP, kill -9", syscall.SIGKILL, burstToXMPP}, {"IRC -> XMPP, SIGTERM", syscall.SIGTERM, burstToXMPP},
	} {
		for i, k := range kinds {
			var all burst
			for range o.rounds {
				b, err := row.play(o, k, row.sig)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", row.name, k.name, err)
				}
				all.add(b)
			}
			met := ""
			if i == 0 {
				met = verdict(all.lied == 0 && (row.sig == syscall.SIGKILL || all.silent == 0))
			}
			fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%.1f\t%d\t%s\t\n", row.name, k.name, all.arrived, all.errors, all.silent,
				float64(all.silent)/float64(o.rounds), all.lied, met)
		}
	}
	return w.Flush()
}

// fate is what is known of each message of a burst.
type fate struct {
	mu                          sync.Mutex
	arrived, refused, reflected map[string]bool
	seen                        atomic.Int64
}

func newFate() *fate {
	return &fate{arrived: map[string]bool{}, refused: map[string]bool{}, reflected: map[string]bool{}}
}

func (f *fate) note(set map[string]bool, id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	set[id] = true
}

func (f *fate) burst(ids []string) burst {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := burst{sent: len(ids)}
	for _, id := range ids {
		switch {
		case f.arrived[id]:
			b.arrived++
		case f.refused[id]:
			b.errors++
		default:
			b.silent++
			if f.reflected[id] {
				b.lied++
			}
		}
	}
	return b
}

// burstToIRC writes the burst at once, and ends the gateway at once or after some of it has been said.
func burstToIRC(o ircOptions, k ircKind, sig syscall.Signal) (burst, error) {
	s, err := newIRCStage(o, k)
	if err != nil {
		return burst{}, err
	}
	defer s.close()
	const channel = "#load"
	if err := s.joinAll(0, 1, func(int) string { return channel }); err != nil {
		return burst{}, err
	}
	f, after, enough := newFate(), rand.Int64N(ircBurst/2), make(chan struct{}) //nolint:gosec // a moment, not a secret
	if after == 0 || rand.IntN(2) == 0 {                                        //nolint:gosec // likewise
		close(enough) // as soon as the burst is on its way
		after = 0
	}
	said := func(text string) {
		f.note(f.arrived, text)
		if f.seen.Add(1) == after {
			close(enough)
		}
	}
	s.net.heard.Store(&said)
	heard := func(st *stream.Stanza) {
		switch {
		case st.Type == "error":
			f.note(f.refused, st.ID)
		case st.Child("", "body") != nil && strings.HasPrefix(st.Body(), "m"):
			f.note(f.reflected, st.Body())
		}
	}
	s.host.heard.Store(&heard)
	var all []byte
	var ids []string
	for i := range ircBurst {
		id := "m" + strconv.Itoa(i)
		ids = append(ids, id)
		all = append(all, s.groupchat(0, channel, id, id)...)
	}
	if err := s.host.write(all); err != nil {
		return burst{}, err
	}
	return s.cutOff(sig, enough, f, ids)
}

// burstToXMPP is the other way round.
func burstToXMPP(o ircOptions, k ircKind, sig syscall.Signal) (burst, error) {
	s, err := newIRCStage(o, k)
	if err != nil {
		return burst{}, err
	}
	defer s.close()
	const channel = "#load"
	if err := s.joinAll(0, 1, func(int) string { return channel }); err != nil {
		return burst{}, err
	}
	f, after, enough := newFate(), rand.Int64N(ircBurst/2), make(chan struct{}) //nolint:gosec // likewise
	if after == 0 || rand.IntN(2) == 0 {                                        //nolint:gosec // likewise
		close(enough)
		after = 0
	}
	heard := func(st *stream.Stanza) {
		if st.Child("", "body") == nil || !strings.HasPrefix(st.Body(), "m") {
			return
		}
		f.note(f.arrived, st.Body())
		if f.seen.Add(1) == after {
			close(enough)
		}
	}
	s.host.heard.Store(&heard)
	var ids []string
	for i := range ircBurst {
		id := "m" + strconv.Itoa(i)
		ids = append(ids, id)
		s.net.say(channel, id)
	}
	return s.cutOff(sig, enough, f, ids)
}

// cutOff ends the gateway as soon as enough of the burst is through, and counts when both servers have read the rest.
func (s *ircStage) cutOff(sig syscall.Signal, enough <-chan struct{}, f *fate, ids []string) (burst, error) {
	select {
	case <-enough:
	case <-s.ctx.Done():
		return burst{}, s.ctx.Err()
	}
	s.child.end(sig)
	err := s.untilGone()
	return f.burst(ids), err
}

// untilGone returns when neither server has a connection left, so that nothing is still on its way.
func (s *ircStage) untilGone() error {
	for {
		s.net.mu.Lock()
		irc := len(s.net.nicks)
		s.net.mu.Unlock()
		s.host.mu.Lock()
		xmpp := s.host.conn != nil
		s.host.mu.Unlock()
		if irc == 0 && !xmpp {
			return nil
		}
		select {
		case <-time.After(time.Millisecond):
		case <-s.ctx.Done():
			return s.ctx.Err()
		}
	}
}
