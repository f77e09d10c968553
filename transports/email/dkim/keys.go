package dkim

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Keys are the keys of a domain: files in a folder that only the gateway can read.
//
//	DIR/DOMAIN/g20261124.rsa.pem      private keys (PKCS #8), one of each kind in a generation
//	DIR/DOMAIN/g20261124.ed25519.pem
//	DIR/DOMAIN/signing                the name of the generation that signs
//
// The keys are files, and not in the database, so that a copy of the database is not one of them, and that they can be
// made, and put into the DNS, before there is a gateway. Several processes share them by a common folder, or by copies.
//
// The life of a generation: made and waiting, to be published; signing; old, which signs no more but must stay published
// for as long as mails with its signatures may be looked at; gone.
type Keys struct {
	Dir    string
	Domain string // in A-labels
}

// Generation is the keys that were made together, the oldest kinds first.
type Generation struct {
	Name string
	Keys []Key
}

const (
	signingFile = "signing"
	rsaBits     = 2048 // more does not fit into what some name servers take
)

// algorithm is one of a generation's keys.
type algorithm struct {
	suffix   string // of its file
	selector string // of its name
	make     func() (crypto.Signer, error)
}

func algorithms() []algorithm {
	return []algorithm{
		{"rsa", "r", func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, rsaBits) }},
		{"ed25519", "e", func() (crypto.Signer, error) {
			_, key, err := ed25519.GenerateKey(rand.Reader)
			return key, err
		}},
	}
}

// generation is what a name looks like: a letter, the day, and a letter where there were several on one day.
var generation = regexp.MustCompile(`^g\d{8}[a-z]?$`)

func (k Keys) folder() string { return filepath.Join(k.Dir, k.Domain) }

// Generations returns all that are there, the oldest first, and the name of the one that signs; empty if none does.
// There being no folder is no error.
func (k Keys) Generations() (all []Generation, signing string, err error) {
	entries, err := os.ReadDir(k.folder())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("keys of %s: %w", k.Domain, err)
	}
	suffix := "." + algorithms()[0].suffix + ".pem"
	for _, e := range entries { // in the order of their names
		name, ok := strings.CutSuffix(e.Name(), suffix)
		if !ok || !generation.MatchString(name) {
			continue
		}
		g, err := k.load(name)
		if err != nil {
			return nil, "", err
		}
		all = append(all, g)
	}
	b, err := os.ReadFile(filepath.Join(k.folder(), signingFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, "", fmt.Errorf("keys of %s: %w", k.Domain, err)
	}
	return all, strings.TrimSpace(string(b)), nil
}

// Signing returns the keys that sign; none if there are none.
func (k Keys) Signing() ([]Key, error) {
	b, err := os.ReadFile(filepath.Join(k.folder(), signingFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("keys of %s: %w", k.Domain, err)
	}
	name := strings.TrimSpace(string(b))
	if !generation.MatchString(name) {
		return nil, fmt.Errorf("keys of %s: %s does not name a generation", k.Domain, signingFile)
	}
	g, err := k.load(name)
	return g.Keys, err
}

func (k Keys) load(name string) (Generation, error) {
	g := Generation{Name: name}
	for _, a := range algorithms() {
		path := k.path(name, a)
		signer, err := readKey(path)
		if err != nil {
			return g, err
		}
		g.Keys = append(g.Keys, Key{Selector: name + a.selector, Signer: signer})
	}
	return g, nil
}

func (k Keys) path(name string, a algorithm) string {
	return filepath.Join(k.folder(), name+"."+a.suffix+".pem")
}

// readKey reads a private key, which nobody else may be able to.
func readKey(path string) (crypto.Signer, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by others: chmod 600 it", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("%s is not a PEM file", path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	switch s := key.(type) {
	case *rsa.PrivateKey:
		return s, nil
	case ed25519.PrivateKey:
		return s, nil
	}
	return nil, fmt.Errorf("%s has a key that cannot sign mail", path)
}

// Make makes a new generation. It signs at once if none does; else it waits for Use.
func (k Keys) Make(now time.Time) (Generation, error) {
	all, signing, err := k.Generations()
	if err != nil {
		return Generation{}, err
	}
	if err := os.MkdirAll(k.folder(), 0o700); err != nil {
		return Generation{}, err
	}
	name, err := newName(all, now)
	if err != nil {
		return Generation{}, err
	}
	made := algorithms()
	slices.Reverse(made) // the file that makes it a generation comes last
	for _, a := range made {
		if err := k.makeKey(name, a); err != nil {
			return Generation{}, err
		}
	}
	g, err := k.load(name)
	if err == nil && signing == "" {
		err = k.Use(name)
	}
	return g, err
}

func newName(all []Generation, now time.Time) (string, error) {
	day := "g" + now.UTC().Format("20060102")
	for suffix := byte('a') - 1; suffix <= 'z'; suffix++ {
		name := day
		if suffix >= 'a' {
			name += string(suffix)
		}
		if !slices.ContainsFunc(all, func(g Generation) bool { return g.Name >= name }) {
			return name, nil
		}
	}
	return "", errors.New("there are too many keys of today")
}

func (k Keys) makeKey(name string, a algorithm) error {
	key, err := a.make()
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return writeFile(k.path(name, a), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// Use makes a generation the one that signs. A gateway that runs does so within a minute.
func (k Keys) Use(name string) error {
	if _, err := k.load(name); err != nil {
		return err
	}
	return writeFile(filepath.Join(k.folder(), signingFile), []byte(name+"\n"))
}

// Remove forgets a generation, which must not be the one that signs.
func (k Keys) Remove(name string) error {
	if !generation.MatchString(name) {
		return fmt.Errorf("%q is not a generation of keys", name)
	}
	for _, a := range algorithms() {
		if err := os.Remove(k.path(name, a)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// writeFile writes a file that only its owner can read, all of it or nothing.
func writeFile(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // fails once it has been renamed
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}
