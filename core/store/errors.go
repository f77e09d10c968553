package store

import (
	"errors"
	"fmt"

	sqlite3 "modernc.org/sqlite/lib"
)

// What can be wrong with a database; errors of this package wrap them.
var (
	// ErrDiskFull: the write was undone, and may be tried again when there is room.
	ErrDiskFull = errors.New("the disk is full")
	// ErrBroken: the disk or the file can no longer be trusted, because an fsync failed or the file is damaged. The
	// write may or may not be on disk. Nothing is written any more until the program has been started again.
	ErrBroken = errors.New("the database can no longer be trusted")
	// ErrBusy: another program holds the write lock for longer than the busy timeout.
	ErrBusy = errors.New("another program is writing to the database")
	// ErrLocked: another gateway has the database open.
	ErrLocked = errors.New("another gangway has this database open")
	// ErrNotDatabase: the file is something else.
	ErrNotDatabase = errors.New("not a gangway database")
	// ErrNewer: the schema was made by a newer program.
	ErrNewer = errors.New("the schema is newer than this program")
	// ErrOlder: OpenShared found a schema that a gateway has yet to bring up to date.
	ErrOlder = errors.New("the schema is older than this program")
	// ErrMissing: OpenShared found no database.
	ErrMissing = errors.New("there is no database yet")
	// ErrClosed: the database has been closed.
	ErrClosed = errors.New("the database is closed")
	// ErrConstraint: a UNIQUE, NOT NULL, CHECK or FOREIGN KEY rule of the schema forbids the write.
	ErrConstraint = errors.New("a rule of the schema forbids it")
)

// coded is what the driver's errors have; sqlite.Error is one.
type coded interface {
	error
	Code() int // the extended result code
}

// classify wraps a driver's error in the one of ours that says what it means to the caller.
func classify(err error) error {
	var c coded
	if err == nil || !errors.As(err, &c) {
		return err
	}
	if meaning := meaningOf(c.Code()); meaning != nil && !errors.Is(err, meaning) {
		return fmt.Errorf("%w: %w", meaning, err)
	}
	return err
}

func meaningOf(code int) error {
	switch code {
	case sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC, sqlite3.SQLITE_IOERR_CORRUPTFS:
		return ErrBroken
	}
	switch code & 0xff {
	case sqlite3.SQLITE_FULL:
		return ErrDiskFull
	case sqlite3.SQLITE_CORRUPT:
		return ErrBroken
	case sqlite3.SQLITE_BUSY:
		return ErrBusy
	case sqlite3.SQLITE_NOTADB:
		return ErrNotDatabase
	case sqlite3.SQLITE_CONSTRAINT:
		return ErrConstraint
	}
	return nil
}

// isDenied says whether SQLite could not open a file that is there, or not for writing.
func isDenied(err error) bool {
	var c coded
	if !errors.As(err, &c) {
		return false
	}
	switch c.Code() & 0xff {
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return true
	}
	return false
}

// LockedError says which process has the database open.
type LockedError struct {
	Path string
	PID  int // 0 if the lock file does not say
}

// Error names the holder.
func (e *LockedError) Error() string {
	who := "another process"
	if e.PID != 0 {
		who = fmt.Sprintf("process %d", e.PID)
	}
	return fmt.Sprintf("store: %s is in use by %s; stop that gangway first", e.Path, who)
}

// Is makes errors.Is(err, ErrLocked) true.
func (e *LockedError) Is(target error) bool { return target == ErrLocked }

// PanicError is what a panicking function of a transaction is turned into.
type PanicError struct {
	Value any
	Stack []byte
}

// Error returns the panic's value; the stack is for the log.
func (e *PanicError) Error() string { return fmt.Sprintf("store: panic in a transaction: %v", e.Value) }
