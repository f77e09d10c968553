package outbox

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gangway/core"
	"gangway/core/store"
)

var kills = flag.Int("kills", 5, "how often TestCrash kills the queue")

const (
	childEnv   = "GANGWAY_OUTBOX_CHILD" // the database of a child process
	crashLanes = 8
)

func TestMain(m *testing.M) {
	flag.Parse()
	if path := os.Getenv(childEnv); path != "" {
		if err := child(path, flag.Args()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child is a process with a queue: it puts numbered items on each lane, from the numbers it is given on, and says
// "put LANE N" when one was taken and "did LANE N" when it is handled, until it is killed. Without numbers it only
// works off what there is.
func child(path string, from []string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	db, err := store.Open(ctx, store.Config{URL: "sqlite:" + path})
	if err != nil {
		return err
	}
	box, err := New(ctx, db, Config{Resident: 20_000})
	if err != nil {
		return err
	}
	say := func(what string, it *core.Item) {
		fmt.Fprintf(os.Stdout, "%s %s %s\n", what, it.Lane, text(it)) // one write
	}
	done := make(chan error, 1)
	go func() {
		done <- box.Run(ctx, map[core.Direction]core.Handler{core.ToNetwork: {Batch: 3, Workers: 4,
			Handle: func(_ context.Context, items []*core.Item) []core.Verdict {
				v := make([]core.Verdict, len(items))
				for i, it := range items {
					if it.Attempts == 0 && rand.N(10) == 0 { // those behind it wait with it
						for j := i; j < len(items); j++ {
							v[j] = core.Verdict{Outcome: core.Retry}
						}
						v[i].At = time.Now().Add(rand.N(20 * time.Millisecond))
						break
					}
					say("did", it)
				}
				return v
			}}})
	}()
	for lane, s := range from {
		n, err := strconv.Atoi(s)
		if err != nil {
			return err
		}
		go func() {
			for ; ; n++ {
				name := fmt.Sprint(n)
				it := keyed(fmt.Sprint(lane), name, fmt.Sprint(lane, "/", name))
				if err := box.Put(ctx, it); err != nil && !errors.Is(err, core.ErrDuplicate) {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				say("put", it)
			}
		}()
	}
	if len(from) == 0 {
		for box.pending.Load() > 0 {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}
	return errors.Join(<-done, db.Close())
}

// books are what a killed queue has said.
type books struct {
	t        *testing.T
	put, did [crashLanes]int // the highest number, each number having come before the next
	repeated int
	thisRun  map[string]bool // what the present child has handled
}

// TestCrash kills a process with a queue again and again: what it said was taken is handled, in order, and only what
// was in hand at a kill is repeated.
func TestCrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	b := &books{t: t}
	for range *kills {
		from := make([]string, crashLanes)
		for l := range from {
			from[l] = fmt.Sprint(b.put[l] + 1)
		}
		b.run(path, from, 50*time.Millisecond+rand.N(300*time.Millisecond))
	}
	b.run(path, nil, time.Hour)
	total, lost := 0, 0
	for l := range crashLanes {
		total += b.put[l]
		lost += max(b.put[l]-b.did[l], 0)
	}
	if lost > 0 {
		t.Errorf("%d of %d were lost", lost, total)
	}
	if total == 0 {
		t.Error("nothing was taken")
	}
	t.Logf("%d kills: %d taken, %d lost, %d repeated", *kills, total, lost, b.repeated)
}

// run starts a child and kills it some time after its first word.
func (b *books) run(path string, from []string, life time.Duration) {
	b.t.Helper()
	cmd := exec.CommandContext(b.t.Context(), os.Args[0], append([]string{"-test.run=^$"}, from...)...)
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.thisRun = make(map[string]bool)
	var timer *time.Timer
	var once sync.Once
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			break // what was cut off was not said
		}
		if err != nil {
			b.t.Fatal(err)
		}
		once.Do(func() { timer = time.AfterFunc(life, func() { _ = cmd.Process.Kill() }) })
		b.enter(strings.TrimSuffix(line, "\n"))
	}
	killed := timer != nil && !timer.Stop()
	if err := cmd.Wait(); err != nil && !killed {
		b.t.Fatalf("the child: %v", err)
	}
}

func (b *books) enter(line string) {
	var what string
	var lane, n int
	if _, err := fmt.Sscanf(line, "%s %d %d", &what, &lane, &n); err != nil || lane < 0 || lane >= crashLanes {
		b.t.Fatalf("the child said %q", line)
	}
	if what == "did" {
		if b.thisRun[line] {
			b.t.Errorf("lane %d: %d was handled twice without a kill", lane, n)
		}
		b.thisRun[line] = true
	}
	switch {
	case what == "put" && n == b.put[lane]+1:
		b.put[lane] = n
	case what == "did" && n == b.did[lane]+1:
		b.did[lane] = n
	case what == "did" && n <= b.did[lane]:
		b.repeated++
	default:
		b.t.Errorf("lane %d: %s %d after %d put and %d handled", lane, what, n, b.put[lane], b.did[lane])
	}
}
