package servers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"
)

// EjabberdConfig says what an ejabberd shall be like.
type EjabberdConfig struct {
	Dir        string // its own; made when absent
	Domain     string // DefaultDomain when empty
	Users      []User
	Components []Component
	// Balanced lists component domains that take two connections at once, each sender going to one of two fixed slots
	// by bare JID (domain_balancing). Stanzas for a slot without a connection vanish.
	Balanced []string
	// Extra is YAML that stands at the end of the configuration, at its top level.
	Extra string
}

// Ejabberd is an ejabberd 23.01 with rooms at rooms.DOMAIN and uploads (XEP-0363) at upload.DOMAIN.
//
// Its database writes to disk 2 to 3 seconds late, so Kill takes with it what ejabberd accepted last: accounts made by
// AddUser and offline messages among it.
type Ejabberd struct {
	*Process
	conf EjabberdConfig
	home *home

	c2s, component, http int
}

// NewEjabberd writes the configuration; it starts nothing. Start registers the users.
func NewEjabberd(conf EjabberdConfig) (*Ejabberd, error) {
	if conf.Domain == "" {
		conf.Domain = DefaultDomain
	}
	s := &Ejabberd{conf: conf}
	if err := s.prepare(); err != nil {
		return nil, fmt.Errorf("ejabberd: %w", err)
	}
	return s, nil
}

func (s *Ejabberd) prepare() (err error) {
	if s.home, err = newHome(s.conf.Dir, "ejabberd"); err != nil {
		return err
	}
	if err := freePorts(&s.c2s, &s.component, &s.http); err != nil {
		return err
	}
	for _, name := range []string{"spool", "upload", "log"} { // ejabberd makes several logs beside the one it is told
		if err := s.home.mkdir(name); err != nil {
			return err
		}
	}
	data := struct {
		EjabberdConfig
		C2S, Component, HTTP int
	}{s.conf, s.c2s, s.component, s.http}
	data.Dir = s.home.dir
	file, err := s.home.render("ejabberd.yml", data)
	if err != nil {
		return err
	}
	libs, err := erlangLibs()
	if err != nil {
		return err
	}
	// Without a node name erl needs neither epmd nor a cookie.
	s.Process = s.home.process("ejabberd", "/usr/bin/erl", "-noinput", "+K", "true",
		"-mnesia", "dir", `"`+s.home.path("spool")+`"`, "-s", "ejabberd")
	log := s.home.path("log/ejabberd.log")
	s.env = append(s.env, "EJABBERD_CONFIG_PATH="+file, "EJABBERD_LOG_PATH="+log, "ERL_LIBS="+libs)
	s.logs = []string{log}
	s.ready = s.answers
	return nil
}

// erlangLibs finds the folder, which differs by architecture, that Debian installs ejabberd's libraries in.
func erlangLibs() (string, error) {
	found, err := filepath.Glob("/usr/lib/*/ejabberd-*/ebin")
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", errors.New("no ejabberd below /usr/lib (is the package installed? run integration/packages.sh)")
	}
	return filepath.Dir(filepath.Dir(found[0])), nil
}

// answers succeeds when the server greets clients and components and all its accounts are there.
func (s *Ejabberd) answers(ctx context.Context) error {
	if err := probeStream(ctx, s.Addr(), nsClient, s.conf.Domain, "</stream:features>"); err != nil {
		return err
	}
	if len(s.conf.Components) > 0 {
		err := probeStream(ctx, s.ComponentAddr(), nsComponent, s.conf.Components[0].Domain, "<stream:stream")
		if err != nil {
			return err
		}
	}
	for _, u := range s.conf.Users {
		if err := s.AddUser(ctx, u); err != nil {
			return err
		}
	}
	return nil
}

// AddUser registers an account with the running server. One that exists stays as it is.
func (s *Ejabberd) AddUser(ctx context.Context, u User) error {
	_, err := s.API(ctx, "register", map[string]any{"user": u.Name, "host": s.conf.Domain, "password": u.Password})
	if ae, ok := errors.AsType[*APIError](err); ok && ae.Status == http.StatusConflict {
		return nil
	}
	return err
}

// APIError is a refusal by ejabberd's HTTP API.
type APIError struct {
	Command string
	Status  int
	Text    string
}

// Error is the refusal in one line.
func (e *APIError) Error() string {
	return fmt.Sprintf("ejabberd api %s: %d: %s", e.Command, e.Status, e.Text)
}

// API runs a command of ejabberd's administration (as ejabberdctl would) and returns its result in JSON.
func (s *Ejabberd) API(ctx context.Context, command string, args map[string]any) ([]byte, error) {
	body, err := json.Marshal(args)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.HTTPURL()+"api/"+command, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, &APIError{command, resp.StatusCode, string(text)}
	}
	return text, nil
}

// Domain is the server's XMPP domain.
func (s *Ejabberd) Domain() string { return s.conf.Domain }

// Addr is where clients connect.
func (s *Ejabberd) Addr() string { return loopback(s.c2s) }

// ComponentAddr is where components connect.
func (s *Ejabberd) ComponentAddr() string { return loopback(s.component) }

// HTTPURL is the base of the server's HTTP services: upload and api.
func (s *Ejabberd) HTTPURL() string { return "http://" + loopback(s.http) + "/" }

// ConfigFile is the configuration as written, for a person who wants to look.
func (s *Ejabberd) ConfigFile() string { return s.home.path("ejabberd.yml") }
