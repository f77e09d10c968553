package mapping

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// keySize is that of AES-256, in bytes.
const keySize = 32

// Key seals secrets. It is never printed.
type Key struct {
	raw func() [keySize]byte // a function, into which fmt cannot look
}

const redacted = "[key]"

// Format keeps every verb of fmt from the key.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue is what slog writes.
func (k Key) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText is what encoders write.
func (k Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// ID names the key without telling anything about it: 8 hex digits.
func (k Key) ID() string {
	raw := k.raw()
	sum := sha256.Sum256(append([]byte("gangway key id\x00"), raw[:]...))
	return hex.EncodeToString(sum[:4])
}

// Derive returns a key for another purpose, from which neither this one nor that of any other purpose can be found.
func (k Key) Derive(purpose string) []byte {
	raw := k.raw()
	mac := hmac.New(sha256.New, raw[:])
	mac.Write([]byte("gangway derived key\x00" + purpose))
	return mac.Sum(nil)
}

// ParseKey reads a key of 32 bytes in hex.
func ParseKey(text string) (Key, error) {
	text = strings.TrimSpace(text)
	var raw [keySize]byte
	if len(text) != 2*keySize {
		return Key{}, fmt.Errorf("the key has %d characters instead of %d hex digits; make one with: openssl rand -hex %d",
			len(text), 2*keySize, keySize)
	}
	if _, err := hex.Decode(raw[:], []byte(text)); err != nil {
		return Key{}, errors.New("the key has characters that are not hex digits; make one with: openssl rand -hex 32")
	}
	return newKey(raw), nil
}

func newKey(raw [keySize]byte) Key {
	return Key{raw: func() [keySize]byte { return raw }}
}

// ReadKey reads a key file. It refuses one that others than its owner can read. fs.ErrNotExist if there is none.
func ReadKey(path string) (Key, error) {
	f, err := os.Open(path)
	if err != nil {
		return Key{}, fmt.Errorf("read the key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Key{}, fmt.Errorf("read the key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return Key{}, fmt.Errorf("the key file %s is not a file", path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return Key{}, fmt.Errorf("the key file %s can be read by others than its owner (mode %04o); chmod 0600 %s",
			path, info.Mode().Perm(), path)
	}
	data, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return Key{}, fmt.Errorf("read the key: %w", err)
	}
	k, err := ParseKey(string(data))
	if err != nil {
		return Key{}, fmt.Errorf("%s: %w", path, err)
	}
	return k, nil
}

// KeyFile reads a key file, and makes it first, with a fresh key and mode 0600, if there is none. The key is on disk
// when KeyFile returns.
func KeyFile(path string) (Key, error) {
	k, err := ReadKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if err := makeKey(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return Key{}, fmt.Errorf("make the key file: %w", err)
	}
	return ReadKey(path)
}

// makeKey makes a key file. It is complete when it appears under its name: a crash leaves none, or a whole one.
func makeKey(path string) error {
	var raw [keySize]byte
	_, _ = rand.Read(raw[:]) // never fails: crypto/rand ends the program instead
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // the key has its own name by then, or there is none
	_, err = f.WriteString(hex.EncodeToString(raw[:]) + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil { // unlike a rename it never replaces a key that another has made
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
