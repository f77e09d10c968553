// Package demo shows Gangway's main job on real servers: a conversation in each direction over each transport, played
// by people who have nothing but their own client, and printed as a transcript with what each step took.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"gangway/integration/servers"
)

// Options say how the demo ends and where it is written.
type Options struct {
	Once   bool      // end after the conversation; otherwise stay up until the context ends
	Out    io.Writer // colour is used only if it is a terminal and NO_COLOR is not set
	Binary string    // the program as built; the running one if empty
}

// Run starts the servers and the program in a temporary directory, plays the conversation and, unless told otherwise,
// stays up for others to log in until ctx ends. It returns nil if every step did what it should; else an error that
// names the step and ends with the program's log. Whatever happens, nothing is left running and the directory is gone.
func Run(ctx context.Context, o Options) (err error) {
	if err := missing(); err != nil {
		return err
	}
	if o.Binary == "" {
		if o.Binary, err = os.Executable(); err != nil {
			return fmt.Errorf("find the program: %w", err)
		}
	}
	dir, err := tempDir()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	out := newTranscript(o.Out)
	s, err := newStage(dir, o.Binary, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := s.start(ctx); err != nil {
		return reason(ctx, err)
	}
	if err := perform(ctx, s, out); err != nil {
		return reason(ctx, err)
	}
	if o.Once {
		return nil
	}
	return s.stay(ctx)
}

// perform plays the scenes and prints the table. The people leave at its end, so that whoever logs in next is alone.
func perform(ctx context.Context, s *stage, out *transcript) (err error) {
	p := &play{world: s.world, binary: s.binary, out: out}
	defer func() { err = errors.Join(err, p.close()) }()
	begin := time.Now()
	err = p.scenes(ctx)
	out.table(time.Since(begin))
	if err == nil {
		return nil
	}
	log, logErr := servers.Tail(s.world.Gangway.Logs()[0])
	if logErr != nil {
		return errors.Join(err, logErr)
	}
	return fmt.Errorf("%w\n--- the end of gangway.log\n%s", err, log)
}

var errInterrupted = errors.New("interrupted before the end of the conversation")

// reason is err, or that somebody had enough of it, which is no failure of any step.
func reason(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errInterrupted
	}
	return err
}

// tempDir makes the demo's directory. Its name is short, because paths of unix sockets are bounded, and the servers'
// users can reach it: a TMPDIR that only root may enter is passed over.
func tempDir() (string, error) {
	parent := os.TempDir()
	if !traversable(parent) {
		parent = "/tmp"
	}
	dir, err := os.MkdirTemp(parent, "gangway-")
	if err != nil {
		return "", fmt.Errorf("make a temporary directory: %w", err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // the servers' users pass through it
		return "", errors.Join(fmt.Errorf("open up the temporary directory: %w", err), os.RemoveAll(dir))
	}
	return dir, nil
}

func traversable(dir string) bool {
	for dir = filepath.Clean(dir); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil || info.Mode()&0o001 == 0 {
			return false
		}
		if dir == "/" || dir == "." {
			return dir == "/"
		}
	}
}
