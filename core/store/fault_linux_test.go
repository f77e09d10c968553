package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// A child process has the kernel answer its system calls with an error (seccomp), which is as good as a disk that
// does: what SQLite makes of it is not guessed.

const faultEnv = "GANGWAY_STORE_FAULT" // FAULT:PATH; with the fault "none", see tryLock

func TestMain(m *testing.M) {
	if s := os.Getenv(faultEnv); s != "" {
		fault, path, _ := strings.Cut(s, ":")
		if err := faulty(fault, path); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// faulty writes before and after the fault begins, and checks what it is told.
func faulty(fault, path string) error {
	ctx := context.Background()
	if fault == "none" {
		return tryLock(path)
	}
	db, err := Open(ctx, Config{URL: "sqlite:" + path})
	if err != nil {
		return err
	}
	if err := db.Write(ctx, insert(ctx, 1)); err != nil {
		return err
	}
	switch fault {
	case "sync":
		err = fail(syscall.EIO, syscall.SYS_FSYNC, syscall.SYS_FDATASYNC)
	case "full":
		err = fail(syscall.ENOSPC, syscall.SYS_PWRITE64)
	}
	if err != nil {
		return err
	}
	undone := false
	err = db.Write(ctx, func(tx *Tx) error {
		tx.OnCommit(func() { fmt.Println("OnCommit was called") })
		tx.OnUndo(func() { undone = true })
		return insert(ctx, 2)(tx)
	})
	want := map[string]error{"sync": ErrBroken, "full": ErrDiskFull}[fault]
	if !errors.Is(err, want) || !undone {
		return fmt.Errorf("write: %w (undone: %v), want: %w", err, undone, want)
	}
	err = db.Write(ctx, insert(ctx, 3))
	if !errors.Is(err, want) {
		return fmt.Errorf("next write: %w, want: %w", err, want)
	}
	if broken := errors.Is(db.Err(), ErrBroken); broken != (fault == "sync") {
		return fmt.Errorf("the database says: %w", db.Err())
	}
	var n int
	err = db.Read(ctx, func(tx *Tx) error { return tx.QueryRow(ctx, "SELECT count(*) FROM t").Scan(&n) })
	if err != nil || n != 1 {
		return fmt.Errorf("read: %d rows, %w", n, err)
	}
	fmt.Println("as it should be")
	return nil // without Close: the process ends as if killed
}

// fail makes system calls of this process fail from now on.
func fail(with syscall.Errno, calls ...uint32) error {
	const (
		loadWord   = 0x20 // BPF_LD | BPF_W | BPF_ABS
		jumpEqual  = 0x15 // BPF_JMP | BPF_JEQ | BPF_K
		answer     = 0x06 // BPF_RET | BPF_K
		retErrno   = 0x00050000
		retAllow   = 0x7fff0000
		noNewPrivs = 38
		modeFilter = 1
		allThreads = 1 // SECCOMP_FILTER_FLAG_TSYNC
	)
	program := []syscall.SockFilter{{Code: loadWord, K: 0}} // the call's number
	for _, nr := range calls {
		program = append(program,
			syscall.SockFilter{Code: jumpEqual, Jf: 1, K: nr},
			syscall.SockFilter{Code: answer, K: retErrno | uint32(with)})
	}
	program = append(program, syscall.SockFilter{Code: answer, K: retAllow})
	filter := syscall.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, noNewPrivs, 1, 0, 0, 0, 0); errno != 0 {
		return fmt.Errorf("prctl: %w", errno)
	}
	_, _, errno := syscall.RawSyscall(sysSeccomp, modeFilter, allThreads, uintptr(unsafe.Pointer(&filter)))
	runtime.KeepAlive(program)
	if errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	return nil
}

func TestFaults(t *testing.T) {
	for _, fault := range []string{"sync", "full"} {
		t.Run(fault, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "test.db")
			db, err := Open(t.Context(), Config{URL: "sqlite:" + path})
			if err != nil {
				t.Fatal(err)
			}
			mustExec(t, db, "CREATE TABLE t (n INTEGER PRIMARY KEY, s TEXT)")
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if out := child(t, fault, path); out != "as it should be\n" {
				t.Fatal(out)
			}
			// What was committed is there; of what failed in the sync either outcome is right.
			db, err = Open(t.Context(), Config{URL: "sqlite:" + path})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if n := count(t, db); n < 1 || n > 2 || fault == "full" && n != 1 {
				t.Errorf("rows = %d", n)
			}
		})
	}
}

func child(t *testing.T, fault, path string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), faultEnv+"="+fault+":"+path)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// tryLock says whether another process has the lock by which a connection in WAL mode shows that it is there: bytes
// that SQLite calls the shared range.
func tryLock(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	l := syscall.Flock_t{Type: syscall.F_WRLCK, Start: 0x40000002, Len: 510}
	if err := syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &l); err != nil {
		return err
	}
	fmt.Println("locked:", l.Type != syscall.F_UNLCK)
	return nil
}

// A connection must keep its locks when another is opened in the same process: else the next process to close the
// database may believe to be the last, and take the log away.
func TestOpenKeepsTheLocksOfOthers(t *testing.T) {
	db := openTest(t)
	shared, err := OpenShared(t.Context(), Config{URL: "sqlite:" + db.path})
	if err != nil {
		t.Fatal(err)
	}
	defer shared.Close()
	if out := child(t, "none", db.path); out != "locked: true\n" {
		t.Error(out)
	}
}
