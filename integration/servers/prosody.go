package servers

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// Prosody is a Prosody 0.12 with rooms at rooms.DOMAIN and uploads (XEP-0363) at upload.DOMAIN, open to its users and
// its components. A second connection of a component replaces the first ("kick_old").
type Prosody struct {
	*Process
	*xmppHost
}

// NewProsody writes the configuration and the accounts; it starts nothing.
func NewProsody(conf HostConfig) (*Prosody, error) {
	s, err := newProsody(conf)
	if err != nil {
		return nil, fmt.Errorf("prosody: %w", err)
	}
	return s, nil
}

func newProsody(conf HostConfig) (*Prosody, error) {
	h, err := prepareHost(conf, "prosody", "data")
	if err != nil {
		return nil, err
	}
	log, err := h.home.touch("prosody.log")
	if err != nil {
		return nil, err
	}
	if err := h.render("prosody.cfg.lua"); err != nil {
		return nil, err
	}
	s := &Prosody{h.home.process("prosody", "/usr/bin/prosody", "-F", "--config", h.file), h}
	s.logs = []string{log}
	s.ready = h.answers
	for _, u := range h.conf.Users {
		if err := s.addUser(u); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// AddUser makes an account, or gives it a new password, whether the server runs or not.
func (s *Prosody) AddUser(_ context.Context, u User) error { return s.addUser(u) }

func (s *Prosody) addUser(u User) error {
	if err := checkUser(u); err != nil {
		return err
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
