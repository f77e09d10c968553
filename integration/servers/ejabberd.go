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

// Ejabberd is an ejabberd 23.01 with rooms at rooms.DOMAIN and uploads (XEP-0363) at upload.DOMAIN.
//
// Its own database writes to disk 2 to 3 seconds late, so Kill takes with it what ejabberd accepted last: accounts made
// by AddUser, rosters, and without Archive offline messages among it.
type Ejabberd struct {
	*Process
	*xmppHost
}

// NewEjabberd writes the configuration; it starts nothing. Start registers the users.
func NewEjabberd(conf HostConfig) (*Ejabberd, error) {
	s, err := newEjabberd(conf)
	if err != nil {
		return nil, fmt.Errorf("ejabberd: %w", err)
	}
	return s, nil
}

func newEjabberd(conf HostConfig) (*Ejabberd, error) {
	h, err := prepareHost(conf, "ejabberd", "spool", "upload", "log") // it makes several logs beside the one it is told
	if err != nil {
		return nil, err
	}
	if err := h.render("ejabberd.yml"); err != nil {
		return nil, err
	}
	libs, err := erlangLibs()
	if err != nil {
		return nil, err
	}
	// Without a node name erl needs neither epmd nor a cookie.
	s := &Ejabberd{h.home.process("ejabberd", "/usr/bin/erl", "-noinput", "+K", "true",
		"-mnesia", "dir", `"`+h.below("spool")+`"`, "-s", "ejabberd"), h}
	log := h.below("log/ejabberd.log")
	s.env = append(s.env, "EJABBERD_CONFIG_PATH="+h.file, "EJABBERD_LOG_PATH="+log, "ERL_LIBS="+libs)
	s.logs = []string{log}
	s.ready = s.answers
	return s, nil
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
	if err := s.xmppHost.answers(ctx); err != nil {
		return err
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
