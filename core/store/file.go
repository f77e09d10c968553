package store

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
)

// checkDirectory says plainly what is wrong with where the database is to be.
func checkDirectory(path string) error {
	dir := filepath.Dir(path)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("store: the directory %s does not exist; make it, owned by the user that gangway runs as: "+
			"install -d -m 0700 -o USER %s", dir, dir)
	case err != nil:
		return fmt.Errorf("store: cannot look into the directory %s: %w", dir, cause(err))
	case !info.IsDir():
		return fmt.Errorf("store: %s is not a directory", dir)
	}
	if name := networkFS(dir); name != "" {
		return fmt.Errorf("store: %s is on %s; SQLite loses data on network file systems: use a local disk", dir, name)
	}
	return nil
}

func checkExists(path string) error {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("store: %w: %s; start gangway once to make it", ErrMissing, path)
	}
	if err != nil {
		return fmt.Errorf("store: cannot look at %s: %w", path, cause(err))
	}
	return nil
}

// prepareFile makes the file if there is none, so that it is nobody else's to read: SQLite gives its -wal and -shm
// the same mode. A file that is there is only looked at: to open and close it would drop the locks on it of any other
// connection in this process (fcntl(2)), with which SQLite keeps others from tidying its log away.
func prepareFile(path string, log *slog.Logger) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeFile(path)
	}
	if err != nil {
		return openError(path, err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("store: %s is not a file", path)
	}
	if open := info.Mode().Perm() & 0o077; open != 0 && log != nil {
		log.Warn("the database can be read by others on this machine; chmod it to 0600",
			"path", path, "mode", info.Mode().Perm().String())
	}
	return nil
}

func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return openError(path, err)
	}
	if err := f.Close(); err != nil {
		return openError(path, err)
	}
	return nil
}

func openError(path string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("store: user %d may not read and write %s: %w; give it to the user that gangway runs as: "+
			"chown USER %s", os.Geteuid(), path, cause(err), path)
	}
	return fmt.Errorf("store: cannot open %s: %w", path, cause(err))
}

// cause strips the operation and the path, which our sentences name already.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// describe adds the file and the next step to what SQLite found when it opened it.
func describe(path string, err error) error {
	err = classify(err)
	step := ""
	switch {
	case errors.Is(err, ErrNotDatabase):
		step = "; check store.url"
	case errors.Is(err, ErrBroken):
		step = "; restore the backup"
	case errors.Is(err, ErrDiskFull):
		step = "; make room first"
	case isDenied(err):
		return openError(path, fmt.Errorf("%w: %w", fs.ErrPermission, err))
	}
	return fmt.Errorf("store: open %s: %w%s", path, err, step)
}
