package servers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// mailUser owns the mailboxes. It is Debian's own and has no other use there.
const mailUser = "mail"

// Dovecot is a Dovecot 2.3 that takes mail by LMTP and shows it by IMAP.
type Dovecot struct {
	*Process
	lmtp, imap, imaps, auth int
	passwords               map[string]string
}

func newDovecot(dir string, conf MailConfig) (*Dovecot, error) {
	h, err := newHome(dir, mailUser)
	if err != nil {
		return nil, err
	}
	s := &Dovecot{passwords: map[string]string{}}
	if err := freePorts(&s.lmtp, &s.imap, &s.imaps, &s.auth); err != nil {
		return nil, err
	}
	if err := h.mkdir("mail"); err != nil {
		return nil, err
	}
	if err := s.writeUsers(h, conf.Users); err != nil {
		return nil, err
	}
	data := struct {
		Dir, Domain, Cert, Key  string
		UID, GID                uint32
		LMTP, IMAP, IMAPS, Auth int
	}{Dir: h.dir, Domain: conf.Domain, UID: h.cred.Uid, GID: h.cred.Gid, LMTP: s.lmtp, IMAP: s.imap, IMAPS: s.imaps, Auth: s.auth}
	if conf.CA != nil {
		var err error
		if _, data.Cert, data.Key, err = h.issue(conf.CA, "mx."+conf.Domain); err != nil {
			return nil, err
		}
	}
	file, err := h.render("dovecot.conf", data)
	if err != nil {
		return nil, err
	}
	if err := os.Chown(file, 0, 0); err != nil { // its master is root
		return nil, err
	}
	s.Process = h.process("dovecot", "/usr/sbin/dovecot", "-F", "-c", file)
	s.cred = nil
	s.logs = []string{h.path("dovecot.log")}
	s.before = func() error { // left by an unclean end; its number may be somebody else's by now
		if err := os.Remove(h.path("run/master.pid")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	s.ready = s.answers
	return s, nil
}

// writeUsers writes the passwd-file, which Dovecot's own user must be able to read.
func (s *Dovecot) writeUsers(h *home, users []User) error {
	var b strings.Builder
	for _, u := range users {
		for _, v := range []string{u.Name, u.Password} {
			if _, err := safe(v); err != nil || v == "" || strings.Contains(v, ":") {
				return fmt.Errorf("user %q: name and password must be plain and not empty", u.Name)
			}
		}
		s.passwords[u.Name] = u.Password
		fmt.Fprintf(&b, "%s:{PLAIN}%s::::::\n", u.Name, u.Password)
	}
	path, err := h.write("users", []byte(b.String()))
	if err != nil {
		return err
	}
	cred, err := credential("dovecot")
	if err != nil {
		return err
	}
	return os.Chown(path, int(cred.Uid), int(cred.Gid))
}

func (s *Dovecot) answers(ctx context.Context) error {
	if err := probeLine(ctx, s.LMTPAddr(), "220 ", "QUIT"); err != nil {
		return err
	}
	return probeLine(ctx, s.IMAPAddr(), "* OK", "a LOGOUT")
}

// LMTPAddr is where mail for the mailboxes is delivered.
func (s *Dovecot) LMTPAddr() string { return loopback(s.lmtp) }

// IMAPAddr is where mailboxes are read.
func (s *Dovecot) IMAPAddr() string { return loopback(s.imap) }

// IMAPSAddr is where mailboxes are read with TLS from the start, if there is a CA.
func (s *Dovecot) IMAPSAddr() string { return loopback(s.imaps) }
