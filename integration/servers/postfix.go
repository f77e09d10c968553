package servers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

// Postfix is an instance of Postfix 3.7 with configuration, queue and state of its own; the machine's own is not touched.
type Postfix struct {
	*Process
	smtp, submission, submissions int
}

func newPostfix(dir string, conf MailConfig, box *Dovecot) (*Postfix, error) {
	h, err := newHome(dir, "postfix")
	if err != nil {
		return nil, err
	}
	s := &Postfix{}
	if err := freePorts(&s.smtp, &s.submission, &s.submissions); err != nil {
		return nil, err
	}
	table, err := refusals(conf)
	if err != nil {
		return nil, err
	}
	data := struct {
		MailConfig
		SMTP, Submission, Submissions int
		MailboxLMTP, Auth, Cert, Key  string
		Refusals                      map[string]string
	}{
		MailConfig: conf, SMTP: s.smtp, Submission: s.submission, Submissions: s.submissions,
		MailboxLMTP: box.LMTPAddr(), Auth: loopback(box.auth), Refusals: table,
	}
	data.Dir = dir
	if conf.CA != nil {
		if _, data.Cert, data.Key, err = h.issue(conf.CA, "mx."+conf.Domain); err != nil {
			return nil, err
		}
		if err := errors.Join(os.Chown(data.Cert, 0, 0), os.Chown(data.Key, 0, 0)); err != nil { // smtpd reads them as root
			return nil, err
		}
	}
	if err := writePostfix(h, data); err != nil {
		return nil, err
	}
	// Not "postfix start-fg": its master moves to a session of its own, out of Kill's reach.
	s.Process = h.process("postfix", "/usr/lib/postfix/sbin/master", "-s", "-c", h.path("etc"))
	s.cred = nil // master is root; its daemons drop to mail_owner
	s.logs = []string{h.path("postfix.log")}
	s.ready = func(ctx context.Context) error { return probeLine(ctx, s.SMTPAddr(), "220 ", "QUIT") }
	return s, nil
}

// smtpReply is a refusal in one line of printable characters.
var smtpReply = regexp.MustCompile(`^[45][0-9][0-9] [ -~]+$`)

// refusals is the access table: recipient -> reply.
func refusals(conf MailConfig) (map[string]string, error) {
	table := map[string]string{}
	for local, reply := range DefaultRefusals() {
		table[local+"@"+conf.Domain] = reply
	}
	maps.Copy(table, conf.Refuse)
	for recipient, reply := range table {
		if !smtpReply.MatchString(reply) {
			return nil, fmt.Errorf("refusal of %q: %q is no SMTP reply", recipient, reply)
		}
	}
	return table, nil
}

// writePostfix lays out an instance: etc (configuration), queue, data and a log. Postfix wants its configuration owned
// by root, its state by mail_owner.
func writePostfix(h *home, data any) error {
	for _, name := range []string{"etc", "queue"} {
		if err := os.MkdirAll(h.path(name), 0o755); err != nil { //nolint:gosec // what postfix check asks for
			return err
		}
	}
	if err := makeQueue(h); err != nil {
		return err
	}
	if err := h.mkdir("data"); err != nil {
		return err
	}
	if _, err := h.touch("postfix.log"); err != nil {
		return err
	}
	for _, name := range []string{"main.cf", "master.cf", "transport", "refuse"} {
		path, err := h.renderTo("etc/"+name, "postfix/"+name, data)
		if err != nil {
			return err
		}
		// Each daemon would wait two seconds for a file this new to settle.
		old := time.Now().Add(-time.Minute)
		err = errors.Join(os.Chown(path, 0, 0), os.Chmod(path, 0o644), os.Chtimes(path, old, old)) //nolint:gosec // mail_owner reads it
		if err != nil {
			return err
		}
	}
	return nil
}

// SMTPAddr is where mail is handed in.
func (s *Postfix) SMTPAddr() string { return loopback(s.smtp) }

// makeQueue makes the queue's folders with the owners and modes of Debian's postfix-files. "postfix check" would do it
// too, in three seconds instead of none, because it looks after the whole machine's Postfix besides.
func makeQueue(h *home) error {
	postdrop, err := group("postdrop")
	if err != nil {
		return err
	}
	owner := int(h.cred.Uid)
	for name, mode := range map[string]os.FileMode{
		"active": 0o700, "bounce": 0o700, "corrupt": 0o700, "defer": 0o700, "deferred": 0o700, "flush": 0o700, "hold": 0o700,
		"incoming": 0o700, "private": 0o700, "saved": 0o700, "trace": 0o700,
		"maildrop": 0o730, "public": 0o710, "pid": 0o755,
	} {
		dir := h.path(filepath.Join("queue", name))
		uid, gid := owner, 0
		switch name {
		case "maildrop", "public":
			gid = postdrop
		case "pid":
			uid = 0
		}
		err := errors.Join(os.MkdirAll(dir, mode), os.Chown(dir, uid, gid), os.Chmod(dir, mode))
		if err != nil {
			return err
		}
	}
	return nil
}
