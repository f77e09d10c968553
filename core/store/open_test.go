package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	plain := write("plain.txt", strings.Repeat("not a database at all. ", 1000))
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, url string
		is        error
		says      string
	}{
		{"postgres", "postgres://u:secret@host/db", nil, "not supported yet"},
		{"no scheme", "/var/lib/x.db", nil, `must be "sqlite:"`},
		{"empty", "", nil, `must be "sqlite:"`},
		{"unknown scheme", "mysql://u:secret@host/db", nil, `must be "sqlite:"`},
		{"no directory", "sqlite:" + dir + "/absent/x.db", nil, "install -d -m 0700"},
		{"directory is a file", "sqlite:" + plain + "/x.db", nil, "not a directory"},
		{"a folder", "sqlite:" + dir + "/folder", nil, "is not a file"},
		{"another kind of file", "sqlite:" + plain, ErrNotDatabase, "check store.url"},
	} {
		t.Run(test.name, func(t *testing.T) {
			db, err := Open(t.Context(), Config{URL: test.url})
			if err == nil {
				db.Close()
				t.Fatal("opened")
			}
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("err = %v, want %v", err, test.is)
			}
			if !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "secret") {
				t.Errorf("err = %q, want %q in it", err, test.says)
			}
		})
	}
}

func TestOpenRefusesAnotherProgramsDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	db, err := Open(t.Context(), Config{URL: "sqlite:" + path})
	if err != nil {
		t.Fatal(err)
	}
	mustExec(t, db, "PRAGMA application_id = 7")
	db.Close()
	if db, err = Open(t.Context(), Config{URL: "sqlite:" + path}); !errors.Is(err, ErrNotDatabase) {
		t.Errorf("err = %v, want ErrNotDatabase", err)
	}
	if err == nil {
		db.Close()
	}
}

func TestOpenFindsDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	db, err := Open(t.Context(), Config{URL: "sqlite:" + path})
	if err != nil {
		t.Fatal(err)
	}
	mustExec(t, db, "CREATE TABLE t (n INTEGER)")
	db.Close()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte(strings.Repeat("\xff", 4000)), 100); err != nil { // behind the header
		t.Fatal(err)
	}
	f.Close()
	db, err = Open(t.Context(), Config{URL: "sqlite:" + path})
	if !errors.Is(err, ErrBroken) || !strings.Contains(err.Error(), "restore the backup") {
		t.Errorf("err = %v, want ErrBroken", err)
	}
	if err == nil {
		db.Close()
	}
}

// A file system user's rights are those of a thread, so that root can try being nobody.
func TestOpenWithoutPermission(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	db, err := Open(t.Context(), Config{URL: "sqlite:" + path})
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	for file, mode := range map[string]fs.FileMode{path: 0, dir: 0o755, filepath.Dir(dir): 0o755} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		asNobody(t)
		refusedToNobody(t, path)
	}()
	<-done
}

func refusedToNobody(t *testing.T, path string) {
	for _, open := range []func(context.Context, Config) (*DB, error){Open, OpenShared} {
		db, err := open(t.Context(), Config{URL: "sqlite:" + path})
		if err == nil {
			db.Close()
			t.Error("opened")
			continue
		}
		if !errors.Is(err, fs.ErrPermission) && !strings.Contains(err.Error(), "permission denied") ||
			!strings.Contains(err.Error(), "may not read and write") {
			t.Errorf("err = %v", err)
		}
	}
}

// asNobody takes root's rights over files from this goroutine and its thread, which end together.
func asNobody(t *testing.T) {
	if os.Geteuid() != 0 {
		return
	}
	runtime.LockOSThread()
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SETFSUID, 65534, 0, 0); errno != 0 {
		t.Error(errno)
	}
}

func TestOneGatewayAtATime(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "test.db")
	db, err := Open(t.Context(), Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), Config{URL: url})
	var held *LockedError
	if !errors.Is(err, ErrLocked) || !errors.As(err, &held) || held.PID != os.Getpid() {
		t.Errorf("err = %v, want ErrLocked by process %d", err, os.Getpid())
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db, err = Open(t.Context(), Config{URL: url})
	if err != nil {
		t.Fatalf("after the first was closed: %v", err)
	}
	db.Close()
}

func TestFailedOpenGivesTheLockBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("x", 5000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := Open(t.Context(), Config{URL: "sqlite:" + path}); !errors.Is(err, ErrNotDatabase) {
			t.Fatalf("err = %v, want ErrNotDatabase", err)
		}
	}
}

func TestFilesAreOnlyOurs(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(t.Context(), Config{URL: "sqlite:" + dir + "/odd ?#%name.db"})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	mustExec(t, db, "CREATE TABLE t (n INTEGER)")
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", f.Name(), info.Mode())
		}
	}
	want := []string{"odd ?#%name.db", "odd ?#%name.db-shm", "odd ?#%name.db-wal", "odd ?#%name.db.lock"}
	if !slices.Equal(names, want) {
		t.Errorf("files: %q, want %q", names, want)
	}
}

// Every connection must have them: a pragma that is set on one says nothing about the next.
func TestPragmas(t *testing.T) {
	ctx := t.Context()
	db := openTest(t)
	check := func(tx *Tx) error {
		for name, want := range map[string]string{
			"synchronous": "2", "foreign_keys": "1", "journal_mode": "wal", "busy_timeout": "5000",
			"auto_vacuum": "2", "page_size": "8192", "wal_autocheckpoint": "2000", "cache_size": "-8192",
			"journal_size_limit": "67108864",
		} {
			var got string
			if err := tx.QueryRow(ctx, "PRAGMA "+name).Scan(&got); err != nil {
				return err
			}
			if got != want {
				t.Errorf("%s = %s, want %s", name, got, want)
			}
		}
		return nil
	}
	if err := db.Write(ctx, check); err != nil {
		t.Error(err)
	}
	for range cap(db.readers) {
		if err := db.Read(ctx, check); err != nil {
			t.Error(err)
		}
	}
}

func TestShared(t *testing.T) {
	ctx := t.Context()
	url := "sqlite:" + filepath.Join(t.TempDir(), "test.db")
	if _, err := OpenShared(ctx, Config{URL: url}); !errors.Is(err, ErrMissing) {
		t.Errorf("without a database: %v", err)
	}
	db, err := Open(ctx, Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	mustExec(t, db, "CREATE TABLE t (n INTEGER PRIMARY KEY, s TEXT)")
	shared, err := OpenShared(ctx, Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer shared.Close()
	if !shared.Shared() || db.Shared() {
		t.Error("which of them is shared?")
	}
	if err := shared.Write(ctx, insert(ctx, 1)); err != nil {
		t.Errorf("write: %v", err)
	}
	if n := count(t, db); n != 1 {
		t.Errorf("rows = %d, want 1", n)
	}
}

func TestBusyIsTold(t *testing.T) {
	ctx := t.Context()
	db := openTest(t)
	shared, err := OpenShared(ctx, Config{URL: "sqlite:" + db.path})
	if err != nil {
		t.Fatal(err)
	}
	defer shared.Close()
	if err := shared.w.c.exec("PRAGMA busy_timeout = 1"); err != nil {
		t.Fatal(err)
	}
	release := hold(t, db)
	if err := shared.Write(ctx, insert(ctx, 1)); !errors.Is(err, ErrBusy) {
		t.Errorf("err = %v, want ErrBusy", err)
	}
	release()
	if err := shared.Write(ctx, insert(ctx, 1)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
