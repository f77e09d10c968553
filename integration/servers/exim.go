package servers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The Debian packages of Exim and Postfix conflict, so packages.sh unpacks the former, and makes the user without which
// it does not start.
const (
	eximBinary = "/usr/local/lib/gangway-test/exim4-daemon-light/usr/sbin/exim4"
	eximUser   = "Debian-exim"
)

// EximConfig says what an Exim shall be like.
type EximConfig struct {
	Dir      string   // its own; made when absent
	Domain   string   // DefaultMailDomain when empty
	Also     []string // domains more, of which the same users have the same mailboxes
	Users    []string // whose mailboxes are at Domain
	CA       *CA      // issues the certificate; an authority of its own when nil
	Gateways []EximGateway
	// Refuse says with which SMTP reply a recipient is refused at once.
	Refuse map[string]string
}

// EximGateway is a domain whose mail goes elsewhere.
type EximGateway struct {
	Domain string
	Addr   string // host:port; the host is this one
	SMTP   bool   // not LMTP
	// CA is the file of the authority that must have issued the gateway's certificate; empty: no TLS with it.
	CA string
}

// Port is that of Addr.
func (g EximGateway) Port() (string, error) {
	_, port, err := net.SplitHostPort(g.Addr)
	return port, err
}

// Exim is an Exim 4.96 that takes mail for several domains on a loopback port, keeps that of the one in mailboxes, and
// hands on that of the others. Unlike the rest it runs as a plain user.
type Exim struct {
	*Process
	conf EximConfig
	smtp int
	mail string // the mailboxes' folder
}

// NewExim writes the configuration; it starts nothing.
func NewExim(conf EximConfig) (*Exim, error) {
	if conf.Domain == "" {
		conf.Domain = DefaultMailDomain
	}
	s, err := newExim(conf)
	if err != nil {
		return nil, fmt.Errorf("exim: %w", err)
	}
	return s, nil
}

func newExim(conf EximConfig) (*Exim, error) {
	h, err := newHome(conf.Dir, eximUser)
	if err != nil {
		return nil, err
	}
	s := &Exim{conf: conf, mail: h.path("mail")}
	if err := freePorts(&s.smtp); err != nil {
		return nil, err
	}
	for _, name := range []string{"spool", "log", "mail"} {
		if err := h.mkdir(name); err != nil {
			return nil, err
		}
	}
	data := struct {
		EximConfig
		Binary, User, Cert, Key string
		SMTP                    int
		Refusals                []refusal
	}{EximConfig: conf, Binary: eximBinary, User: eximUser, SMTP: s.smtp}
	data.Dir = h.dir
	if data.Refusals, err = splitRefusals(conf.Refuse); err != nil {
		return nil, err
	}
	if _, data.Cert, data.Key, err = h.issue(conf.CA, "mx."+conf.Domain); err != nil {
		return nil, err
	}
	file, err := h.render("exim.conf", data)
	if err != nil {
		return nil, err
	}
	s.Process = h.process("exim", eximBinary, "-C", file, "-bdf", "-q1s")
	s.logs = []string{h.path("log/mainlog"), h.path("log/rejectlog"), h.path("log/paniclog")}
	s.ready = func(ctx context.Context) error { return probeLine(ctx, s.SMTPAddr(), "220 ", "QUIT") }
	return s, nil
}

// refusal is a recipient that is refused at once.
type refusal struct{ Local, Domain, Verb, Reply string }

func splitRefusals(table map[string]string) ([]refusal, error) {
	var all []refusal
	for recipient, reply := range table {
		local, domain, ok := strings.Cut(recipient, "@")
		if !ok || !smtpReply.MatchString(reply) || strings.ContainsAny(reply, "$\\") {
			return nil, fmt.Errorf("refusal of %q: %q is no SMTP reply", recipient, reply)
		}
		verb := "deny"
		if reply[0] == '4' {
			verb = "defer"
		}
		all = append(all, refusal{local, domain, verb, reply})
	}
	return all, nil
}

// Domain is Exim's own domain.
func (s *Exim) Domain() string { return s.conf.Domain }

// SMTPAddr is where mail is handed in.
func (s *Exim) SMTPAddr() string { return loopback(s.smtp) }

// Address is a user's mail address.
func (s *Exim) Address(user string) string { return user + "@" + s.conf.Domain }

// Messages reads a user's mailbox: each message as it arrived, with the lines that Exim adds on top, in no order.
func (s *Exim) Messages(user string) ([][]byte, error) {
	var raws [][]byte
	for _, folder := range []string{"new", "cur"} {
		files, err := os.ReadDir(filepath.Join(s.mail, user, folder))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			raw, err := os.ReadFile(filepath.Join(s.mail, user, folder, f.Name()))
			if err != nil {
				return nil, err
			}
			raws = append(raws, raw)
		}
	}
	return raws, nil
}

// WaitMessage waits until a user's mailbox holds a message that matches, and returns it. Its lines end in LF.
func (s *Exim) WaitMessage(ctx context.Context, user string, match func(raw []byte) bool) ([]byte, error) {
	for {
		raws, err := s.Messages(user)
		if err != nil {
			return nil, fmt.Errorf("mailbox of %s: %w", user, err)
		}
		for _, raw := range raws {
			if match(raw) {
				return raw, nil
			}
		}
		select {
		case <-time.After(5 * pollEvery):
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for mail to %s: %w; %d other messages came", user, context.Cause(ctx), len(raws))
		}
	}
}
