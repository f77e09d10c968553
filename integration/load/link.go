package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// linkTargets of the component link: CPU seconds per 100,000 messages in and out.
const (
	linkTargetCPU   = 0.45
	linkTargetRatio = 0.25 // of mellium's
)

// linkOptions are the flags of the link measurement.
type linkOptions struct {
	count   int
	runs    int
	senders int
}

// linkLoad measures the component link alone: a scripted host server in this
// process sends messages to a component in a child process, which echoes them.
// Only the child's CPU time counts, from its start to its end.
func linkLoad(args []string, out io.Writer) error {
	var o linkOptions
	var child, server string
	fs := flag.NewFlagSet("link", flag.ContinueOnError)
	fs.IntVar(&o.count, "count", 150_000, "messages of one run")
	fs.IntVar(&o.runs, "runs", 3, "runs of each component; the median counts")
	fs.IntVar(&o.senders, "senders", 100, "users that send in turn")
	fs.StringVar(&child, "child", "", "be the component: gangway or mellium (used by the measurement itself)")
	fs.StringVar(&server, "server", "", "address of the host server, with -child")
	if err := fs.Parse(args); err != nil {
		return err
	}
	switch child {
	case "":
		return linkMeasure(o, out)
	case "gangway":
		return gangwayEcho(server)
	case "mellium":
		return melliumEcho(server)
	}
	return fmt.Errorf("no component %q", child)
}

// linkCase is one way to load the component.
type linkCase struct {
	name   string
	window int // messages on their way at once
	share  int // of count, in per cent
}

func linkMeasure(o linkOptions, out io.Writer) error {
	if o.count < 1 || o.runs < 1 || o.senders < 1 {
		return errors.New("-count, -runs and -senders must be positive")
	}
	fmt.Fprintf(out, "component link: %d messages in and out, %d users, median of %d runs\n", o.count, o.senders, o.runs)
	fmt.Fprintf(out, "CPU is that of the component's process, start included, per 100,000 messages\n\n")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "load\tcomponent\tCPU s\tuser\tsystem\tmsg/s\tratio\t")
	var busy [2]float64
	for _, c := range []linkCase{{"512 at once", 512, 100}, {"one at a time", 1, 10}} {
		var cpu [2]float64
		for i, component := range []string{"gangway", "mellium"} {
			r, err := linkMedian(o, c, component)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", component, c.name, err)
			}
			cpu[i] = r.cpu()
			ratio := ""
			if i == 1 {
				ratio = fmt.Sprintf("%.2f", cpu[0]/cpu[1])
			}
			fmt.Fprintf(w, "%s\t%s\t%.3f\t%.3f\t%.3f\t%.0f\t%s\t\n", c.name, component, r.cpu(), r.user, r.system, r.rate, ratio)
		}
		if c.window > 1 {
			busy = cpu
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n512 at once: %.3f s (target <= %.2f), %.2f of mellium's (target <= %.2f)\n",
		busy[0], linkTargetCPU, busy[0]/busy[1], linkTargetRatio)
	return nil
}

// linkResult is per 100,000 messages.
type linkResult struct {
	user, system float64 // seconds
	rate         float64 // messages per second
}

func (r linkResult) cpu() float64 { return r.user + r.system }

func newLinkResult(n int, user, system, took time.Duration) linkResult {
	per := 100_000 / float64(n)
	return linkResult{user.Seconds() * per, system.Seconds() * per, float64(n) / took.Seconds()}
}
