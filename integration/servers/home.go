package servers

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"text/template"
)

//go:embed conf
var conf embed.FS

// safeValue is what may be put into a configuration: nothing that any of the servers' languages gives a meaning to.
var safeValue = regexp.MustCompile(`^[A-Za-z0-9._@+=/:#,\[\]-]*$`)

// maxDir keeps the unix sockets below a directory within the 107 bytes of unix(7).
const maxDir = 64

// home is one server's directory, with the unix user that the server runs as.
type home struct {
	dir  string
	cred *syscall.Credential
}

// newHome makes the directory, or finds it, and checks that the user can reach it.
func newHome(dir, username string) (*home, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("the servers run as users of their own, which only root can arrange")
	}
	if dir == "" { // would be the current one, where others tidy up: Mnesia ends when its files go
		return nil, errors.New("a server needs a directory of its own")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if !safeValue.MatchString(dir) || len(dir) > maxDir {
		return nil, fmt.Errorf("directory %q: at most %d plain characters, please", dir, maxDir)
	}
	cred, err := credential(username)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o711); err != nil { //nolint:gosec // other users must pass through
		return nil, err
	}
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // likewise
		return nil, err
	}
	if err := checkTraversable(dir); err != nil {
		return nil, err
	}
	return &home{dir: dir, cred: cred}, nil
}

// checkTraversable names the directory above that a server's user could not pass.
func checkTraversable(dir string) error {
	for d := dir; ; d = filepath.Dir(d) {
		info, err := os.Stat(d)
		if err != nil {
			return err
		}
		if info.Mode()&0o001 == 0 {
			return fmt.Errorf("directory %s: other users cannot pass through %s (chmod o+x)", dir, d)
		}
		if d == filepath.Dir(d) {
			return nil
		}
	}
}

// credential looks up a unix user; the package that brings the server makes it.
func credential(username string) (*syscall.Credential, error) {
	u, err := user.Lookup(username)
	if err != nil {
		return nil, fmt.Errorf("%w (is the package installed? run integration/packages.sh)", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// group looks up a unix group's number.
func group(name string) (int, error) {
	g, err := user.LookupGroup(name)
	if err != nil {
		return 0, fmt.Errorf("%w (is the package installed? run integration/packages.sh)", err)
	}
	return strconv.Atoi(g.Gid)
}

func (h *home) path(name string) string { return filepath.Join(h.dir, name) }

// mkdir makes a directory that only the server's user can enter.
func (h *home) mkdir(name string) error {
	path := h.path(name)
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	return os.Chown(path, int(h.cred.Uid), int(h.cred.Gid))
}

// write writes a file that only the server's user can read. The file is replaced as a whole.
func (h *home) write(name string, text []byte) (string, error) {
	path := h.path(name)
	tmp := path + ".new"
	if err := os.WriteFile(tmp, text, 0o600); err != nil {
		return "", err
	}
	if err := os.Chown(tmp, int(h.cred.Uid), int(h.cred.Gid)); err != nil {
		return "", err
	}
	return path, os.Rename(tmp, path)
}

// touch makes a log file that the server's user can append to.
func (h *home) touch(name string) (string, error) {
	path := h.path(name)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o640)
	if err != nil {
		return "", err
	}
	return path, errors.Join(f.Chown(int(h.cred.Uid), int(h.cred.Gid)), f.Close())
}

// render fills in a template of conf/ and writes it under the same name.
func (h *home) render(name string, data any) (string, error) { return h.renderTo(name, name, data) }

// renderTo fills in a template of conf/. Values that come from outside go through safe in there, so that none can end
// a string or a line of the configuration.
func (h *home) renderTo(target, source string, data any) (string, error) {
	text, err := fs.ReadFile(conf, "conf/"+source)
	if err != nil {
		return "", err
	}
	t, err := template.New(source).Delims("«", "»").Funcs(template.FuncMap{"safe": safe}).Parse(string(text))
	if err != nil {
		return "", err
	}
	path := h.path(target)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	err = t.Execute(f, data)
	return path, errors.Join(err, f.Chown(int(h.cred.Uid), int(h.cred.Gid)), f.Close())
}

// safe passes a value that no configuration language can misread.
func safe(v any) (string, error) {
	s := fmt.Sprint(v)
	if !safeValue.MatchString(s) {
		return "", fmt.Errorf("value %q cannot stand in a configuration here", s)
	}
	return s, nil
}

// process prepares the server's Process; the caller fills in what is particular.
func (h *home) process(name, path string, args ...string) *Process {
	return &Process{
		name: name, path: path, args: args, cred: h.cred,
		env:    []string{"HOME=" + h.dir},
		output: h.path(name + ".out"),
	}
}
