package servers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
)

// MilterConfig says what a filter beside a mail server shall be like.
type MilterConfig struct {
	Dir string // its own; made when absent
	DNS *DNS   // where keys and policies are published
	// Name is what the filter calls the mail server in Authentication-Results (RFC 8601).
	Name string
}

// Milter is a filter that judges mail for a mail server, for Postfix as in smtpd_milters = inet:Addr, and says so in
// Authentication-Results.
type Milter struct {
	*Process
	port int
}

// Addr is where the mail server asks it.
func (s *Milter) Addr() string { return loopback(s.port) }

// Stop kills it: libmilter takes seconds to hear that it shall end, and there is nothing to lose.
func (s *Milter) Stop() error { return s.Kill() }

func (s *Milter) answers(ctx context.Context) error {
	conn, err := dial(ctx, s.Addr())
	if err != nil {
		return err
	}
	return conn.Close()
}

// NewOpenDKIM writes the configuration of an OpenDKIM 2.11, which verifies signatures; it starts nothing.
func NewOpenDKIM(conf MilterConfig) (*Milter, error) {
	return newMilter(conf, "opendkim", "/usr/sbin/opendkim", "-f", "-x")
}

// NewOpenDMARC writes the configuration of an OpenDMARC 1.4, which verifies DMARC by what OpenDKIM said before;
// it starts nothing.
func NewOpenDMARC(conf MilterConfig) (*Milter, error) {
	return newMilter(conf, "opendmarc", "/usr/sbin/opendmarc", "-f", "-c")
}

func newMilter(conf MilterConfig, name, path string, args ...string) (*Milter, error) {
	s := &Milter{}
	if err := s.prepare(conf, name, path, args); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

func (s *Milter) prepare(conf MilterConfig, name, path string, args []string) error {
	h, err := newHome(conf.Dir, name)
	if err != nil {
		return err
	}
	if err := freePorts(&s.port); err != nil {
		return err
	}
	host, _, err := net.SplitHostPort(conf.DNS.Addr())
	if err != nil {
		return err
	}
	data := struct {
		Dir, Name, DNS string
		Port           int
	}{h.dir, conf.Name, host, s.port}
	for _, file := range []string{"unbound.conf", "hosts"} {
		if _, err := h.renderTo(file, "milter/"+file, data); err != nil {
			return err
		}
	}
	file, err := h.renderTo(name+".conf", "milter/"+name+".conf", data)
	if err != nil {
		return err
	}
	// Both take hosts that they shall leave alone from a file.
	resolv := h.path("resolv.conf")
	if err := errors.Join(conf.DNS.WriteResolvConf(resolv), os.Chmod(h.dir, 0o711)); err != nil { //nolint:gosec // others pass
		return err
	}
	s.Process = h.process(name, path, append(args, file)...)
	s.resolv = resolv
	s.ready = s.answers
	return nil
}
