package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ircWithin bounds one measurement of one gateway.
const ircWithin = 10 * time.Minute

// ircOptions are the flags of the irc measurement.
type ircOptions struct {
	deliveries int
	sent       int
	seconds    int
	rounds     int
	users      string
	only       string
	alone      bool
	rejoin     bool
	rooms      int
	share      int
	rest       time.Duration
	dir        string
	gangway    string
}

// ircLoad measures the gateway between an XMPP server and an IRC server that are both played here, and Debian's biboumi
// in its place where it is installed. Only the gateway's own process counts.
func ircLoad(args []string, out io.Writer) error {
	var o ircOptions
	fs := flag.NewFlagSet("irc", flag.ContinueOnError)
	fs.IntVar(&o.deliveries, "count", 200_000, "messages delivered from IRC to XMPP, per row")
	fs.IntVar(&o.sent, "sent", 50_000, "messages from XMPP to IRC, per row")
	fs.IntVar(&o.seconds, "seconds", 20, "how long round trips are taken, 50 in a second")
	fs.IntVar(&o.rounds, "rounds", 10, "bursts that are cut off, per row")
	fs.StringVar(&o.users, "users", "10,100,1000", "users joined, for the memory")
	fs.StringVar(&o.only, "only", "", "some of: delivered,sent,trip,memory,crowd,loss")
	fs.BoolVar(&o.alone, "alone", false, "leave biboumi out")
	fs.BoolVar(&o.rejoin, "rejoin", false, "measure how the largest number of users comes back after the IRC server was restarted")
	fs.IntVar(&o.rooms, "rooms", 5, "channels of each user, with -rejoin")
	fs.IntVar(&o.share, "share", 50, "users of each channel, with -rejoin")
	fs.DurationVar(&o.rest, "rest", 5*time.Second, "how long users are idle before their memory is taken, and how long the IRC server is away, with -rejoin")
	fs.StringVar(&o.dir, "dir", "/dev/shm", "where the gateways keep their databases: in memory, since it is not the disk that is compared")
	fs.StringVar(&o.gangway, "gangway", "", "the program as built; built here when empty")
	if err := fs.Parse(args); err != nil {
		return err
	}
	counts, err := o.counts()
	if err != nil {
		return err
	}
	if o.deliveries < 50 || o.sent < 1 || o.seconds < 1 || o.rounds < 1 || o.rooms < 1 || o.share < 1 {
		return errors.New("the numbers must be positive, -count at least 50")
	}
	if o.dir, err = os.MkdirTemp(o.dir, "gangway-load-"); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(o.dir) }()
	if o.gangway == "" {
		if o.gangway, err = buildGangway(o.dir); err != nil {
			return err
		}
	}
	if o.rejoin {
		return ircRejoin(o, counts[len(counts)-1], out)
	}
	return ircMeasure(o, counts, out)
}

// counts are the numbers of users whose memory is taken, growing.
func (o *ircOptions) counts() ([]int, error) {
	var all []int
	for word := range strings.SplitSeq(o.users, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || len(all) > 0 && n <= all[len(all)-1] {
			return nil, errors.New("-users: want growing numbers")
		}
		all = append(all, n)
	}
	return all, nil
}

func (o *ircOptions) wants(what string) bool {
	if o.only == "" {
		return true
	}
	for word := range strings.SplitSeq(o.only, ",") {
		if word == what {
			return true
		}
	}
	return false
}

func buildGangway(dir string) (string, error) {
	path := filepath.Join(dir, "gangway")
	cmd := exec.CommandContext(context.Background(), "go", "build", "-trimpath", "-o", path, "gangway/cmd/gangway") //nolint:gosec // our own arguments
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building gangway: %w\n%s", err, text)
	}
	return path, nil
}

// ircMeasure prints each table, the gateways side by side.
func ircMeasure(o ircOptions, counts []int, out io.Writer) error {
	kinds := ircKinds(o)
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	fmt.Fprintf(out, "irc: %s, each alone between an XMPP server and an IRC server that are played here\n", strings.Join(names, " and "))
	if len(kinds) < 2 && !o.alone {
		fmt.Fprintln(out, "(biboumi is not installed: nothing to compare with)")
	}
	for _, part := range []struct {
		name    string
		measure func(ircOptions, []ircKind, []int, io.Writer) error
	}{
		{"delivered", ircDelivered}, {"sent", ircSent}, {"trip", ircTrip}, {"memory", ircMemory}, {"crowd", ircCrowd}, {"loss", ircLoss},
	} {
		if !o.wants(part.name) {
			continue
		}
		fmt.Fprintln(out)
		if err := part.measure(o, kinds, counts, out); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}
