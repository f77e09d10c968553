//go:build unix

package store

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// lock keeps a second gateway out. It is an flock on a file of its own, beside the database: closing any descriptor
// of the database itself would drop SQLite's locks on it. The file stays behind, since removing it would let two
// processes lock two files of the same name.
type lock struct{ f *os.File }

func takeLock(database string) (*lock, error) {
	path := database + ".lock"
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, openError(path, err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		held := &LockedError{Path: database, PID: readPID(f)}
		f.Close()
		return nil, held
	}
	if err == nil {
		err = writePID(f)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("store: lock %s: %w", path, cause(err))
	}
	return &lock{f}, nil
}

// release lets others in; the kernel does the same when the process ends.
func (l *lock) release() {
	_ = l.f.Truncate(0) // a stale pid only misleads
	l.f.Close()
}

func readPID(f *os.File) int {
	b := make([]byte, 20)
	n, _ := f.ReadAt(b, 0)
	pid, _ := strconv.Atoi(strings.TrimSpace(string(b[:n])))
	return pid
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}
