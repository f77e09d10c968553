package servers

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
)

// Gangway is the program itself as a child process, as an administrator runs it.
type Gangway struct{ *Process }

// GangwayConfig says how the program is run.
type GangwayConfig struct {
	Dir    string // its logs; made when absent
	Binary string // as built
	Config string // the path of its gangway.toml
	Web    string // what web.listen in there says
	CA     string // the file of an authority that it trusts beside the machine's own; empty: none
}

// NewGangway starts nothing. Start returns when /readyz says that every link is up.
func NewGangway(conf GangwayConfig) (*Gangway, error) {
	if err := os.MkdirAll(conf.Dir, 0o755); err != nil {
		return nil, err
	}
	s := &Gangway{&Process{
		name: "gangway", path: conf.Binary, args: []string{"run", "-c", conf.Config},
		output: filepath.Join(conf.Dir, "gangway.log"),
		ready:  func(ctx context.Context) error { return ready(ctx, "http://"+conf.Web+"/readyz") },
	}}
	if conf.CA != "" {
		s.env = append(s.env, "SSL_CERT_FILE="+conf.CA)
	}
	return s, nil
}

// ready succeeds when the URL answers 200.
func ready(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 4096))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", res.Status, body)
	}
	return nil
}
