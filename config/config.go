// Package config reads the one TOML file that Gangway is set up with.
//
// It is strict: a key that nobody knows is an error that names its line and the key that was probably meant. All
// that is wrong is reported at once, each with the next step. The settings of a transport are the transport's
// business: its table is kept as written and decoded later, by Transport.Decode, just as strictly.
//
// The package knows no network, no database and no XMPP beyond the shape of a JID, and imports nothing of this
// module.
package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Config is the whole file. What Load returns has been validated.
type Config struct {
	Admins     []string    `toml:"admins"` // bare JIDs
	XMPP       XMPP        `toml:"xmpp"`
	Store      Store       `toml:"store"`
	Access     Access      `toml:"access"`
	Limits     Limits      `toml:"limits"`
	Web        Web         `toml:"web"`
	Media      Media       `toml:"media"`
	Archive    Archive     `toml:"archive"`
	Log        Log         `toml:"log"`
	Transports []Transport `toml:"-"` // in the order of their names

	// Warnings are what will work but should not stay so, each with its line and the next step.
	Warnings []*Error `toml:"-"`

	doc hidden[*document]
}

// XMPP is the link to the host server.
type XMPP struct {
	Server   string `toml:"server"`   // host:port of the component listener
	Domain   string `toml:"domain"`   // the host server's own domain; empty: neither privileges nor barrier pings
	TLS      bool   `toml:"tls"`      // TLS from the first byte (ejabberd has it, Prosody 0.12 has not)
	Insecure bool   `toml:"insecure"` // allow no TLS to a server elsewhere: anyone between reads everything
}

// Store is where everything is kept.
type Store struct {
	URL Secret `toml:"url"` // "sqlite:" and a path, or "postgres://...", which may hold a password
	Key Secret `toml:"key"` // 64 hex digits that seal the secrets; unset: a file beside the database
}

// Access says who may use the gateway. See Config.Allowed.
type Access struct {
	Allow   []string `toml:"allow"`   // bare JIDs, "*@domain", or "*"
	Approve bool     `toml:"approve"` // others may ask, and wait for an administrator
	Invites bool     `toml:"invites"` // others may come with an invitation
	// Strangers is what becomes of messages from people whom a user has never written to: accept, request or reject.
	Strangers string `toml:"strangers"`
}

// Web is the HTTP side; an empty address means that the listener is not opened.
type Web struct {
	Listen    string `toml:"listen"`     // host:port of admin pages, metrics and health
	Hooks     string `toml:"hooks"`      // host:port of webhooks, on a listener of its own
	PublicURL string `toml:"public_url"` // what Hooks is reached by from outside, without a slash at the end
}

// Log is what is written to standard error.
type Log struct {
	Level  string `toml:"level"`  // debug, info, warn or error
	Format string `toml:"format"` // text or json
}

// Default returns what is in force where the file says nothing.
func Default() *Config {
	return &Config{
		Store:   Store{URL: NewSecret("sqlite:/var/lib/gangway/gangway.db")},
		Access:  Access{Invites: true, Strangers: "accept"},
		Limits:  defaultLimits(),
		Media:   Media{Upload: true},
		Archive: defaultArchive(),
		Log:     Log{Level: "info", Format: "text"},
	}
}

// absolute has the path of a "sqlite:" URL start at dir, if it is relative.
func absolute(url Secret, dir string) Secret {
	file, ok := strings.CutPrefix(url.Reveal(), "sqlite:")
	if !ok || strings.Trim(file, "/") == "" || filepath.IsAbs(file) || dir == "" {
		return url
	}
	return NewSecret("sqlite:" + filepath.Join(dir, file))
}

// maxFile bounds the configuration file, in bytes.
const maxFile = 1 << 20

// Load reads, resolves and validates a configuration file. Relative paths in it start at its folder. All errors are
// *Error, several of them joined with errors.Join.
func Load(path string) (*Config, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, &Error{File: path, Why: "cannot be read: " + cause(err),
			Next: "make one with \"gangway init\", or name another file"}
	}
	if info.Size() > maxFile {
		return nil, &Error{File: path, Why: "is larger than 1 MiB", Next: "name the right file"}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, &Error{File: path, Why: "cannot be read: " + cause(err),
			Next: "let the user that gangway runs as read it"}
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, &Error{File: path, Why: "has no place: " + cause(err), Next: "name it by its whole path"}
	}
	c, err := parse(path, data, hostSources(dir))
	if err != nil {
		return nil, err
	}
	if dir := c.Media.Dir; dir != "" && !filepath.IsAbs(dir) {
		c.Media.Dir = filepath.Join(filepath.Dir(path), dir)
	}
	if info.Mode().Perm()&0o004 != 0 {
		c.Warnings = append(c.Warnings, c.exposed()...)
	}
	return c, nil
}

// parse makes a Config of a file's bytes. Everything outside them comes from src.
func parse(path string, data []byte, src sources) (*Config, error) {
	doc, err := readDocument(path, data)
	if err != nil {
		return nil, err
	}
	c := Default()
	c.doc = hide(doc)
	d := decoder{doc: doc, src: src, places: places()}
	doc.root = d.resolveTable(nil, doc.root)
	d.decode(nil, doc.root, c, transportTable)
	c.Store.URL = absolute(c.Store.URL, src.dir)
	c.Transports = d.transports()
	d.errs = append(d.errs, c.validate()...)
	if err := joined(d.errs); err != nil {
		return nil, err
	}
	c.Warnings = slices.Concat(d.warnings, c.warnings())
	return c, nil
}
