package contract

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

const (
	openAPIFile = "openapi.json"
	maxOpenAPI  = 64 << 20 // bytes
)

// Install returns the tools, installing them first if this version of the lock file has not been installed yet. The
// caller closes them.
func Install(ctx context.Context) (*Tools, error) {
	lock, err := files.ReadFile("package-lock.json")
	if err != nil {
		return nil, fmt.Errorf("install contract tools: %w", err)
	}
	manifest, err := files.ReadFile("package.json")
	if err != nil {
		return nil, fmt.Errorf("install contract tools: %w", err)
	}
	sum := sha256.Sum256(append(lock, manifest...))
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir() // no home directory: still better than none
	}
	dir := filepath.Join(cache, "gangway-test", "twilio-contract-"+hex.EncodeToString(sum[:6]))
	if _, err := os.Stat(filepath.Join(dir, openAPIFile)); err != nil {
		if err := install(ctx, dir, manifest, lock); err != nil {
			return nil, fmt.Errorf("install contract tools: %w", err)
		}
	}
	t := &Tools{dir: dir}
	// The scripts go below dir, where node looks for the packages, and apart from those of other runs.
	if t.work, err = os.MkdirTemp(dir, "run-"); err != nil {
		return nil, fmt.Errorf("install contract tools: %w", err)
	}
	if err := copyScripts(t.work); err != nil {
		return nil, errors.Join(fmt.Errorf("install contract tools: %w", err), t.Close())
	}
	return t, nil
}

// install builds the directory beside its place and moves it there, so that two test processes do not meet.
func install(ctx context.Context, dir string, manifest, lock []byte) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "installing-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tmp) }() // gone already if all went well
	for name, data := range map[string][]byte{"package.json": manifest, "package-lock.json": lock} {
		if err := os.WriteFile(filepath.Join(tmp, name), data, 0o644); err != nil {
			return err
		}
	}
	if _, err := npm(ctx, tmp, "ci", "--ignore-scripts", "--no-audit", "--no-fund"); err != nil {
		return err
	}
	if err := fetchOpenAPI(ctx, tmp, manifest); err != nil {
		return err
	}
	err = os.Rename(tmp, dir)
	if errors.Is(err, fs.ErrExist) {
		return nil // another process was faster
	}
	return err
}

// fetchOpenAPI takes one file out of a package without installing that package's own dependencies, which are many.
func fetchOpenAPI(ctx context.Context, dir string, manifest []byte) error {
	var pin struct {
		OpenAPI struct{ Package, Integrity, Path string }
	}
	if err := json.Unmarshal(manifest, &pin); err != nil {
		return fmt.Errorf("read package.json: %w", err)
	}
	if _, err := npm(ctx, dir, "pack", "--ignore-scripts", pin.OpenAPI.Package); err != nil {
		return err
	}
	tarball, err := takeTarball(dir)
	if err != nil {
		return err
	}
	sum := sha512.Sum512(tarball)
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); got != pin.OpenAPI.Integrity {
		return fmt.Errorf("%s has integrity %s, want %s", pin.OpenAPI.Package, got, pin.OpenAPI.Integrity)
	}
	document, err := extract(tarball, pin.OpenAPI.Path)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, openAPIFile), document, 0o644)
}

// takeTarball reads and removes what npm pack left in dir; versions of npm differ in the name they report.
func takeTarball(dir string) ([]byte, error) {
	found, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(found) != 1 {
		return nil, fmt.Errorf("npm pack left %d tarballs, want 1", len(found))
	}
	data, err := os.ReadFile(found[0])
	if err != nil {
		return nil, err
	}
	return data, os.Remove(found[0])
}

func extract(tarball []byte, path string) ([]byte, error) {
	gz, err := gzip.NewReader(bytes.NewReader(tarball))
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	for tr := tar.NewReader(gz); ; {
		h, err := tr.Next()
		if err != nil {
			return nil, fmt.Errorf("unpack %s: %w", path, err)
		}
		if h.Name == path {
			return io.ReadAll(io.LimitReader(tr, maxOpenAPI))
		}
	}
}

func npm(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "npm", args...)
	cmd.Dir = dir
	return output(cmd)
}

func copyScripts(dir string) error {
	scripts, err := fs.Glob(files, "*.mjs")
	if err != nil {
		return err
	}
	for _, name := range scripts {
		data, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
