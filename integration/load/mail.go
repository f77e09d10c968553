package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"text/tabwriter"
	"time"
)

const (
	mailWithin = 10 * time.Minute
	mailDomain = "gw.example"
	mailTo     = "alice@" + mailDomain

	wantOfSink    = 3.0  // processor time, of smtp-sink's, at most
	wantOfPostfix = 0.25 // the same, of Postfix's
)

// mailOptions are the flags of the mail measurement.
type mailOptions struct {
	count, sessions, rounds int
	sizes                   []int
	brief                   bool
	dir, gangway            string
}

// feeds are the kinds of mail that are measured.
func (o mailOptions) feeds() []mailFeed {
	if o.brief {
		return []mailFeed{{o.sizes[0], true}}
	}
	var all []mailFeed
	for _, size := range o.sizes {
		all = append(all, mailFeed{size, true}, mailFeed{size, false})
	}
	return all
}

// mailLoad measures how mail is taken: by the gateway as it runs, from the first byte to the 250 that says that it is
// safe on disk, beside Postfix's smtp-sink, which throws all away, and Postfix itself, which queues each mail and hands
// it to its discard(8). All are fed by Postfix's smtp-source, and take turns. While the gateway is fed, its XMPP server is
// away, so that nothing is shown yet; what it costs to show all is measured by itself, afterwards.
func mailLoad(args []string, out io.Writer) error {
	o := mailOptions{sizes: []int{4 << 10, 64 << 10}}
	fs := flag.NewFlagSet("mail", flag.ContinueOnError)
	fs.IntVar(&o.count, "count", 3000, "mails, per round; a quarter of them, of the large ones")
	fs.IntVar(&o.sessions, "sessions", 20, "that send at once")
	fs.IntVar(&o.rounds, "rounds", 3, "turns of each")
	fs.BoolVar(&o.brief, "brief", false, "only the small mails, on connections that are used again")
	fs.StringVar(&o.dir, "dir", "", "where the database and the queue are; empty: the directory for temporary files, which should be on a disk")
	fs.StringVar(&o.gangway, "gangway", "", "the program as built; built here when empty")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if o.count < 4 || o.sessions < 1 || o.sessions > 30 || o.rounds < 1 {
		return errors.New("the numbers must be positive, -count at least 4, -sessions at most 30")
	}
	for _, program := range []string{"smtp-source", "smtp-sink"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("postfix is not installed: %w", err)
		}
	}
	dir, err := os.MkdirTemp(o.dir, "load")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // Postfix's daemons are other users
		return err
	}
	if o.dir = dir; o.gangway == "" {
		if o.gangway, err = buildGangway(dir); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), mailWithin)
	defer cancel()
	takers, err := startTakers(ctx, o)
	if err != nil {
		return err
	}
	defer func() {
		for _, t := range takers {
			t.end()
		}
	}()
	return mailMeasure(ctx, o, takers, out)
}

// mailFeed is how mail comes.
type mailFeed struct {
	size   int
	reused bool // many mails on a connection
}

func (f mailFeed) String() string {
	if f.reused {
		return fmt.Sprintf("%d KB, connections reused", f.size>>10)
	}
	return fmt.Sprintf("%d KB, a connection each", f.size>>10)
}

// mailMeasure prints a table for each kind of mail.
func mailMeasure(ctx context.Context, o mailOptions, takers []*mailTaker, out io.Writer) error {
	fmt.Fprintf(out, "mail taken, %d at a time: mails a second until the last is acknowledged, and processor seconds of the server's\n"+
		"processes for 1,000 of them, until they rest; for gangway with XMPP away, and then those of showing them there\n", o.sessions)
	for _, f := range o.feeds() {
		if err := mailTurns(ctx, o, f, takers); err != nil {
			return err
		}
		fmt.Fprintf(out, "\n%s\n", f)
		if err := mailTable(takers, out); err != nil {
			return err
		}
	}
	return nil
}

// mailTurns has each take its turns.
func mailTurns(ctx context.Context, o mailOptions, f mailFeed, takers []*mailTaker) error {
	count := o.count
	if f.size > o.sizes[0] {
		count /= 4
	}
	for _, t := range takers {
		t.mails, t.took, t.used, t.later = 0, 0, 0, 0
	}
	for range o.rounds {
		for _, t := range takers {
			if err := t.turn(ctx, o, f, count); err != nil {
				return fmt.Errorf("%s, %s: %w", t.name, f, err)
			}
		}
	}
	return nil
}

func mailTable(takers []*mailTaker, out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "server\tmails/s\tCPU-s/1,000\tof smtp-sink\tof Postfix\tthen shown: CPU-s/1,000\t")
	sink, postfix := takers[0], takers[1]
	for _, t := range takers {
		fmt.Fprintf(w, "%s\t%.0f\t%.3f\t", t.name, float64(t.mails)/t.took.Seconds(), t.cost())
		if t == sink || t == postfix {
			fmt.Fprintf(w, "%s\t%s\t\t\n", timesOf(t, sink, 0), timesOf(t, postfix, 0))
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%.3f\t\n", timesOf(t, sink, wantOfSink), timesOf(t, postfix, wantOfPostfix), t.perThousand(t.later))
	}
	return w.Flush()
}

// timesOf is how many times as dear t is as another, and whether that is at most what is wanted, if anything is. So few
// mails that the clock of processor time did not move tell nothing.
func timesOf(t, other *mailTaker, want float64) string {
	if t.used <= 0 || other.used <= 0 {
		return "too few"
	}
	ratio := t.cost() / other.cost()
	if want == 0 {
		return fmt.Sprintf("%.2f", ratio)
	}
	return fmt.Sprintf("%.2f%s", ratio, judge(ratio <= want, fmt.Sprintf("<= %g", want)))
}

// turn feeds a server once.
func (t *mailTaker) turn(ctx context.Context, o mailOptions, f mailFeed, count int) error {
	if t.hold != nil {
		t.hold()
	}
	before, err := t.settled(ctx)
	if err != nil {
		return err
	}
	args := []string{"-s", strconv.Itoa(o.sessions), "-l", strconv.Itoa(f.size), "-m", strconv.Itoa(count), "-f", "bob@example.com", "-t", mailTo}
	if f.reused {
		args = append(args, "-d")
	}
	if t.lmtp {
		args = append(args, "-L")
	}
	began := time.Now()
	text, err := exec.CommandContext(ctx, "smtp-source", append(args, t.addr)...).CombinedOutput() //nolint:gosec // our own arguments
	if err != nil {
		return fmt.Errorf("smtp-source: %w: %s; the server says: %s", err, text, t.says())
	}
	t.took += time.Since(began)
	t.sent.Add(int64(count))
	if t.rest != nil {
		if err := t.rest(ctx); err != nil {
			return err
		}
	}
	taken, err := t.settled(ctx)
	if err != nil {
		return err
	}
	t.mails, t.used = t.mails+count, t.used+taken-before
	return t.show(ctx, taken)
}

// show lets a server that was held do what is left.
func (t *mailTaker) show(ctx context.Context, taken time.Duration) error {
	if t.release == nil {
		return nil
	}
	if err := t.release(ctx); err != nil {
		return err
	}
	shown, err := t.settled(ctx)
	t.later += shown - taken
	return err
}
