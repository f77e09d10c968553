package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"gangway/core/xmpp/stream"
)

const (
	ircTargetCPU   = 0.6 // of biboumi's
	ircTargetTrip  = time.Millisecond
	ircWindow      = 512 // messages on their way at once, all users together
	ircSendWindow  = 100
	ircTripsPerSec = 50
)

// sideBySide prints one row: a figure of each gateway, their ratio and how it stands to the target.
func sideBySide(w io.Writer, row, unit string, values []float64, target float64) {
	fmt.Fprintf(w, "%s\t", row)
	for _, v := range values {
		fmt.Fprintf(w, "%.2f %s\t", v, unit)
	}
	if len(values) < 2 || values[1] == 0 {
		fmt.Fprint(w, "\t\t\n")
		return
	}
	ratio := values[0] / values[1]
	fmt.Fprintf(w, "%.2f\t", ratio)
	if target > 0 {
		fmt.Fprintf(w, "%s (<= %.2f)", verdict(ratio <= target), target)
	}
	fmt.Fprint(w, "\t\n")
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "missed"
}

func ircTable(out io.Writer, what string, kinds []ircKind) *tabwriter.Writer {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%s\t", what)
	for _, k := range kinds {
		fmt.Fprintf(w, "%s\t", k.name)
	}
	if len(kinds) > 1 {
		fmt.Fprint(w, "ratio\t\t")
	}
	fmt.Fprintln(w)
	return w
}

// ircDelivered measures the way from a channel to its users.
func ircDelivered(o ircOptions, kinds []ircKind, _ []int, out io.Writer) error {
	w := ircTable(out, "IRC -> XMPP, CPU per delivered message", kinds)
	for _, users := range []int{1, 10, 50} {
		values := make([]float64, len(kinds))
		for i, k := range kinds {
			v, err := delivered(o, k, users)
			if err != nil {
				return err
			}
			values[i] = v
		}
		sideBySide(w, fmt.Sprintf("%d users, %d lines", users, o.deliveries/users), "us", values, ircTargetCPU)
	}
	return w.Flush()
}

// delivered is microseconds of the gateway's processor per message that reached a user.
func delivered(o ircOptions, k ircKind, users int) (float64, error) {
	s, err := newIRCStage(o, k)
	if err != nil {
		return 0, err
	}
	defer s.close()
	const channel = "#load"
	if err := s.joinAll(0, users, func(int) string { return channel }); err != nil {
		return 0, err
	}
	way := newCredit(max(ircWindow, 4*users))
	heard := func(st *stream.Stanza) {
		if st.Type == "groupchat" && strings.HasPrefix(st.Body(), "line ") {
			way.give(1)
		}
	}
	s.host.heard.Store(&heard)
	before, err := s.child.settled(s.ctx)
	if err != nil {
		return 0, err
	}
	lines := o.deliveries / users
	for i := range lines {
		if err := way.take(s, users); err != nil {
			return 0, err
		}
		if n := s.net.say(channel, loadText(i)); n != users {
			return 0, fmt.Errorf("%s: %d of %d users are in the channel", k.name, n, users)
		}
	}
	if err := s.until("the last lines", func() bool { return way.got.Load() >= int64(lines*users) }); err != nil {
		return 0, err
	}
	after, err := s.child.settled(s.ctx)
	return float64((after - before).Microseconds()) / float64(lines*users), err
}

// ircSent measures the way from a user to a channel: to a network that tells nothing, and to one with echo-message.
func ircSent(o ircOptions, kinds []ircKind, _ []int, out io.Writer) error {
	w := ircTable(out, "XMPP -> IRC, CPU per message", kinds)
	for _, row := range []struct {
		name string
		caps []string
	}{{"plain network", nil}, {"with echo-message", []string{"echo-message", "multi-prefix", "server-time", "message-tags"}}} {
		values := make([]float64, len(kinds))
		for i, k := range kinds {
			v, err := sent(o, k, row.caps)
			if err != nil {
				return err
			}
			values[i] = v
		}
		sideBySide(w, row.name, "us", values, ircTargetCPU)
	}
	return w.Flush()
}

func sent(o ircOptions, k ircKind, caps []string) (float64, error) {
	s, err := newIRCStage(o, k, caps...)
	if err != nil {
		return 0, err
	}
	defer s.close()
	const channel = "#load"
	if err := s.joinAll(0, 1, func(int) string { return channel }); err != nil {
		return 0, err
	}
	way, reflections, refused := newCredit(ircSendWindow), atomic.Int64{}, atomic.Int64{}
	arrived := func(string) {}
	s.net.heard.Store(&arrived)
	heard := func(st *stream.Stanza) {
		switch {
		case st.Type == "error":
			refused.Add(1)
			way.give(1)
		case st.Type == "groupchat" && st.Child("", "body") != nil:
			reflections.Add(1) // after it has been said on IRC
			way.give(1)
		}
	}
	s.host.heard.Store(&heard)
	before, err := s.child.settled(s.ctx)
	if err != nil {
		return 0, err
	}
	for i := range o.sent {
		if err := way.take(s, 1); err != nil {
			return 0, err
		}
		if err := s.host.write(s.groupchat(0, channel, "m"+strconv.Itoa(i), xmlText(loadText(i)))); err != nil {
			return 0, err
		}
	}
	if err := s.until("the last reflections", func() bool { return way.got.Load() >= int64(o.sent) }); err != nil {
		return 0, err
	}
	if refused.Load() > 0 {
		return 0, fmt.Errorf("%s refused %d of %d messages", k.name, refused.Load(), o.sent)
	}
	after, err := s.child.settled(s.ctx)
	return float64((after - before).Microseconds()) / float64(o.sent), err
}

// ircTrip measures from a stanza of a user to IRC, where somebody repeats it, and back.
func ircTrip(o ircOptions, kinds []ircKind, _ []int, out io.Writer) error {
	w := ircTable(out, "round trip, 50 in a second", kinds)
	var p50, p99 []float64
	for _, k := range kinds {
		times, err := trips(o, k)
		if err != nil {
			return err
		}
		slices.Sort(times)
		p50 = append(p50, float64(times[len(times)/2].Microseconds())/1000)
		p99 = append(p99, float64(times[len(times)*99/100].Microseconds())/1000)
	}
	sideBySide(w, "p50", "ms", p50, 0)
	sideBySide(w, "p99", "ms", p99, 0)
	if err := w.Flush(); err != nil {
		return err
	}
	met := verdict(p50[0] <= float64(ircTargetTrip.Milliseconds()))
	fmt.Fprintf(out, "p50 of gangway: %s (<= %v)\n", met, ircTargetTrip)
	return nil
}

func trips(o ircOptions, k ircKind) ([]time.Duration, error) {
	s, err := newIRCStage(o, k)
	if err != nil {
		return nil, err
	}
	defer s.close()
	s.net.echo = true
	const channel = "#load"
	if err := s.joinAll(0, 1, func(int) string { return channel }); err != nil {
		return nil, err
	}
	n := o.seconds * ircTripsPerSec
	began, took := make([]time.Time, n), make([]time.Duration, n)
	var back atomic.Int64
	written := make(chan int, n)
	heard := func(st *stream.Stanza) {
		if st.From != s.room(channel)+"/"+ircGhost || st.Child("", "body") == nil {
			return
		}
		if i := int(back.Load()); i < n {
			<-written
			took[i] = time.Since(began[i])
		}
		back.Add(1)
	}
	s.host.heard.Store(&heard)
	tick := time.NewTicker(time.Second / ircTripsPerSec)
	defer tick.Stop()
	for i := range n {
		<-tick.C
		began[i] = time.Now()
		written <- i
		if err := s.host.write(s.groupchat(0, channel, "m"+strconv.Itoa(i), xmlText(loadText(i)))); err != nil {
			return nil, err
		}
	}
	return took, s.until("the last answer", func() bool { return back.Load() >= int64(n) })
}
