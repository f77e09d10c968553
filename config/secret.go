package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// Secret is a text that is never printed: not by fmt, not by slog, not as JSON or TOML. Only Reveal returns it. In
// the file it is "text", { file = "path" }, { env = "NAME" } or { credential = "name" }, the last being one of
// systemd's (see systemd.exec(5), LoadCredential=).
type Secret struct {
	text *string // behind a pointer, so that fmt prints an address if it ever gets past Format
	file string
}

// NewSecret makes a Secret of a text.
func NewSecret(text string) Secret { return Secret{text: &text} }

// Reveal returns the text; empty if none is set.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsSet says whether the file gave it, or a default stands.
func (s Secret) IsSet() bool { return s.text != nil }

// Path returns the file that it was read from, or "".
func (s Secret) Path() string { return s.file }

const redacted = "[secret]"

// String returns a placeholder, as all the methods below do.
func (s Secret) String() string { return redacted }

// GoString is what %#v prints.
func (s Secret) GoString() string { return redacted }

// Format keeps every verb of fmt from the text.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue is what slog writes.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText is what encoders of JSON, TOML and XML write.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// hidden keeps a value from being printed: fmt looks through pointers, but not into functions.
type hidden[T any] func() T

func hide[T any](v T) hidden[T] { return func() T { return v } }

// get returns the value; the zero value if none was hidden.
func (h hidden[T]) get() (v T) {
	if h == nil {
		return v
	}
	return h()
}

// sources are where secrets that do not stand in the file come from.
type sources struct {
	readFile func(path string) (data []byte, mode fs.FileMode, err error)
	getenv   func(name string) string
	dir      string // where relative paths start
}

func hostSources(dir string) sources {
	return sources{readFile: readSecretFile, getenv: os.Getenv, dir: dir}
}

// maxSecret bounds a secret file, in bytes: private keys are a few thousand.
const maxSecret = 64 << 10

func readSecretFile(path string) ([]byte, fs.FileMode, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, errors.New("not a file")
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err == nil && len(data) > maxSecret {
		err = errors.New("larger than 64 KiB")
	}
	return data, info.Mode(), err
}

// secretForms are the keys of the three forms that say where a secret is.
const (
	fromFile       = "file"
	fromEnv        = "env"
	fromCredential = "credential"
)

// secretForm says whether a table is { file = "..." }, { env = "..." } or { credential = "..." } and nothing else.
func secretForm(v any) (form, name string, ok bool) {
	t, isTable := v.(map[string]any)
	if !isTable || len(t) != 1 {
		return "", "", false
	}
	for form = range t {
		name, ok = t[form].(string)
	}
	return form, name, ok && (form == fromFile || form == fromEnv || form == fromCredential)
}

// resolve fetches a secret. It returns what is wrong in words, with the next step, and a warning likewise.
func (s sources) resolve(form, name string) (secret Secret, problem, warning *Error) {
	if name == "" {
		return Secret{}, &Error{Why: form + " is empty", Next: "name the " + form}, nil
	}
	switch form {
	case fromEnv:
		v := s.getenv(name)
		if v == "" {
			return Secret{}, &Error{Why: "the environment variable " + name + " is not set",
				Next: "set it where gangway is started"}, nil
		}
		return NewSecret(v), nil, nil
	case fromCredential:
		return s.credential(name)
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.dir, path)
	}
	return s.file(path)
}

func (s sources) credential(name string) (Secret, *Error, *Error) {
	dir := s.getenv("CREDENTIALS_DIRECTORY")
	if dir == "" {
		return Secret{}, &Error{Why: "there are no credentials: CREDENTIALS_DIRECTORY is not set",
			Next: "start gangway by systemd with LoadCredential=" + name + ":/path, or use { file = \"...\" }"}, nil
	}
	if name != filepath.Base(name) || name == "." || name == ".." {
		return Secret{}, &Error{Why: "the name of a credential has no slashes and is not a path",
			Next: "use the name before the colon of LoadCredential="}, nil
	}
	return s.file(filepath.Join(dir, name))
}

func (s sources) file(path string) (secret Secret, problem, warning *Error) {
	data, mode, err := s.readFile(path)
	if err != nil {
		return Secret{}, &Error{Why: "the secret cannot be read from " + path + ": " + cause(err),
			Next: secretStep(path, err)}, nil
	}
	text := strings.TrimRight(string(data), "\r\n")
	if text == "" {
		return Secret{}, &Error{Why: "the secret file " + path + " is empty", Next: "write the secret into it"}, nil
	}
	if mode.Perm()&0o004 != 0 {
		warning = &Error{Why: "everyone on this machine can read " + path, Next: "chmod 0600 " + path}
	}
	return Secret{text: &text, file: path}, nil, warning
}

func secretStep(path string, err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "write the secret into it, mode 0600"
	case errors.Is(err, fs.ErrPermission):
		return "let the user that gangway runs as read it: chown USER " + path
	}
	return "name a file that holds the secret and nothing else"
}
