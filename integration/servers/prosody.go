package servers

import (
	"context"
	"crypto/tls"
	"fmt"
	"path/filepath"
	"strings"
)

// ProsodyConfig says what a Prosody shall be like.
type ProsodyConfig struct {
	Dir        string // its own; made when absent
	Domain     string // DefaultDomain when empty
	Users      []User
	Components []Component
	// Archive switches on XEP-0313, for users and rooms, in SQLite. Off by default: it costs time per message.
	Archive bool
	// TLS offers STARTTLS to clients, with a certificate of CA or of an authority of its own. Clients without TLS
	// are let in all the same.
	TLS bool
	CA  *CA
	// Extra is Lua that stands at the end of the global section.
	Extra string
}

// Prosody is a Prosody 0.12 with rooms at rooms.DOMAIN and uploads (XEP-0363) at upload.DOMAIN, open to its users and
// its components. A second connection of a component replaces the first ("kick_old").
type Prosody struct {
	*Process
	conf ProsodyConfig
	home *home

	c2s, component, http int
}

// NewProsody writes the configuration and the accounts; it starts nothing.
func NewProsody(conf ProsodyConfig) (*Prosody, error) {
	if conf.Domain == "" {
		conf.Domain = DefaultDomain
	}
	s := &Prosody{conf: conf}
	if err := s.prepare(); err != nil {
		return nil, fmt.Errorf("prosody: %w", err)
	}
	return s, nil
}

func (s *Prosody) prepare() (err error) {
	if s.home, err = newHome(s.conf.Dir, "prosody"); err != nil {
		return err
	}
	if err := freePorts(&s.c2s, &s.component, &s.http); err != nil {
		return err
	}
	if err := s.home.mkdir("data"); err != nil {
		return err
	}
	log, err := s.home.touch("prosody.log")
	if err != nil {
		return err
	}
	data := struct {
		ProsodyConfig
		C2S, Component, HTTP int
		Cert, Key            string
	}{s.conf, s.c2s, s.component, s.http, "", ""}
	data.Dir = s.home.dir
	if s.conf.TLS {
		if s.conf.CA, data.Cert, data.Key, err = s.home.issue(s.conf.CA, s.conf.Domain); err != nil {
			return err
		}
	}
	file, err := s.home.render("prosody.cfg.lua", data)
	if err != nil {
		return err
	}
	s.Process = s.home.process("prosody", "/usr/bin/prosody", "-F", "--config", file)
	s.logs = []string{log}
	s.ready = s.answers
	for _, u := range s.conf.Users {
		if err := s.AddUser(u); err != nil {
			return err
		}
	}
	return nil
}

func (s *Prosody) answers(ctx context.Context) error {
	if err := probeStream(ctx, s.Addr(), nsClient, s.conf.Domain, "</stream:features>"); err != nil {
		return err
	}
	if len(s.conf.Components) > 0 {
		err := probeStream(ctx, s.ComponentAddr(), nsComponent, s.conf.Components[0].Domain, "<stream:stream")
		if err != nil {
			return err
		}
	}
	conn, err := dial(ctx, loopback(s.http))
	if err != nil {
		return err
	}
	return conn.Close()
}

// AddUser makes an account, or gives it a new password, whether the server runs or not.
func (s *Prosody) AddUser(u User) error {
	for _, v := range []string{u.Name, u.Password} {
		if _, err := safe(v); err != nil || v == "" {
			return fmt.Errorf("user %q: name and password must be plain and not empty", u.Name)
		}
	}
	var dir string
	for _, name := range []string{"data", storeName(s.conf.Domain), "accounts"} {
		dir = filepath.Join(dir, name)
		if err := s.home.mkdir(dir); err != nil {
			return err
		}
	}
	text := fmt.Sprintf("return {\n\t[\"password\"] = \"%s\";\n};\n", u.Password)
	_, err := s.home.write(filepath.Join(dir, storeName(u.Name)+".dat"), []byte(text))
	return err
}

// storeName is how util.datamanager spells a host or a user in file names.
func storeName(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02x", c)
	}
	return b.String()
}

// Domain is the server's XMPP domain.
func (s *Prosody) Domain() string { return s.conf.Domain }

// Addr is where clients connect.
func (s *Prosody) Addr() string { return loopback(s.c2s) }

// ComponentAddr is where components connect.
func (s *Prosody) ComponentAddr() string { return loopback(s.component) }

// HTTPURL is the base of the server's HTTP services, uploads among them.
func (s *Prosody) HTTPURL() string { return "http://" + loopback(s.http) + "/" }

// ClientTLS is for clients that use STARTTLS; nil when the server does not offer it.
func (s *Prosody) ClientTLS() *tls.Config {
	if !s.conf.TLS {
		return nil
	}
	return s.conf.CA.Client(s.conf.Domain)
}

// ConfigFile is the configuration as written, for a person who wants to look.
func (s *Prosody) ConfigFile() string { return s.home.path("prosody.cfg.lua") }
